"""`sekisho bench --only logins` and `--only ledger`: the rows, their targets, and a small real run."""

import asyncio
from contextlib import closing

import pytest
from sqlalchemy import func, select

from sekisho.cli.bench_parts import containment, report
from sekisho.cli.bench_parts.debits import measure as measure_debits
from sekisho.cli.bench_parts.figures import Bookings, Debits, Links, Logins
from sekisho.cli.bench_parts.links import measure as measure_links
from sekisho.cli.bench_parts.logins import measure
from sekisho.storage.engine import open_store
from sekisho.storage.tables.members import member
from sekisho.storage.tables.messages import message


@pytest.mark.parametrize(("share", "met"), [(0.9, True), (0.899, False)])
def test_logins_are_held_to_nine_tenths_of_bare_verifications(share, met):
    measured = Logins(
        logins_per_second=9.0,
        verifications_per_second=9.0,
        share=share,
        cpu_share=1.0,
        hostile_per_cpu_second=9.0,
    )
    assert [row.met for row in report.login_rows(measured)] == [None, met, None]


@pytest.mark.parametrize(("ledger_per_second", "met"), [(60.0, True), (59.9, False)])
def test_bookings_are_held_to_three_fifths_of_the_smallest_sql(ledger_per_second, met):
    measured = Bookings(ledger_per_second=ledger_per_second, by_hand_per_second=100.0, clients=8)
    assert [row.met for row in report.ledger_rows(measured)] == [None, met]


def test_every_measured_login_is_a_welcome_and_every_attempt_is_stopped(tmp_path):
    """A login that opened no session would end the measurement."""
    measured = asyncio.run(measure(2, tmp_path))
    assert min(measured.logins_per_second, measured.verifications_per_second) > 0
    assert measured.hostile_per_cpu_second > 0


def test_debits_are_shown_beside_the_bare_ledger():
    measured = Debits(debits_per_second=25.0, ledger_per_second=100.0, clients=8)
    assert "25% of the bare ledger" in report.debit_rows(measured)[1].figure


def test_every_measured_debit_is_done(tmp_path):
    """A refusal would end the measurement."""
    assert measure_debits(8, tmp_path).debits_per_second > 0


def test_links_are_shown_beside_the_hash_that_each_needs():
    measured = Links(links_per_second=20.0, verifications_per_second=40.0, clients=8)
    assert "50% of bare verifications" in report.link_rows(measured)[1].figure


def test_every_measured_link_is_made(tmp_path):
    """A depositor who was asked for more, or refused, would end the measurement."""
    assert asyncio.run(measure_links(3, tmp_path)).links_per_second > 0


def test_a_containment_is_measured_on_members_who_are_really_shut(tmp_path):
    found = containment.measure(9, tmp_path)
    assert found.members == 9
    assert 0 < found.members_per_second < found.units_per_second
    assert found.cpu_ms_per_member > 0
    with closing(open_store(f"sqlite:///{tmp_path / 'lender.db'}")) as store, store.read() as connection:
        states = connection.execute(select(member.c.state, func.count()).group_by(member.c.state)).all()
        notices = connection.execute(select(func.count()).select_from(message)).scalar_one()
    assert [tuple(row) for row in states] == [("invalidated", 9)]
    assert notices == 9 * 3
