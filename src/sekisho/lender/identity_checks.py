"""Establishing who applies: by a certificate that is verified here, or by what staff checked and recorded.

Each try is kept, also those that failed. A check says what was compared: the application's own words about
who the applicant is, which don't change after it was made.
"""

import datetime as dt

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select

from sekisho.identity.certificates import CertificateFault, Person, Presented, Verified
from sekisho.identity.identity_methods import Method, require_allowed
from sekisho.identity.person_checks import (
    TRIES_MAX,
    Challenge,
    ChallengeOver,
    ManualCheck,
    TooManyTries,
    Trust,
    Try,
    certificate_key,
    challenge_digest,
    established,
    new_challenge,
    try_by_certificate,
    try_by_staff,
)
from sekisho.kernel.ids import IDENTITY_CHECK, MemberId
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.lender import application_rows as rows
from sekisho.lender.applications import Application, State, require_going_on
from sekisho.lender.house import LenderParts
from sekisho.response import audit
from sekisho.response.staff import Deed
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.applications import identity_challenge, identity_check


class IdentityCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One try to establish who applies. `letter` is the ordinance's name of the way on that day."""

    id: str
    application_id: str
    method: Method
    letter: str
    checked_on: str
    staff_id: str
    passed: bool
    faults: tuple[str, ...]
    at_us: int


class IdentityDesk:
    """Establishes who applies, for one lender.

    `on_outage` says what it means that nobody can tell whether a certificate was revoked: CLOSED, the check
    waits; OPEN, it counts as failed, so that staff can check in another way.
    """

    def __init__(self, house: LenderParts, trust: Trust, *, on_outage: Posture) -> None:
        self._house = house
        self._trust = trust
        self._on_outage = on_outage

    async def challenge(self, member_id: MemberId, application_id: str) -> Challenge:
        """Return what the member's card is to sign, within ten minutes, once.

        Raises ApplicationNotFound, NotAtThisStep, MethodNotAllowed, TooManyTries and OperationalError.
        """
        require_allowed(Method.JPKI, self._house.today(), by_certificate=True)
        challenge = new_challenge(self._house.chance, self._house.clock.now_us())

        def work(connection: Connection) -> None:
            application = rows.of_member(connection, self._house.keyring, member_id, application_id)
            require_going_on(application, self._house.clock.now_us(), State.SUBMITTED)
            _require_tries_left(connection, application_id)
            row = {
                "digest": challenge_digest(challenge.octets),
                "application_id": application_id,
                "expires_at_us": challenge.expires_at_us,
            }
            connection.execute(insert(identity_challenge), row)

        await self._house.written(work)
        return challenge

    async def by_certificate(
        self, member_id: MemberId, application_id: str, signed: bytes, presented: Presented
    ) -> IdentityCheck:
        """Verify what a card signed. What was answered before is told again.

        Raises ApplicationNotFound, NotAtThisStep, ChallengeOver, IdentityCheckAway, MethodNotAllowed,
        TooManyTries and OperationalError.
        """
        key = certificate_key(signed)
        before = await self._house.read(lambda at: _by_key(at, application_id, key))
        application = await self._house.read(
            lambda at: rows.of_member(at, self._house.keyring, member_id, application_id)
        )
        if before is not None:
            return before
        require_allowed(Method.JPKI, self._house.today(), by_certificate=True)
        result = await self._verified(application, signed, presented)

        def work(connection: Connection) -> IdentityCheck:
            self._take_challenge(connection, application_id, signed)
            return self._write(
                connection, application, try_by_certificate(signed, result, self._house.today())
            )

        return await self._house.written(work)

    async def record(self, application_id: str, key: str, manual: ManualCheck) -> IdentityCheck:
        """Write down what staff checked. The same key again returns what it recorded.

        Raises ValueError for a staff id, evidence or day that can't be; MethodNotAllowed, NotAtThisStep and
        OperationalError.
        """
        attempt = try_by_staff(f"staff:{application_id}:{key}", manual, self._house.today())

        def work(connection: Connection) -> IdentityCheck:
            before = _by_key(connection, application_id, attempt.key)
            if before is not None:
                return before
            application = rows.require(connection, self._house.keyring, application_id)
            check = self._write(connection, application, attempt)
            details = {"check": check.id, "method": check.method.value, "passed": check.passed}
            deed = Deed(manual.staff_id, "")
            act = "application:identity_checked"
            audit.record_deed(connection, deed, act, application_id, at_us=check.at_us, **details)
            return check

        return await self._house.written(work)

    async def checks_of(self, application_id: str) -> list[IdentityCheck]:
        """Return every try for an application in their order. Raises OperationalError."""
        return await self._house.read(lambda at: checks_of(at, application_id))

    async def _verified(
        self, application: Application, signed: bytes, presented: Presented
    ) -> Verified | CertificateFault:
        who = application.who
        require_going_on(application, self._house.clock.now_us(), State.SUBMITTED)
        if who is None:
            raise OperationalError("applications", f"{application.id} was made without its person")
        claimed = Person(who.name, dt.date.fromisoformat(who.born_on), who.home_address)
        now_us = self._house.clock.now_us()
        return await established(
            self._trust, presented, signed, claimed, on_outage=self._on_outage, now_us=now_us
        )

    def _take_challenge(self, connection: Connection, application_id: str, signed: bytes) -> None:
        ours = (
            (identity_challenge.c.digest == challenge_digest(signed))
            & (identity_challenge.c.application_id == application_id)
            & (identity_challenge.c.expires_at_us > self._house.clock.now_us())
        )
        if connection.execute(delete(identity_challenge).where(ours)).rowcount != 1:
            raise ChallengeOver(known=application_id)

    def _write(self, connection: Connection, application: Application, attempt: Try) -> IdentityCheck:
        now_us = self._house.clock.now_us()
        require_going_on(application, now_us, State.SUBMITTED)
        if attempt.staff_id == "":
            _require_tries_left(connection, application.id)
        check = IdentityCheck(
            id=IDENTITY_CHECK.new(self._house.clock, self._house.chance),
            application_id=application.id,
            method=attempt.method,
            letter=attempt.letter,
            checked_on=attempt.checked_on.isoformat(),
            staff_id=attempt.staff_id,
            passed=attempt.passed,
            faults=attempt.faults,
            at_us=now_us,
        )
        sealed = self._house.keyring.seal(
            msgspec.json.encode(attempt.evidence), context=context_of(identity_check.c.evidence, id=check.id)
        )
        row = {
            **msgspec.structs.asdict(check),
            "method": check.method.value,
            "faults": " ".join(check.faults),
            "key": attempt.key,
            "evidence": sealed,
        }
        connection.execute(insert(identity_check), row)
        if check.passed:
            rows.move(connection, self._house.parts, application, State.IDENTITY_CHECKED)
        return check


def checks_of(connection: Connection, application_id: str) -> list[IdentityCheck]:
    """Return every try for an application, in their order."""
    its = select(identity_check).where(identity_check.c.application_id == application_id)
    return [_of(row) for row in connection.execute(its.order_by(identity_check.c.id))]


def _require_tries_left(connection: Connection, application_id: str) -> None:
    failed = (identity_check.c.application_id == application_id) & identity_check.c.passed.is_(False)
    if connection.execute(select(func.count()).where(failed)).scalar_one() >= TRIES_MAX:
        raise TooManyTries(known=application_id)


def _by_key(connection: Connection, application_id: str, key: str) -> IdentityCheck | None:
    same = (identity_check.c.key == key) & (identity_check.c.application_id == application_id)
    row = connection.execute(select(identity_check).where(same)).one_or_none()
    return None if row is None else _of(row)


def _of(row: Row[tuple[object, ...]]) -> IdentityCheck:
    values = {name: row._mapping[name] for name in IdentityCheck.__struct_fields__}  # noqa: SLF001 - SQLAlchemy's way
    faults = tuple(values["faults"].split())
    return IdentityCheck(**{**values, "method": Method(values["method"]), "faults": faults})
