"""The live page as it first arrives: complete, in the reader's language, and closed to everything foreign."""

import re

import pytest
from litestar.testing import TestClient
from tests.web.console_page import NOW_US, console_with, decided, filled_tally

from sekisho.console.live_tally import LiveTally
from sekisho.guard.attempts import Attempt
from sekisho.guard.decisions import Action

PAGE_OCTETS_MAX = 150_000


@pytest.fixture(name="client")
def _client():
    with TestClient(console_with(filled_tally())) as client:
        yield client


@pytest.fixture(name="quiet")
def _quiet():
    with TestClient(console_with(LiveTally())) as client:
        yield client


def test_the_page_answers_without_a_script(client):
    """Under attack, by what, how much is stopped, whom it reached, what next: all of it is in the HTML."""
    page = client.get("/").text
    assert "Under attack, and holding" in page
    assert "A list-type attack, one try an account" in page
    assert "Members possibly entered" in page
    assert "Secure 2 accounts" in page
    assert page.count("<polygon") == 4


def test_the_page_speaks_the_language_that_the_browser_asks_for(client):
    """Japanese where it is preferred, English otherwise."""
    page = client.get("/", headers={"accept-language": "ja,en;q=0.5"}).text
    assert '<html lang="ja"' in page
    assert "攻撃を受けていますが、防いでいます" in page
    assert '<html lang="en"' in client.get("/", headers={"accept-language": "fr"}).text


def test_a_language_once_chosen_is_remembered(client):
    """The switch sets a cookie and comes back to the same view."""
    chosen = client.get("/?lang=ja&span=15", headers={"accept-language": "en"}, follow_redirects=False)
    assert chosen.headers["location"] == "/?span=15"
    page = client.get("/?span=15", headers={"accept-language": "en"}).text
    assert '<html lang="ja"' in page
    assert 'data-minutes="15"' in page


def test_an_unknown_language_or_span_changes_nothing(client):
    """What stands in the address is not trusted."""
    page = client.get("/?lang=xx&span=99999999").text
    assert 'data-minutes="5"' in page


@pytest.mark.parametrize("path", ["/", "/static/live.js", "/nowhere"])
def test_every_answer_forbids_what_is_foreign(client, path):
    """No inline script, no frame, no outside: on pages, files and errors alike."""
    policy = client.get(path).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_has_no_inline_script_style_or_foreign_address(client):
    """What the policy forbids is not tried either."""
    page = client.get("/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\sstyle=|<style|\son\w+=", page)
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)


def test_whole_member_ids_never_leave(client):
    """Neither the page nor a push carries a member's id in clear."""
    page = client.get("/").text
    assert "lea…00" in page
    assert not re.search(r"(leaked|member)\d{3}", page)


def test_an_empty_page_says_what_will_appear_and_how(quiet):
    """Each part says what it waits for."""
    page = quiet.get("/").text
    assert "Waiting for the first attempt" in page
    assert "sekisho up --demo" in page
    assert page.count('class="empty"') == 6


def test_what_an_attacker_sends_is_text_not_markup():
    """Members and countries come from outside; a page that shows them must not run them."""
    tally = LiveTally()
    evil = "<i onclick=alert(1)>x"
    attempt = Attempt(time_us=NOW_US, member=evil, ip="10.0.0.1", country=evil)
    tally.decided(attempt, decided(Action.DENY, 0.9, reasons=(evil,)), NOW_US)
    with TestClient(console_with(tally)) as client:
        page = client.get("/").text
    assert "&lt;i onclick" in page
    assert "<i " not in page


def test_a_decision_s_row_names_three_reasons_and_counts_the_rest():
    """Rows keep their height, so that a table that moves every second can be read."""
    tally = LiveTally()
    attempt = Attempt(time_us=NOW_US, member="hanako.sato83", ip="10.0.0.1", country="JP")
    tally.decided(attempt, decided(Action.DENY, 0.9, reasons=("a", "b", "c", "d", "e")), NOW_US)
    with TestClient(console_with(tally)) as client:
        assert 'a, b, c <span class="quiet">+2</span>' in client.get("/").text


def test_the_page_with_all_its_files_is_light(client):
    """Under 150 kB without fonts, as it goes over the wire uncompressed."""
    page = client.get("/")
    files = [path for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text) if "woff" not in path]
    octets = len(page.content) + sum(len(client.get(path).content) for path in files)
    assert len(files) == 7
    assert octets < PAGE_OCTETS_MAX
