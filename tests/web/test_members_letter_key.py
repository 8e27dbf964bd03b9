"""The way back after containment, in the browser: a letter for who has no passkey, else the passkey."""

import re

from tests.web.member_site import PASSWORD, play

from sekisho.identity import members
from sekisho.kernel.clock import HOUR_US, SECOND_US
from sekisho.response.cohorts import Suspect
from sekisho.response.containment import ContainmentDesk

NEW_PASSWORD = "suzume-no-oyado 52"  # noqa: S105 - an example's
NUMBER_OF_TEN = "1234567890"


async def contained(site, number):
    """Contain a member, as a hunt names them."""
    site.clock.advance(HOUR_US)
    desk = ContainmentDesk(site.site.parts)
    suspect = Suspect(number, site.clock.now_us() - SECOND_US, 0.99)
    begun = await desk.begin("cmp_1", [suspect], by="sato")
    assert await desk.run(begun.id) == 1


def key_in(site):
    """Read the key as it stands in the letter."""
    [letter] = site.sent("code:reenrolment")
    match = re.search(r"(?:\d{4} ){4}\d{4}", letter.text)
    assert match
    return match[0]


def state_of(site, number):
    with site.site.parts.store.read() as connection:
        found = members.find_by_name(connection, site.site.parts.keyring, number)
    assert found is not None
    return found.state


def test_the_key_from_the_letter_sets_a_new_password(tmp_path):
    """Out of every session, in again with the letter, and the old password opens nothing."""

    async def scene(site):
        own, other = site.browser(), site.browser("198.51.100.9")
        number, mobile = await site.sign_up(own)
        await contained(site, number)
        await own.get("/security")
        assert own.path.startswith("/login")
        assert state_of(site, number) == "invalidated"

        await own.get("/letter-key")
        await own.submit("/letter-key", number=number, key="1234 " * 5, password=NEW_PASSWORD)
        assert own.page.status_code == 422
        assert state_of(site, number) == "invalidated"
        await own.submit("/letter-key", number=number, key=key_in(site), password=NUMBER_OF_TEN)
        assert own.page.status_code == 422
        await own.submit("/letter-key", number=number, key=key_in(site), password=NEW_PASSWORD)
        assert own.path == "/letter-key?done"
        assert state_of(site, number) == "open"

        await other.get("/letter-key")
        await other.submit("/letter-key", number=number, key=key_in(site), password=PASSWORD)
        assert other.page.status_code == 422
        await other.get("/login")
        await other.submit("/login", name=number, password=NEW_PASSWORD)
        await site.quiet()
        site.wait(20)
        await other.submit("/login/code", code=site.code_to(mobile))
        await other.get("/security")
        assert other.path == "/security"

    play(tmp_path, scene)


def test_who_has_a_passkey_gets_no_key(tmp_path):
    """The passkey is the way back: no letter, and the login says so."""

    async def scene(site):
        own = site.browser()
        number, _ = await site.sign_up(own)
        await site.make_passkey(own)
        await contained(site, number)
        assert site.sent("code:reenrolment") == []
        await own.get("/login")
        assert 'href="/letter-key"' in own.page.text

    play(tmp_path, scene)
