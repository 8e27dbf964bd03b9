"""The last step of every login: the browser becomes a device, a session opens, and the member hears of it."""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.identity import devices, members, passwords, sessions, sign_ins
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.devices import Device
from sekisho.identity.institution import Parts
from sekisho.identity.members import MemberState
from sekisho.identity.notifying import facts_of, language_of, warn
from sekisho.identity.sessions import Birth, Ended, Session
from sekisho.identity.sign_ins import Came, LoginResult, LoginWay
from sekisho.kernel.ids import MemberId, SignInId
from sekisho.messages.notices import NoticeKind


class Welcome(NamedTuple):
    """A session is open. The cookies are to be set; both texts are secrets."""

    session: Session
    device: Device
    session_token: str
    device_cookie: str


class Stopped(NamedTuple):
    """The proof was good, and the account is not open. Said only where the browser or a passkey is known."""

    member_id: MemberId
    state: MemberState


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """Who has proven to be whom, how, and what the guard thought of it.

    `purpose` is the key of what a code was entered for, `sign_in_id` a line of the history that this ends,
    `replaces` the session token that the browser had until now. `proven_elsewhere_us` is when another
    institution saw the proof, None where it was given here.
    """

    member_id: MemberId
    level: Level
    way: LoginWay
    standing: Standing
    arrival: Arrival
    attempt_id: str = ""
    risk: float = 0.0
    campaign: str = ""
    password_leaked: bool = False
    sign_in_id: str = ""
    replaces: str = ""
    purpose: str = ""
    proven_elsewhere_us: int | None = None


def welcome(connection: Connection, parts: Parts, proved: Proved) -> Welcome:
    """Open a session for who has passed. The state of the account was looked at before.

    The session that the browser had until now ends, so that nobody who planted it shares in this one.
    """
    now_us = parts.clock.now_us()
    if proved.replaces and (before := sessions.current(connection, proved.replaces, now_us)) is not None:
        sessions.end(connection, parts, before.id, Ended.REPLACED)
    enrolled = devices.enrol(connection, parts, proved.member_id, proved.arrival, proved.standing)
    opened = sessions.open_session(
        connection,
        parts,
        Birth(
            member_id=proved.member_id,
            device_id=enrolled.device.id,
            level=proved.level,
            arrival=proved.arrival,
            attempt_id=proved.attempt_id,
            risk=proved.risk,
            campaign=proved.campaign,
            password_leaked=proved.password_leaked,
            purpose=proved.purpose,
            proven_elsewhere_us=proved.proven_elsewhere_us,
        ),
    )
    _write_down(connection, parts, proved, opened.session)
    if enrolled.is_new and proved.way is not LoginWay.SIGN_UP:
        tell_of_new_device(connection, parts, opened.session, proved.arrival)
    return Welcome(opened.session, enrolled.device, opened.token, enrolled.cookie)


def tell_of_new_device(connection: Connection, parts: Parts, opened: Session, arrival: Arrival) -> None:
    """Tell the member that a browser logged in on which this account was not used before."""
    language = language_of(connection, opened.member_id)
    values = facts_of(arrival, opened.opened_at_us, language)
    kind = NoticeKind.LOGIN_NEW_DEVICE
    warn(connection, parts, opened.member_id, kind, values, dedupe=f"{kind}:{opened.id}")


def stopped(connection: Connection, member_id: MemberId, *, by_passkey: bool) -> Stopped | None:
    """Return in which state an account is that may not be entered in this way, None where it may."""
    # Whoever stops the account changes this row first, and ends the sessions after it.
    found = members.find(connection, member_id, for_update=True)
    if found is None:
        return Stopped(member_id, MemberState.CLOSED)
    # Whose password was taken away sets a new one by passkey.
    passes = found.may_log_in or (by_passkey and found.state is MemberState.INVALIDATED)
    return None if passes else Stopped(member_id, found.state)


def _write_down(connection: Connection, parts: Parts, proved: Proved, opened: Session) -> None:
    came = Came(
        way=proved.way,
        result=LoginResult.OPENED,
        device_id=opened.device_id,
        session_id=opened.id,
        attempt_id=proved.attempt_id,
    )
    if proved.sign_in_id:
        sign_ins.complete(connection, SignInId(proved.sign_in_id), came)
    else:
        sign_ins.record(connection, parts, proved.member_id, proved.arrival, came)
    if proved.way in {LoginWay.PASSWORD, LoginWay.CODE, LoginWay.PASSKEY}:
        passwords.forget_strange_failures(connection, proved.member_id)
    if proved.password_leaked:
        passwords.mark_leaked(connection, proved.member_id, opened.opened_at_us)
