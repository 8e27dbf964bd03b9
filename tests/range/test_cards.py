"""The card for trying out: what the lender says to it, and that nobody else trusts it."""

import asyncio
import html
import re
from datetime import date

import httpx
import pytest

from sekisho.identity.card_answers import read_answer, to_text
from sekisho.identity.certificates import CertificateFault, Person, Verified, verify
from sekisho.identity.trust_folder import FolderTrust
from sekisho.kernel.clock import DAY_US, SetClock
from sekisho.kernel.posture import OperationalError
from sekisho.range.cards.authority import PlayedAuthority
from sekisho.range.cards.reader import ReaderSite

NOW_US = 1_790_000_000_000_000
HANAKO = Person("山田 花子", date(1990, 4, 2), "東京都架空区見本町1丁目2番3号" + "、長い建物の名前" * 8)
CHALLENGE = b"sekisho:challenge"
TYPED = {
    "challenge": to_text(CHALLENGE),
    "name": HANAKO.name,
    "born_on": HANAKO.born_on.isoformat(),
    "address": HANAKO.address,
}


@pytest.fixture
def clock():
    return SetClock(NOW_US)


def asked(authority, method="GET", *, data=None, path="/", **headers):
    async def ask():
        transport = httpx.ASGITransport(ReaderSite(authority))
        async with httpx.AsyncClient(transport=transport, base_url="http://card.localhost") as client:
            return await client.request(method, path, data=data, headers=headers)

    return asyncio.run(ask())


def verified(trust, presented, clock, person=HANAKO):
    return verify(
        presented,
        CHALLENGE,
        person,
        trusted=asyncio.run(trust.authorities()),
        revocation_lists=asyncio.run(trust.revocation_lists()),
        now_us=clock.now_us(),
    )


def test_what_the_page_signs_establishes_the_person_at_a_lender_that_trusts_it(tmp_path, clock):
    """The text from the page, read as the lender reads it; another person stays another."""
    authority, trust = PlayedAuthority(tmp_path / "own", clock), FolderTrust(tmp_path / "trust")
    authority.publish(tmp_path / "trust")
    page = asked(authority, "POST", data=TYPED)
    found = re.search(r'<textarea id="answer"[^>]*>([^<]+)</textarea>', page.text)
    assert found
    presented = read_answer(html.unescape(found[1]))
    assert isinstance(verified(trust, presented, clock), Verified)
    other = HANAKO._replace(name="山田 太郎")
    assert verified(trust, presented, clock, other) is CertificateFault.NAME_DIFFERS


def test_the_authority_stays_the_same_and_its_list_grows_old(tmp_path, clock):
    """After a new start, old trust holds; a list that nobody renewed proves nothing after two days."""
    PlayedAuthority(tmp_path / "own", clock).publish(tmp_path / "trust")
    again, trust = PlayedAuthority(tmp_path / "own", clock), FolderTrust(tmp_path / "trust")
    assert isinstance(verified(trust, again.sign(HANAKO, CHALLENGE), clock), Verified)
    clock.advance(3 * DAY_US)
    presented = again.sign(HANAKO, CHALLENGE)
    assert verified(trust, presented, clock) is CertificateFault.REVOCATION_UNKNOWN
    again.publish(tmp_path / "trust")
    assert isinstance(verified(trust, presented, clock), Verified)


def test_a_lender_without_an_authority_says_that_it_cannot_check(tmp_path):
    """An empty folder, none at all, and one with rubbish: an outage, not a yes and not a no."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "rubbish").mkdir()
    (tmp_path / "rubbish" / "a.pem").write_text("x")
    for name in ("empty", "none", "rubbish"):
        with pytest.raises(OperationalError):
            asyncio.run(FolderTrust(tmp_path / name).authorities())


def test_the_page_signs_for_nobody_else_and_nothing_half(tmp_path, clock):
    """Another site's form is not served; what can't be a card is asked again."""
    authority = PlayedAuthority(tmp_path / "own", clock)
    foreign = asked(authority, "POST", data=TYPED, origin="http://evil.localhost")
    assert foreign.status_code == 404
    for wrong in ({"name": " "}, {"born_on": "yesterday"}, {"challenge": "???"}):
        page = asked(authority, "POST", data={**TYPED, **wrong})
        assert page.status_code == 422
        assert "answer" not in page.text
    filled = asked(authority, path="/?challenge=%3Cb%3E")
    assert 'value="&lt;b&gt;"' in filled.text
