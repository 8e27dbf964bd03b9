"""The proof of who applies, on the page: what the card signs, what comes back, and what is told of it."""

import datetime as dt
from datetime import UTC

import pytest
from tests.identity.authority import Authority, person
from tests.identity.member_at_hand import NOON_US
from tests.web.lender_site import play
from tests.web.member_site import ADDRESS, HANAKO, found
from tests.web.test_lender_apply import begun

from sekisho.identity.card_answers import from_text, written
from sekisho.lender.outside import Outside

NOW = dt.datetime.fromtimestamp(NOON_US // 1_000_000, UTC)
BORN = "319900401"


class Trusting:
    """Trust in one authority."""

    def __init__(self, authority):
        self._authority = authority

    async def authorities(self):
        return [self._authority.certificate]

    async def revocation_lists(self):
        return [self._authority.revocation_list()]


def play_with(folder, scene, authority):
    """Play a scene at a lender that trusts one authority, and links a page for trying out."""
    outside = Outside(trust=Trusting(authority), card_page="http://card.localhost/")

    async def opened(site):
        browser = site.browser()
        await begun(site, browser)
        await browser.submit("/apply/submit")
        assert "/apply/identity" in browser.page.text
        await browser.get("/apply/identity")
        await scene(browser)

    play(folder, opened, outside)


def signed_by(card, browser):
    """Let a card sign what the page shows."""
    challenge = found(r'id="challenge">([^<]+)<', browser.page.text)
    return written(card.sign(from_text(challenge)))


def card_of(authority, **changes):
    """Give a card to the applicant, or to somebody who differs in something."""
    spelled = {"name": HANAKO["name"], "born": BORN, "address": ADDRESS} | changes
    return authority.give(person(**spelled))


def test_the_own_card_opens_the_next_step(tmp_path):
    """The page shows what is signed and where a card can be tried; the application goes on by itself."""
    authority = Authority(NOW)

    async def scene(browser):
        assert 'href="http://card.localhost/?challenge=' in browser.page.text
        await browser.submit("/apply/identity", answer=signed_by(card_of(authority), browser))
        assert browser.path == "/apply"
        assert 'data-state="identity_checked"' in browser.page.text

    play_with(tmp_path, scene, authority)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "山田 太郎"}, "another name"),
        ({"born": "319910401"}, "another name"),
    ],
)
def test_somebody_else_s_card_is_told(tmp_path, changes, told):
    """And the application waits on."""
    authority = Authority(NOW)

    async def scene(browser):
        answer = await browser.submit(
            "/apply/identity", answer=signed_by(card_of(authority, **changes), browser)
        )
        assert answer.status_code == 422
        assert told in answer.text
        assert 'data-state="submitted"' in (await browser.get("/apply")).text

    play_with(tmp_path, scene, authority)


def test_a_card_of_a_stranger_s_authority_is_told(tmp_path):
    """Whoever makes an authority of their own is not let in by it."""
    authority = Authority(NOW)

    async def scene(browser):
        answer = await browser.submit(
            "/apply/identity", answer=signed_by(card_of(Authority(NOW, name="Elsewhere")), browser)
        )
        assert answer.status_code == 422

    play_with(tmp_path, scene, authority)


@pytest.mark.parametrize("answer", ["", "nothing", "a.b", "ä.ö", "A" * 40_000, "YQ.YQ.YQ.YQ.YQ.YQ.YQ.YQ"])
def test_what_no_reader_gives_is_told(tmp_path, answer):
    """Nothing of it is echoed."""
    authority = Authority(NOW)

    async def scene(browser):
        told = await browser.submit("/apply/identity", answer=answer)
        assert told.status_code in {400, 422}
        assert len(answer) < 3 or answer not in told.text.partition("<form")[2]

    play_with(tmp_path, scene, authority)


def test_a_signature_counts_once_and_for_its_own_text(tmp_path):
    """Neither an old one nor one of another text opens anything."""
    authority = Authority(NOW)

    async def scene(browser):
        old = signed_by(card_of(authority, name="山田 太郎"), browser)
        await browser.submit("/apply/identity", answer=old)
        answer = await browser.submit("/apply/identity", answer=old)
        assert answer.status_code == 422
        assert "does not fit" in answer.text

    play_with(tmp_path, scene, authority)
