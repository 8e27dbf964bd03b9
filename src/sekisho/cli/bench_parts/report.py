"""The bench's figures as one table, for a terminal or as Markdown, each beside what it should reach."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sekisho.cli.bench_parts.figures import (
    Bookings,
    Containments,
    Debits,
    Hashing,
    Hunted,
    Links,
    Load,
    Logins,
    Replayed,
    Shadowed,
    Spread,
)

DECISION_US_MAX = 15.0
REPLAY_ATTEMPTS = 2_400_000
REPLAY_S_MAX = 90.0
REPLAY_MIB_MAX = 1024.0
ECHO_SHARE_MIN = 0.6
LOGINS_SHARE_MIN = 0.9
LEDGER_SHARE_MIN = 0.6
HUNT_ROWS = 2_400_000
HUNT_S_MAX = 15.0
LINEAR_FACTOR_MAX = 1.5  # seconds a row, at most so many times those of the smaller log

HEAD = ("measured", "figure", "target", "met")
_MET = {True: "yes", False: "NO", None: ""}


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what was measured, its figures, what they should reach (if anything) and whether they do."""

    what: str
    figure: str
    target: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, str, str, str]:
        """Return the line's texts."""
        return self.what, self.figure, self.target, _MET[self.met]


def decision_rows(spreads: Mapping[str, Spread]) -> list[Row]:
    """Show the CPU time of a decision in process."""
    rows = []
    for name, spread in spreads.items():
        figure = (
            f"{spread.median_us:.1f} µs median, {spread.p99_us:.1f} µs p99, "
            f"{spread.last_median_us:.1f} µs median of the last tenth"
        )
        promised = name.startswith("assess,")
        rows.append(
            Row(
                f"decision: {name}",
                figure,
                f"{DECISION_US_MAX:.0f} µs median" if promised else "",
                spread.median_us <= DECISION_US_MAX if promised else None,
            )
        )
    return rows


def shadow_rows(measured: Sequence[Shadowed]) -> list[Row]:
    """Show what policies in the shadow add to a decision; the first figures are those without any."""
    alone = measured[0]
    return [
        Row(
            f"decision by the score, {one.shadows or 'no'} in the shadow",
            f"{one.assess_us:.1f} µs assess, {one.both_us:.1f} µs with learn"
            + (
                f"; {one.assess_us / alone.assess_us:.2f} and {one.both_us / alone.both_us:.2f} of without"
                if one.shadows
                else ""
            ),
        )
        for one in measured
    ]


def replay_row(replayed: Replayed, cpu_seconds: float, peak_memory_mib: float) -> Row:
    """Show a replay on one core; the target is for 2.4 M attempts, so a smaller run is held to its rate."""
    rate_min = REPLAY_ATTEMPTS / REPLAY_S_MAX
    return Row(
        f"replay of {replayed.attempts:,} attempts, one core",
        f"{replayed.attempts_per_second:,.0f} attempts/s, {replayed.seconds:.1f} s, "
        f"{cpu_seconds:.1f} s CPU, {peak_memory_mib:,.0f} MiB",
        f"{rate_min:,.0f} attempts/s, {REPLAY_MIB_MAX:,.0f} MiB",
        replayed.attempts_per_second >= rate_min and peak_memory_mib <= REPLAY_MIB_MAX,
    )


def http_rows(loads: Mapping[str, Load]) -> list[Row]:
    """Show the decision beside the echo on the same server."""
    echo, attempts = loads["echo"], loads["attempts"]
    share = attempts.requests_per_second / echo.requests_per_second
    return [
        Row(
            f"POST /v1/echo ({echo.client})",
            f"{echo.requests_per_second:,.0f} requests/s, {_cpu(echo)}{echo.p99_ms:.1f} ms p99",
        ),
        Row(
            f"POST /v1/attempts ({attempts.client})",
            f"{attempts.requests_per_second:,.0f} requests/s, {_cpu(attempts)}{attempts.p99_ms:.1f} ms p99, "
            f"{share:.0%} of echo",
            f"{ECHO_SHARE_MIN:.0%} of echo",
            share >= ECHO_SHARE_MIN,
        ),
    ]


def _cpu(load: Load) -> str:
    return f"{load.cpu_us:.0f} µs CPU, " if load.cpu_us else ""


def hunt_rows(hunts: Sequence[Hunted]) -> list[Row]:
    """Show hunts, smallest log first; each is held to grow linearly from the one before it."""
    rows = []
    before: Hunted | None = None
    for hunted in hunts:
        targets, met = [], []
        if hunted.rows == HUNT_ROWS:
            targets.append(f"{HUNT_S_MAX:.0f} s")
            met.append(hunted.seconds <= HUNT_S_MAX)
        if before is not None:
            targets.append("linear")
            a_row, a_row_before = hunted.seconds / hunted.rows, before.seconds / before.rows
            met.append(a_row <= a_row_before * LINEAR_FACTOR_MAX)
        figure = (
            f"{hunted.seconds:.1f} s, {hunted.seconds / hunted.rows * 1e6:.2f} µs a row, "
            f"{hunted.cpu_seconds:.1f} s CPU, {hunted.peak_memory_mib:,.0f} MiB"
        )
        rows.append(
            Row(f"hunt of {hunted.rows:,} rows", figure, ", ".join(targets), all(met) if met else None)
        )
        before = hunted
    return rows


def hashing_row(hashing: Hashing) -> Row:
    """Show, for scale, what every allowed login costs anyway."""
    figure = f"{hashing.median_ms:.1f} ms median, {hashing.p99_ms:.1f} ms p99"
    return Row("Argon2id verification, 19 MiB, t=2, p=1", figure)


def login_rows(logins: Logins) -> list[Row]:
    """Show what of the cores' verifications is left for logins, and what an attempt costs that is stopped."""
    return [
        Row(
            "Argon2id verifications, all cores",
            f"{logins.verifications_per_second:,.1f} verifications/s",
        ),
        Row(
            "logins on known devices, all cores",
            f"{logins.logins_per_second:,.1f} logins/s, {logins.share:.0%} of verifications "
            f"({logins.cpu_share:.0%} in CPU time)",
            f"{LOGINS_SHARE_MIN:.0%} of verifications",
            logins.share >= LOGINS_SHARE_MIN,
        ),
        Row(
            "hostile attempts stopped before the hash",
            f"{logins.hostile_per_cpu_second:,.0f} attempts/CPU s",
        ),
    ]


def ledger_rows(bookings: Bookings) -> list[Row]:
    """Show bookings in the ledger beside the smallest SQL that moves money."""
    share = bookings.ledger_per_second / bookings.by_hand_per_second
    return [
        Row(f"smallest SQL, {bookings.clients} clients", f"{bookings.by_hand_per_second:,.0f} transfers/s"),
        Row(
            f"ledger, {bookings.clients} clients",
            f"{bookings.ledger_per_second:,.0f} transfers/s, {share:.0%} of smallest SQL",
            f"{LEDGER_SHARE_MIN:.0%} of smallest SQL",
            share >= LEDGER_SHARE_MIN,
        ),
    ]


def debit_rows(debits: Debits) -> list[Row]:
    """Show debits under mandates beside the bare ledger that they stand on."""
    share = debits.debits_per_second / debits.ledger_per_second
    figure = f"{debits.debits_per_second:,.0f} debits/s, {share:.0%} of the bare ledger"
    return [
        Row(f"bare ledger, {debits.clients} clients", f"{debits.ledger_per_second:,.0f} transfers/s"),
        Row(f"debits under mandates, {debits.clients} clients", figure),
    ]


def link_rows(links: Links) -> list[Row]:
    """Show links of accounts beside the hash that each of them needs."""
    share = links.links_per_second / links.verifications_per_second
    figure = f"{links.links_per_second:,.1f} links/s, {share:.0%} of bare verifications"
    return [
        Row(f"bare PINs, {links.clients} clients", f"{links.verifications_per_second:,.1f} verifications/s"),
        Row(f"links of accounts, {links.clients} clients", figure),
    ]


def containment_rows(found: Containments) -> list[Row]:
    """Show what it takes to shut a member, beside a unit of work that writes one event."""
    figure = f"{found.members_per_second:,.0f} members/s, {found.cpu_ms_per_member:.1f} ms of CPU each"
    return [
        Row("bare units of work, eight a commit", f"{found.units_per_second:,.0f} units/s"),
        Row(f"containment of {found.members:,} members", figure),
    ]


def as_text(rows: Sequence[Row]) -> str:
    """Return the table for a terminal."""
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(HEAD))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([machine(), "", *(line.rstrip() for line in lines)]) + "\n"


def as_markdown(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    lines = ["| " + " | ".join(line) + " |" for line in (HEAD, *(row.cells() for row in rows))]
    return "\n".join([machine(), "", lines[0], "| --- | --- | --- | --- |", *lines[1:]]) + "\n"


def machine() -> str:
    """Say on what was measured."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}, {platform.system()}."
