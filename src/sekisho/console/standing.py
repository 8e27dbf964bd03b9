"""How things stand at one institution: what is switched off, what is held, and what waits for whom."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from sekisho.console.rights import Right
from sekisho.identity.holds import HoldKind, counts_on
from sekisho.lender.applications import State as ApplicationState
from sekisho.lender.atm_order_states import OrderState
from sekisho.response import containment_rows, switch_rows
from sekisho.response.claims import ClaimState
from sekisho.response.switches import State, Switch
from sekisho.storage.tables.applications import loan_application
from sekisho.storage.tables.atm import atm_order
from sekisho.storage.tables.bank_links import bank_link, bank_move
from sekisho.storage.tables.cases import case_file, claim, partner_receipt, partner_recovery, report_version
from sekisho.wallet.bank_moves import MoveState
from sekisho.wallet.link_rows import LinkState, Review


class Work(NamedTuple):
    """Work that waits for a person: what the words call it, the right that it takes, and how many there are.

    `of` is the one campaign or switch that it is about. `asked_by` cannot do it: they asked for it.
    """

    what: str
    right: Right
    many: int
    of: str = ""
    asked_by: str = ""


class Standing(NamedTuple):
    """What somebody at the desks should know in ten seconds.

    `switches` are on; `holds` count members by why something of theirs is held; `work` is what waits, the
    most harmful first.
    """

    switches: list[Switch]
    holds: dict[HoldKind, int]
    work: list[Work]


# Of each report the newest version counts: what was drawn up again before it was sent is no work left over.
_NEWEST = (
    select(report_version.c.kind, report_version.c.about, func.max(report_version.c.version).label("newest"))
    .group_by(report_version.c.kind, report_version.c.about)
    .subquery()
)
_UNSENT = (
    select(func.count())
    .select_from(
        report_version.join(
            _NEWEST,
            (_NEWEST.c.kind == report_version.c.kind)
            & (_NEWEST.c.about == report_version.c.about)
            & (_NEWEST.c.newest == report_version.c.version),
        )
    )
    .where(report_version.c.sent_at_us.is_(None))
)


def standing_at(now_us: int, who: str) -> Callable[[Connection], Standing]:
    """Return what reads how things stand at a time; `who` is the staff id whose own cases are counted."""

    def reading(connection: Connection) -> Standing:
        open_ones = switch_rows.open_ones(connection, now_us)
        work = [
            *_switches(open_ones, now_us),
            *_containments(connection),
            *_cases(connection, now_us, who),
            *_counted(connection),
            *_of_partners(connection, who),
            *_of_links(connection),
        ]
        on = [one for one in open_ones if one.state(now_us) is State.ON]
        return Standing(on, counts_on(connection, now_us), [one for one in work if one.many])

    return reading


def _switches(open_ones: list[Switch], now_us: int) -> Iterator[Work]:
    for one in open_ones:
        # One that began in a hurry lapses if nobody approves it.
        if one.is_wide and one.approved_at_us is None:
            yield Work("switch", Right.APPROVE, 1, one.id, one.set_by)
        elif one.lift_asked_by and one.state(now_us) is State.ON:
            yield Work("lift", Right.APPROVE, 1, one.id, one.lift_asked_by)


def _containments(connection: Connection) -> Iterator[Work]:
    for begun, undecided, failed in containment_rows.to_decide(connection):
        crowd = containment_rows.crowd_size(connection, begun.id, begun.policy.automatic_from)
        yield Work("crowd", Right.APPROVE, crowd, begun.campaign, begun.begun_by)
        yield Work("cohort", Right.CONTAIN, undecided - crowd, begun.campaign)
        yield Work("broken", Right.CONTAIN, failed, begun.campaign)


def _cases(connection: Connection, now_us: int, who: str) -> Iterator[Work]:
    case = case_file.c
    counted = select(func.count()).select_from(case_file).where(case.closed_at_us.is_(None))

    def count(of: ColumnElement[bool]) -> int:
        return int(connection.execute(counted.where(of)).scalar_one())

    yield Work("cases_late", Right.HANDLE_CASES, count(case.due_at_us < now_us))
    yield Work("cases_mine", Right.HANDLE_CASES, count(case.assigned_to == who))
    yield Work("cases_nobodys", Right.HANDLE_CASES, count(case.assigned_to == ""))


def _of_partners(connection: Connection, who: str) -> Iterator[Work]:
    unasked = (
        select(func.count()).select_from(partner_recovery).where(partner_recovery.c.asked_at_us.is_(None))
    )
    yield Work("recoveries", Right.HANDLE_CASES, int(connection.execute(unasked).scalar_one()))
    # What somebody entered, somebody else books.
    waiting = (
        select(func.count())
        .select_from(partner_receipt)
        .where(
            partner_receipt.c.booked_at_us.is_(None),
            partner_receipt.c.turned_down_at_us.is_(None),
            partner_receipt.c.entered_by != who,
        )
    )
    yield Work("receipts", Right.APPROVE, int(connection.execute(waiting).scalar_one()))


def _of_links(connection: Connection) -> Iterator[Work]:
    waits = (bank_link.c.state == LinkState.CONFIRMED.value, bank_link.c.review == Review.WAITING.value)
    links = select(func.count()).select_from(bank_link).where(*waits)
    yield Work("links", Right.DECIDE_LINKS, int(connection.execute(links).scalar_one()))
    lost = select(func.count()).select_from(bank_move).where(bank_move.c.state == MoveState.LOST.value)
    yield Work("lost_moves", Right.DECIDE_LINKS, int(connection.execute(lost).scalar_one()))


def _counted(connection: Connection) -> Iterator[Work]:
    by_state = select(claim.c.state, func.count()).group_by(claim.c.state)
    claims = {row[0]: int(row[1]) for row in connection.execute(by_state)}
    yield Work("claims_decide", Right.APPROVE, claims.get(ClaimState.ASSESSED, 0))
    yield Work("claims_assess", Right.HANDLE_CASES, claims.get(ClaimState.MADE, 0))
    decided = loan_application.c.state == ApplicationState.A_PERSON_DECIDES.value
    applications = select(func.count()).select_from(loan_application).where(decided)
    yield Work("applications", Right.DECIDE_APPLICATIONS, int(connection.execute(applications).scalar_one()))
    disputed = (
        select(func.count()).select_from(atm_order).where(atm_order.c.state == OrderState.DISPUTED.value)
    )
    yield Work("atm_orders", Right.DECIDE_APPLICATIONS, int(connection.execute(disputed).scalar_one()))
    yield Work("reports", Right.MAKE_REPORTS, int(connection.execute(_UNSENT).scalar_one()))
