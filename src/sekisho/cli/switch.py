"""`sekisho switch`: switch one function off for exactly those whom it must stop, and on again.

Exit codes: 0 done; 1 a part is down; 2 refused or misused; 3 set, and waiting for a second person.
"""

import asyncio
import csv
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import click
import msgspec

from sekisho.cli.at_institution import AS_JSON, BY, Place, at_institution
from sekisho.cli.past_uses import past_uses
from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, rfc3339
from sekisho.response import switch_rows
from sekisho.response.switch_desk import SwitchDesk, Wish
from sekisho.response.switch_preview import DAYS, preview
from sekisho.response.switches import AppliesTo, Scope, State, Switch

EXIT_WAITS = 3
LISTED = 200
_SPAN = re.compile(r"(\d+)(m|h|d)")
_UNITS_US = {"m": MINUTE_US, "h": HOUR_US, "d": DAY_US}


class SpanType(click.ParamType[int]):
    """A span of time as `30m`, `12h` or `7d`, in microseconds."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a span, or say why it is none."""
        if isinstance(value, int):
            return value
        read = _SPAN.fullmatch(str(value))
        if read is None or not int(read[1]):
            self.fail(f"{value!r} is not a span of time, such as 30m, 12h or 7d.", param, ctx)
        return int(read[1]) * _UNITS_US[read[2]]


SPAN = SpanType()
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def scope_options(command: Any) -> Any:  # noqa: ANN401 - whatever click makes of a function
    """Add the options that say what is stopped, and for whom."""
    for option in (
        click.option("--member", "members", multiple=True, help="Only this member; may be given more often."),
        click.option("--members", "members_file", type=FILE, help="Only these: a CSV with a column member."),
        click.option("--device-younger", type=SPAN, help="Only on devices known for less than this."),
        click.option("--risk-from", type=float, help="Only sessions born with at least this risk, 0 to 1."),
        click.option(
            "--applies-to",
            type=click.Choice([each.value for each in AppliesTo]),
            default=AppliesTo.ALL.value,
            show_default=True,
            help="Only what is set up anew, or only what was before.",
        ),
        click.option("--partner", default="", help="Only with this bank, client or network."),
        click.option("--channel", default="", help="Only through this channel: web, app, atm."),
        click.option("--direction", default="", help="Only where money goes: out, in or none."),
        click.option("--function", required=True, help="What is stopped; * is everything."),
    ):
        command = option(command)
    return command


@click.group("switch")
def command() -> None:
    """Switch one function off for exactly those whom it must stop, and on again."""


@command.command("list")
@click.option("--all", "with_ended", is_flag=True, help="Also those that have ended.")
@AS_JSON
@at_institution
def list_switches(place: Place, *, with_ended: bool, as_json: bool) -> None:
    """Print the switches, the newest first: id, state, what is off, from when, until when, why, by whom."""
    with place.parts(telling=False) as parts, parts.store.read() as connection:
        now_us = parts.clock.now_us()
        found = [
            one
            for one in switch_rows.newest(connection, LISTED)
            if with_ended or one.state(now_us) in {State.PROPOSED, State.SCHEDULED, State.ON}
        ]
    for one in found:
        _print(one, now_us, as_json=as_json)


@command.command("preview")
@scope_options
@click.option("--days", type=click.IntRange(1, 366), default=DAYS, show_default=True, help="How far back.")
@click.option("--cohort", type=FILE, help="Who was entered: the entered.csv of a hunt.")
@AS_JSON
@at_institution
def preview_switch(place: Place, *, days: int, cohort: Path | None, as_json: bool, **asked: Any) -> None:  # noqa: ANN401 - click has checked each option
    """Say whom a switch would have met in the last days: honest members, and those of a cohort."""
    with place.parts(telling=False) as parts:
        now_us = parts.clock.now_us()
        with parts.store.read() as connection:
            seen = preview(
                connection,
                past_uses(parts, place.history),
                _scope(asked),
                members=_members(asked),
                cohort=[] if cohort is None else _column(cohort),
                from_us=now_us - days * DAY_US,
                until_us=now_us,
            )
    click.echo(msgspec.json.encode(seen).decode() if as_json else seen.in_words())


@command.command("set")
@scope_options
@click.option("--reason", required=True, help="Why, for staff.")
@click.option("--open", "open_ways", multiple=True, help="A way that stays open; may be given more often.")
@click.option("--told-ja", default="", help="The sentence for members in Japanese; the usual one if none.")
@click.option("--told-en", default="", help="The sentence for members in English.")
@click.option("--from", "begins", type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]), help="From when, UTC.")
@click.option("--for", "lasts", type=SPAN, help="For how long; until somebody lifts it if not given.")
@click.option("--urgent", is_flag=True, help="On at once, for an hour at most unless somebody approves it.")
@BY
@AS_JSON
@at_institution
def set_switch(place: Place, *, by: str, as_json: bool, **asked: Any) -> None:  # noqa: ANN401 - click has checked each option
    """Switch something off. What is wide waits for a second person: sekisho switch approve."""
    told = {"ja": asked["told_ja"], "en": asked["told_en"]}
    from_us = None if asked["begins"] is None else _us(asked["begins"])
    with place.parts(telling=False) as parts:
        now_us = parts.clock.now_us()
        begins_us = now_us if from_us is None else from_us
        wish = Wish(
            scope=_scope(asked),
            reason=asked["reason"],
            open_ways=tuple(asked["open_ways"]),
            told=told if any(told.values()) else {},
            members=tuple(_members(asked)),
            from_us=from_us,
            until_us=None if asked["lasts"] is None else begins_us + asked["lasts"],
            is_urgent=asked["urgent"],
        )
        done = asyncio.run(SwitchDesk(parts).set(wish, by=by))
        _end_with(done, parts.clock.now_us(), as_json=as_json)


@command.command("approve")
@click.argument("switch_id")
@BY
@AS_JSON
@at_institution
def approve(place: Place, *, switch_id: str, by: str, as_json: bool) -> None:
    """Approve a wide switch as a second person."""
    with place.parts(telling=False) as parts:
        approved = asyncio.run(SwitchDesk(parts).approve(switch_id, by=by))
        _end_with(approved, parts.clock.now_us(), as_json=as_json)


@command.command("lift")
@click.argument("switch_id")
@click.option("--why", default="", help="Why, for the log.")
@BY
@AS_JSON
@at_institution
def lift(place: Place, *, switch_id: str, why: str, by: str, as_json: bool) -> None:
    """Switch something on again. Of what is wide and approved, the first person only asks for it."""
    with place.parts(telling=False) as parts:
        lifted = asyncio.run(SwitchDesk(parts).lift(switch_id, by=by, why=why))
        _print(lifted, parts.clock.now_us(), as_json=as_json)
    if lifted.lifted_at_us is None:
        click.echo("It stays off until a second person lifts it.", err=True)
        raise SystemExit(EXIT_WAITS)


@command.command("log")
@click.argument("switch_id")
@at_institution
def log(place: Place, *, switch_id: str) -> None:
    """Print what was done with a switch: when, what, by whom, a note."""
    with place.parts(telling=False) as parts, parts.store.read() as connection:
        for deed in switch_rows.deeds(connection, switch_id):
            click.echo("\t".join((rfc3339(deed.at_us), deed.deed, deed.by, deed.note)))


def _end_with(done: Switch, now_us: int, *, as_json: bool) -> None:
    _print(done, now_us, as_json=as_json)
    if done.is_wide and done.approved_at_us is None:
        click.echo("It waits for a second person: sekisho switch approve " + done.id, err=True)
        raise SystemExit(EXIT_WAITS)


def _print(one: Switch, now_us: int, *, as_json: bool) -> None:
    state, scope = one.state(now_us), one.scope
    if as_json:
        told: dict[str, object] = msgspec.to_builtins(one)
        click.echo(json.dumps(told | {"state": state.value}, ensure_ascii=False))
        return
    limits = [
        f"{name}={value}"
        for name, value in msgspec.structs.asdict(scope).items()
        if name != "function" and value not in {"", 0, None, AppliesTo.ALL}
    ]
    ends_us = one.ends_us()
    until = "until lifted" if ends_us is None else rfc3339(ends_us)
    row = (one.id, state.value, " ".join((scope.function, *limits)), rfc3339(one.from_us), until)
    click.echo("\t".join((*row, one.reason, one.set_by)))


def _us(begins: datetime) -> int:
    return int(begins.replace(tzinfo=UTC).timestamp()) * SECOND_US


def _scope(asked: dict[str, Any]) -> Scope:
    return Scope(
        function=asked["function"],
        direction=asked["direction"],
        channel=asked["channel"],
        partner=asked["partner"],
        applies_to=AppliesTo(asked["applies_to"]),
        risk_from=asked["risk_from"],
        device_younger_us=asked["device_younger"],
    )


def _members(asked: dict[str, Any]) -> list[str]:
    file = cast("Path | None", asked["members_file"])
    return [*asked["members"], *([] if file is None else _column(file))]


def _column(file: Path) -> list[str]:
    with file.open(encoding="utf-8", newline="") as rows:
        read = csv.DictReader(rows)
        if "member" not in (read.fieldnames or ()):
            raise click.UsageError(f"{file} has no column member.")
        return [row["member"] for row in read if row["member"]]
