"""Proving oneself again by a code: for exactly one purpose, and on a trusted device only."""

import asyncio
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.guard.answers import AsksGuard
from sekisho.guard.attempts import Attempt, Gate, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity import sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import (
    Granted,
    InsufficientAuthentication,
    Need,
    StepUp,
    Way,
    demand,
)
from sekisho.identity.claims import asked_of
from sekisho.identity.code_limits import TooMany
from sekisho.identity.codes import CodeAsked, CodeDesk, Contact, Entry, Order, Over, Right, Wrong
from sekisho.identity.devices import Device
from sekisho.identity.institution import Parts
from sekisho.identity.personal_data import Item, read_for_use
from sekisho.identity.purposes import Purpose
from sekisho.identity.relay import Strength
from sekisho.identity.sessions import Opened, Session
from sekisho.kernel.ids import MemberId
from sekisho.messages.message import Channel


class Asking(NamedTuple):
    """Somebody at work in a session: the session, its device, where from, and what is to be approved."""

    session: Session
    device: Device | None
    arrival: Arrival
    purpose: Purpose


class TypedCode(NamedTuple):
    """What was typed for which code, and how long that took as far as the page could tell."""

    code_id: str
    typed: str
    filled_in_ms: int | None = None


class StepUpDesk:
    """Sends and takes codes for approvals within a session, for one institution."""

    def __init__(self, parts: Parts, guard: AsksGuard, codes: CodeDesk) -> None:
        self._parts = parts
        self._guard = guard
        self._codes = codes

    async def reaches(self, member_id: MemberId) -> bool:
        """Say whether there is a mobile number that a code could be sent to. Raises OperationalError."""
        numbers = await self._parts.read(lambda at: self._number(at, member_id))
        return numbers is not None

    async def send_code(self, asking: Asking, language: str) -> CodeAsked | TooMany:
        """Send a code for a purpose to the member's mobile number.

        Raises InsufficientAuthentication where a code would not be enough here, and OperationalError.
        """
        self._require_code_is_a_way(asking)
        member_id = asking.session.member_id

        def work(connection: Connection) -> CodeAsked | TooMany:
            number = self._number(connection, member_id)
            if number is None:
                raise InsufficientAuthentication(StepUp((Way.PASSKEY,)), known="no number to send a code to")
            to = Contact(Channel.SMS, number)
            asked = asked_of(asking.arrival, asking.session.device_id, session_id=asking.session.id)
            order = Order(member_id, to, asking.purpose, asked, language)
            return self._codes.ask_within(connection, order)

        return await asyncio.wrap_future(self._parts.store.write(work))

    async def enter_code(self, asking: Asking, code: TypedCode) -> Opened | Wrong | Over:
        """Take a code. Right, the session has proven itself for this purpose, under a new token.

        The guard is asked first, with what speaks for a relay. Raises InsufficientAuthentication, also where
        something speaks for one and the code was right: then a passkey is needed; and OperationalError.
        """
        self._require_code_is_a_way(asking)
        session, arrival = asking.session, asking.arrival
        entered = asked_of(arrival, session.device_id, session_id=session.id, filled_in_ms=code.filled_in_ms)
        evidence = await self._codes.relay_evidence(code.code_id, session.member_id, entered)
        answer = await self._guard.assess(
            Attempt(
                time_us=self._parts.clock.now_us(),
                gate=Gate.CODE_ENTRY,
                member=session.member_id,
                known=True,
                ip=arrival.ip,
                asn=arrival.asn,
                country=arrival.country,
                user_agent=arrival.user_agent,
                tls=arrival.tls,
                session=session.id,
                signs=evidence.names,
            )
        )
        denied = answer.decision.action is Action.DENY

        def work(connection: Connection) -> Opened | Wrong | Over | None:
            entry = Entry(code.code_id, session.member_id, asking.purpose, code.typed, entered, denied)
            taken = self._codes.enter_within(connection, entry)
            if not isinstance(taken, Right):
                return taken
            if taken.relay.strength is not Strength.NONE:
                return None
            return sessions.prove(connection, self._parts, session, Way.CODE, purpose=asking.purpose.key)

        taken = await asyncio.wrap_future(self._parts.store.write(work))
        proven = isinstance(taken, Opened)
        await self._guard.settle(answer.attempt_id, Outcome.SUCCESS if proven else Outcome.WRONG_SECRET)
        if taken is None:
            # The code was right and is used up, and may all the same have come from somebody else.
            raise InsufficientAuthentication(StepUp((Way.PASSKEY,)), known=" ".join(evidence.names))
        return taken

    def _number(self, connection: Connection, member_id: MemberId) -> str | None:
        numbers = read_for_use(connection, self._parts.keyring, member_id, (Item.MOBILE_PHONE,))
        return numbers.get(Item.MOBILE_PHONE)

    def _require_code_is_a_way(self, asking: Asking) -> None:
        now_us = self._parts.clock.now_us()
        answer = demand(asking.session, asking.device, Need.CHANGE, now_us, purpose=asking.purpose.key)
        if isinstance(answer, Granted) or Way.CODE in answer.ways:
            return
        raise InsufficientAuthentication(answer, known=f"code for {asking.purpose.action}")
