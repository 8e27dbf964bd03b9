"""`sekisho wallets`: who waits for a check, what staff decide, and the stop of a wallet."""

import asyncio

import pytest
from click.testing import CliRunner
from tests.wallet.wallet_at_hand import TARO

from sekisho.cli.at_institution import Place
from sekisho.cli.main import main
from sekisho.identity import contacts, devices, members, personal_data, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.contacts import ContactKind
from sekisho.identity.person_checks import NobodyTrusted
from sekisho.identity.personal_data import Item
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Birth
from sekisho.kernel.posture import Posture
from sekisho.kernel.yen import Yen
from sekisho.ledger.transfers import Booked, Transfer, post
from sekisho.response import audit
from sekisho.wallet.house import open_house
from sekisho.wallet.identity_checks import IdentityDesk
from sekisho.wallet.identity_levels import IdentityLevel
from sekisho.wallet.wallets import WalletState, open_wallet, prove_phone, require_open, wallet_of

WHY = ("--by", "aoki", "--reason", "asked by telephone")
CHECK = ("--method", "IC_SELFIE", "--on", "2026-11-20", "--evidence", "file 1", "--by", "aoki")


@pytest.fixture(name="place")
def _place(tmp_path):
    return Place(tmp_path, "", "wallet", None)


@pytest.fixture(name="run")
def _run(tmp_path):
    def call(*words, code=0):
        done = CliRunner().invoke(main, ["wallets", "--data", str(tmp_path), *words])
        assert done.exit_code == code, done.output
        return (done.output if code else done.stdout).strip()

    return call


@pytest.fixture(name="member_id")
def _member_id(place):
    """Give a member with a proven phone who says who they are."""
    mobile = "+818012340001"
    with place.parts() as parts:
        arrival = Arrival(ip="192.0.2.7")

        def come(connection):
            member_id = members.open_account(connection, parts, language="ja").id
            open_wallet(connection, parts, member_id)
            contacts.put(connection, parts, member_id, ContactKind.MOBILE, mobile)
            items = {Item.MOBILE_PHONE: mobile}
            personal_data.store(connection, parts.keyring, member_id, items, parts.clock.now_us())
            prove_phone(connection, parts, require_open(connection, member_id))
            device = devices.enrol(connection, parts, member_id, arrival, Standing.TRUSTED).device
            birth = Birth(member_id=member_id, device_id=device.id, level=Level.CODE, arrival=arrival)
            return Present(sessions.open_session(connection, parts, birth).session, device)

        present = parts.store.write(come).result()
        desk = IdentityDesk(open_house(parts), NobodyTrusted(), on_outage=Posture.CLOSED)
        asyncio.run(desk.claim(present, TARO))
    return present.session.member_id


def look(place, look):
    with place.parts() as parts, parts.store.read() as connection:
        return look(connection)


def book(place, wallet, yen):
    """Put money into a wallet, or take it out again."""
    with place.parts() as parts:
        house = open_house(parts)
        sides = (house.accounts.bank_receivable, wallet.account)
        debit, credit = sides if yen > 0 else sides[::-1]
        move = Transfer(
            key=f"test:{yen}",
            kind="wallet:charge" if yen > 0 else "wallet:payout",
            debit=debit,
            credit=credit,
            amount=Yen(abs(yen)),
            effective_on=house.today(),
        )
        work = house.store.write(lambda at: post(at, move, clock=house.clock, chance=house.chance))
        assert isinstance(work.result(), Booked)


def test_who_waits_is_listed_without_a_name_and_seen_on_record(run, place, member_id):
    waiting = run("waiting")
    assert waiting.startswith(member_id)
    assert TARO.name not in waiting
    assert run("claim", member_id, *WHY).splitlines()[0] == TARO.name
    (seen,) = look(place, lambda at: list(audit.all_acts(at)))
    assert (seen.actor, seen.act, seen.subject) == ("aoki", "wallet:claim_seen", member_id)


def test_what_staff_checked_raises_the_level_once(run, place, member_id):
    first = run("check", member_id, "passed", *CHECK, "--key", "k1")
    assert run("check", member_id, "failed", *CHECK, "--key", "k1") == first
    assert look(place, lambda at: wallet_of(at, member_id)).level is IdentityLevel.VERIFIED
    assert run("waiting") == ""
    (act,) = look(place, lambda at: audit.search(at, act="wallet:identity_checked"))
    assert (act.subject, act.details["passed"]) == (member_id, True)
    assert first.startswith(f"{act.details['check']}\t")
    run("claim", member_id, *WHY, code=2)


def test_a_stopped_wallet_is_let_go_by_a_person(run, place, member_id):
    wallet_id = look(place, lambda at: wallet_of(at, member_id)).id
    run("stop", wallet_id, *WHY)
    run("stop", wallet_id, *WHY, code=3)
    assert look(place, lambda at: wallet_of(at, member_id)).state is WalletState.FROZEN
    run("release", wallet_id, *WHY)
    run("release", wallet_id, *WHY, code=3)
    acts = look(place, lambda at: [one.act for one in audit.all_acts(at)])
    assert acts == ["wallet:stopped", "wallet:released"]


def test_a_wallet_is_closed_for_a_member_who_asked_once_nothing_is_in_it(run, place, member_id):
    wallet = look(place, lambda at: wallet_of(at, member_id))
    book(place, wallet, 300)
    assert "¥300 in it" in run("close", wallet.id, *WHY, code=2)
    assert look(place, lambda at: wallet_of(at, member_id)).state is WalletState.OPEN
    book(place, wallet, -300)
    run("close", wallet.id, "--by", "NOBODY!", "--reason", "x", code=2)
    run("close", wallet.id, *WHY)
    run("close", wallet.id, *WHY, code=3)
    closed = look(place, lambda at: wallet_of(at, member_id))
    assert (closed.state, closed.stopped_for) == (WalletState.CLOSED, "staff")
    (act,) = look(place, lambda at: list(audit.all_acts(at)))
    assert (act.actor, act.act, act.subject, act.reason) == (
        "aoki",
        "wallet:closed",
        wallet.id,
        "asked by telephone",
    )
    run("check", member_id, "passed", *CHECK, "--key", "k", code=2)


def test_a_way_that_can_t_be_written_down_is_refused_with_those_that_can(run, member_id):
    """The member's own card is verified by the program, and is none of them."""
    told = run("check", member_id, "passed", "--method", "JPKI", *CHECK[2:], "--key", "k", code=2)
    assert "IC_SELFIE" in told
    assert "These can: " in told
    assert "JPKI" not in told


def test_what_can_not_be_is_refused(run, member_id):
    run("claim", "mem_x", *WHY, code=2)
    run("claim", member_id, "--by", "NOBODY!", "--reason", "x", code=2)
    run("check", member_id, "passed", *CHECK[:-1], "NOBODY!", "--key", "k", code=2)
    run("stop", "wal_x", *WHY, code=3)
