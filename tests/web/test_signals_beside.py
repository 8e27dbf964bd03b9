"""Signals are served beside an institution's own pages: their paths are theirs, and all others the pages'."""

import asyncio

from sekisho.web.signals.app import Beside


def _asked(scope):
    """Return who answered, and whether the pages were asked to live."""
    heard = []

    def app(name):
        async def answer(scope, receive, send):
            del receive, send
            heard.append((name, scope["type"]))

        return answer

    async def nothing(*_):
        raise AssertionError

    asyncio.run(Beside(app("pages"), app("signals"))(scope, nothing, nothing))
    return heard


def test_paths_of_signals_go_there_and_all_others_to_the_pages():
    for path in ("/ssf/events", "/ssf/poll/x", "/.well-known/ssf-configuration"):
        assert _asked({"type": "http", "path": path}) == [("signals", "http")]
    for path in ("/", "/ssf", "/ssfevents", "/.well-known/openid-configuration", "/login/ssf/"):
        assert _asked({"type": "http", "path": path}) == [("pages", "http")]


def test_the_pages_begin_and_end_with_the_server():
    assert _asked({"type": "lifespan"}) == [("pages", "lifespan")]
