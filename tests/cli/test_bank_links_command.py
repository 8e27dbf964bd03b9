"""`sekisho bank-links`: what waits for a person at the wallet's links is seen, decided, and on record."""

import asyncio
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from tests.linking.bank_double import MUTE
from tests.wallet.links_at_hand import within
from tests.wallet.test_bank_moves import DEBITS, Move

from sekisho.cli.at_institution import Place, told
from sekisho.cli.main import main
from sekisho.kernel.clock import HOUR_US
from sekisho.response import audit

WHY = ("--by", "aoki", "--reason", "asked by telephone")


@pytest.fixture(name="run")
def _run(monkeypatch):
    """Call a command beside a wallet that is at hand, as beside one that is serving."""

    async def call(there, *words, code=0):
        @contextmanager
        def parts(_):
            with told():
                yield there.parts

        monkeypatch.setattr(Place, "parts", parts)
        done = await asyncio.to_thread(CliRunner().invoke, main, ["bank-links", *words])
        assert done.exit_code == code, done.output
        return done.stdout.strip()

    return call


def acts(there):
    with there.parts.store.read() as connection:
        return [(one.actor, one.act, one.subject, one.reason) for one in audit.all_acts(connection)]


@pytest.mark.parametrize(
    ("said", "state", "act"),
    [
        ("approved", "active", "link:approved"),
        ("turned-down", "ended", "link:turned_down"),
    ],
)
def test_a_link_whose_name_differs_is_decided(tmp_path, run, said, state, act):
    async def use(there):
        there.bank.holder["name_kana"] = "ﾔﾏﾀﾞ ﾀﾛｳ"
        link = await there.link(there.wallet.add_verified())
        assert await run(there, "waiting") == f"{link.id}\t{link.bank}\t{link.member_id}"
        await run(there, "review", link.id, said, "--by", "NOBODY!", "--reason", "x", code=2)
        assert await run(there, "review", link.id, said, *WHY) == state
        assert await run(there, "waiting") == ""
        await run(there, "review", link.id, said, *WHY, code=2)
        assert acts(there) == [("aoki", act, link.id, "asked by telephone")]

    within(tmp_path, use)


def test_a_link_is_stopped_resumed_and_ended(tmp_path, run):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        assert await run(there, "stop", link.id, "--fraud", *WHY) == "suspended"
        await run(there, "stop", link.id, "--fraud", *WHY, code=2)
        assert await run(there, "resume", link.id, *WHY) == "active"
        assert await run(there, "end", link.id, *WHY) == "ended"
        await run(there, "end", "lnk_none", *WHY, code=2)
        assert [each[1] for each in acts(there)] == ["link:stopped", "link:resumed", "link:ended"]

    within(tmp_path, use)


@pytest.mark.parametrize(("found", "state"), [("moved", "done"), ("not-moved", "failed")])
def test_a_movement_that_was_lost_is_found_and_decided(tmp_path, run, found, state):
    async def use(there):
        one = await Move.of(there)
        there.bank.moods[DEBITS] = [MUTE]
        await one.go(10_000)
        there.bank.is_revoked = True
        there.clock.advance(HOUR_US)
        await there.booked_orders.carry_out_due()
        move_id, _, direction, yen, _ = (await run(there, "lost")).split("\t")
        assert (direction, yen) == ("debit", "10000")
        await run(there, "decide-lost", move_id, found, "--by", "NOBODY!", "--reason", "x", code=2)
        assert await run(there, "decide-lost", move_id, found, *WHY) == state
        assert await run(there, "lost") == ""
        await run(there, "decide-lost", move_id, found, *WHY, code=2)
        assert acts(there) == [("aoki", "bank_move:decided", move_id, "asked by telephone")]

    within(tmp_path, use)
