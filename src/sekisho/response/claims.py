"""Claims: what a member lost, what is made good, decided by two people and booked once.

What was lost, and how it is put right in the books, only the institution's own room knows: a loan is taken
back with its interest, a wallet is paid back. It fills `Losses` in. Nothing is ever paid above a loss.
"""

from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection, Row, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from sekisho.identity.institution import Parts
from sekisho.kernel.ids import CLAIM, ClaimId
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit, cases, claim_letters, recovery_rows
from sekisho.response.audit import Act
from sekisho.response.case_stages import Stage
from sekisho.response.cases import Step
from sekisho.response.claim_policy import Assessment, awarded_yen, policy_at, why_not
from sekisho.response.staff import require_second, require_staff
from sekisho.storage import outbox
from sekisho.storage.tables.cases import claim


class ClaimUnknown(Refusal):
    """There is no claim of this id."""

    code = "claim_unknown"
    status = 404
    told = "There is no claim of this id."


class ClaimRefused(Refusal):
    """The claim can't be made, assessed or decided like this."""

    code = "claim_refused"
    status = 409
    told = "This can't be done with the claim."


class ClaimState(StrEnum):
    """Where a claim stands."""

    MADE = "made"
    """Somebody claims a loss."""

    ASSESSED = "assessed"
    """One person says what is made good; a second one has to decide."""

    PAID = "paid"
    """Decided and booked; the member is written to."""

    TURNED_DOWN = "turned_down"
    """Nothing is made good; the member is written to."""


class Loss(NamedTuple):
    """What was lost: by whom (empty: nobody of ours), how much, when."""

    member_id: str
    yen: int
    lost_at_us: int


class Award(NamedTuple):
    """What is to be booked: once by the claim's id. It is all of the loss, or a part."""

    claim_id: ClaimId
    loss: str
    yen: int
    is_all: bool


class Losses(Protocol):
    """Whoever knows the institution's books."""

    def find(self, connection: Connection, loss: str) -> Loss | None:
        """Return a loss by its name, which is that of the booking that took the money; None where none is."""
        ...

    def of_member(self, connection: Connection, member_id: str) -> dict[str, Loss]:
        """Return what left a member's account, by name, the newest first: what a claim can be about."""
        ...

    def partner_of(self, connection: Connection, loss: str) -> str:
        """Return which partner stood on the other side of a loss and may bear it; empty where none did."""
        ...

    def make_good(self, connection: Connection, award: Award) -> str:
        """Put a loss right within the unit of work and return what it is called in the books.

        Doing it again with the same claim books nothing. Raises ClaimRefused where the books refuse it.
        """
        ...


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim, what was found, and who decided."""

    id: ClaimId
    case_id: str
    loss: str
    loss_yen: int
    lost_at_us: int
    claimed_yen: int
    state: ClaimState
    made_by: str
    made_at_us: int
    awarded_yen: int | None
    policy: str
    reason: str
    assessed_by: str
    assessed_at_us: int | None
    decided_by: str
    decided_at_us: int | None
    posting: str
    posted_at_us: int | None


class Compensated(NamedTuple):
    """How many claims of a campaign were paid, with how many yen; and the query that gives exactly that."""

    claims: int
    yen: int
    query: str


class ClaimDesk:
    """Takes, assesses and decides claims at one institution."""

    def __init__(self, parts: Parts, losses: Losses) -> None:
        self._parts = parts
        self._losses = losses

    async def claimable(self, member_id: str) -> dict[str, Loss]:
        """Return what left a member's account and is not claimed yet, by name, the newest first."""

        def look(connection: Connection) -> dict[str, Loss]:
            found = self._losses.of_member(connection, member_id) if member_id else {}
            claimed = set(connection.execute(select(claim.c.loss).where(claim.c.loss.in_(found))).scalars())
            return {name: loss for name, loss in found.items() if name not in claimed}

        return await self._parts.read(look)

    async def make(self, case_id: str, loss: str, claimed_yen: int, *, by: str) -> Claim:
        """Claim a loss in a case. Raises CaseUnknown, ClaimRefused above the loss or twice for one loss."""
        return await self._parts.written(lambda at: self.make_within(at, case_id, loss, claimed_yen, by=by))

    async def assess(self, claim_id: str, found: Assessment, *, by: str) -> Claim:
        """Say what is made good and why, until it is decided. Raises ClaimUnknown and ClaimRefused."""
        return await self._parts.written(lambda at: self.assess_within(at, claim_id, found, by=by))

    async def decide(self, claim_id: str, *, pay: bool, by: str, why: str = "") -> Claim:
        """Decide as a second person: book it, and write to the member; or turn it down, and write as well.

        Deciding again what was decided changes nothing. Raises ClaimUnknown, ClaimRefused and
        SecondPersonNeeded.
        """
        return await self._parts.written(lambda at: self.decide_within(at, claim_id, pay=pay, by=by, why=why))

    def make_within(
        self, connection: Connection, case_id: str, loss: str, claimed_yen: int, *, by: str
    ) -> Claim:
        """Claim a loss within a unit of work; see `make`."""
        case, found = cases.require(connection, case_id, to_change=True), self._losses.find(connection, loss)
        if found is None or found.member_id != case.member_id:
            raise ClaimRefused(known=f"no loss {loss[:60]} of this case's member")
        if not 0 < claimed_yen <= found.yen:
            raise ClaimRefused(known=f"{claimed_yen} of {found.yen}", told="It is above what was lost.")
        values = {
            "id": CLAIM.new(self._parts.clock, self._parts.chance),
            "case_id": case_id,
            "loss": loss,
            "loss_yen": found.yen,
            "lost_at_us": found.lost_at_us,
            "claimed_yen": claimed_yen,
            "state": ClaimState.MADE.value,
            "made_by": require_staff(by),
            "made_at_us": self._parts.clock.now_us(),
            **dict.fromkeys(("policy", "reason", "assessed_by", "decided_by", "posting"), ""),
        }
        try:
            with connection.begin_nested():
                connection.execute(insert(claim), values)
        except IntegrityError as error:
            raise ClaimRefused(known=f"{loss} is claimed", told="This loss is claimed already.") from error
        return self._changed(connection, str(values["id"]), "made", by)

    def assess_within(self, connection: Connection, claim_id: str, found: Assessment, *, by: str) -> Claim:
        """Assess a claim within a unit of work; see `assess`."""
        before = require(connection, claim_id, to_change=True)
        if before.state not in {ClaimState.MADE, ClaimState.ASSESSED}:
            raise ClaimRefused(known=f"it is {before.state}")
        policy = policy_at(before.lost_at_us)
        fault = why_not(
            policy, found, lost_at_us=before.lost_at_us, claimed_at_us=self._reported_us(connection, before)
        )
        if fault:
            raise ClaimRefused(known=fault, told=f"This can't be done with the claim: {fault}.")
        reasons = [f"{found.fault} {found.share} %: {found.reason}", found.late_for]
        _change(
            connection,
            claim_id,
            state=ClaimState.ASSESSED.value,
            awarded_yen=awarded_yen(before.claimed_yen, before.loss_yen, found.share),
            policy=policy.id,
            reason="; ".join(reason for reason in reasons if reason.strip()),
            assessed_by=require_staff(by),
            assessed_at_us=self._parts.clock.now_us(),
        )
        return self._changed(connection, claim_id, "assessed", by)

    def decide_within(self, connection: Connection, claim_id: str, *, pay: bool, by: str, why: str) -> Claim:
        """Decide a claim within a unit of work; see `decide`."""
        before = require(connection, claim_id, to_change=True)
        wanted = ClaimState.PAID if pay and before.awarded_yen else ClaimState.TURNED_DOWN
        if before.state is wanted:
            return before
        if before.state is not ClaimState.ASSESSED or before.awarded_yen is None:
            raise ClaimRefused(known=f"it is {before.state}")
        require_second(by, before.assessed_by)
        if not pay and not why.strip():
            raise ClaimRefused(known="no reason", told="Say why it is turned down.")
        now_us = self._parts.clock.now_us()
        values: dict[str, object] = {"state": wanted.value, "decided_by": by, "decided_at_us": now_us}
        if wanted is ClaimState.PAID:
            all_of_it = before.awarded_yen == before.loss_yen
            award = Award(before.id, before.loss, before.awarded_yen, all_of_it)
            values |= {"posting": self._losses.make_good(connection, award), "posted_at_us": now_us}
            self._compensated(connection, before, by)
            self._recoverable(connection, before)
        if why.strip():
            values["reason"] = f"{before.reason}; {why.strip()}"
        _change(connection, claim_id, **values)
        decided = self._changed(connection, claim_id, wanted.value, by)
        case = cases.require(connection, before.case_id)
        claim_letters.send(connection, self._parts, case, decided.id, decided.awarded_yen or 0, is_paid=pay)
        return decided

    def _compensated(self, connection: Connection, paid: Claim, by: str) -> None:
        now_us, yen = self._parts.clock.now_us(), paid.awarded_yen or 0
        stage = cases.require(connection, paid.case_id).stage
        before = sum(one.awarded_yen or 0 for one in of_case(connection, paid.case_id) if one.posted_at_us)
        if stage in {Stage.DECLARED, Stage.SUSPECTED}:
            confirmed = Step(Stage.CONFIRMED, paid.loss_yen, "claim", now_us, paid.id)
            cases.take_step(connection, self._parts, paid.case_id, confirmed, by=by)
        step = Step(Stage.COMPENSATED, before + yen, "claim", now_us, paid.id)
        cases.take_step(connection, self._parts, paid.case_id, step, by=by)

    def _recoverable(self, connection: Connection, paid: Claim) -> None:
        """Keep which partner may bear what is paid: that of the booking, else that which the case names."""
        case = cases.require(connection, paid.case_id)
        partner = self._losses.partner_of(connection, paid.loss) or case.partner
        if partner:
            whose = (paid.id, partner, case.campaign)
            recovery_rows.begin(connection, self._parts, whose, paid.awarded_yen or 0)

    def _reported_us(self, connection: Connection, of: Claim) -> int:
        """Return when the loss was reported: the case is older than the claim that is made in it."""
        return min(of.made_at_us, cases.require(connection, of.case_id).opened_at_us)

    def _changed(self, connection: Connection, claim_id: str, what: str, by: str) -> Claim:
        now_us, found = self._parts.clock.now_us(), require(connection, claim_id)
        body = msgspec.json.encode({"by": by, "awarded_yen": found.awarded_yen})
        event = outbox.Entry(f"response:claim:{what}", f"{claim_id}:{now_us}", now_us, body)
        outbox.append(connection, [event])
        act = Act(actor=by, act=f"claim:{what}", subject=claim_id, reason=found.reason)
        audit.record(connection, act, at_us=now_us)
        return found


def require(connection: Connection, claim_id: str, *, to_change: bool = False) -> Claim:
    """Return a claim by id. Raises ClaimUnknown."""
    found = select(claim).where(claim.c.id == claim_id)
    row = connection.execute(found.with_for_update() if to_change else found).one_or_none()
    if row is None:
        raise ClaimUnknown(known=claim_id[:60])
    return _of(row)


def of_case(connection: Connection, case_id: str) -> list[Claim]:
    """Return the claims of a case, the oldest first."""
    own = select(claim).where(claim.c.case_id == case_id).order_by(claim.c.id)
    return [_of(row) for row in connection.execute(own)]


def to_decide(connection: Connection, *, limit: int = 100) -> list[Claim]:
    """Return the claims that wait for somebody, the oldest first."""
    waiting = claim.c.state.in_((ClaimState.MADE.value, ClaimState.ASSESSED.value))
    found = select(claim).where(waiting).order_by(claim.c.id).limit(limit)
    return [_of(row) for row in connection.execute(found)]


def newest(connection: Connection, *, limit: int = 100) -> list[Claim]:
    """Return the newest claims that were decided."""
    decided = claim.c.state.in_((ClaimState.PAID.value, ClaimState.TURNED_DOWN.value))
    found = select(claim).where(decided).order_by(claim.c.decided_at_us.desc(), claim.c.id).limit(limit)
    return [_of(row) for row in connection.execute(found)]


_TOTAL = """\
SELECT count(*) AS claims, coalesce(sum(c.awarded_yen), 0) AS yen
FROM claim c JOIN case_file f ON f.id = c.case_id
WHERE c.state = 'paid' AND c.posted_at_us <= {as_of_us} AND ({campaign} = '' OR f.campaign = {campaign})"""


def compensated(connection: Connection, *, as_of_us: int, campaign: str = "") -> Compensated:
    """Count what was paid until a time, of one campaign or of all."""
    bound = text(_TOTAL.format(as_of_us=":as_of_us", campaign=":campaign"))
    row = connection.execute(bound, {"as_of_us": as_of_us, "campaign": campaign}).one()
    quoted = "'" + campaign.replace("'", "''") + "'"
    return Compensated(row.claims, int(row.yen), _TOTAL.format(as_of_us=as_of_us, campaign=quoted))


def _change(connection: Connection, claim_id: str, **values: object) -> None:
    connection.execute(update(claim).where(claim.c.id == claim_id).values(values))


def _of(row: Row[tuple[object, ...]]) -> Claim:
    return msgspec.convert(row, Claim, from_attributes=True)
