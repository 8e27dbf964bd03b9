"""`sekisho depositors`: what the counter does: open accounts, tie them to the online bank, change, block."""

import asyncio
from datetime import datetime
from pathlib import Path

import click

from sekisho.bank import counter, deposits
from sekisho.bank.deposits import Deposit, DepositState
from sekisho.bank.holders import NewHolder
from sekisho.bank.house import BankParts
from sekisho.bank.openings import NewAccount, open_account
from sekisho.bank.overdrafts import change_overdraft
from sekisho.cli.at_institution import BY, REASON, Refused, told
from sekisho.cli.bank_options import DATA, INSTITUTION, STORE, BankPlace
from sekisho.cli.loan import YenType
from sekisho.identity import members
from sekisho.identity.hashing import Hasher
from sekisho.kernel.yen import Yen
from sekisho.response.staff import Deed
from sekisho.storage.unit_of_work import Connection

DAY = click.DateTime(formats=["%Y-%m-%d"])
NO_YEN = Yen(0)
STATES = {"open": DepositState.OPEN, "blocked": DepositState.BLOCKED}


@click.group("depositors")
@DATA
@STORE
@INSTITUTION
@click.pass_context
def command(context: click.Context, *, data: Path, store_url: str, file: Path | None) -> None:
    """Open accounts, tie them to the online bank, change phone and overdraft, block and free."""
    context.obj = BankPlace(data, store_url, file)


@command.command("open")
@click.option("--branch", default="001", show_default=True, help="The branch, three digits.")
@click.option("--number", default="", help="Seven digits; drawn if not given.")
@click.option("--name-kana", required=True, help="The holder's name in kana.")
@click.option("--birth-date", type=DAY, required=True, help="The holder's date of birth.")
@click.option("--phone", default="", help="The mobile number on file, to which codes go.")
@click.option(
    "--pin",
    prompt="PIN of the cash card",
    hide_input=True,
    confirmation_prompt=True,
    help="Four digits; asked for if not given, which leaves it out of the shell's history.",
)
@click.option("--yen", type=YenType(), default=None, help="Cash that is paid in.")
@click.option("--overdraft-yen", type=YenType(), default=None, help="By how much it may be overdrawn.")
@click.option("--language", type=click.Choice(["ja", "en"]), default="ja", show_default=True)
@BY
@REASON
@click.pass_obj
def open_deposit(  # noqa: PLR0913 - each is an option
    place: BankPlace,
    /,
    *,
    branch: str,
    number: str,
    name_kana: str,
    birth_date: datetime,
    phone: str,
    pin: str,
    yen: Yen | None,
    overdraft_yen: Yen | None,
    language: str,
    by: str,
    reason: str,
) -> None:
    """Open an account and print its branch and number."""
    holder = NewHolder(name_kana, birth_date.date(), phone, language)
    asked = NewAccount(holder, branch, pin, yen or NO_YEN, number, overdraft_yen or NO_YEN)
    with place.bank() as bank:
        click.echo(account_of(open_for(bank, asked, Deed(by, reason))))


@command.command("tie")
@click.argument("account")
@click.option("--member-number", required=True, help="The customer's number at the online bank.")
@BY
@REASON
@click.pass_obj
def tie(place: BankPlace, *, account: str, member_number: str, by: str, reason: str) -> None:
    """Make a member the access to the online bank of ACCOUNT's holder, such as 001-1234567."""

    def work(connection: Connection, bank: BankParts) -> None:
        one = _found(connection, account)
        member = members.find_by_name(connection, bank.keyring, member_number)
        if member is None:
            raise click.ClickException(f"There is no customer of this number: {member_number}")
        counter.tie_customer(connection, bank, one, member.id, Deed(by, reason))

    with place.bank() as bank:
        bank.store.write(lambda at: work(at, bank)).result()


@command.command("phone")
@click.argument("account")
@click.argument("number")
@BY
@REASON
@click.pass_obj
def change_phone(place: BankPlace, *, account: str, number: str, by: str, reason: str) -> None:
    """Put another mobile number on file for ACCOUNT's holder."""
    with place.bank() as bank:
        bank.store.write(
            lambda at: counter.change_phone(at, bank, _found(at, account), number, Deed(by, reason))
        ).result()


@command.command("state")
@click.argument("account")
@click.argument("state", type=click.Choice(list(STATES)))
@BY
@REASON
@click.pass_obj
def change_state(place: BankPlace, *, account: str, state: str, by: str, reason: str) -> None:
    """Block ACCOUNT, so that nothing goes out by any way, or open it again."""

    def work(connection: Connection, bank: BankParts) -> bool:
        one = _found(connection, account)
        return counter.change_state(connection, bank, one, STATES[state], Deed(by, reason))

    with place.bank() as bank:
        changed = bank.store.write(lambda at: work(at, bank)).result()
    click.echo(f"{account}: {state}" if changed else f"{account}: nothing changed")


@command.command("overdraft")
@click.argument("account")
@click.argument("limit_yen", type=click.IntRange(min=0))
@BY
@REASON
@click.pass_obj
def change_limit(place: BankPlace, *, account: str, limit_yen: int, by: str, reason: str) -> None:
    """Let ACCOUNT be overdrawn by LIMIT_YEN at most; print the limit and what may go out now."""

    def work(connection: Connection, bank: BankParts) -> int:
        one = _found(connection, account)
        change_overdraft(connection, bank, one, Yen(limit_yen), by=by, reason=reason)
        return deposits.can_go_out(connection, one).amount

    with place.bank() as bank:
        try:
            can_go_out = bank.store.write(lambda at: work(at, bank)).result()
        except ValueError as failure:
            raise Refused(str(failure)) from failure
    click.echo(f"{account}\t{limit_yen}\t{can_go_out}")


def open_for(bank: BankParts, asked: NewAccount, deed: Deed) -> Deposit:
    """Open an account at a bank whose record is open. Raises Refused in the words that a person needs."""
    hasher = Hasher(bank.chance)
    try:
        with told():
            return asyncio.run(open_account(bank, hasher, asked, deed))
    except ValueError as failure:
        raise Refused(str(failure)) from failure
    finally:
        hasher.close()


def account_of(one: Deposit) -> str:
    """Write an account's branch and number as these commands take them."""
    return f"{one.branch}-{one.number}"


def _found(connection: Connection, account: str) -> Deposit:
    branch, _, number = account.partition("-")
    one = deposits.find_by_number(connection, deposits.read_branch(branch), deposits.read_number(number))
    if one is None:
        raise click.ClickException(f"There is no such account: {account[:20]}")
    return one
