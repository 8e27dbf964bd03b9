"""A person's decision where screening asks for one: with a reason, once, by somebody who checked nothing."""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Row, insert, select

from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender import application_rows as rows
from sekisho.lender.applications import Application, State, require_going_on
from sekisho.lender.bureau_queries import answer_of
from sekisho.lender.credit_bureau import BureauAnswer
from sekisho.lender.house import LenderParts
from sekisho.lender.identity_checks import IdentityCheck, checks_of
from sekisho.lender.income_checks import proven_income
from sekisho.lender.screening_desk import tell_decided
from sekisho.lender.staff import SamePersonTwice
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.staff import require_staff
from sekisho.storage import outbox
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.applications import application_review

REASON_CHARS_MAX = 2_000
SEEN = "lender:application:seen"


class AlreadyDecided(Refusal):
    """Somebody decided before, or the same person decided otherwise."""

    code = "application_already_decided"
    status = 409
    told = "This application was decided before."


class LimitNotOffered(Refusal):
    """A person can offer what screening found, or less, and no more."""

    code = "limit_not_offered"
    status = 422
    told = "The line must be within the terms, and not above what screening found."


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decides and why. `limit` may be lower than what screening found; None takes that."""

    staff_id: str
    granted: bool
    reason: str
    limit: Yen | None = None


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A decision on record; the line is zero where it was refused."""

    application_id: str
    staff_id: str
    granted: bool
    limit_yen: int
    reason: str
    at_us: int


class Sight(NamedTuple):
    """What a decision stands on: the application, how identity was checked, and what was decided.

    `bureau` is what the credit bureau said, as the screening stood on it; None before it.
    """

    application: Application
    checks: list[IdentityCheck]
    bureau: BureauAnswer | None
    review: Review | None


class ReviewDesk:
    """Takes people's decisions, for one lender."""

    def __init__(self, house: LenderParts) -> None:
        self._house = house

    async def waiting(self, *, limit: int = 50) -> list[Application]:
        """Return the applications that a person has to decide, the oldest first. Raises OperationalError."""
        state = State.A_PERSON_DECIDES
        return await self._house.read(lambda at: rows.in_state(at, self._house.keyring, state, limit))

    async def in_state(self, state: State, *, limit: int = 200) -> list[Application]:
        """Return the applications in a state, those that wait longest first. Raises OperationalError."""
        return await self._house.read(lambda at: rows.in_state(at, self._house.keyring, state, limit))

    async def look(self, application_id: str, staff_id: str) -> Sight:
        """Return what a decision stands on, and put on record who looked.

        Raises StaffIdUnusable, ApplicationNotFound, Unsealable and OperationalError.
        """
        require_staff(staff_id)

        def work(connection: Connection) -> Sight:
            house, now_us = self._house, self._house.clock.now_us()
            application = rows.require(connection, house.keyring, application_id)
            subject, body = f"{application.id}:{staff_id}:{now_us}", msgspec.json.encode({"by": staff_id})
            outbox.append(connection, [outbox.Entry(SEEN, subject, now_us, body)])
            seen = Act(actor=staff_id, act="application:seen", subject=application.id)
            audit.record(connection, seen, at_us=now_us)
            found, checks = application.found, checks_of(connection, application.id)
            bureau = None if found is None else answer_of(connection, house, found.query_id)
            return Sight(application, checks, bureau, review_of(connection, house, application.id))

        return await self._house.written(work)

    async def decide(self, application_id: str, decision: Decision) -> Application:
        """Decide, once. The same person with the same decision changes nothing.

        Raises ValueError for an empty reason; StaffIdUnusable, ApplicationNotFound, NotAtThisStep,
        SamePersonTwice, AlreadyDecided, LimitNotOffered and OperationalError.
        """
        require_staff(decision.staff_id)
        if not decision.reason.strip() or len(decision.reason) > REASON_CHARS_MAX:
            raise ValueError("a decision has a reason")

        def work(connection: Connection) -> Application:
            application = rows.require(connection, self._house.keyring, application_id)
            before = review_of(connection, self._house, application_id)
            if before is not None:
                _require_same(before, decision)
                return application
            require_going_on(application, self._house.clock.now_us(), State.A_PERSON_DECIDES)
            self._require_other_eyes(connection, application_id, decision.staff_id)
            limit = self._limit(application, decision)
            self._write(connection, application, decision, limit)
            to = State.GRANTED if decision.granted else State.REFUSED
            rate = application.rate if decision.granted else 0
            moved = rows.move(
                connection, self._house.parts, application, to, limit_yen=limit.amount, rate=rate
            )
            tell_decided(connection, self._house, moved)
            return moved

        return await self._house.written(work)

    def _require_other_eyes(self, connection: Connection, application_id: str, staff_id: str) -> None:
        checked = {check.staff_id for check in checks_of(connection, application_id)}
        proven = proven_income(connection, self._house, application_id)
        if staff_id in checked or (proven is not None and proven.staff_id == staff_id):
            raise SamePersonTwice(known=f"{staff_id} on {application_id}")

    def _limit(self, application: Application, decision: Decision) -> Yen:
        if not decision.granted:
            return Yen(0)
        limit = decision.limit or Yen(application.limit_yen)
        terms = self._house.book.named(application.terms_id)
        step = terms.limit_min_yen
        if not step <= limit.amount <= application.limit_yen or limit.amount % step:
            raise LimitNotOffered(known=f"{limit} for {application.id}")
        return limit

    def _write(
        self, connection: Connection, application: Application, decision: Decision, limit: Yen
    ) -> None:
        sealed = self._house.keyring.seal(
            decision.reason.encode(),
            context=_context(application.id),
        )
        now_us = self._house.clock.now_us()
        row = {
            "application_id": application.id,
            "staff_id": decision.staff_id,
            "granted": decision.granted,
            "limit_yen": limit.amount,
            "reason": sealed,
            "at_us": now_us,
        }
        connection.execute(insert(application_review), row)
        # The reason may name somebody: it is sealed above, and no part of the audit.
        did = "application:granted" if decision.granted else "application:refused"
        act = Act(
            actor=decision.staff_id, act=did, subject=application.id, details={"limit_yen": limit.amount}
        )
        audit.record(connection, act, at_us=now_us)


def review_of(connection: Connection, house: LenderParts, application_id: str) -> Review | None:
    """Return what a person decided, None where nobody did. Raises Unsealable."""
    its = select(application_review).where(application_review.c.application_id == application_id)
    row: Row[tuple[object, ...]] | None = connection.execute(its).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)  # noqa: SLF001 - how SQLAlchemy gives a row as a mapping
    reason = house.keyring.open(values.pop("reason"), context=_context(application_id)).decode()
    return Review(**values, reason=reason)


def _require_same(before: Review, decision: Decision) -> None:
    limit_yen = before.limit_yen if decision.limit is None else decision.limit.amount
    same = (before.staff_id, before.granted, before.reason) == (
        decision.staff_id,
        decision.granted,
        decision.reason,
    )
    if not same or (decision.granted and limit_yen != before.limit_yen):
        raise AlreadyDecided(known=before.application_id)


def _context(application_id: str) -> str:
    return context_of(application_review.c.reason, application_id=application_id)
