"""Sessions: kept on the server, named by a token that changes with every change of level."""

import hmac
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select, update

from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import (
    FRESH_US,
    LEVEL_ORDER,
    InsufficientAuthentication,
    Level,
    NotFromHere,
    Proof,
    Way,
)
from sekisho.identity.institution import Parts
from sekisho.identity.tokens import digest_of, new_token
from sekisho.kernel.clock import HOUR_US, MINUTE_US
from sekisho.kernel.ids import SESSION, DeviceId, MemberId, SessionId
from sekisho.storage import outbox
from sekisho.storage.tables.sessions import session, step_up

IDLE_US_MAX = 15 * MINUTE_US
AGE_US_MAX = 12 * HOUR_US
SEEN_EVERY_US = MINUTE_US
"""How exactly the last sight of a session is kept; a write at every request would be paid by everybody."""

FORM_KEY_OCTETS = 32


class Ended(StrEnum):
    """Why a session came to its end."""

    LOGOUT = "logout"
    """The member left."""

    BY_MEMBER = "by_member"
    """The member ended it from another session."""

    DISOWNED = "disowned"
    """The member said that it was somebody else."""

    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, not a secret
    """The member set a new password on another device."""

    DEVICE_REVOKED = "device_revoked"
    """Its device was thrown out."""

    FROZEN = "frozen"
    """The member stopped the account."""

    CONTAINED = "contained"
    """We contained the account after an incident."""

    BY_STAFF = "by_staff"
    """Somebody at the desks ended it, for a reason that is on record."""

    REPLACED = "replaced"
    """The same browser logged in anew."""

    ID_LOGOUT = "id_logout"
    """The session with the ID ended of which it came."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session, as it was read for one request.

    `proofs` are those given within it that may still be fresh. `risk` (0 to 1) and `campaign` are what was
    known at its birth, and stay with it. `password_leaked` says that it was opened with a password that
    stands on a list of leaked ones. `form_key` is the key of its forms.
    """

    id: SessionId
    member_id: MemberId
    device_id: DeviceId
    level: Level
    proven_at_us: int
    opened_at_us: int
    last_seen_us: int
    ended_at_us: int | None
    ended_for: str
    ip: str
    user_agent: str
    attempt_id: str
    risk: float
    campaign: str
    password_leaked: bool
    form_key: bytes
    bound_key: str
    bound_challenge: str
    bound_until_us: int
    proofs: tuple[Proof, ...] = ()

    def is_live(self, now_us: int) -> bool:
        """Say whether it has neither ended, nor idled too long, nor grown too old."""
        return (
            self.ended_at_us is None
            and now_us - self.last_seen_us < IDLE_US_MAX
            and now_us - self.opened_at_us < AGE_US_MAX
        )


class Birth(msgspec.Struct, frozen=True, kw_only=True):
    """How a session begins: whose it is, how it was proven, and what was known then.

    `purpose` is the key of what a code was entered for; empty where none was. `proven_elsewhere_us` is when
    another institution saw the proof, None where it was given here: what was proven there opens a session,
    and approves nothing in it.
    """

    member_id: MemberId
    device_id: DeviceId
    level: Level
    arrival: Arrival
    attempt_id: str = ""
    risk: float = 0.0
    campaign: str = ""
    password_leaked: bool = False
    purpose: str = ""
    proven_elsewhere_us: int | None = None


class Opened(NamedTuple):
    """A session, and the token that its browser is to send from now on."""

    session: Session
    token: str


def open_session(connection: Connection, parts: Parts, birth: Birth) -> Opened:
    """Open a session under a fresh token, whatever the browser sent before."""
    now_us = parts.clock.now_us()
    token = new_token(parts.chance)
    opened = Session(
        id=SESSION.new(parts.clock, parts.chance),
        member_id=birth.member_id,
        device_id=birth.device_id,
        level=birth.level,
        proven_at_us=now_us if birth.proven_elsewhere_us is None else birth.proven_elsewhere_us,
        opened_at_us=now_us,
        last_seen_us=now_us,
        ended_at_us=None,
        ended_for="",
        ip=birth.arrival.ip,
        user_agent=birth.arrival.user_agent,
        attempt_id=birth.attempt_id,
        risk=birth.risk,
        campaign=birth.campaign,
        password_leaked=birth.password_leaked,
        form_key=parts.chance.octets(FORM_KEY_OCTETS),
        bound_key="",
        bound_challenge="",
        bound_until_us=0,
    )
    values = msgspec.structs.asdict(opened) | {"token_digest": digest_of(token)}
    del values["proofs"]
    connection.execute(insert(session), values)
    if birth.proven_elsewhere_us is not None:
        pass
    elif birth.level is Level.PASSKEY:
        opened = _with_proof(connection, opened, Proof(Way.PASSKEY, now_us))
    elif birth.level is Level.CODE and birth.purpose:
        opened = _with_proof(connection, opened, Proof(Way.CODE, now_us, birth.purpose))
    body = msgspec.json.encode({"level": birth.level, "risk": birth.risk, "campaign": birth.campaign})
    outbox.append(connection, [outbox.Entry("member:session:opened", opened.id, now_us, body)])
    return Opened(opened, token)


def current(connection: Connection, token: str, now_us: int) -> Session | None:
    """Return the live session of a token with its fresh proofs; None where there is none."""
    found = select(session).where(session.c.token_digest == digest_of(token), session.c.ended_at_us.is_(None))
    row = connection.execute(found).one_or_none()
    if row is None:
        return None
    read = _of(row)
    return _with_proofs(connection, read, now_us) if read.is_live(now_us) else None


def find(connection: Connection, session_id: str) -> Session | None:
    """Return a session by id, ended or not, without its proofs."""
    row = connection.execute(select(session).where(session.c.id == session_id)).one_or_none()
    return None if row is None else _of(row)


def require_live(connection: Connection, of: Session, now_us: int) -> None:
    """Let a deed go on whose session was read before, and has not ended meanwhile.

    A hash, a signature or another process takes its time, in which the member may have stopped everything.
    Raises InsufficientAuthentication.
    """
    found = find(connection, of.id)
    if found is None or not found.is_live(now_us):
        raise InsufficientAuthentication(NotFromHere(ways=()), known=f"{of.id} ended meanwhile")


def of_member(connection: Connection, member_id: MemberId, now_us: int) -> list[Session]:
    """Return a member's live sessions, the newest first, without their proofs."""
    newest = select(session).where(_live(member_id, now_us)).order_by(session.c.opened_at_us.desc())
    return [_of(row) for row in connection.execute(newest)]


def seen(connection: Connection, session_id: SessionId, now_us: int) -> None:
    """Keep that a session was just used; one that has ended or idled too long stays as it is."""
    connection.execute(
        update(session)
        .where(
            session.c.id == session_id,
            session.c.ended_at_us.is_(None),
            session.c.last_seen_us > now_us - IDLE_US_MAX,
            session.c.last_seen_us < now_us,
        )
        .values(last_seen_us=now_us)
    )


def prove(connection: Connection, parts: Parts, proven: Session, way: Way, *, purpose: str = "") -> Opened:
    """Write down a proof given just now, and change the session's token.

    The level rises with a passkey and never falls. A session that has ended meanwhile stays ended, and its
    new token opens nothing.
    """
    now_us = parts.clock.now_us()
    level = Level.PASSKEY if way is Way.PASSKEY else Level.CODE
    # As it is now: another tab may have given a stronger proof since the session was read.
    current_level = (find(connection, proven.id) or proven).level
    raised = max(level, current_level, key=LEVEL_ORDER.__getitem__)
    token = new_token(parts.chance)
    connection.execute(
        update(session)
        .where(session.c.id == proven.id, session.c.ended_at_us.is_(None))
        .values(token_digest=digest_of(token), level=raised, proven_at_us=now_us)
    )
    proof = Proof(way, now_us, purpose)
    changed = msgspec.structs.replace(proven, level=raised, proven_at_us=now_us)
    body = msgspec.json.encode({"way": way})
    subject = f"{proven.id}:{now_us}"
    outbox.append(connection, [outbox.Entry("member:session:proven", subject, now_us, body)])
    return Opened(_with_proof(connection, changed, proof), token)


def spend_proof(connection: Connection, of: Session, way: Way, purpose: str, now_us: int) -> bool:
    """Use a fresh proof for a purpose up, and tell whether there was one: it approves one deed, once."""
    fresh = and_(
        step_up.c.session_id == of.id,
        step_up.c.way == way,
        step_up.c.purpose == purpose,
        step_up.c.at_us > now_us - FRESH_US,
    )
    return connection.execute(delete(step_up).where(fresh)).rowcount == 1


def set_password_fine(connection: Connection, session_id: SessionId) -> None:
    """Take the mark of a leaked password off a session, because the member has set a new one."""
    connection.execute(update(session).where(session.c.id == session_id).values(password_leaked=False))


def end(connection: Connection, parts: Parts, session_id: SessionId, why: Ended) -> bool:
    """End one session and tell whether it was open."""
    return _end(connection, parts, [session_id], why) == 1


def end_all(
    connection: Connection, parts: Parts, member_id: MemberId, why: Ended, *, but: SessionId | None = None
) -> int:
    """End a member's sessions, but for one where it is named, and return how many there were."""
    own = select(session.c.id).where(session.c.member_id == member_id, session.c.ended_at_us.is_(None))
    ids = [SessionId(each) for each in connection.execute(own).scalars() if each != but]
    return _end(connection, parts, ids, why)


def end_on_device(connection: Connection, parts: Parts, device_id: DeviceId, why: Ended) -> int:
    """End the sessions on a device and return how many there were."""
    there = select(session.c.id).where(session.c.device_id == device_id, session.c.ended_at_us.is_(None))
    ids = [SessionId(each) for each in connection.execute(there).scalars()]
    return _end(connection, parts, ids, why)


def form_token(of: Session, route: str) -> str:
    """Return what a form of this session carries to a route, so that no other site can post it."""
    return hmac.new(of.form_key, route.encode(), "sha256").hexdigest()


def _live(member_id: MemberId, now_us: int) -> ColumnElement[bool]:
    return and_(
        session.c.member_id == member_id,
        session.c.ended_at_us.is_(None),
        session.c.last_seen_us > now_us - IDLE_US_MAX,
        session.c.opened_at_us > now_us - AGE_US_MAX,
    )


def _end(connection: Connection, parts: Parts, ids: list[SessionId], why: Ended) -> int:
    now_us = parts.clock.now_us()
    ended = [session_id for session_id in ids if _end_one(connection, session_id, why, now_us)]
    body = msgspec.json.encode({"why": why})
    outbox.append(connection, [outbox.Entry("member:session:ended", each, now_us, body) for each in ended])
    return len(ended)


def _end_one(connection: Connection, session_id: SessionId, why: Ended, now_us: int) -> bool:
    open_one = update(session).where(session.c.id == session_id, session.c.ended_at_us.is_(None))
    ended = connection.execute(open_one.values(ended_at_us=now_us, ended_for=why)).rowcount
    connection.execute(delete(step_up).where(step_up.c.session_id == session_id))
    return bool(ended)


def _with_proof(connection: Connection, of: Session, proof: Proof) -> Session:
    replaced = and_(
        step_up.c.session_id == of.id, step_up.c.way == proof.way, step_up.c.purpose == proof.purpose
    )
    connection.execute(delete(step_up).where(replaced))
    connection.execute(
        insert(step_up),
        {"session_id": of.id, "way": proof.way, "purpose": proof.purpose, "at_us": proof.at_us},
    )
    return _with_proofs(connection, of, proof.at_us)


def _with_proofs(connection: Connection, of: Session, now_us: int) -> Session:
    fresh = select(step_up.c.way, step_up.c.at_us, step_up.c.purpose).where(
        step_up.c.session_id == of.id, step_up.c.at_us > now_us - FRESH_US
    )
    proofs = tuple(Proof(Way(way), at_us, purpose) for way, at_us, purpose in connection.execute(fresh))
    return msgspec.structs.replace(of, proofs=proofs)


def _of(row: Row[tuple[object, ...]]) -> Session:
    return msgspec.convert(row, Session, from_attributes=True, builtin_types=(bytes,))
