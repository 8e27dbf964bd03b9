"""The text message adapter against a real HTTP server that misbehaves on purpose."""

import asyncio
from email.utils import formatdate

import httpx
import pytest
from tests.messages.gateway import KEY, running_gateway
from tests.messages.post_office import CODE_TEXT, NOW_US, NUMBER

from sekisho.kernel.clock import HOUR_US, SECOND_US, SetClock
from sekisho.kernel.ids import MessageId
from sekisho.messages import sms_gateway
from sekisho.messages.carriers import Declined, Later, Parcel, Taken
from sekisho.messages.message import Channel
from sekisho.messages.sms_gateway import WAIT_US_MAX, SmsGateway

PARCEL = Parcel(MessageId("msg_" + "1" * 32), Channel.SMS, "code:login", NUMBER, "", CODE_TEXT, "ja", NOW_US)


@pytest.fixture
def gateway():
    with running_gateway() as running:
        yield running


def carried(gateway, times=1, *, url=""):
    async def play():
        async with httpx.AsyncClient() as client:
            carrier = SmsGateway(client, url or gateway.url, KEY, SetClock(NOW_US))
            return [await carrier.carry(PARCEL) for _ in range(times)]

    return asyncio.run(play())


def test_a_text_goes_out_with_the_key_and_the_id_of_the_message(gateway):
    assert carried(gateway) == [Taken("gw-1")]
    [(_, headers, body)] = gateway.requests
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["idempotency-key"] == PARCEL.message_id
    assert body == {"to": NUMBER, "text": CODE_TEXT, "reference": PARCEL.message_id}


@pytest.mark.parametrize("accident", ["take and fall silent", "take and hang up"])
def test_an_answer_that_is_lost_makes_one_text_of_two_tries(gateway, accident, monkeypatch):
    """It is not known whether the text went out, so the same key goes again."""
    monkeypatch.setattr(sms_gateway, "PATIENCE_S", 0.5)
    gateway.misbehave(accident)
    first, second = carried(gateway, times=2)
    assert isinstance(first, Later)
    assert second == Taken("gw-1")
    assert len(gateway.requests) == 2
    assert len(gateway.texts) == 1


def test_an_answer_that_comes_twice_is_not_taken_for_the_answer_to_the_next(gateway):
    """Each text has a connection of its own, so the second yes belongs to nobody."""
    gateway.misbehave("take and answer twice", "refuse 422")
    assert carried(gateway, times=2) == [Taken("gw-1"), Declined("HTTP 422")]


def test_a_yes_with_nonsense_behind_it_is_a_yes(gateway):
    gateway.misbehave("take and answer nonsense")
    assert carried(gateway) == [Taken("")]


def test_a_yes_without_an_end_is_a_yes_and_fills_no_memory(gateway):
    gateway.misbehave("take and never end")
    assert carried(gateway) == [Taken("")]


@pytest.mark.parametrize("status", [302, 401, 402, 403, 404, 408, 409, 429, 500, 502, 503])
def test_a_no_about_us_or_about_now_is_tried_again(gateway, status):
    """A wrong key or an empty credit is ours to set right, and the message waits for it."""
    gateway.misbehave(f"refuse {status}")
    assert carried(gateway) == [Later(f"HTTP {status}")]
    assert gateway.texts == {}
    assert len(gateway.requests) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_no_about_the_message_is_for_good(gateway, status):
    gateway.misbehave(f"refuse {status}")
    assert carried(gateway) == [Declined(f"HTTP {status}")]


@pytest.mark.parametrize(
    ("retry_after", "wait_us"),
    [
        ("7", 7 * SECOND_US),
        (formatdate(NOW_US // SECOND_US + 90, usegmt=True), 90 * SECOND_US),
        (formatdate(NOW_US // SECOND_US - 90, usegmt=True), 0),
        ("-5", 0),
        ("soon", 0),
        ("9" * 400, WAIT_US_MAX),
    ],
)
def test_the_gateway_says_when_to_come_again(gateway, retry_after, wait_us):
    gateway.misbehave(f"refuse 429 {retry_after}")
    assert carried(gateway) == [Later("HTTP 429", wait_us)]
    assert WAIT_US_MAX == HOUR_US


def test_a_gateway_that_is_not_there_is_tried_again(gateway):
    assert carried(gateway, url="http://127.0.0.1:9/texts") == [Later("ConnectError")]


def test_no_reason_names_the_recipient_or_the_code(gateway):
    """A gateway that repeats the number in its answer does not bring it into our log."""
    gateway.misbehave("refuse 422", "refuse 500")
    assert not {NUMBER, NUMBER[1:], "123456"} & set(" ".join(a.reason for a in carried(gateway, 2)).split())
