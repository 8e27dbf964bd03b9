"""The queue of messages and its courier, on every store: nothing lost, nothing sent twice."""

import asyncio
import itertools
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest
from tests.messages.gateway import KEY, running_gateway
from tests.messages.post_office import (
    CODE_TEXT,
    NOTICE_TEXT,
    NOW_US,
    NUMBER,
    code_message,
    keys,
    parts_of,
    queued,
    row_of,
    rows,
    text_message,
)

from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import MINUTE_US, SECOND_US
from sekisho.messages.carriers import Declined, Later, Taken
from sekisho.messages.courier import Courier
from sekisho.messages.handset import Handset, delivered
from sekisho.messages.leases import GIVE_UP_US, LEASE_US, PAUSE_US_MAX
from sekisho.messages.message import Channel, State
from sekisho.messages.queue import queue, told_to
from sekisho.messages.sms_gateway import SmsGateway
from sekisho.storage import outbox
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring

ROOT = Path(__file__).resolve().parents[2]


class Answering:
    """A carrier that is outside: answers what it is told to, and counts what it was given."""

    def __init__(self, *answers):
        self.answers = itertools.chain(answers, itertools.repeat(Taken("theirs")))
        self.parcels = []

    async def carry(self, parcel):
        self.parcels.append(parcel)
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Waiting(Answering):
    """Answers when something has happened."""

    def __init__(self, happened, *answers):
        super().__init__(*answers)
        self.given = asyncio.Event()
        self.happened = happened

    async def carry(self, parcel):
        answer = await super().carry(parcel)
        self.given.set()
        await self.happened.wait()
        return answer


class Overtaken(Answering):
    """Answers only after its lease was over and somebody else has carried the message."""

    def __init__(self, parts, other, answer):
        super().__init__(answer)
        self.parts, self.other = parts, other

    async def carry(self, parcel):
        answer = await super().carry(parcel)
        self.parts.clock.advance(LEASE_US)
        assert await courier_with(self.parts, self.other).deliver_due() == 1
        return answer


def courier_with(parts, carrier):
    return Courier(parts, dict.fromkeys(Channel, carrier))


def round_of(parts, carrier):
    return asyncio.run(courier_with(parts, carrier).deliver_due())


def events(store):
    with store.read() as connection:
        return Counter(entry.kind for entry in outbox.read_after(connection, 0, limit=10_000))


def test_the_same_occasion_is_queued_once(store):
    parts = parts_of(store)
    first, again = queued(parts, text_message(), text_message(text="another text"))
    assert first == again
    assert queued(parts, text_message()) == [first]
    carrier = Answering()
    assert round_of(parts, carrier) == 1
    assert [parcel.text for parcel in carrier.parcels] == [NOTICE_TEXT]
    assert queued(parts, text_message()) == [first]
    assert round_of(parts, carrier) == 0


def test_a_message_is_not_there_where_its_unit_of_work_failed(store):
    parts = parts_of(store)

    def half_done(connection):
        queue(connection, text_message(), keyring=parts.keyring, clock=parts.clock, chance=parts.chance)
        raise LookupError("on purpose")

    with pytest.raises(LookupError):
        store.write(half_done).result()
    assert rows(store) == []


def test_what_is_said_and_to_whom_is_sealed(store):
    """Neither the number nor a word can be read in the row."""
    queued(parts_of(store), text_message(), code_message())
    kept = repr([tuple(row) for row in rows(store)]).encode() + b"".join(row.sealed for row in rows(store))
    for plain in (NUMBER, NUMBER[3:], NOTICE_TEXT, "123456"):
        assert plain.encode() not in kept
        assert repr(plain.encode())[2:-1].encode() not in kept


def test_a_code_is_wiped_when_it_is_sent_and_a_notice_is_kept(store):
    parts = parts_of(store)
    code, notice = queued(parts, code_message(), text_message())
    assert row_of(store, code).sealed
    carrier = Answering()
    round_of(parts, carrier)
    assert {parcel.text for parcel in carrier.parcels} == {CODE_TEXT, NOTICE_TEXT}
    assert (row_of(store, code).state, row_of(store, code).sealed) == ("sent", b"")
    assert (row_of(store, notice).state, bool(row_of(store, notice).sealed)) == ("sent", True)


def test_a_code_that_expired_is_not_sent_and_is_wiped(store):
    parts = parts_of(store)
    [code] = queued(parts, code_message())
    parts.clock.advance(10 * MINUTE_US)
    carrier = Answering()
    round_of(parts, carrier)
    assert carrier.parcels == []
    assert (row_of(store, code).state, row_of(store, code).sealed) == ("expired", b"")
    assert events(store) == {"message:sms:expired": 1}


def test_a_code_is_not_held_until_after_its_end(store):
    """Where the next try would come too late, the message has expired already."""
    parts = parts_of(store)
    [code] = queued(parts, code_message())
    round_of(parts, Answering(Later("HTTP 429", 11 * MINUTE_US)))
    assert (row_of(store, code).state, row_of(store, code).sealed) == ("expired", b"")
    assert row_of(store, code).failure == "HTTP 429"


def test_a_message_waits_for_its_time(store):
    parts = parts_of(store)
    queued(parts, text_message(not_before_us=NOW_US + MINUTE_US))
    carrier = Answering()
    assert round_of(parts, carrier) == 0
    parts.clock.advance(MINUTE_US)
    assert round_of(parts, carrier) == 1


def test_what_is_not_taken_is_tried_again_after_growing_pauses_and_given_up_at_last(store):
    """The pauses grow threefold up to half an hour, and a message is not tried for ever."""
    parts = parts_of(store)
    [message_id] = queued(parts, text_message())
    carrier = Answering(*[Later("HTTP 503")] * 1000)
    pauses = []
    while row_of(store, message_id).state == State.WAITING:
        assert round_of(parts, carrier) == 1
        assert round_of(parts, carrier) == 0
        due_us = row_of(store, message_id).next_try_us
        pauses.append(due_us - parts.clock.now_us())
        parts.clock.set(max(due_us, parts.clock.now_us()))
    for tries, pause in enumerate(pauses[:6]):
        assert 0.75 <= pause / (2 * SECOND_US * 3**tries) < 1.25
    assert max(pauses) <= PAUSE_US_MAX * 5 // 4
    row = row_of(store, message_id)
    assert (row.state, row.failure, row.tries) == ("failed", "HTTP 503", len(pauses))
    assert GIVE_UP_US - PAUSE_US_MAX * 5 // 4 <= parts.clock.now_us() - NOW_US <= GIVE_UP_US
    assert events(store) == {"message:sms:failed": 1}


def test_the_other_side_can_ask_for_a_longer_pause_but_not_for_a_shorter(store):
    parts = parts_of(store)
    long, short = queued(parts, text_message("a"), text_message("b"))
    round_of(parts, Answering(Later("HTTP 429", 90 * SECOND_US), Later("HTTP 429", 1)))
    waits = sorted(row_of(store, each).next_try_us - NOW_US for each in (long, short))
    assert waits[1] == 90 * SECOND_US
    assert waits[0] > SECOND_US


def test_what_is_declined_is_not_tried_again(store):
    parts = parts_of(store)
    [message_id] = queued(parts, code_message())
    assert round_of(parts, Answering(Declined("HTTP 422"))) == 1
    parts.clock.advance(MINUTE_US)
    assert round_of(parts, Answering()) == 0
    row = row_of(store, message_id)
    assert (row.state, row.failure, row.sealed) == ("failed", "HTTP 422", b"")


def test_a_carrier_that_breaks_holds_up_nobody_else(store):
    parts = parts_of(store)
    queued(parts, text_message("a"), text_message("b"), text_message("c"))
    assert round_of(parts, Answering(Taken("1"), ValueError(NUMBER), Taken("3"))) == 3
    states = Counter(row.state for row in rows(store))
    assert states == {"sent": 2, "waiting": 1}
    assert [row.failure for row in rows(store) if row.failure] == ["error: ValueError"]


def test_a_code_goes_before_a_thousand_notices(store):
    """Codes have a lane of their own: they neither wait for notices nor take turns with them."""
    parts = parts_of(store)
    queued(parts, *(text_message(f"notice-{number}") for number in range(1_000)))
    [code] = queued(parts, code_message())
    round_of(parts, Answering())
    assert row_of(store, code).state == State.SENT


def test_a_lost_lease_is_taken_over_and_success_is_recorded_once(store):
    """The first courier is slow: its lease ends, a second one sends, and then the first one reports."""
    parts = parts_of(store)
    [message_id] = queued(parts, code_message())
    second = Answering(Taken("second"))
    round_of(parts, Overtaken(parts, second, Taken("first")))
    assert [parcel.message_id for parcel in second.parcels] == [message_id]
    assert (row_of(store, message_id).state, row_of(store, message_id).reference) == ("sent", "second")
    assert events(store) == {"message:sms:sent": 1}


def test_a_late_failure_takes_nothing_back(store):
    """Whoever lost the lease can still report success, and nothing else."""
    parts = parts_of(store)
    [message_id] = queued(parts, text_message())
    round_of(parts, Overtaken(parts, Answering(Later("HTTP 503")), Declined("HTTP 400")))
    assert (row_of(store, message_id).state, row_of(store, message_id).failure) == ("waiting", "HTTP 503")


def test_a_clock_that_jumps_does_not_make_a_courier_send_twice_at_once(store):
    """The lease is over by the clock, but the message is still in hand: the courier takes the next alone."""
    parts = parts_of(store)
    in_hand, next_one = queued(
        parts, text_message("a"), text_message("b", not_before_us=NOW_US + 30 * MINUTE_US)
    )

    async def day():
        over = asyncio.Event()
        slow = Waiting(over)
        courier = courier_with(parts, slow)
        first = asyncio.create_task(courier.deliver_due())
        await slow.given.wait()
        slow.given.clear()
        parts.clock.advance(60 * MINUTE_US)
        second = asyncio.create_task(courier.deliver_due())
        await slow.given.wait()
        over.set()
        assert (await first, await second) == (1, 1)
        return [parcel.message_id for parcel in slow.parcels]

    assert asyncio.run(day()) == [in_hand, next_one]


def test_two_couriers_on_one_store_share_the_work_and_send_nothing_twice(store_url):
    """Each message is handed over once, however the two take turns."""
    with running_gateway() as gateway:
        stores = [open_store(store_url)]
        if stores[0].is_postgresql:
            stores.append(open_store(store_url))
        both = [parts_of(stores[0], seed=1), parts_of(stores[-1], seed=2)]
        queued(both[0], *(text_message(f"notice-{number}") for number in range(60)))

        async def all_day():
            async with httpx.AsyncClient() as client:
                carriers = [SmsGateway(client, gateway.url, KEY, parts.clock) for parts in both]
                couriers = [courier_with(*pair) for pair in zip(both, carriers, strict=True)]
                while any(await asyncio.gather(*(courier.deliver_due() for courier in couriers))):
                    pass

        asyncio.run(all_day())
        sent = Counter(headers["idempotency-key"] for _, headers, _ in gateway.requests)
        assert len(sent) == 60
        assert set(sent.values()) == {1}
        assert {row.state for row in rows(stores[0])} == {"sent"}
        assert events(stores[0]) == {"message:sms:sent": 60}
        for opened in stores:
            opened.close()


def test_a_process_killed_between_the_gateways_yes_and_our_record_sends_one_text(store_url):
    """SIGKILL where it hurts most: the second process uses the same key, and the person gets one text."""
    store = open_store(store_url)
    [message_id] = queued(parts_of(store), code_message(not_after_us=None))
    store.close()
    with running_gateway() as gateway:
        gateway.misbehave("take and fall silent")
        command = [sys.executable, "-m", "tests.messages.courier_process", store_url, gateway.url]
        with subprocess.Popen(command, cwd=ROOT) as process:
            assert gateway.accepted.wait(30)
            process.kill()
        store = open_store(store_url)
        assert row_of(store, message_id).state == State.WAITING
        parts = parts_of(store, seed=3)
        parts.clock.advance(LEASE_US)

        async def second_process():
            async with httpx.AsyncClient() as client:
                return await courier_with(
                    parts, SmsGateway(client, gateway.url, KEY, parts.clock)
                ).deliver_due()

        assert asyncio.run(second_process()) == 1
        assert [headers["idempotency-key"] for _, headers, _ in gateway.requests] == [message_id] * 2
        assert list(gateway.texts.values()) == [{"to": NUMBER, "text": CODE_TEXT, "reference": message_id}]
        row = row_of(store, message_id)
        assert (row.state, row.reference, row.tries, row.sealed) == ("sent", "gw-1", 2, b"")
        store.close()


def test_the_courier_goes_on_by_itself_until_the_block_ends(store):
    parts = parts_of(store)
    queued(parts, *(text_message(f"notice-{number}") for number in range(40)), code_message())
    carrier = Answering()

    async def day():
        courier = courier_with(parts, carrier)
        async with courier.delivering():
            async with asyncio.timeout(20):
                while len(carrier.parcels) < 41:  # noqa: ASYNC110 - a carrier tells nobody
                    await asyncio.sleep(0.01)

    asyncio.run(day())
    assert {row.state for row in rows(store)} == {"sent"}


def test_the_handset_keeps_what_was_delivered_sealed_and_once(store):
    parts = parts_of(store)
    queued(parts, text_message(to="+819011112222"), code_message())
    handset = Handset(store, parts.keyring, parts.clock)
    round_of(parts, handset)
    with store.read() as connection:
        both = delivered(connection, parts.keyring)
        mine = delivered(connection, parts.keyring, to=NUMBER)
        mails = delivered(connection, parts.keyring, channel=Channel.EMAIL)
    assert {(each.to, each.text) for each in both} == {("+819011112222", NOTICE_TEXT), (NUMBER, CODE_TEXT)}
    assert [each.text for each in mine] == [CODE_TEXT]
    assert mails == []


def test_a_members_history_names_what_was_sent_and_not_what_it_said(store):
    parts = parts_of(store)
    queued(parts, text_message())
    parts.clock.advance(SECOND_US)
    queued(parts, code_message(), text_message("other"))
    with store.read() as connection:
        kinds = [told.kind for told in told_to(connection, "mem_1")]
        assert kinds[-1] == "notice:passkey_added:1"
        assert len(kinds) == 3
        assert told_to(connection, "mem_2") == []


def test_a_message_whose_key_is_gone_waits_for_it(store):
    """Keys that were forgotten to be mounted lose no message."""
    parts = parts_of(store)
    [message_id] = queued(parts, text_message())
    keyless = parts._replace(keyring=HeldKeyring.of(keys(seed=8), SystemChance()))
    assert round_of(keyless, Answering()) == 1
    assert (row_of(store, message_id).state, row_of(store, message_id).failure) == (
        "waiting",
        "outage: keyring",
    )
    parts.clock.advance(MINUTE_US)
    assert round_of(parts, Answering()) == 1
    assert row_of(store, message_id).state == State.SENT
