"""Establishing who applies: by a certificate that is verified here, or by what staff checked and recorded.

Each try is kept, also those that failed. A check says what was compared: the application's own words about
who the applicant is, which don't change after it was made.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec
from cryptography import x509
from sqlalchemy import Connection, Row, delete, func, insert, select

from sekisho.identity.certificates import CertificateFault, Person, Presented, Verified, verify
from sekisho.identity.identity_methods import Method, require_allowed
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.ids import IDENTITY_CHECK, MemberId
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.refusals import Refusal
from sekisho.lender import application_rows as rows
from sekisho.lender.applications import Application, State, require_going_on
from sekisho.lender.house import LenderParts
from sekisho.lender.staff import require_staff
from sekisho.storage.tables.applications import identity_challenge, identity_check

CHALLENGE_OCTETS = 32
CHALLENGE_US = 10 * MINUTE_US
TRIES_MAX = 10
REFERENCE_CHARS_MAX = 200
_LABEL = b"sekisho:identity-check:1:"


class IdentityCheckAway(Refusal):
    """Whether the certificate still holds can't be said now, and it is not guessed."""

    code = "identity_check_away"
    status = 503
    told = "We can't check certificates at the moment. Please try again in a few minutes."


class ChallengeOver(Refusal):
    """What was signed is no challenge of this application, or too old, or was answered before."""

    code = "identity_challenge_over"
    status = 409
    told = "This took too long. Please begin the identity check again."


class TooManyTries(Refusal):
    """The identity check failed so often that a person has to look at it."""

    code = "identity_check_too_many_tries"
    status = 429
    told = "We could not confirm who you are. Please call us."


class Trust(Protocol):
    """Whoever knows which authorities are trusted, and their revocation lists."""

    async def authorities(self) -> Sequence[x509.Certificate]:
        """Return the authorities. Raises OperationalError."""
        ...

    async def revocation_lists(self) -> Sequence[x509.CertificateRevocationList]:
        """Return the newest list of each authority and of those under them. Raises OperationalError."""
        ...


class Challenge(NamedTuple):
    """What the holder of a card signs, and until when."""

    octets: bytes
    expires_at_us: int


class ManualCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a member of staff checked: how, on which day, with what result, and where the evidence lies."""

    method: Method
    staff_id: str
    checked_on: dt.date
    passed: bool
    evidence: tuple[str, ...]


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
        octets = _LABEL + self._house.chance.octets(CHALLENGE_OCTETS)
        expires_at_us = self._house.clock.now_us() + CHALLENGE_US

        def work(connection: Connection) -> None:
            application = rows.of_member(connection, self._house.keyring, member_id, application_id)
            require_going_on(application, self._house.clock.now_us(), State.SUBMITTED)
            _require_tries_left(connection, application_id)
            row = {
                "digest": _digest(octets),
                "application_id": application_id,
                "expires_at_us": expires_at_us,
            }
            connection.execute(insert(identity_challenge).values(row))

        await self._house.written(work)
        return Challenge(octets, expires_at_us)

    async def by_certificate(
        self, member_id: MemberId, application_id: str, signed: bytes, presented: Presented
    ) -> IdentityCheck:
        """Verify what a card signed. What was answered before is told again.

        Raises ApplicationNotFound, NotAtThisStep, ChallengeOver, IdentityCheckAway, MethodNotAllowed,
        TooManyTries and OperationalError.
        """
        key = f"JPKI:{_digest(signed).hex()}"
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
            return self._write(connection, application, _Try.by_certificate(key, result, self._house))

        return await self._house.written(work)

    async def record(self, application_id: str, key: str, manual: ManualCheck) -> IdentityCheck:
        """Write down what staff checked. The same key again returns what it recorded.

        Raises ValueError for a staff id, evidence or day that can't be; MethodNotAllowed, NotAtThisStep and
        OperationalError.
        """
        attempt = _Try.by_staff(f"staff:{application_id}:{key}", manual, self._house)

        def work(connection: Connection) -> IdentityCheck:
            before = _by_key(connection, application_id, attempt.key)
            if before is not None:
                return before
            application = rows.require(connection, self._house.keyring, application_id)
            return self._write(connection, application, attempt)

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
        try:
            trusted = await self._trust.authorities()
            lists = await self._trust.revocation_lists()
        except OperationalError as error:
            if self._on_outage is Posture.CLOSED:
                raise IdentityCheckAway(known=str(error)) from error
            return CertificateFault.REVOCATION_UNKNOWN
        result = verify(
            presented,
            signed,
            claimed,
            trusted=trusted,
            revocation_lists=lists,
            now_us=self._house.clock.now_us(),
        )
        if result is CertificateFault.REVOCATION_UNKNOWN and self._on_outage is Posture.CLOSED:
            raise IdentityCheckAway(known=application.id)
        return result

    def _take_challenge(self, connection: Connection, application_id: str, signed: bytes) -> None:
        ours = (
            (identity_challenge.c.digest == _digest(signed))
            & (identity_challenge.c.application_id == application_id)
            & (identity_challenge.c.expires_at_us > self._house.clock.now_us())
        )
        if connection.execute(delete(identity_challenge).where(ours)).rowcount != 1:
            raise ChallengeOver(known=application_id)

    def _write(self, connection: Connection, application: Application, attempt: "_Try") -> IdentityCheck:
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
            msgspec.json.encode(attempt.evidence), context=f"identity_check:{check.id}"
        )
        row = {
            **msgspec.structs.asdict(check),
            "method": check.method.value,
            "faults": " ".join(check.faults),
            "key": attempt.key,
            "evidence": sealed,
        }
        connection.execute(insert(identity_check).values(row))
        if check.passed:
            rows.move(connection, self._house.parts, application, State.IDENTITY_CHECKED)
        return check


class _Try(NamedTuple):
    """A try before it is written down."""

    key: str
    method: Method
    letter: str
    checked_on: dt.date
    staff_id: str
    passed: bool
    faults: tuple[str, ...]
    evidence: tuple[str, ...]

    @classmethod
    def by_certificate(cls, key: str, result: Verified | CertificateFault, house: LenderParts) -> "_Try":
        today = house.today()
        letter = require_allowed(Method.JPKI, today, by_certificate=True).letter_on(today)
        if isinstance(result, Verified):
            evidence = (f"serial {result.serial}", f"issuer {result.issuer}", f"sha256 {result.sha256}")
            return cls(key, Method.JPKI, letter, today, "", passed=True, faults=(), evidence=evidence)
        return cls(key, Method.JPKI, letter, today, "", passed=False, faults=(result.value,), evidence=())

    @classmethod
    def by_staff(cls, key: str, manual: ManualCheck, house: LenderParts) -> "_Try":
        day = manual.checked_on
        if day > day_in_japan(house.clock.now_us()):
            raise ValueError(f"checked on {day}, which is still to come")
        fit = all(ref.strip() and len(ref) <= REFERENCE_CHARS_MAX for ref in manual.evidence)
        if not manual.evidence or not fit:
            raise ValueError("a check without evidence is none")
        lawful = require_allowed(manual.method, day, by_certificate=False)
        # A check is made for its application now; an old day must not bring an abolished way back.
        require_allowed(manual.method, house.today(), by_certificate=False)
        return cls(
            key,
            manual.method,
            lawful.letter_on(day),
            day,
            require_staff(manual.staff_id),
            manual.passed,
            () if manual.passed else ("not_established",),
            manual.evidence,
        )


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


def _digest(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()
