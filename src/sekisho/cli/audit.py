"""`sekisho audit`: what staff did and saw, for an auditor; and whether the record is what was sealed.

`sekisho audit verify` exits with 0 only where everything holds, with 4 where something was changed or is
missing, and with 1 where a part is down, so that it cannot be asked.
"""

import json
from pathlib import Path

import click

from sekisho.cli.at_institution import AS_JSON, BY, REASON, Place, at_institution
from sekisho.kernel.clock import rfc3339
from sekisho.response import audit
from sekisho.response.audit_check import check_record, export_line
from sekisho.response.staff import Deed
from sekisho.storage.history.parquet import HistoryFolder

EXIT_BROKEN = 4


@click.group("audit")
def command() -> None:
    """Look at what staff did and saw, and check that the record is what was sealed."""


@command.command("verify")
@AS_JSON
@at_institution
def verify(place: Place, *, as_json: bool) -> None:
    """Check the acts of staff, the sealed history and the books. Exit code 0 only where all of them hold."""
    with place.parts(telling=False) as parts:
        faults, acts = check_record(parts.store, HistoryFolder(place.history))
    if as_json:
        click.echo(json.dumps({"holds": not faults, "acts": acts, "faults": faults}))
    else:
        click.echo(f"{acts:,} acts of staff, the history and the books: {'all hold' if not faults else ''}")
        for fault in faults:
            click.echo(f"BROKEN  {fault}")
    if faults:
        raise SystemExit(EXIT_BROKEN)


@command.command("list")
@click.option("--actor", default="", help="Only what this member of staff did.")
@click.option("--subject", default="", help="Only what was done to this: a member, a case, a switch.")
@click.option("--act", default="", help="Only acts that begin like this: switch:, member:seen.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many.")
@at_institution
def list_acts(place: Place, *, actor: str, subject: str, act: str, limit: int) -> None:
    """Print acts, the newest first: position, time, who, what, to whom, why, details."""
    with place.parts(telling=False) as parts, parts.store.read() as connection:
        found = audit.search(connection, actor=actor, subject=subject, act=act, limit=limit)
    for one in found:
        row = (str(one.position), rfc3339(one.at_us), one.actor, one.act, one.subject, one.reason)
        click.echo("\t".join((*row, json.dumps(one.details, ensure_ascii=False))))


@command.command("export")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where to, as NDJSON."
)
@BY
@REASON
@at_institution
def export(place: Place, *, out: Path, by: str, reason: str) -> None:
    """Write every act in order, with its link, for an auditor; that it was taken is the last one."""
    with place.parts(telling=False) as parts:
        deed, now_us = Deed(by, reason), parts.clock.now_us()
        # A file that was there is touched only once this is on record.
        parts.store.write(lambda at: audit.record_deed(at, deed, "audit:exported", "", at_us=now_us)).result()
        with parts.store.read() as connection, out.open("w", encoding="utf-8") as file:
            for one in audit.all_acts(connection):
                file.write(json.dumps(export_line(one), ensure_ascii=False) + "\n")
