"""What the tests of messages stand on: keys, a clock, a chance, and messages to send."""

from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.messages.courier import CourierParts
from sekisho.messages.message import Channel, Message
from sekisho.messages.queue import queue
from sekisho.storage.keyring import HeldKeyring, Key, new_keys
from sekisho.storage.tables.messages import message as table

NOW_US = 1_795_237_500_000_000  # 2026-11-21T05:05:00Z, Saturday, 14:05 in Japan
NUMBER = "+819012345678"
ADDRESS = "hanako@member.example"
CODE_TEXT = "あさぎりローン: 確認コードは 123456 です。\n\n@lender.localhost #123456"
NOTICE_TEXT = "新しい端末からログインがありました。"


def keys(seed: int = 7) -> tuple[Key, ...]:
    """Return the keys of a ring, the same for the same seed."""
    return new_keys(SetClock(NOW_US), SeededChance(seed))


def parts_of(store, *, seed: int = 1):
    """Put a courier's parts together on a store."""
    ring = HeldKeyring.of(keys(), SeededChance(seed + 100))
    return CourierParts(store, ring, SetClock(NOW_US), SeededChance(seed))


def text_message(dedupe: str = "notice-1", **changes) -> Message:
    """Return a notice by text message, or what the changes make of it."""
    plain = {"channel": Channel.SMS, "kind": "notice:passkey_added:1", "to": NUMBER, "text": NOTICE_TEXT}
    return Message(dedupe=dedupe, member_id="mem_1", **{**plain, **changes})


def code_message(dedupe: str = "code-1", **changes) -> Message:
    """Return a text message with a code that expires in ten minutes."""
    plain = {"kind": "code:login", "text": CODE_TEXT, "not_after_us": NOW_US + 600_000_000}
    return text_message(dedupe, **{**plain, **changes})


def queued(parts, *messages: Message):
    """Queue messages in one unit of work and return their ids."""
    return parts.store.write(
        lambda connection: [
            queue(connection, message, keyring=parts.keyring, clock=parts.clock, chance=parts.chance)
            for message in messages
        ]
    ).result()


def rows(store):
    """Return the rows of the queue in the order of their making."""
    with store.read() as connection:
        return list(connection.execute(table.select().order_by(table.c.made_at_us, table.c.id)))


def row_of(store, message_id: str):
    """Return one row of the queue."""
    return next(row for row in rows(store) if row.id == message_id)
