"""A newer income under a contract: what a member declares, how far it has come, and what was proven.

What was proven last counts when the line is looked at again, be it more than before or less. What somebody
declares proves nothing.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from sekisho.kernel.ids import INCOME_RENEWAL, IncomeRenewalId, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.applications import INCOME_YEN_MAX
from sekisho.lender.contracts import Contract
from sekisho.lender.house import LenderParts
from sekisho.lender.income_checks import ProvenIncome, proven_income
from sekisho.storage import outbox
from sekisho.storage.keyring import Keyring
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.lender import income_renewal

KEY_MAX = 100


class RenewalState(StrEnum):
    """How far a declaration has come."""

    ASKED = "asked"
    """It was made; the source of incomes is to be asked."""

    A_PERSON_READS = "a_person_reads"
    """The source does not know it: the document is to come, and a person reads it."""

    PROVEN = "proven"
    """The income is proven, and the line is looked at again by it."""

    REFUSED = "refused"
    """The document proves nothing; `refused_for` says why."""

    WITHDRAWN = "withdrawn"
    """The member took it back, or the contract ended."""


OPEN = (RenewalState.ASKED, RenewalState.A_PERSON_READS)


class IncomePaper(StrEnum):
    """The document that a member has about the income."""

    WITHHOLDING_SLIP = "withholding_slip"
    """The employer's slip of the year (源泉徴収票)."""

    PAY_SLIPS = "pay_slips"
    """Slips of the last months' pay (給与明細書)."""

    TAX_RETURN = "tax_return"
    """The return that was filed (確定申告書)."""

    TAX_NOTICE = "tax_notice"
    """The municipality's notice of the tax (住民税の通知書)."""

    INCOME_CERTIFICATE = "income_certificate"
    """The municipality's certificate (所得証明書)."""


class NotTaken(StrEnum):
    """Why a document proves nothing."""

    UNREADABLE = "unreadable"
    """It can't be read, or a part of it is missing."""

    SOMEBODY_ELSES = "somebody_elses"
    """It is not the member's own."""

    OUTDATED = "outdated"
    """It speaks of a time that is over."""

    NOT_A_PROOF = "not_a_proof"
    """It is no document about an income."""


class Declared(NamedTuple):
    """What a member says: the income of a year before tax, and the document that shows it."""

    income: Yen
    paper: IncomePaper


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """A declaration as it stands. `income_yen` is what was declared, `proven` what came of it.

    `line_check_id` is the look at the line that followed it, None before there was one.
    """

    id: IncomeRenewalId
    key: str
    contract_id: str
    member_id: MemberId
    state: RenewalState
    paper: IncomePaper
    income_yen: int
    proven: ProvenIncome | None
    refused_for: str
    declared_at_us: int
    ended_at_us: int | None
    line_check_id: str | None


class IncomeRenewalUnusable(Refusal):
    """The income is nothing that anybody earns, or the document is of no kind that we know."""

    code = "income_renewal_unusable"
    status = 422
    told = "Please give your income of a year and the document that shows it."


class IncomeRenewalUnderWay(Refusal):
    """Another declaration under the contract has not come to its end."""

    code = "income_renewal_under_way"
    status = 409
    told = "We are looking at an income that you declared already. Take it back first to declare another one."


class IncomeRenewalKeyReused(Refusal):
    """The same key came with other words."""

    code = "income_renewal_key_reused"
    status = 409
    told = "This request was sent before with other contents."


class IncomeRenewalNotFound(Refusal):
    """There is no such declaration."""

    code = "income_renewal_not_found"
    status = 404
    told = "There is no such declaration."


class IncomeRenewalOver(Refusal):
    """The declaration has come to its end, another one than was asked for."""

    code = "income_renewal_over"
    status = 409
    told = "This declaration was decided or taken back before."


class NoLineToRenew(Refusal):
    """There is no contract under which anything is lent."""

    code = "no_line_to_renew"
    status = 409
    told = "You have no contract that a newer income could matter for."


def require_usable(declared: Declared) -> None:
    """Raise IncomeRenewalUnusable for an income that nobody has."""
    if not Yen(0) < declared.income <= Yen(INCOME_YEN_MAX):
        raise IncomeRenewalUnusable(known="income")


def declare(
    connection: Connection, house: LenderParts, contract: Contract, key: str, declared: Declared
) -> Renewal:
    """Write a declaration down; the same key with the same words returns what it made.

    Raises IncomeRenewalKeyReused and IncomeRenewalUnderWay. The caller has taken the turn.
    """
    member_id = MemberId(contract.member_id)
    own_key = f"{member_id}:{key[:KEY_MAX]}"
    before = _one(connection, house.keyring, select(income_renewal).where(income_renewal.c.key == own_key))
    if before is not None:
        if (Yen(before.income_yen), before.paper) != declared:
            raise IncomeRenewalKeyReused(known=before.id)
        return before
    waiting = _one(
        connection, house.keyring, select(income_renewal).where(income_renewal.c.live == contract.id)
    )
    if waiting is not None:
        raise IncomeRenewalUnderWay(known=waiting.id)
    renewal_id, now_us = INCOME_RENEWAL.new(house.clock, house.chance), house.clock.now_us()
    row = {
        "id": renewal_id,
        "key": own_key,
        "contract_id": contract.id,
        "member_id": member_id,
        "live": contract.id,
        "state": RenewalState.ASKED.value,
        "document": declared.paper.value,
        "declared": _sealed(house.keyring, renewal_id, "declared", declared.income.amount),
        "proven": None,
        "refused_for": "",
        "declared_at_us": now_us,
        "ended_at_us": None,
        "line_check_id": None,
    }
    connection.execute(insert(income_renewal), row)
    _tell(connection, renewal_id, RenewalState.ASKED, now_us)
    return require(connection, house.keyring, renewal_id)


def move(  # noqa: PLR0913 - what an end adds
    connection: Connection,
    house: LenderParts,
    renewal: Renewal,
    to: RenewalState,
    *,
    proven: ProvenIncome | None = None,
    refused_for: str = "",
) -> Renewal:
    """Take a declaration that is open to its next state, once. Raises IncomeRenewalOver."""
    now_us = house.clock.now_us()
    values: dict[str, object] = {"state": to.value, "refused_for": refused_for}
    if to not in OPEN:
        values |= {"live": None, "ended_at_us": now_us}
    if proven is not None:
        values["proven"] = _sealed(house.keyring, renewal.id, "proven", proven)
    still = (income_renewal.c.id == renewal.id) & (income_renewal.c.state == renewal.state.value)
    is_open = renewal.state in OPEN
    if not is_open or connection.execute(update(income_renewal).where(still).values(values)).rowcount != 1:
        raise IncomeRenewalOver(known=f"{renewal.id} is {renewal.state}")
    _tell(connection, renewal.id, to, now_us)
    return require(connection, house.keyring, renewal.id)


def require(connection: Connection, keyring: Keyring, renewal_id: str) -> Renewal:
    """Return a declaration that must be there. Raises IncomeRenewalNotFound."""
    found = _one(connection, keyring, select(income_renewal).where(income_renewal.c.id == renewal_id))
    if found is None:
        raise IncomeRenewalNotFound(known=renewal_id[:60])
    return found


def newest_of(connection: Connection, keyring: Keyring, contract_id: str) -> Renewal | None:
    """Return what was declared last under a contract; None where nothing was."""
    own = select(income_renewal).where(income_renewal.c.contract_id == contract_id)
    return _one(connection, keyring, own.order_by(income_renewal.c.id.desc()).limit(1))


def in_state(connection: Connection, keyring: Keyring, state: RenewalState, limit: int) -> list[Renewal]:
    """Return declarations in a state, those that wait longest first."""
    waiting = select(income_renewal).where(income_renewal.c.state == state.value)
    found = waiting.order_by(income_renewal.c.declared_at_us, income_renewal.c.id).limit(limit)
    return [_of(keyring, row) for row in connection.execute(found).mappings()]


def give_up(connection: Connection, house: LenderParts, contract_id: str) -> None:
    """Take back what is open under a contract that ends."""
    own = select(income_renewal).where(income_renewal.c.live == contract_id)
    waiting = _one(connection, house.keyring, own)
    if waiting is not None:
        move(connection, house, waiting, RenewalState.WITHDRAWN)


def income_of_line(
    connection: Connection, house: LenderParts, contract_id: str, application_id: str
) -> ProvenIncome | None:
    """Return the income that counts for a line: what was proven last, else what its application proved."""
    proven = select(income_renewal).where(
        income_renewal.c.contract_id == contract_id, income_renewal.c.state == RenewalState.PROVEN.value
    )
    newest = proven.order_by(income_renewal.c.ended_at_us.desc(), income_renewal.c.id.desc()).limit(1)
    renewal = _one(connection, house.keyring, newest)
    return proven_income(connection, house, application_id) if renewal is None else renewal.proven


def follow(connection: Connection, contract_id: str, line_check_id: str) -> None:
    """Write down which look at a line followed what was proven and not followed yet."""
    proven = (
        (income_renewal.c.contract_id == contract_id)
        & (income_renewal.c.state == RenewalState.PROVEN.value)
        & income_renewal.c.line_check_id.is_(None)
    )
    connection.execute(update(income_renewal).where(proven).values(line_check_id=line_check_id))


def _one(connection: Connection, keyring: Keyring, its: Select[tuple[object, ...]]) -> Renewal | None:
    row = connection.execute(its).mappings().one_or_none()
    return None if row is None else _of(keyring, row)


def _of(keyring: Keyring, row: RowMapping) -> Renewal:
    declared = keyring.open(row["declared"], context=_context(row["id"], "declared"))
    proven = row["proven"] and keyring.open(row["proven"], context=_context(row["id"], "proven"))
    return Renewal(
        id=row["id"],
        key=row["key"],
        contract_id=row["contract_id"],
        member_id=row["member_id"],
        state=RenewalState(row["state"]),
        paper=IncomePaper(row["document"]),
        income_yen=msgspec.json.decode(declared, type=int),
        proven=msgspec.json.decode(proven, type=ProvenIncome) if proven else None,
        refused_for=row["refused_for"],
        declared_at_us=row["declared_at_us"],
        ended_at_us=row["ended_at_us"],
        line_check_id=row["line_check_id"],
    )


def _tell(connection: Connection, renewal_id: str, state: RenewalState, now_us: int) -> None:
    event = outbox.Entry(f"lender:income_renewal:{state}", renewal_id, now_us, b"{}")
    outbox.append(connection, [event])


def _sealed(keyring: Keyring, renewal_id: str, name: str, content: object) -> bytes:
    return keyring.seal(msgspec.json.encode(content), context=_context(renewal_id, name))


def _context(renewal_id: str, name: str) -> str:
    return context_of(income_renewal.c[name], id=renewal_id)
