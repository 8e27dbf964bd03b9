"""One gate's own memory and model: what is usual at a login is not usual at a bank link."""

import math
from collections.abc import Callable

from msgspec.structs import replace

from sekisho.guard.alarm import Alarm
from sekisho.guard.evidence import (
    MEMBER,
    REPUTATION,
    SOURCE,
    STANDING,
    Codes,
    Example,
    SourceFacts,
    Surroundings,
    Tables,
    address_codes,
    reputation_codes,
)
from sekisho.guard.friction import Friction
from sekisho.guard.memory import Decay, Odds
from sekisho.guard.networks import Source
from sekisho.guard.rehearsal import Lesson, Rehearsal
from sekisho.guard.risk import FailureOdds, Prior

HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S
REFRESH_LIVE, REFRESH_CALM = 3, 1  # examples scored again with each arrival: a calm model changes slowly
REFRESH_EVERY = 8  # failures in a campaign: they change the model, and successes may be few
STEP_S = 5  # decay and alarm move in steps of so many seconds: nothing in them is finer
LEAST_HIT_RATE = 0.001  # assumed of every campaign, lest its hits be learnt as the members' own


class Lane:
    """The model, thresholds and alarm of one gate."""

    LABELS_FOR_HALF = 500.0
    SOURCE_LEARNT = 0.85
    MEMBER_LEARNT = 0.70  # less: the prior knows members better, and only names that exist teach more

    def __init__(
        self, budgets: tuple[float, ...], hold_s: int, look_around: Callable[[Source, int], Surroundings]
    ) -> None:
        """Take the friction budgets, three for each policy that runs: calm, before the hash, campaign.

        `look_around` tells what is known of a source's address at a time.
        """
        self.tables = Tables()
        self._look_around = look_around
        self.odds = FailureOdds(SOURCE[-1], MEMBER[-1])
        self.prior = Prior(MEMBER[-1])
        self._rehearsal = Rehearsal()
        self.alarm = Alarm(hold_s=hold_s)
        self.friction = Friction(budgets, self.rescore)
        self.now_s = self._next_s = 0
        self.failures = 0.0  # seen in this campaign
        self.labels = 0.0  # of them, on ids that exist
        self.in_campaign = False
        self._long = Decay(14 * DAY_S)
        self._calm = [0.0, 0.0]  # token-less and vouched successes in attack-free time
        self._windows = (_Window(1.5 * HOUR_S), _Window(DAY_S))
        self.hit_rate = 0.0
        self.log_intensity = 0.0
        self.hostile_part = 0.0
        self._usual_before = 1.0

    def score(self, kind: int, state: int, leaked: int, source: Codes, member: Codes) -> float:
        """Return the score: log of A(x)/S(x) in a campaign, the prior alone in peace."""
        by_source = self.prior.source(kind, state, leaked)
        by_member = self.prior.member(member)
        if not self.in_campaign:
            return by_source + by_member
        learnt_source, learnt_member = self.odds.excess(source, member, self.hostile_part)
        share = self.SOURCE_LEARNT * self.failures / (self.failures + self.LABELS_FOR_HALF)
        member_share = self.MEMBER_LEARNT * self.labels / (self.labels + self.LABELS_FOR_HALF)
        return (
            share * learnt_source
            + (1.0 - share) * (by_source + self.log_intensity)
            + member_share * learnt_member
            + (1.0 - member_share) * by_member
        )

    def rescore(self, example: Example) -> float:
        """Score an example of the friction ring as if it came now: under this model and this moment's
        reputations.
        """
        facts, usual = example.facts, self.tables.usual()
        around = replace(self._look_around(example.source, self.now_s), ever=example.ever)
        facts.codes = (
            *address_codes(facts, example.kind, around, usual),
            *facts.codes[STANDING:REPUTATION],
            *reputation_codes(facts, self.tables, usual, self.now_s),
        )
        return self.score(example.kind, facts.address_state, example.leaked, facts.codes, example.member)

    def campaign_id(self, gate: str) -> str:
        """Return the id of the live or last campaign, stable within the guard's life."""
        return f"cmp_{gate}_{self.alarm.number}"

    def spend(self, score: float, honest: float) -> None:
        """Account for a success under every policy's budgets of the moment."""
        friction = self.friction
        if self.hit_rate > 0.0:
            friction.trust_the_ring()
            return
        live = (1, 2) if self.in_campaign else (0,)
        for number, threshold in enumerate(friction.thresholds):
            if number % 3 in live:
                friction.spend(number, honest if score > threshold else 0.0)

    def keep_example(self, example: Example, score: float, *, proven: bool) -> None:
        """Put a success that no token vouched for where the thresholds come from."""
        self.estimate()
        self.friction.add(
            example,
            score,
            self.doubted_share(),
            proven=proven,
            many_hits=self.hit_rate > 0.0,
            refresh=REFRESH_LIVE if self.in_campaign else REFRESH_CALM,
        )

    def learn_success(
        self,
        kind: int,
        leaked: int,
        facts: SourceFacts,
        member: Codes,
        other: Codes | None,
        honest: float,
        *,
        proven: bool,
    ) -> None:
        """Learn a success by the chance that it was the member's own, which `proven` says is known.

        `other` is what its member codes had been for another member (attack-free time only).
        """
        for odds, code in self._counted(facts):
            odds.successes[code] += odds.decay.weight * honest
        self._teach(kind, leaked, facts, member, failed=False, weight=honest, settled=proven)
        if other is not None:
            self.prior.learn(kind, facts.address_state, leaked, member, other)

    def learn_failure(
        self, kind: int, leaked: int, facts: SourceFacts, member: Codes | None, weight: float
    ) -> None:
        """Learn a failure; `member` is None where the id does not exist, `weight` how many failures on
        ids it stands for.
        """
        for odds, code in self._counted(facts):
            odds.failures[code] += odds.decay.weight
        if self.in_campaign:
            self.failures += 1.0
            if self.friction.is_stale or self.failures % REFRESH_EVERY == 0.0:
                self.estimate()
                self.friction.refresh(self.doubted_share(), 1)
        if not weight:
            return
        if self.in_campaign and member is not None:
            self.labels += weight
            for window in self._windows:
                window.hostile += weight * window.decay.weight
        self._teach(kind, leaked, facts, member, failed=True, weight=weight, settled=True)

    def _teach(
        self,
        kind: int,
        leaked: int,
        facts: SourceFacts,
        member: Codes | None,
        *,
        failed: bool,
        weight: float,
        settled: bool,
    ) -> None:
        """Teach the model an outcome, and in a campaign some earlier ones again."""
        self._learn(facts.codes, member, failed=failed, weight=weight)
        if not self.in_campaign or member is None:
            return
        state = facts.address_state
        for old in self._rehearsal.take(
            Lesson(kind, state, leaked, facts.codes, member, failed, weight, settled)
        ):
            again = old.weight
            if not old.settled:
                again = self.honesty(self.score(old.kind, old.state, old.leaked, old.source, old.member))
            self._learn(old.source, old.member, failed=old.failed, weight=again)

    def _learn(self, source: Codes, member: Codes | None, *, failed: bool, weight: float) -> None:
        self.odds.learn(
            source,
            member,
            failed=failed,
            weight=1.0 if failed else weight,
            member_weight=weight,
            calm=not self.in_campaign,
        )

    def _counted(self, facts: SourceFacts) -> tuple[tuple[Odds, int], ...]:
        tables = self.tables
        return (
            (tables.provider_quick, facts.provider),
            (tables.provider, facts.provider),
            (tables.region, facts.region),
            (tables.fingerprint, facts.tls),
            (tables.exact, facts.exact),
            (tables.family, facts.family),
            (tables.country, facts.country),
            (tables.pairing, facts.pairing),
            (tables.exact_long, facts.exact),
            (tables.all_quick, 0),
            (tables.all_slow, 0),
            (tables.all_long, 0),
        )

    def honesty(self, score: float) -> float:
        """Return the chance that a success of this score, asked for nothing more, was the member's own."""
        if not self.in_campaign:
            return 1.0
        return 1.0 / (1.0 + max(self.hit_rate, LEAST_HIT_RATE) * math.exp(min(30.0, score)))

    def advance(self, now_s: int) -> None:
        """Move to this moment; notice that a campaign began or is over."""
        if now_s < self._next_s:
            return
        self.now_s, self._next_s = now_s, now_s + STEP_S
        self.tables.advance(now_s)
        self._long.advance(now_s)
        for window in self._windows:
            window.decay.advance(now_s)
        on = self.alarm.is_on(now_s)
        if on != self.in_campaign:
            self.in_campaign = on
            self._usual_before = self.tables.usual()
            self.friction.model_changed()
            if not on:
                self.odds.forget_attack()
                self._rehearsal.forget()
                self.failures = self.labels = 0.0

    def count_success(self, *, vouched: bool, bare: bool, honest: float) -> None:
        """Count a success, token-less (`bare`), vouched for by a token, or neither."""
        for window in self._windows:
            window.count_success(vouched=vouched, bare=bare, honest=honest)
        if not self.in_campaign and (vouched or bare):
            self._calm[1 if vouched else 0] += self._long.weight

    def estimate(self) -> None:
        """Estimate the hit rate and the intensity of the campaign.

        Members whose token vouches for them are the control group: they show how many honest members come,
        and so how many token-less successes are usual. What comes beyond that, by more than chance, is
        taken for hits.
        """
        if not self.in_campaign:
            self.hit_rate, self.log_intensity = 0.0, 0.0
            return
        long = self._long.weight
        usual = (self._calm[0] + long) / (self._calm[1] + 5.0 * long)
        self.hit_rate = max(window.hit_rate(usual) for window in self._windows)
        self.log_intensity = math.log(max(window.intensity() for window in self._windows))
        lately = self.tables.all_slow
        honest = self._usual_before * lately.successes[0]
        self.hostile_part = 0.5 * max(0.0, 1.0 - honest / max(honest, lately.failures[0], 1e-9))

    def doubted_share(self) -> float:
        """Return the part of the last day's honest successes that no token vouched for."""
        return self._windows[1].doubted_share()


class _Window:
    """Counts of the last hours: successes by kind and hostile failures on ids that exist."""

    def __init__(self, half_life_s: float) -> None:
        self.decay = Decay(half_life_s)
        self.bare = self.vouched = self.doubted = self.hostile = 0.0

    def count_success(self, *, vouched: bool, bare: bool, honest: float) -> None:
        weight = self.decay.weight
        if vouched:
            self.vouched += weight
            return
        self.doubted += weight * honest
        if bare:
            self.bare += weight

    def hit_rate(self, usual: float) -> float:
        """Return hits for each hostile failure; `usual`: token-less successes for each vouched one in
        peace.
        """
        now = self.decay.weight
        expected = usual * self.vouched / now
        excess = self.bare / now - 1.2 * expected - 3.0 * math.sqrt(max(1.0, expected))
        return max(0.0, excess) / max(1.0, self.hostile / now)

    def intensity(self) -> float:
        """Return hostile failures for each honest success that no token vouched for."""
        now = self.decay.weight
        return (self.hostile / now + 1.0) / (self.doubted / now + 20.0)

    def doubted_share(self) -> float:
        now = self.decay.weight
        return (self.doubted + now) / (self.doubted + self.vouched + 2.0 * now)
