"""Reports by depositors: "that was not me". The link stops at once, and the report has a number to quote."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select, update

from sekisho.bank import mandates, orders
from sekisho.bank.depositor_notices import tell_reported
from sekisho.bank.house import BankParts
from sekisho.bank.mandate_states import Actor, Deed, MandateState, Who
from sekisho.bank.mandates import Doing, Mandate
from sekisho.bank.orders import Direction, OrderState
from sekisho.kernel.ids import MANDATE_REPORT, MEMBER, MandateReportId
from sekisho.ledger.journal import take_turn
from sekisho.response import cases
from sekisho.response.case_stages import ALLOWED, Stage
from sekisho.response.cases import Case, CaseKind, Opening, Reporter, Step
from sekisho.storage import outbox
from sekisho.storage.tables.mandates import mandate_report

REPORTED = "not_me"
ORDERS_MAX = 100
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_GROUPS, _GROUP = 2, 4


class Report(NamedTuple):
    """A report. `orders` are the debits that it names, `amount_yen` is their sum. Undecided is empty."""

    id: MandateReportId
    reference: str
    mandate_id: str
    by: str
    orders: str
    amount_yen: int
    reported_at_us: int
    decision: str
    decided_at_us: int | None


def report_within(
    connection: Connection, bank: BankParts, one: Mandate, by: Actor, order_ids: Sequence[str] = ()
) -> Report:
    """Take a report in the caller's unit of work: nothing is debited under the mandate any more.

    `order_ids` names the debits that the depositor does not know; without them it is every one under the
    mandate. While a report is open, the same mandate again returns it.
    """
    take_turn(connection)
    before = next((each for each in of_mandate(connection, one.id) if not each.decision), None)
    if before is not None:
        return before
    done = [
        order
        for order in orders.latest_of(connection, one.id, ORDERS_MAX)
        if order.direction is Direction.DEBIT and order.state is OrderState.DONE
    ]
    named = [order for order in done if order.id in order_ids] or done
    report = Report(
        id=MANDATE_REPORT.new(bank.clock, bank.chance),
        reference=_reference(bank),
        mandate_id=one.id,
        by=str(by),
        orders=",".join(order.id for order in named),
        amount_yen=sum(order.amount_yen for order in named),
        reported_at_us=bank.clock.now_us(),
        decision="",
        decided_at_us=None,
    )
    connection.execute(insert(mandate_report), report._asdict())
    changed = mandates.move(connection, bank, one, Doing(Deed.DISPUTE, by, REPORTED)) or one
    body = msgspec.json.encode(
        {"partner": one.partner, "amount_yen": report.amount_yen, "debits": len(named), "by": by.who}
    )
    event = outbox.Entry("bank:mandate:reported", report.id, report.reported_at_us, body)
    outbox.append(connection, [event])
    _case_of(connection, bank, one, report)
    tell_reported(connection, bank, changed, report.reference)
    return report


def of_mandate(connection: Connection, mandate_id: str) -> list[Report]:
    """Return the reports about a mandate, the latest first."""
    its = select(*(mandate_report.c[name] for name in Report._fields)).where(
        mandate_report.c.mandate_id == mandate_id
    )
    return [Report(*row) for row in connection.execute(its.order_by(mandate_report.c.id.desc()))]


def open_reports(connection: Connection) -> list[Report]:
    """Return what the bank has not decided yet, the oldest first."""
    its = select(*(mandate_report.c[name] for name in Report._fields)).where(mandate_report.c.decision == "")
    return [Report(*row) for row in connection.execute(its.order_by(mandate_report.c.id))]


def decide_within(
    connection: Connection, bank: BankParts, report_id: str, *, was_fraud: bool, staff: str
) -> bool:
    """Decide a report, and tell whether it was open: after fraud the mandate ends, else it stays stopped.

    What is paid back, and by whom, is the case's to say; the books are not changed here.
    """
    take_turn(connection)
    decision = "fraud" if was_fraud else "own"
    report = next((one for one in open_reports(connection) if one.id == report_id), None)
    if report is None:
        return False
    its, now_us = update(mandate_report).where(mandate_report.c.id == report_id), bank.clock.now_us()
    connection.execute(its.values(decision=decision, decided_at_us=now_us))
    one = mandates.found(connection, report.mandate_id)
    if one.state is MandateState.DISPUTED:
        deed = Deed.REVOKE if was_fraud else Deed.CLEAR
        mandates.move(connection, bank, one, Doing(deed, Actor(Who.BANK, staff), f"decided_{decision}"))
    case = _case_of(connection, bank, one, report)
    stage = Stage.CONFIRMED if was_fraud else Stage.WITHDRAWN
    # Whoever works on the case may have brought it further already.
    if stage in ALLOWED[case.stage] and stage is not case.stage:
        step = Step(stage, report.amount_yen if was_fraud else 0, "bank_decision", now_us)
        cases.take_step(connection, bank.parts, case.id, step, by=staff)
    body = msgspec.json.encode({"decision": decision, "staff": staff})
    outbox.append(connection, [outbox.Entry("bank:mandate:decided", report_id, now_us, body)])
    return True


def _case_of(connection: Connection, bank: BankParts, one: Mandate, report: Report) -> Case:
    """Return the case of a report, which opens with it: from there on damage is counted and made good."""
    member_id = report.by.partition(":")[2]
    is_member = member_id.startswith(f"{MEMBER.prefix}_")
    opening = Opening(
        kind=CaseKind.MONEY_TAKEN if report.amount_yen else CaseKind.ACCOUNT_LINKED,
        reporter=Reporter.MEMBER if is_member else Reporter.NON_MEMBER,
        occasion=f"bank:report:{report.id}",
        report=cases.Report(text=f"{report.reference}: debits by {one.partner} under {one.id}"),
        member_id=member_id if is_member else "",
        partner=one.partner,
        loss_yen=report.amount_yen,
    )
    return cases.open_case(connection, bank.parts, opening, by=cases.SYSTEM)


def _reference(bank: BankParts) -> str:
    letters = [bank.chance.choose(_LETTERS) for _ in range(_GROUPS * _GROUP)]
    groups = (letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))
    return "-".join("".join(group) for group in groups)
