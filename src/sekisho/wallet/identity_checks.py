"""Establishing who a wallet's member is: by a certificate that is verified here, or by what staff checked.

Each try is kept, also those that failed. What was claimed stands until it was checked, and what was proven
can't be changed by its member. Without a proven phone nobody begins.
"""

import datetime as dt
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select

from sekisho.identity.certificates import CertificateFault, Presented, Verified
from sekisho.identity.certificates import Person as Claimed
from sekisho.identity.identity_methods import Method, require_allowed
from sekisho.identity.notifying import notify
from sekisho.identity.people import Person, read_person
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
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import require_live
from sekisho.kernel.ids import IDENTITY_CHECK, MemberId
from sekisho.kernel.posture import Posture
from sekisho.kernel.refusals import Refusal
from sekisho.messages.notices import NoticeKind
from sekisho.response import audit
from sekisho.response.staff import Deed
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.wallets import wallet_claim, wallet_identity_challenge, wallet_identity_check
from sekisho.wallet.house import WalletParts
from sekisho.wallet.identity_levels import IdentityLevel
from sekisho.wallet.persons import keep_person
from sekisho.wallet.wallets import Wallet, require_open


class NothingToCheck(Refusal):
    """Nobody said who they are, the phone is not proven, or it was checked already."""

    code = "identity_nothing_to_check"
    status = 409
    told = "There is nothing to check now. Please look at the page Identity."


class IdentityCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One try to establish who a member is. `letter` is the ordinance's name of the way on that day."""

    id: str
    member_id: str
    method: Method
    letter: str
    checked_on: str
    staff_id: str
    passed: bool
    faults: tuple[str, ...]
    at_us: int


class Claim(NamedTuple):
    """Who a member says to be, and since when that waits."""

    person: Person
    at_us: int


class IdentityDesk:
    """Establishes who members are, for one wallet.

    `on_outage` says what it means that nobody can tell whether a certificate was revoked: CLOSED, the check
    waits; OPEN, it counts as failed, so that staff can check in another way.
    """

    def __init__(self, house: WalletParts, trust: Trust, *, on_outage: Posture) -> None:
        self._house = house
        self._trust = trust
        self._on_outage = on_outage

    async def claim(self, present: Present, typed: Person) -> None:
        """Keep who a member says to be, in the place of what was said before.

        Raises NameUnusable, BirthDateUnusable, AddressUnusable, NothingToCheck, WalletNotOpen,
        InsufficientAuthentication and OperationalError.
        """
        now_us = self._house.clock.now_us()
        person, member_id = read_person(typed, now_us), present.session.member_id

        def work(connection: Connection) -> None:
            require_live(connection, present.session, now_us)
            _require_reachable(connection, member_id)
            forget_claim(connection, member_id)
            sealed = self._house.keyring.seal(msgspec.json.encode(person), context=_context(member_id))
            connection.execute(
                insert(wallet_claim), {"member_id": member_id, "sealed": sealed, "at_us": now_us}
            )

        await self._house.written(work)

    async def standing_claim(self, member_id: MemberId) -> Claim | None:
        """Return who a member says to be, None where nothing waits. Raises Unsealable, OperationalError."""
        return await self._house.read(lambda at: self._claim(at, member_id))

    async def challenge(self, member_id: MemberId) -> Challenge:
        """Return what the member's card is to sign, within ten minutes, once.

        Raises NothingToCheck, MethodNotAllowed, TooManyTries, WalletNotOpen and OperationalError.
        """
        require_allowed(Method.JPKI, self._house.today(), by_certificate=True)
        challenge = new_challenge(self._house.chance, self._house.clock.now_us())

        def work(connection: Connection) -> None:
            self._require_claim(connection, member_id)
            _require_tries_left(connection, member_id)
            # Those that ran out open nothing any more.
            over = wallet_identity_challenge.c.expires_at_us <= self._house.clock.now_us()
            connection.execute(delete(wallet_identity_challenge).where(_of_member(member_id), over))
            row = {"digest": challenge_digest(challenge.octets), "member_id": member_id}
            expiring = {**row, "expires_at_us": challenge.expires_at_us}
            connection.execute(insert(wallet_identity_challenge), expiring)

        await self._house.written(work)
        return challenge

    async def by_certificate(self, member_id: MemberId, signed: bytes, presented: Presented) -> IdentityCheck:
        """Verify what a card signed. What was answered before is told again.

        Raises NothingToCheck, ChallengeOver, IdentityCheckAway, MethodNotAllowed, TooManyTries,
        PersonHasWallet, WalletNotOpen and OperationalError.
        """
        before = await self._house.read(lambda at: _by_key(at, member_id, certificate_key(signed)))
        if before is not None:
            return before
        require_allowed(Method.JPKI, self._house.today(), by_certificate=True)
        claim = await self._house.read(lambda at: self._require_claim(at, member_id))
        result = await self._verified(claim.person, signed, presented)

        def work(connection: Connection) -> IdentityCheck:
            self._take_challenge(connection, member_id, signed)
            _require_tries_left(connection, member_id)
            attempt = try_by_certificate(signed, result, self._house.today())
            return self._write(connection, member_id, claim, attempt)

        return await self._house.written(work)

    async def record(self, member_id: MemberId, key: str, manual: ManualCheck) -> IdentityCheck:
        """Write down what staff checked. The same key again returns what it recorded.

        Raises ValueError for a staff id, evidence or day that can't be; NothingToCheck, MethodNotAllowed,
        PersonHasWallet, WalletNotOpen and OperationalError.
        """
        attempt = try_by_staff(f"staff:{member_id}:{key}", manual, self._house.today())

        def work(connection: Connection) -> IdentityCheck:
            before = _by_key(connection, member_id, attempt.key)
            if before is not None:
                return before
            check = self._write(connection, member_id, self._require_claim(connection, member_id), attempt)
            details = {"check": check.id, "method": check.method.value, "passed": check.passed}
            deed = Deed(manual.staff_id, "")
            act = "wallet:identity_checked"
            audit.record_deed(connection, deed, act, member_id, at_us=check.at_us, **details)
            return check

        return await self._house.written(work)

    async def checks_of(self, member_id: MemberId) -> list[IdentityCheck]:
        """Return every try of a member in their order. Raises OperationalError."""
        its = select(wallet_identity_check).where(wallet_identity_check.c.member_id == member_id)
        in_order = its.order_by(wallet_identity_check.c.id)
        return await self._house.read(lambda at: [_of(row) for row in at.execute(in_order)])

    async def _verified(
        self, person: Person, signed: bytes, presented: Presented
    ) -> Verified | CertificateFault:
        claimed = Claimed(person.name, dt.date.fromisoformat(person.birth_date), person.home_address)
        now_us = self._house.clock.now_us()
        return await established(
            self._trust, presented, signed, claimed, on_outage=self._on_outage, now_us=now_us
        )

    def _claim(self, connection: Connection, member_id: MemberId) -> Claim | None:
        its = select(wallet_claim).where(wallet_claim.c.member_id == member_id)
        row = connection.execute(its).one_or_none()
        if row is None:
            return None
        plain = self._house.keyring.open(row.sealed, context=_context(member_id))
        return Claim(msgspec.json.decode(plain, type=Person), row.at_us)

    def _require_claim(self, connection: Connection, member_id: MemberId) -> Claim:
        _require_reachable(connection, member_id)
        claim = self._claim(connection, member_id)
        if claim is None:
            raise NothingToCheck(known=f"{member_id} claims nothing")
        return claim

    def _take_challenge(self, connection: Connection, member_id: MemberId, signed: bytes) -> None:
        ours = (
            (wallet_identity_challenge.c.digest == challenge_digest(signed))
            & _of_member(member_id)
            & (wallet_identity_challenge.c.expires_at_us > self._house.clock.now_us())
        )
        if connection.execute(delete(wallet_identity_challenge).where(ours)).rowcount != 1:
            raise ChallengeOver(known=member_id)

    def _write(
        self, connection: Connection, member_id: MemberId, claim: Claim, attempt: Try
    ) -> IdentityCheck:
        if self._require_claim(connection, member_id).at_us != claim.at_us:
            raise NothingToCheck(known=f"{member_id} claims something else now")
        house = self._house
        check = IdentityCheck(
            id=IDENTITY_CHECK.new(house.clock, house.chance),
            member_id=member_id,
            method=attempt.method,
            letter=attempt.letter,
            checked_on=attempt.checked_on.isoformat(),
            staff_id=attempt.staff_id,
            passed=attempt.passed,
            faults=attempt.faults,
            at_us=house.clock.now_us(),
        )
        evidence = msgspec.json.encode(attempt.evidence)
        sealed = house.keyring.seal(
            evidence, context=context_of(wallet_identity_check.c.evidence, id=check.id)
        )
        row = {**msgspec.structs.asdict(check), "faults": " ".join(check.faults), "key": attempt.key}
        connection.execute(insert(wallet_identity_check), {**row, "evidence": sealed})
        if check.passed:
            keep_person(connection, house.parts, member_id, claim.person, check_id=check.id)
            connection.execute(delete(wallet_claim).where(wallet_claim.c.member_id == member_id))
            kind = NoticeKind.IDENTITY_CONFIRMED
            values = {"when": check.at_us}
            notify(connection, house.parts, member_id, kind, values, dedupe=f"{kind}:{check.id}")
        return check


def forget_claim(connection: Connection, member_id: MemberId) -> None:
    """Forget who a member says to be and what their card was to sign: nobody will check it any more."""
    connection.execute(delete(wallet_claim).where(wallet_claim.c.member_id == member_id))
    connection.execute(delete(wallet_identity_challenge).where(_of_member(member_id)))


def _require_reachable(connection: Connection, member_id: MemberId) -> Wallet:
    """Return a wallet whose phone is proven; one that is verified may be so afresh, by the same person."""
    its = require_open(connection, member_id)
    if its.level is IdentityLevel.NONE:
        raise NothingToCheck(known=f"{its.id} is at the level {its.level}")
    return its


def _require_tries_left(connection: Connection, member_id: MemberId) -> None:
    table = wallet_identity_check.c
    failed = (table.member_id == member_id) & table.passed.is_(False) & (table.staff_id == "")
    if connection.execute(select(func.count()).where(failed)).scalar_one() >= TRIES_MAX:
        raise TooManyTries(known=member_id)


def _by_key(connection: Connection, member_id: MemberId, key: str) -> IdentityCheck | None:
    table = wallet_identity_check.c
    same = (table.key == key) & (table.member_id == member_id)
    row = connection.execute(select(wallet_identity_check).where(same)).one_or_none()
    return None if row is None else _of(row)


def _of_member(member_id: MemberId) -> ColumnElement[bool]:
    return wallet_identity_challenge.c.member_id == member_id


def _of(row: Row[tuple[object, ...]]) -> IdentityCheck:
    values = {name: row._mapping[name] for name in IdentityCheck.__struct_fields__}  # noqa: SLF001 - SQLAlchemy's way
    faults = tuple(values["faults"].split())
    return IdentityCheck(**{**values, "method": Method(values["method"]), "faults": faults})


def _context(member_id: MemberId) -> str:
    return context_of(wallet_claim.c.sealed, member_id=member_id)
