"""Sessions bound to their device (DBSC): a cookie that was copied elsewhere is worth nothing after minutes.

A browser that can makes a key that cannot leave the machine, and proves every ten minutes that it still has
it: https://w3c.github.io/webappsec-dbsc/ (a draft). For it the session cookie alone no longer opens anything;
a second, short-lived cookie has to come with it. A browser that cannot goes on as before.
"""

import asyncio
import hashlib
import hmac
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, update

from sekisho.identity import sessions
from sekisho.identity.bound_proofs import BoundProof, ProofError, quoted, read_proof, signed_by, unquoted
from sekisho.identity.institution import Institution, Parts
from sekisho.identity.sessions import Session
from sekisho.identity.tokens import new_token
from sekisho.kernel.clock import MINUTE_US, SECOND_US
from sekisho.storage import outbox
from sekisho.storage.tables.sessions import session as session_table

BOUND_US = 10 * MINUTE_US
OFFER_US_MAX = 5 * MINUTE_US
BOUND_COOKIE = "__Host-bound"
COOKIE_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"

REGISTER_PATH = "/session/bind"
REFRESH_PATH = "/session/refresh"
# Requests there are made without waiting for the short-lived cookie.
PATHS_LEFT_OUT = (REGISTER_PATH, REFRESH_PATH, "/static", "/login")


class BoundState(StrEnum):
    """What a request says of the device that its session is bound to."""

    NOT_BOUND = "not_bound"
    """The session is bound to no device: its cookie alone opens it."""

    PROVEN = "proven"
    """The request comes from the device, as of some minutes ago."""

    UNPROVEN = "unproven"
    """The session cookie came without its companion: it may have been copied, and opens nothing."""


class Renewed(NamedTuple):
    """The device has proven itself: set the cookie, with its attributes and age, and answer with the JSON."""

    cookie: str
    max_age_s: int
    instructions: dict[str, Any]


class Challenged(NamedTuple):
    """Answer with status 403 and this value of `Secure-Session-Challenge`, so that the browser signs it."""

    challenge_header: str


class Unbound(NamedTuple):
    """The session is not bound, or the answer is not for it: answer with the JSON, which ends the binding."""

    instructions: dict[str, Any]


def bound_state(session: Session, cookie: str, now_us: int) -> BoundState:
    """Say whether a request comes from the device that its session is bound to. Reads nothing."""
    if not session.bound_key:
        return BoundState.NOT_BOUND
    until, _, mark = cookie.partition(".")
    if not (until.isascii() and until.isdecimal() and len(until) <= len(str(now_us)) + 1):
        return BoundState.UNPROVEN
    genuine = hmac.compare_digest(_mark(session, int(until)).encode(), mark.encode("utf-8", "surrogatepass"))
    in_time = now_us < int(until) <= now_us + BOUND_US
    return BoundState.PROVEN if genuine and in_time else BoundState.UNPROVEN


class BoundSessions:
    """Binds sessions to devices. Every method takes the session that the session cookie named."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def offer(self, session: Session) -> str:
        """Return the value of `Secure-Session-Registration` for the answer that opened the session.

        Only who got that answer can bind the session, within five minutes, and once. Empty where the session
        is bound already.
        """
        if session.bound_key:
            return ""
        challenge = new_token(self._parts.chance)
        until_us = self._parts.clock.now_us() + OFFER_US_MAX

        def work(connection: Connection) -> None:
            _change(connection, session, bound_challenge=challenge, bound_until_us=until_us)

        await asyncio.wrap_future(self._parts.store.write(work))
        return f'(ES256 RS256);path="{REGISTER_PATH}";challenge="{challenge}"'

    async def register(self, session: Session, response_header: str) -> Renewed | Unbound:
        """Bind a session to the device whose key is in `Secure-Session-Response`."""
        try:
            proof = await asyncio.to_thread(read_proof, response_header)
        except ProofError as unusable:
            return await self._refused(session, str(unusable))
        now_us = self._parts.clock.now_us()

        def work(connection: Connection) -> Renewed | Unbound:
            current = sessions.find(connection, session.id)
            if (
                current is None
                or not current.is_live(now_us)
                or current.bound_key
                or now_us >= current.bound_until_us
                or not self._answers(proof, current, REGISTER_PATH)
            ):
                return self._not_bound(connection, session, "the answer is not to what was offered")
            key = msgspec.json.encode(proof.key, order="deterministic").decode()
            self._happened(connection, session, "member:session:bound")
            return self._renew(connection, msgspec.structs.replace(current, bound_key=key))

        return await asyncio.wrap_future(self._parts.store.write(work))

    async def refresh(
        self, session: Session, id_header: str, response_header: str
    ) -> Renewed | Challenged | Unbound:
        """Renew the cookie of a bound session, from `Sec-Secure-Session-Id` and `Secure-Session-Response`.

        Without an answer to the last challenge, the browser gets a new one.
        """
        if not session.bound_key or unquoted(id_header) != session.id:
            return Unbound(_ended(session))
        if not response_header:
            return await self._challenge(session)
        try:
            proof = await asyncio.to_thread(
                signed_by, response_header, msgspec.json.decode(session.bound_key)
            )
        except ProofError as unusable:
            await self._refused(session, str(unusable))
            return await self._challenge(session)

        def work(connection: Connection) -> Renewed | None:
            current = sessions.find(connection, session.id)
            if (
                current is None
                or not current.is_live(self._parts.clock.now_us())
                or current.bound_key != session.bound_key
                or not self._answers(proof, current, REFRESH_PATH)
            ):
                return None
            return self._renew(connection, current)

        renewed = await asyncio.wrap_future(self._parts.store.write(work))
        return renewed or await self._challenge(session)

    async def _challenge(self, session: Session) -> Challenged:
        challenge = new_token(self._parts.chance)

        def work(connection: Connection) -> None:
            _change(connection, session, bound_challenge=challenge)

        await asyncio.wrap_future(self._parts.store.write(work))
        return Challenged(f"{quoted(challenge)};id={quoted(session.id)}")

    async def _refused(self, session: Session, why: str) -> Unbound:
        def work(connection: Connection) -> Unbound:
            return self._not_bound(connection, session, why)

        return await asyncio.wrap_future(self._parts.store.write(work))

    def _answers(self, proof: BoundProof, current: Session, path: str) -> bool:
        """Say whether a proof, whose signature holds, is for this session, place and challenge."""
        asked, said = current.bound_challenge.encode(), proof.challenge.encode("utf-8", "surrogatepass")
        here = proof.audience in {"", self._parts.institution.origin + path}
        return bool(asked) and here and proof.subject in {"", current.id} and hmac.compare_digest(asked, said)

    def _renew(self, connection: Connection, bound: Session) -> Renewed:
        until_us = self._parts.clock.now_us() + BOUND_US
        _change(connection, bound, bound_key=bound.bound_key, bound_challenge="", bound_until_us=until_us)
        return Renewed(
            cookie=f"{until_us}.{_mark(bound, until_us)}",
            max_age_s=BOUND_US // SECOND_US,
            instructions=_instructions(self._parts.institution, bound),
        )

    def _not_bound(self, connection: Connection, session: Session, why: str) -> Unbound:
        self._happened(connection, session, "member:session:binding_refused", why=why)
        return Unbound(_ended(session))

    def _happened(self, connection: Connection, session: Session, kind: str, **what: str) -> None:
        now_us = self._parts.clock.now_us()
        entry = outbox.Entry(kind, f"{session.id}:{now_us}", now_us, msgspec.json.encode(what))
        outbox.append(connection, [entry])


def _instructions(institution: Institution, session: Session) -> dict[str, Any]:
    left_out = [{"type": "exclude", "domain": "*", "path": path} for path in PATHS_LEFT_OUT]
    return {
        "session_identifier": session.id,
        "refresh_url": REFRESH_PATH,
        "continue": True,
        "scope": {
            "origin": institution.origin,
            "include_site": False,
            "scope_specification": left_out,
        },
        "credentials": [{"type": "cookie", "name": BOUND_COOKIE, "attributes": COOKIE_ATTRIBUTES}],
        "allowed_refresh_initiators": [],
    }


def _ended(session: Session) -> dict[str, Any]:
    return {"session_identifier": session.id, "continue": False}


def _mark(session: Session, until_us: int) -> str:
    said = f"bound:{session.id}:{until_us}:{session.bound_key}"
    return hmac.new(session.form_key, said.encode(), hashlib.sha256).hexdigest()


def _change(connection: Connection, session: Session, **values: object) -> None:
    still_open = (session_table.c.id == session.id) & session_table.c.ended_at_us.is_(None)
    connection.execute(update(session_table).where(still_open).values(**values))
