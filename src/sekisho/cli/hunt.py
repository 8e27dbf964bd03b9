"""`sekisho hunt`: find campaigns in logs, and the members they entered."""

import sys
from pathlib import Path

import click
import pyarrow as pa

from sekisho.campaigns.hunt import hunt
from sekisho.campaigns.logs.faults import Faults, UnusableLog
from sekisho.campaigns.logs.formats import ReadingOptions
from sekisho.campaigns.logs.reading import stream_logs
from sekisho.campaigns.logs.record import SCHEMA
from sekisho.campaigns.report.page import Report
from sekisho.campaigns.writing import write_findings
from sekisho.cli.log_options import log_options, tell_faults

FOUND, UNUSABLE = 3, 2


@click.command("hunt")
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder for the report; it is made if it is not there.",
)
@log_options
def command(logs: tuple[Path, ...], out: Path, reading: ReadingOptions) -> None:
    """Find campaigns in login logs and the members they entered, each with a probability.

    Writes report.html for people; report.json, campaigns.csv, entered.csv, traces.json and
    attempts.parquet for programs.
    Exits with 3 if a campaign was found, 0 if none, 2 if the input is unusable.
    """
    faults = Faults()
    try:
        _tell("reading")
        findings = hunt(_read(logs, faults, reading), _tell)
    except UnusableLog as refusal:
        tell_faults(faults)
        click.echo(str(refusal), err=True)
        sys.exit(UNUSABLE)
    tell_faults(faults)
    _tell("writing")
    try:
        names = [str(path) for path in logs]
        report = write_findings(findings, out, logs=names, broken=faults.broken_count)
    except OSError as error:
        click.echo(f"{out} cannot be written: {error.strerror or error}.", err=True)
        sys.exit(UNUSABLE)
    _tell_findings(report, out)
    sys.exit(FOUND if findings.campaigns else 0)


def _read(logs: tuple[Path, ...], faults: Faults, reading: ReadingOptions) -> pa.Table:
    return pa.Table.from_batches(stream_logs(logs, faults, reading), schema=SCHEMA).unify_dictionaries()


def _tell(doing: str) -> None:
    click.echo(f"{doing} …", err=True)


def _tell_findings(report: Report, out: Path) -> None:
    value = {name: figure.value for name, figure in report.figures.items()}
    click.echo(f"{value['attempts']:,} attempts, {value['hostile_attempts']:,} hostile")
    click.echo(f"{value['campaigns']:,} campaigns, {value['members_tried']:,} members tried")
    expected = f"{value['members_entered_at_least']:,.0f} to {value['members_entered_at_most']:,.0f}"
    click.echo(f"{value['members_entered']:,} members entered more likely than not (expected: {expected})")
    click.echo(f"Read {out / 'report.html'}")
