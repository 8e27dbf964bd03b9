"""Sends as they are kept: what was sent to which number, and where it stands."""

from enum import StrEnum

import msgspec
from sqlalchemy import Connection, insert, select, update

from sekisho.kernel.ids import MemberId, SendId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.storage import outbox
from sekisho.storage.tables.wallet_money import send


class SendState(StrEnum):
    """Where a send stands. All but REQUESTED and WAITING are final."""

    REQUESTED = "requested"
    """It waits for its approval; nothing was moved."""

    WAITING = "waiting"
    """The money has left the sender, and waits to be accepted."""

    ACCEPTED = "accepted"
    """The receiver has it."""

    DECLINED = "declined"
    """The receiver turned it down; the sender has it back."""

    TAKEN_BACK = "taken_back"
    """The sender took it back."""

    EXPIRED = "expired"
    """Nobody accepted it in time; the sender has it back."""


class SendUnknown(Refusal):
    """There is no such send that waits, for whoever asks."""

    code = "send_unknown"
    status = 404
    told = "There is nothing like this waiting for you."


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """Money sent to a phone number. `receiver_id` is whose it became."""

    id: SendId
    key: str
    sender_id: MemberId
    phone_digest: bytes
    phone_sealed: bytes
    receiver_id: str | None
    amount_yen: int
    state: SendState
    session_id: str
    attempt_id: str
    requested_at_us: int
    sent_at_us: int | None
    expires_at_us: int | None
    ended_at_us: int | None

    @property
    def amount(self) -> Yen:
        """How much was sent."""
        return Yen(self.amount_yen)


def add(connection: Connection, new: Send) -> None:
    """Write a send down."""
    connection.execute(insert(send), msgspec.structs.asdict(new))


def by_key(connection: Connection, key: str) -> Send | None:
    """Return the send that was made by a key."""
    row = connection.execute(select(send).where(send.c.key == key)).one_or_none()
    return None if row is None else _of(row)


def waiting_for(connection: Connection, phone_digest: bytes, now_us: int) -> list[Send]:
    """Return what waits for a number, the oldest first."""
    waits = select(send).where(
        send.c.phone_digest == phone_digest,
        send.c.state == SendState.WAITING,
        send.c.expires_at_us > now_us,
    )
    return [_of(row) for row in connection.execute(waits.order_by(send.c.id))]


def waiting_from(connection: Connection, sender_id: str) -> list[Send]:
    """Return what a member sent and nobody has accepted yet, the oldest first."""
    waits = select(send).where(send.c.sender_id == sender_id, send.c.state == SendState.WAITING)
    return [_of(row) for row in connection.execute(waits.order_by(send.c.id))]


def over(connection: Connection, now_us: int, count: int) -> list[Send]:
    """Return what nobody accepted in time."""
    waits = select(send).where(send.c.state == SendState.WAITING, send.c.expires_at_us <= now_us)
    return [_of(row) for row in connection.execute(waits.order_by(send.c.expires_at_us).limit(count))]


def find_send(connection: Connection, send_id: str) -> Send | None:
    """Return a send by its id."""
    row = connection.execute(select(send).where(send.c.id == send_id)).one_or_none()
    return None if row is None else _of(row)


def sends_of(connection: Connection, member_id: MemberId, count: int) -> list[Send]:
    """Return what a member sent or accepted, the newest first."""
    its = select(send).where(
        (send.c.sender_id == member_id) | (send.c.receiver_id == member_id),
        send.c.state != SendState.REQUESTED,
    )
    return [_of(row) for row in connection.execute(its.order_by(send.c.id.desc()).limit(count))]


def require_waiting(connection: Connection, send_id: str) -> Send:
    """Return a send that waits. Raises SendUnknown."""
    found = find_send(connection, send_id)
    if found is None or found.state is not SendState.WAITING:
        raise SendUnknown(known=send_id[:40])
    return found


def move(connection: Connection, before: Send, state: SendState, **values: object) -> Send:
    """Let a send change its state, and return it then. Raises SendUnknown where another was faster."""
    its = update(send).where(send.c.id == before.id, send.c.state == before.state)
    if connection.execute(its.values(state=state.value, **values)).rowcount != 1:
        raise SendUnknown(known=f"{before.id}: moved elsewhere")
    after = find_send(connection, before.id)
    assert after is not None  # noqa: S101 - it was changed just now
    return after


def is_first(connection: Connection, wanted: Send) -> bool:
    """Say whether a sender never sent anything to this number before."""
    before = select(send.c.id).where(
        send.c.sender_id == wanted.sender_id,
        send.c.phone_digest == wanted.phone_digest,
        send.c.sent_at_us.is_not(None),
    )
    return connection.execute(before.limit(1)).first() is None


def happened(connection: Connection, one: Send, now_us: int) -> None:
    """Write down as an event what became of a send."""
    body = msgspec.json.encode({"amount_yen": one.amount_yen})
    outbox.append(connection, [outbox.Entry(f"wallet:send:{one.state}", one.id, now_us, body)])


def _of(row: object) -> Send:
    return msgspec.convert(row, Send, from_attributes=True)
