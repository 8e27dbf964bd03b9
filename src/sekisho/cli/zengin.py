"""`sekisho zengin`: what stands in a file as banks exchange it, or which record and field of it is wrong."""

import json
import sys
from datetime import datetime
from typing import BinaryIO

import click

from sekisho.kernel.clock import SystemClock
from sekisho.kernel.japan import in_japan
from sekisho.linking.zengin import (
    FILE_OCTETS_MAX,
    BankAccount,
    FileKind,
    Row,
    ZenginFault,
    ZenginFile,
    read_file,
    trailer_of,
)

UNUSABLE = 2
DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group("zengin")
def command() -> None:
    """Read files as banks in Japan exchange them."""


@command.command("read")
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--near", type=DAY, default=None, help="A day near the file's, which has no year; today's.")
def read(*, file: BinaryIO, as_json: bool, near: datetime | None) -> None:
    """Show a file of transfers (21) or debits (91): header, records and trailer. `-` reads standard input.

    Exit code 2 says that the file is wrong, and the message in which record and field.
    """
    now = near or in_japan(SystemClock().now_us())
    try:
        found = read_file(file.read(FILE_OCTETS_MAX + 1), near=now.date())
    except ZenginFault as fault:
        if as_json:
            _say({"fault": {"record": fault.record, "field": fault.field, "what": fault.what}})
        click.echo(f"Error: {fault}", err=True)
        sys.exit(UNUSABLE)
    if as_json:
        _say(told(found))
    else:
        click.echo("\n".join(_lines(found)))


def told(file: ZenginFile) -> dict[str, object]:
    """Return a file for programs. Amounts are whole yen; a record is counted from 1, the header being 1."""
    return {
        "kind": file.kind.value,
        "header": {
            "kind": file.kind.value,
            "party_code": file.party.code,
            "party_kana": file.party.kana,
            "on": file.on.isoformat(),
            **_account(file.party.account),
        },
        "records": [_record(number, row) for number, row in enumerate(file.rows, start=2)],
        "trailer": trailer_of(file),
    }


def _record(number: int, row: Row) -> dict[str, object]:
    return {
        "record": number,
        **_account(row.account),
        "holder_kana": row.holder_kana,
        "amount_yen": row.amount.amount,
        "first": row.first,
        "reference": row.reference,
        "result": None if row.result is None else row.result.value,
        "result_name": None if row.result is None else row.result.name.lower(),
    }


def _account(account: BankAccount) -> dict[str, str]:
    return {
        "bank": account.bank,
        "bank_kana": account.bank_kana,
        "branch": account.branch,
        "branch_kana": account.branch_kana,
        "account_kind": account.kind,
        "number": account.number,
    }


def _lines(file: ZenginFile) -> list[str]:
    kinds = {FileKind.TRANSFERS: "transfers", FileKind.DEBITS: "debits"}
    party = f"{file.party.code} {file.party.kana}"
    lines = [f"{file.kind.value} ({kinds[file.kind]}) of {file.on} by {party}"]
    for number, row in enumerate(file.rows, start=2):
        where = f"{row.account.bank}-{row.account.branch}-{row.account.kind}-{row.account.number}"
        result = "" if row.result is None else f"  {row.result.value} {row.result.name.lower()}"
        lines.append(f"{number:>6}  {where}  {row.holder_kana}  {row.amount}  {row.reference}{result}")
    lines.append(f"{len(file.rows)} records, {file.amount} in all")
    return lines


def _say(what: dict[str, object]) -> None:
    click.echo(json.dumps(what, ensure_ascii=False))
