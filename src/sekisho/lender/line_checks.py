"""Lines that are open are looked at again: which are due, what is found, and what was found before.

The law has a lender of revolving credit ask the credit bureau again, every three months, and each month in
which more than 50,000 yen was lent while more than 100,000 yen are owed (Money Lending Business Act, 13-3;
its ordinance, 10-24 and 10-25). Where all lenders together would lend more than a third of the income,
nothing more is lent.
"""

import datetime as dt
from calendar import monthrange
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, insert, or_, select

from sekisho.kernel.clock import HOUR_US
from sekisho.kernel.ids import LINE_CHECK, ApplicationId, LineCheckId
from sekisho.kernel.yen import Yen
from sekisho.lender.contracts import ContractState
from sekisho.lender.house import LenderParts
from sekisho.lender.income_renewals import RenewalState
from sekisho.lender.loan_events import EventKind
from sekisho.lender.screening import BureauRecord, Finding, above_a_third
from sekisho.storage.tables.applications import bureau_query, loan_application
from sekisho.storage.tables.ledger import ledger_account
from sekisho.storage.tables.lender import credit_contract, income_renewal, line_check, loan_event

MONTHS = 3
LENT_IN_MONTH_ABOVE = Yen(50_000)
OWED_ABOVE = Yen(100_000)
MONTHS_OF_GRACE = 1
ASKED_AGAIN_AFTER_US = 12 * HOUR_US
RENEWED_AGAIN_AFTER_US = HOUR_US
CLOSING = frozenset({Finding.ABOVE_A_THIRD, Finding.WRITTEN_OFF})
"""These close a line to borrowing; the others are on record for a person."""

NOT_CHECKED = "not_checked"
"""Why a line is closed that nobody could look at in time."""


class LineCheck(NamedTuple):
    """What a look at a line found: on which day the bureau answered, and whether it lends afterwards."""

    id: LineCheckId
    contract_id: str
    query_id: str
    checked_on: dt.date
    findings: tuple[Finding, ...]
    state: ContractState
    at_us: int


class Due(NamedTuple):
    """A line to be looked at, and since when it has not been."""

    contract_id: str
    application_id: ApplicationId
    last_on: dt.date


class Standing(NamedTuple):
    """A line as staff see it: what it allows, when it was looked at last, and what that found."""

    number: str
    state: ContractState
    last_on: dt.date
    findings: tuple[Finding, ...]


def findings_of(limit: Yen, income: Yen, bureau: BureauRecord) -> tuple[Finding, ...]:
    """Return what speaks against lending more under a line. What we lend ourselves is not the bureau's."""
    rules = (
        (above_a_third(income, bureau.owed_to_lenders + limit), Finding.ABOVE_A_THIRD),
        (bureau.written_off, Finding.WRITTEN_OFF),
        (bureau.delayed, Finding.DELAYED),
    )
    return tuple(finding for holds, finding in rules if holds)


def months_before(day: dt.date, months: int) -> dt.date:
    """Return the same day some months earlier, or that month's last where it has no such day."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_are_over(today: dt.date, months: int) -> dt.date:
    """Return the last day since which so many months are over.

    They are over on the last day of a month that has no such day: since 31 August three are on 30 November.
    """
    tomorrow = today + dt.timedelta(days=1)
    if tomorrow.day == 1:
        return months_before(tomorrow, months) - dt.timedelta(days=1)
    return months_before(today, months)


def due(connection: Connection, today: dt.date, now_us: int, limit: int) -> list[Due]:
    """Return the lines to be looked at on a day, those that wait longest first.

    One about which the bureau was asked within the last hours waits for the next time, whatever came of it.
    """
    last, this_month = _last_on(), today.replace(day=1)
    monthly = and_(
        last < this_month.isoformat(),
        _lent_between(months_before(this_month, 1), this_month) > LENT_IN_MONTH_ABOVE.amount,
        _principal() > OWED_ABOVE.amount,
    )
    quarterly = last <= months_are_over(today, MONTHS).isoformat()
    asked = exists().where(
        bureau_query.c.application_id == loan_application.c.id,
        bureau_query.c.asked_at_us > now_us - ASKED_AGAIN_AFTER_US,
        # What a clock wrote down that was ahead of the time keeps nobody from asking.
        bureau_query.c.asked_at_us <= now_us,
    )
    found = (
        _lines(last)
        .where(credit_contract.c.state != ContractState.ENDED.value, or_(quarterly, monthly), ~asked)
        .order_by(last, credit_contract.c.id)
        .limit(limit)
    )
    return _dues(connection, found)


def renewed(connection: Connection, now_us: int, limit: int) -> list[Due]:
    """Return the lines whose income was proven anew and that no look has followed, oldest look first.

    One about which the bureau gave no answer that can be used within the last hour waits until then.
    """
    proven = exists().where(
        income_renewal.c.contract_id == credit_contract.c.id,
        income_renewal.c.state == RenewalState.PROVEN.value,
        income_renewal.c.line_check_id.is_(None),
    )
    in_vain = exists().where(
        bureau_query.c.application_id == loan_application.c.id,
        bureau_query.c.asked_at_us > now_us - RENEWED_AGAIN_AFTER_US,
        or_(bureau_query.c.answered_at_us.is_(None), bureau_query.c.trouble != ""),
    )
    last = _last_on()
    found = (
        _lines(last)
        .where(credit_contract.c.state != ContractState.ENDED.value, proven, ~in_vain)
        .order_by(last, credit_contract.c.id)
        .limit(limit)
    )
    return _dues(connection, found)


def line_of(connection: Connection, contract_id: str) -> Due | None:
    """Return a line that has not ended, to be looked at now; None where there is none."""
    its = _lines(_last_on()).where(
        credit_contract.c.id == contract_id, credit_contract.c.state != ContractState.ENDED.value
    )
    return next(iter(_dues(connection, its)), None)


def overdue(connection: Connection, today: dt.date, limit: int) -> list[Due]:
    """Return the lines that still lend and were not looked at for a month longer than the law allows."""
    last = _last_on()
    late = last <= months_are_over(today, MONTHS + MONTHS_OF_GRACE).isoformat()
    found = _lines(last).where(credit_contract.c.state == ContractState.OPEN.value, late)
    return _dues(connection, found.order_by(last, credit_contract.c.id).limit(limit))


def keep_check(connection: Connection, check: LineCheck) -> None:
    """Write a check down."""
    row = check._asdict() | {
        "checked_on": check.checked_on.isoformat(),
        "findings": ",".join(check.findings),
        "state": check.state.value,
    }
    connection.execute(insert(line_check), row)


def is_checked(connection: Connection, query_id: str) -> bool:
    """Tell whether the answer to a question was taken."""
    its = select(line_check.c.id).where(line_check.c.query_id == query_id)
    return connection.execute(its).one_or_none() is not None


def last_check(connection: Connection, contract_id: str) -> LineCheck | None:
    """Return what was found last; None where a line was not looked at since it was signed."""
    own = select(line_check).where(line_check.c.contract_id == contract_id)
    row = connection.execute(own.order_by(line_check.c.id.desc()).limit(1)).mappings().one_or_none()
    if row is None:
        return None
    named = dict(row) | {
        "checked_on": dt.date.fromisoformat(row["checked_on"]),
        "findings": _read_findings(row["findings"]),
        "state": ContractState(row["state"]),
    }
    return LineCheck(**named)


def standing(connection: Connection, state: ContractState, limit: int) -> list[Standing]:
    """Return the lines in a state, those that were looked at longest ago first."""
    last = _last_on()
    newest = (
        select(line_check.c.findings)
        .where(line_check.c.contract_id == credit_contract.c.id)
        .order_by(line_check.c.id.desc())
        .limit(1)
        .correlate(credit_contract)
        .scalar_subquery()
    )
    found = (
        select(credit_contract.c.number, last, newest)
        .where(credit_contract.c.state == state.value)
        .order_by(last, credit_contract.c.id)
        .limit(limit)
    )
    return [
        Standing(number, state, dt.date.fromisoformat(last_on), _read_findings(findings or ""))
        for number, last_on, findings in connection.execute(found)
    ]


def new_check_id(house: LenderParts) -> LineCheckId:
    """Return an id for a check."""
    return LINE_CHECK.new(house.clock, house.chance)


def _read_findings(text: str) -> tuple[Finding, ...]:
    return tuple(Finding(name) for name in text.split(",") if name)


def _lines(last: ColumnElement[str]) -> Select[str, str, str]:
    return select(credit_contract.c.id, loan_application.c.id, last).join(
        loan_application, loan_application.c.contract_id == credit_contract.c.id
    )


def _dues(connection: Connection, found: Select[str, str, str]) -> list[Due]:
    rows = connection.execute(found)
    return [
        Due(contract, ApplicationId(of), dt.date.fromisoformat(last_on)) for contract, of, last_on in rows
    ]


def _last_on() -> ColumnElement[str]:
    """Return the day of a line's last check; that of its contract where there was none."""
    checked = (
        select(func.max(line_check.c.checked_on))
        .where(line_check.c.contract_id == credit_contract.c.id)
        .correlate(credit_contract)
        .scalar_subquery()
    )
    return func.coalesce(checked, credit_contract.c.signed_on)


def _lent_between(first: dt.date, before: dt.date) -> ColumnElement[int]:
    return (
        select(func.coalesce(func.sum(loan_event.c.amount_yen), 0))
        .where(
            loan_event.c.contract_id == credit_contract.c.id,
            loan_event.c.kind == EventKind.BORROWED.value,
            loan_event.c.effective_on >= first.isoformat(),
            loan_event.c.effective_on < before.isoformat(),
        )
        .correlate(credit_contract)
        .scalar_subquery()
    )


def _principal() -> ColumnElement[int]:
    return (
        select(ledger_account.c.debits_posted - ledger_account.c.credits_posted)
        .where(ledger_account.c.id == credit_contract.c.principal_account)
        .correlate(credit_contract)
        .scalar_subquery()
    )
