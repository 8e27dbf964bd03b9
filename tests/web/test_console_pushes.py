"""Pushes: everything once, then only what changed, until the server closes."""

import asyncio
import json
from typing import Any

from tests.web.console_page import NOW_US, filled_tally

from sekisho.kernel.clock import SECOND_US, SetClock
from sekisho.web.console.pushes import Screen, pushes
from sekisho.web.console.rendering import PARTS, Renderer


def heard(tally, seconds, *, language="en", each_second=lambda: None):
    """Listen for so many seconds and return the messages."""
    clock = SetClock(NOW_US)
    messages: list[dict[str, Any]] = []

    async def next_second():
        clock.advance(SECOND_US)
        each_second()

    async def listen():
        screen = Screen(tally, clock, Renderer())
        async for event in pushes(screen, language, next_second, lambda: len(messages) >= seconds):
            assert event.startswith(b"data: ")
            assert event.endswith(b"\n\n")
            messages.append(json.loads(event[6:]))

    asyncio.run(listen())
    return messages


def test_the_first_push_holds_everything():
    """A page that was asleep, or a new one, is right after one message."""
    first = heard(filled_tally(), 1)[0]
    assert set(first["parts"]) == set(PARTS)
    assert len(first["seconds"]) == 240
    assert first["state"] == "attack_holding"
    assert first["campaigns"] == [[NOW_US / SECOND_US - 199, NOW_US / SECOND_US - 1, True]]


def test_later_pushes_hold_only_what_changed():
    """A quiet second costs little."""
    later = heard(filled_tally(live=False), 5)[4]
    assert "campaigns" not in later["parts"]
    assert later["seconds"] == []


def test_a_push_speaks_the_page_s_language():
    """Parts are words, not numbers."""
    assert "攻撃" in heard(filled_tally(), 1, language="ja")[0]["parts"]["state"]


def test_the_stream_ends_when_the_server_closes():
    """An open page does not keep the server from ending."""
    assert len(heard(filled_tally(), 2)) == 2
