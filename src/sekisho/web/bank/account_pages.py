"""Accounts of the online bank: what stands on each, and what came and went, after a fresh proof."""

import csv
import io
from datetime import date
from typing import Any, NamedTuple

from litestar import Response, get

from sekisho.bank import deposits, holders
from sekisho.bank.deposits import Deposit
from sekisho.bank.house import BankParts
from sekisho.bank.statements import StatementLine, lines_in, months_of
from sekisho.identity.assurance import Need
from sekisho.identity.personal_data import Item
from sekisho.identity.purposes import Purpose
from sekisho.identity.reveals import shown_within
from sekisho.kernel.ids import MemberId
from sekisho.kernel.yen import Yen
from sekisho.storage.unit_of_work import Connection
from sekisho.web.bank.debit_desks import debit_desks_of
from sekisho.web.members.form_tokens import OWN_SITES
from sekisho.web.members.profile_pages import viewer_of
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import NO_STORE, AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import Wish, is_granted
from sekisho.web.members.writing import show
from sekisho.web.problems import NotFound
from sekisho.web.words import Words

OF_MEMBERS = {ROLE: Role.MEMBER}
APPROVED = {ROLE: Role.APPROVED}
ACCOUNTS, ACCOUNT = "accounts", "account"
CSV = "text/csv; charset=utf-8"
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
COLUMNS = ("day", "kind", "text", "out", "in", "balance")
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
SEEING = Purpose(action="reveal", item=Item.TRANSACTION_HISTORY.value)


class Row(NamedTuple):
    """An account on the page; its balance where it may be shown."""

    deposit: Deposit
    branch: str
    balance: Yen | None


class Statement(NamedTuple):
    """A month of an account."""

    deposit: Deposit
    branch: str
    month: date
    lines: list[StatementLine]


@get("/accounts", opt=OF_MEMBERS)
async def accounts_page(request: AnyRequest) -> Response[Any]:
    """Show the depositor's accounts; what stands on them after a fresh proof alone."""
    visit = visit_of(request)
    bank, member_id, seen = debit_desks_of(request).bank, visit.who().member.id, is_granted(visit, _wish())
    rows = await bank.read(lambda at: _rows(at, bank, member_id, seen=seen))
    if seen and rows:
        await _record(visit, bank, "bank:accounts")
    return show(visit, "bank/accounts.html", rows=rows, seen=seen)


@get("/accounts/figures", opt=APPROVED, sync_to_thread=False)
def figures_page(request: AnyRequest) -> Response[Any]:
    """Ask for the proof, and go back to the accounts with their figures."""
    visit = visit_of(request)
    return visit.go("/accounts") if is_granted(visit, _wish()) else to_step_up(visit, _wish())


@get("/accounts/{deposit_id:str}", opt=APPROVED)
async def statement_page(request: AnyRequest) -> Response[Any]:
    """Show what came and went in a month: `?month=2026-11`, else this one."""
    visit = visit_of(request)
    opened = await _opened(visit, request.query_params.get("month", ""), "page")
    if isinstance(opened, Response):
        return opened
    months = months_of(opened.deposit, debit_desks_of(request).bank.today())
    return show(visit, "bank/statement.html", statement=opened, months=months)


@get("/accounts/{deposit_id:str}/{month:str}/csv", opt=APPROVED)
async def statement_csv(request: AnyRequest) -> Response[Any]:
    """Give a month out as a table for spreadsheet programs."""
    visit = visit_of(request)
    opened = await _opened(visit, request.path_params["month"], "csv")
    if isinstance(opened, Response):
        return opened
    name = f"statement-{opened.deposit.last_digits}-{opened.month:%Y-%m}.csv"
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(csv_file(opened, visit.words), media_type=CSV, headers=headers)


def csv_file(statement: Statement, words: Words) -> bytes:
    """Return a month as CSV (RFC 4180): amounts are plain numbers, days are ISO dates.

    It begins with a byte order mark, without which spreadsheet programs do not read Japanese.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow([str(words(f"account_{column}")) for column in COLUMNS])
    for line in statement.lines:
        yen = line.amount.amount
        kind = str(words(f"account_kind_{line.kind.replace(':', '_')}"))
        out, come = ("", yen) if yen >= 0 else (-yen, "")
        table.writerow([line.on.isoformat(), kind, _guarded(line.text), out, come, line.balance.amount])
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


async def read_accounts(_visit: Visit, name: str) -> Wish | None:
    """Return the wish to see what stands on the accounts."""
    return None if name else _wish()


async def read_account(visit: Visit, name: str) -> Wish | None:
    """Return the wish to see what came to and went from an account of the visitor's."""
    bank, member_id = debit_desks_of(visit.request).bank, visit.who().member.id
    own = await bank.read(lambda at: _own(at, bank, member_id))
    return _wish(name) if name in own else None


def _wish(deposit_id: str = "") -> Wish:
    text = f"{ACCOUNT}:{deposit_id}" if deposit_id else ACCOUNTS
    go_on = f"/accounts/{deposit_id}" if deposit_id else "/accounts"
    return Wish(text, SEEING, Need.REVEAL, go_on, "/accounts")


async def _opened(visit: Visit, month: str, form: str) -> Response[Any] | Statement:
    """Return the month that was asked for, on record as seen; or the answer in its place."""
    # What another site makes a browser fetch would stand on record as seen by the depositor.
    if visit.request.headers.get("sec-fetch-site", "none") not in OWN_SITES:
        return visit.go("/accounts")
    bank, deposit_id = debit_desks_of(visit.request).bank, visit.request.path_params["deposit_id"]
    if not is_granted(visit, _wish(deposit_id)):
        return to_step_up(visit, _wish(deposit_id))
    member_id = visit.who().member.id
    wanted = _month(month) if month else bank.today().replace(day=1)
    statement = await bank.read(lambda at: _statement(at, bank, member_id, deposit_id, wanted))
    await _record(visit, bank, f"bank:statement:{form}")
    return statement


def _statement(
    connection: Connection, bank: BankParts, member_id: MemberId, deposit_id: str, month: date
) -> Statement:
    deposit = _own(connection, bank, member_id).get(deposit_id)
    if deposit is None:
        raise NotFound(known=f"no account of this depositor: {deposit_id[:40]}")
    branch = bank.profile.branch(deposit.branch).name
    return Statement(deposit, branch, month, lines_in(connection, deposit, month))


def _rows(connection: Connection, bank: BankParts, member_id: MemberId, *, seen: bool) -> list[Row]:
    return [
        Row(one, bank.profile.branch(one.branch).name, deposits.balance(connection, one) if seen else None)
        for one in _own(connection, bank, member_id).values()
    ]


def _own(connection: Connection, bank: BankParts, member_id: MemberId) -> dict[str, Deposit]:
    holder = holders.find_by_member(connection, bank, member_id)
    its = [] if holder is None else deposits.of_depositor(connection, holder.id)
    return {one.id: one for one in its}


async def _record(visit: Visit, bank: BankParts, reason: str) -> None:
    viewer, items = viewer_of(visit), (Item.TRANSACTION_HISTORY,)
    await bank.written(lambda at: shown_within(at, bank.parts, viewer, items, reason=reason))


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise NotFound(known=f"no month: {text[:20]!r}") from error


def _guarded(cell: str) -> str:
    """Return a text that no spreadsheet program takes for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA_BEGINS) else cell


WISHES = {ACCOUNTS: read_accounts, ACCOUNT: read_account}
ROUTES = (accounts_page, figures_page, statement_page, statement_csv)
