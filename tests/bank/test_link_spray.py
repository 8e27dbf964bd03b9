"""Reverse brute force of PINs: popular ones on account after account, with honest links around them.

The traffic: 1,500 honest links a day, one in twelve mistyped, PINs chosen as people choose them (the most
popular one by 1.6 %, the five most popular by 3.9 %), each holder at a home address. The attacker comes from
as many addresses as there are tries, as a different wallet user each time.
"""

import asyncio
from dataclasses import dataclass, field

import pytest
from tests.bank.mandate_at_hand import open_bank
from tests.lender.lender_at_hand import PlainGuard

from sekisho.bank.authorisation.pushed_requests import Asked, Step, Visit
from sekisho.bank.deposits import Deposit, DepositKind, DepositState
from sekisho.bank.link_gate import LinkForm, LinkGate
from sekisho.bank.pin_popularity import PinPopularity
from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.guard import Guard
from sekisho.identity.arrivals import Arrival
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import DAY_US, SetClock
from sekisho.kernel.ids import DEPOSIT, DEPOSITOR, LINK_REQUEST
from sekisho.kernel.posture import Posture
from sekisho.linking.link_details import read_request
from sekisho.web.guard_api.desk import GuardDesk
from sekisho.web.guard_client.local_guard import LocalGuard, Unrecorded

POPULAR = {"1234": 0.016, "1111": 0.009, "0000": 0.006, "7777": 0.004, "2580": 0.004}
LINKS_A_DAY = 1_500
HOLDERS = 20_000
MISTYPED = 1 / 12
DETAILS = (
    '[{"type":"account_link","actions":["debit"],"ceiling_yen":100000,"month_ceiling_yen":300000,'
    '"holder":{"name_kana":"ﾔﾏﾀﾞ ﾊﾅｺ","birth_date":"1901-01-01"},"user_ref":"%s"}]'
)


@dataclass
class Tally:
    """What became of honest links and of the attacker's hits."""

    honest: int = 0
    bothered: int = 0
    tries: int = 0
    hits: int = 0
    stopped: int = 0

    @property
    def friction(self):
        return self.bothered / self.honest

    @property
    def yielded(self):
        return (self.hits - self.stopped) / self.tries


@dataclass
class Town:
    """A bank's depositors, and the gate before their PINs."""

    gate: LinkGate
    clock: SetClock
    made: SeededChance
    pins: list[str] = field(default_factory=list)
    users: int = 0

    def settle_down(self):
        """Give each depositor a PIN as people choose them."""
        for _ in range(HOLDERS):
            self.pins.append(self.popular_or_any())

    def popular_or_any(self):
        drawn, reached = self.made.fraction(), 0.0
        for pin, share in POPULAR.items():
            reached += share
            if drawn < reached:
                return pin
        return f"{self.made.below(10_000):04d}"

    async def link(self, holder, pin, ip):
        """Try a PIN on a depositor's account; return whether it is right, and whether it was let through."""
        self.users += 1
        number = f"{holder:07d}"
        form = LinkForm("001", number, "ヤマダ ハナコ", "1901-01-01", pin)
        visit = visit_of(f"user-{self.users:08d}", self.clock, self.made)
        judged = await self.gate.ask(visit, form, deposit_of(number, self.clock, self.made), Arrival(ip=ip))
        right = pin == self.pins[holder]
        free = not judged.denied and not judged.wants_code
        if right:
            self.gate.succeeded(form)
        else:
            self.gate.failed(form)
        outcome = Outcome.SUCCESS if right else Outcome.WRONG_SECRET
        asked = ChallengeResult.NONE if free or not right else ChallengeResult.PASSED
        await self.gate.settle(judged.attempt_id, outcome, asked)
        return right, free

    async def honest(self, tally=None):
        holder = self.made.below(HOLDERS)
        ip = f"10.{holder // 250 // 250}.{holder // 250 % 250}.{holder % 250}"
        if self.made.fraction() < MISTYPED:
            await self.link(holder, self.popular_or_any(), ip)
        right, free = await self.link(holder, self.pins[holder], ip)
        assert right
        if tally is not None:
            tally.honest += 1
            tally.bothered += not free

    async def attack(self, pin, tally):
        holder = self.made.below(HOLDERS)
        ip = f"100.{64 + self.made.below(60)}.{self.made.below(250)}.{self.made.below(250)}"
        right, free = await self.link(holder, pin, ip)
        tally.tries += 1
        tally.hits += right
        tally.stopped += right and not free

    async def day(self, tally=None, tries=0, wordlist=()):
        """Let a day pass: honest links all day, and tries among them where there are any."""
        steps = LINKS_A_DAY + tries
        for step in range(steps):
            self.clock.advance(DAY_US // steps)
            if wordlist and step * tries // steps != (step + 1) * tries // steps:
                await self.attack(self.made.choose(wordlist), tally)
            else:
                await self.honest(tally)


def visit_of(user, clock, made):
    asked = Asked(
        redirect_uri="https://wallet.example/back",
        state="",
        code_challenge="",
        key_thumbprint="",
        link=read_request(DETAILS % user),
    )
    return Visit(
        id=LINK_REQUEST.new(clock, made), client_id="kamome-wallet", asked=asked, step=Step.OPENED,
        visit_until_us=0, tries_left=3, deposit_id="", code_id="", code_subject="", attempt_id="", way="",
    )  # fmt: skip


def deposit_of(number, clock, made):
    return Deposit(
        id=DEPOSIT.new(clock, made), branch="001", kind=DepositKind.ORDINARY, number=number,
        depositor_id=DEPOSITOR.new(clock, made), ledger_account="", state=DepositState.OPEN, state_reason="",
        state_since_us=0, opened_at_us=0,
    )  # fmt: skip


def real_guard(at_hand, chance):
    """Make the guard as it runs beside an institution."""
    desk = GuardDesk(
        Guard(key=chance.octets(32), addresses=1 << 16, devices=1 << 12),
        clock=at_hand.clock,
        chance=chance,
        recorder=Unrecorded(),
        on_outage=Posture.CLOSED,
    )
    return LocalGuard(desk, on_outage=Posture.CLOSED)


@pytest.fixture
def settle(tmp_path):
    """Make a town before a guard of its own."""
    at_hand, chance = open_bank(tmp_path), SeededChance(5)

    def settled(guard):
        popularity = PinPopularity(at_hand.clock, chance)
        gate = LinkGate(at_hand.bank, guard, popularity, on_outage=Posture.CLOSED)
        town = Town(gate, at_hand.clock, SeededChance(8))
        town.settle_down()
        return town

    yield lambda *, real: settled(real_guard(at_hand, chance) if real else PlainGuard())
    at_hand.bank.store.close()


def attacked(town, wordlist, tries):
    """Let two days of peace pass and three of attack; return what became of those."""
    tally = Tally()

    async def play():
        await town.day()
        await town.day()
        for _ in range(3):
            await town.day(tally, tries, wordlist)

    asyncio.run(play())
    return tally


ATTACKS = pytest.mark.parametrize(
    ("wordlist", "tries"), [(("1234",), 300), (("1234",), 2_000), (tuple(POPULAR), 2_000)], ids=str
)


@ATTACKS
def test_counts_by_pin_stop_popular_pins_and_let_honest_links_pass(settle, wordlist, tries):
    """At least 98 % of the hits are asked for a code, at most 4 % of honest links, with no guard's help."""
    tally = attacked(settle(real=False), wordlist, tries)
    assert tally.hits >= 10
    assert tally.stopped >= 0.98 * tally.hits, tally
    assert tally.friction <= 0.04, tally
    assert tally.yielded <= 1 / 1_000, tally


@ATTACKS
def test_behind_the_real_guard_no_hit_is_worth_a_thousand_tries(settle, wordlist, tries):
    """What the guard asks for comes on top: its own budgets of friction are its own tests' subject."""
    tally = attacked(settle(real=True), wordlist, tries)
    assert tally.hits >= 10
    assert tally.stopped >= 0.98 * tally.hits, tally
    assert tally.yielded <= 1 / 1_000, tally


def test_an_honest_link_passes_while_another_pin_is_sprayed(settle):
    town = settle(real=False)
    attacked(town, ("1234",), 2_000)

    async def links():
        own = next(holder for holder, pin in enumerate(town.pins) if pin not in POPULAR)
        popular = next(holder for holder, pin in enumerate(town.pins) if pin == "1234")
        return [await town.link(holder, town.pins[holder], "10.0.0.1") for holder in (own, popular)]

    assert asyncio.run(links()) == [(True, True), (True, False)]


@pytest.mark.parametrize("real", [False, True])
def test_in_peace_hardly_anybody_is_asked(settle, real):
    town, tally = settle(real=real), Tally()

    async def play():
        for _ in range(3):
            await town.day(tally)

    asyncio.run(play())
    assert tally.friction <= 0.01, tally


@pytest.mark.parametrize("as_people_choose", [False, True])
def test_whoever_spreads_the_guesses_gains_what_chance_gives(settle, as_people_choose):
    """Evenly over all PINs, or in the proportion in which people choose them: counts by PIN do not stop it,
    and this is what it is worth, with nobody's guard: one hit in a thousand tries at most.
    """
    town, tally = settle(real=False), Tally()

    async def play():
        await town.day()
        steps = 6_000
        for _ in range(steps):
            town.clock.advance(DAY_US // steps)
            pin = town.popular_or_any() if as_people_choose else f"{town.made.below(10_000):04d}"
            await town.attack(pin, tally)

    asyncio.run(play())
    assert tally.yielded <= 1 / 1_000, tally
