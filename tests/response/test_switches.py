"""Switches: whom one meets, who may set it, what members are told, and when it ends."""

import asyncio
from typing import Any

import msgspec
import pytest
from tests.identity.member_at_hand import NOON_US, open_at_hand

from sekisho.identity.assurance import Standing
from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US
from sekisho.lender.switches import Function
from sekisho.response import switch_rows
from sekisho.response.functions import functions, in_words
from sekisho.response.staff import SecondPersonNeeded, StaffIdUnusable
from sekisho.response.switch_book import SwitchBook
from sekisho.response.switch_desk import SwitchDesk, SwitchUnknown, SwitchUnusable, Wish
from sekisho.response.switches import AppliesTo, Scope, State, Switch, Usage

CASH = "atm_withdrawal"


class Throwing:
    """One institution whose switches a test throws."""

    def __init__(self, folder):
        self.at_hand = open_at_hand(folder)
        self.desk = SwitchDesk(self.at_hand.parts)
        self.book = SwitchBook(self.at_hand.parts)

    def set(self, by="sato", approved_by="ito", members=(), **scope):
        one = asyncio.run(self.desk.set(wish(members=members, **scope), by=by))
        return self.approve(one, approved_by) if approved_by and one.is_wide else one

    def approve(self, one, by="ito"):
        return asyncio.run(self.desk.approve(one.id, by=by))

    def lift(self, one, by="sato"):
        return asyncio.run(self.desk.lift(one.id, by=by, why="over"))

    def off(self, function=CASH, member_id="mem_1", **facts):
        return asyncio.run(self.book.off_for(Usage(function, member_id, **facts)))

    def deeds(self, one):
        with self.at_hand.store.read() as connection:
            return [(deed.deed, deed.by) for deed in switch_rows.deeds(connection, one.id)]


def wish(*, members=(), open_ways=("telephone",), told=None, **rest):
    own = {name: rest.pop(name) for name in ("from_us", "until_us", "is_urgent", "reason") if name in rest}
    values: dict[str, Any] = {"reason": "codes were phished"} | own
    scope = Scope(**{"function": CASH} | rest)
    return Wish(scope=scope, open_ways=open_ways, told=told or {}, members=tuple(members), **values)


@pytest.fixture
def throwing(tmp_path):
    opened = Throwing(tmp_path)
    yield opened
    opened.at_hand.store.close()


def test_nothing_is_off_before_a_switch_is_thrown(throwing):
    """Everything is on by itself."""
    assert throwing.off() is None


def test_one_function_is_off_and_the_others_go_on(throwing):
    """Stop one function, not the business."""
    throwing.set()
    off = throwing.off()
    assert off is not None
    assert off.reason == "codes were phished"
    assert throwing.off("transfer_loan") is None
    assert throwing.off("atm_repayment") is None


def test_every_function_in_one_direction(throwing):
    """All money out stops, and repayments go on."""
    throwing.set(function="*", direction="out")
    assert throwing.off("transfer_loan")
    assert throwing.off("payout")
    assert throwing.off("web_debit") is None
    assert throwing.off("payout_change") is None


def test_what_is_told_names_the_open_ways_in_both_languages(throwing):
    """Members read what is off and what they can use instead."""
    asyncio.run(
        throwing.desk.approve(
            asyncio.run(throwing.desk.set(wish(open_ways=("card_atm", "transfer_loan")), by="sato")).id,
            by="ito",
        )
    )
    told = throwing.off().told
    assert told["ja"] == (
        "スマホATMでのお借入れは、ただいま停止しております。"
        "カードでのATMのご利用、お振込みによるお借入れは、引き続きご利用いただけます。"
    )
    assert told["en"] == (
        "Withdrawing at smartphone ATMs is stopped at the moment."
        " Still open: using your card at ATMs and borrowing by transfer."
    )


def test_an_open_way_that_is_off_as_well_is_not_told_as_open(throwing):
    """A later switch takes a way out of an earlier one's text."""
    both = wish(open_ways=("transfer_loan", "telephone"), members=["mem_1"])
    asyncio.run(throwing.desk.set(both, by="sato"))
    assert throwing.off().open_ways == ("transfer_loan", "telephone")
    throwing.set(function="transfer_loan", members=["mem_1"])
    assert throwing.off().open_ways == ("telephone",)


def test_one_partner_alone(throwing):
    """One bank's registration is off, the others' goes on; a partner that is not told is met."""
    throwing.set(function="link_register", partner="0125")
    assert throwing.off("link_register", partner="0125")
    assert throwing.off("link_register", partner="0001") is None
    assert throwing.off("link_register")


def test_new_links_alone(throwing):
    """What was set up before goes on."""
    throwing.set(function="charge", applies_to=AppliesTo.NEW)
    assert throwing.off("charge", is_new=True)
    assert throwing.off("charge", is_new=False) is None
    assert throwing.off("charge")


def test_members_by_name(throwing):
    """A switch that names members meets those alone, and takes one person where they are few."""
    one = throwing.set(members=["mem_1", "mem_2"], approved_by="")
    assert not one.is_wide
    assert throwing.off(member_id="mem_2")
    assert throwing.off(member_id="mem_3") is None


def test_risk_and_age_of_the_device_are_read_from_the_session(throwing):
    """Who asks with a session is met by what the session was born with."""
    member_id = throwing.at_hand.add_member()
    entered = throwing.at_hand.log_in(member_id, standing=Standing.UNCONFIRMED)
    asks = {"member_id": member_id, "session_id": entered.session.id}
    risky = throwing.set(risk_from=0.5)
    assert throwing.off(**asks) is None
    throwing.lift(risky, "sato")
    throwing.lift(risky, "ito")
    throwing.set(device_younger_us=DAY_US)
    assert throwing.off(**asks)
    throwing.at_hand.clock.advance(DAY_US)
    assert throwing.off(**asks) is None


def test_a_wide_switch_waits_for_a_second_person(throwing):
    """Four eyes: the one who set it can't approve it."""
    one = throwing.set(approved_by="")
    assert one.state(NOON_US) is State.PROPOSED
    assert throwing.off() is None
    with pytest.raises(SecondPersonNeeded):
        throwing.approve(one, "sato")
    throwing.approve(one)
    assert throwing.off()
    assert throwing.deeds(one) == [("set", "sato"), ("approved", "ito")]


def test_many_narrow_switches_are_as_wide_as_their_sum(throwing):
    """One person cannot stop everybody bit by bit."""
    first = throwing.set(members=[f"mem_{each}" for each in range(400)], approved_by="")
    second = throwing.set(members=[f"mem_{each}" for each in range(400, 500)], approved_by="")
    assert (first.is_wide, second.is_wide) == (False, True)


def test_an_urgent_switch_is_on_at_once_and_lapses_alone(throwing):
    """One person may stop a function for an hour; without a second it is over then."""
    one = throwing.set(is_urgent=True, approved_by="")
    assert throwing.off().until_us == NOON_US + HOUR_US
    throwing.at_hand.clock.advance(HOUR_US)
    assert throwing.off() is None
    with pytest.raises(SwitchUnknown):
        throwing.approve(one)


def test_an_urgent_switch_that_was_approved_stays(throwing):
    """The second person makes it last."""
    throwing.set(is_urgent=True)
    throwing.at_hand.clock.advance(30 * DAY_US)
    assert throwing.off().until_us is None


def test_to_lift_a_wide_switch_takes_two(throwing):
    """Opening a function again is as wide as closing it."""
    one = throwing.set()
    throwing.lift(one, "ito")
    assert throwing.off()
    with pytest.raises(SecondPersonNeeded):
        throwing.lift(one, "ito")
    throwing.lift(one, "sato")
    assert throwing.off() is None
    with pytest.raises(SwitchUnknown):
        throwing.lift(one, "mori")


def test_a_switch_begins_and_ends_at_its_times(throwing):
    """A scheduled switch is off at its time, to the microsecond."""
    begins, ends = NOON_US + HOUR_US, NOON_US + 2 * HOUR_US
    throwing.set(from_us=begins, until_us=ends)
    answers = []
    for at_us in (begins - 1, begins, ends - 1, ends):
        throwing.at_hand.clock.set(at_us)
        answers.append(throwing.off() is not None)
    assert answers == [False, True, True, False]


def test_the_end_is_announced_once_a_day_before(throwing):
    """Nobody is surprised by a function that opens again."""
    one = throwing.set(until_us=NOON_US + 3 * DAY_US)
    assert asyncio.run(throwing.desk.announce_ends()) == []
    throwing.at_hand.clock.advance(2 * DAY_US + MINUTE_US)
    assert [each.id for each in asyncio.run(throwing.desk.announce_ends())] == [one.id]
    assert asyncio.run(throwing.desk.announce_ends()) == []
    assert throwing.deeds(one)[-1] == ("ending", "clock")
    kinds = [event.kind for event in throwing.at_hand.events() if event.kind.startswith("response:")]
    assert kinds == [f"response:switch:{deed}" for deed in ("set", "approved", "ending")]


def test_of_two_switches_the_one_that_lasts_is_told(throwing):
    """The time that a member reads is the one after which it works again."""
    throwing.set(until_us=NOON_US + HOUR_US)
    throwing.set(until_us=NOON_US + DAY_US)
    assert throwing.off().until_us == NOON_US + DAY_US


def test_partners_hear_of_what_is_off_for_everybody(throwing):
    """The service status names no switch that is for some members alone."""
    throwing.set(function="debit", partner="kamome")
    throwing.set(function="credit", members=["mem_1"])
    throwing.set(function="link_register", risk_from=0.2)
    assert list(asyncio.run(throwing.book.off_for_partner("kamome"))) == ["debit"]
    assert asyncio.run(throwing.book.off_for_partner("other")) == {}


@pytest.mark.parametrize(
    "bad",
    [
        {"function": "nothing"},
        {"function": "card_atm"},
        {"direction": "up"},
        {"risk_from": 1.5},
        {"device_younger_us": 0},
        {"until_us": NOON_US},
        {"from_us": NOON_US + 2, "until_us": NOON_US + 1},
        {"reason": " "},
        {"reason": "r" * 401},
        {"open_ways": ()},
        {"open_ways": ("atm_withdrawal",)},
        {"open_ways": ("nothing",)},
        {"told": {"ja": "停止しています。"}},
        {"told": {"ja": "停止", "en": "see https://example.jp"}},
        {"told": {"ja": "停" * 401, "en": "stopped"}},
    ],
)
def test_a_switch_that_means_nothing_is_not_set(throwing, bad):
    """A typo does not stop anything, and is told."""
    with pytest.raises(SwitchUnusable):
        asyncio.run(throwing.desk.set(wish(**bad), by="sato"))
    with throwing.at_hand.store.read() as connection:
        assert switch_rows.newest(connection, 10) == []


def test_only_staff_sets_switches(throwing):
    """A deed has a name."""
    with pytest.raises(StaffIdUnusable):
        asyncio.run(throwing.desk.set(wish(), by="Sato Hanako"))


def test_a_switch_is_read_back_as_it_was_set(throwing):
    """Nothing of a switch is lost in the store."""
    members = ("mem_1", "mem_2")
    text = {"ja": "停止中です。", "en": "Stopped."}
    scope = {"partner": "0125", "channel": "web", "risk_from": 0.25, "device_younger_us": HOUR_US}
    asked = wish(members=members, told=text, open_ways=("telephone", "branch"), until_us=NOON_US + 1, **scope)
    set_one = asyncio.run(throwing.desk.set(asked, by="sato"))
    with throwing.at_hand.store.read() as connection:
        assert switch_rows.find(connection, set_one.id) == set_one
        assert switch_rows.members_of(connection, set_one.id) == list(members)


def test_the_catalogue_knows_the_functions_of_the_lender():
    """A gate's function can be switched off, by the name that the gate uses."""
    assert {function.value for function in Function} <= set(functions())
    assert all(function.ja and function.en for function in functions().values())


def test_ways_are_written_one_after_the_other():
    """Three ways read as a list."""
    assert in_words(("send", "charge", "telephone"), "en") == (
        "sending money to others, charging from a bank account and the telephone desk"
    )


def test_a_state_is_told_for_every_time():
    """Scheduled, on, expired: the same switch at three times."""
    one = msgspec.convert(
        {
            "id": "swt_1",
            "scope": {"function": CASH},
            "from_us": 10,
            "until_us": 20,
            "reason": "r",
            "told": {},
            "open_ways": [],
            "is_wide": False,
            "urgent_until_us": None,
            "set_by": "sato",
            "set_at_us": 0,
        },
        type=Switch,
    )
    assert [one.state(at) for at in (9, 10, 20)] == [State.SCHEDULED, State.ON, State.EXPIRED]
