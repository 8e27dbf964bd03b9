"""Nobody's name, a wrong password, the right one: over HTTP, the running program answers all alike."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import pytest
from tests.end_to_end.http_browser import HttpBrowser
from tests.end_to_end.people import PASSWORD
from tests.identity.telling_apart import in_turns, told_apart

from sekisho.kernel.chance import SeededChance

pytestmark = pytest.mark.server

KINDS = ("nobody", "wrong", "right")
TURNS = 12
RANDOM = re.compile(r"[0-9a-f]{32,}|[A-Za-z0-9_-]{40,}")
OWN_TO_EACH = {"date"}


def seen_in(answer):
    """Return all that an answer shows, but for the time of day and what is drawn anew each time."""
    headers = [(name, value) for name, value in answer.headers.multi_items() if name not in OWN_TO_EACH]
    drawn = {text for _, text in headers for text in RANDOM.findall(text)} | set(RANDOM.findall(answer.text))
    text = repr((answer.status_code, headers, answer.text))
    return RANDOM.sub("*", text), sorted(map(len, drawn))


def test_status_headers_body_and_time_tell_nothing(running, device, member, handset):
    """At the form and on the page that follows; each attempt comes from an address of its own."""
    member.open_account(device(), handset)
    forms = {
        "nobody": {"name": "nobody@example.jp", "password": PASSWORD},
        "wrong": {"name": member.number, "password": "another-guess entirely"},
        "right": {"name": member.number, "password": PASSWORD},
    }
    shown, tries = set(), iter(range(1, 250))

    def attempt(kind):
        browser = HttpBrowser(running, ip=f"198.51.100.{next(tries)}")
        fields = browser.token_for("/login", "/login") | forms[kind]
        begun_s = perf_counter()
        answer = browser.post_once("/login", fields)
        took_s = perf_counter() - begun_s
        page = browser.get("/login/code")
        wrong = browser.submit("/login/code", code="000000")
        shown.add(tuple(map(repr, map(seen_in, (answer, page, wrong)))))
        browser.close()
        return took_s

    async def take():
        times: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for kind in in_turns(KINDS, TURNS, SeededChance(4)):
            times[kind].append(attempt(kind))
        return times

    with ThreadPoolExecutor(1) as apart_from_the_browser_s_loop:
        verdict = apart_from_the_browser_s_loop.submit(lambda: asyncio.run(told_apart(take, "nobody")))
        assert verdict.result() == {}
    assert len(shown) == 1, "\n\n".join(map(str, shown))
