"""What the service counts, in the Prometheus text format."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Decision
from sekisho.web.guard_api.desk import GuardDesk

ANSWER_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class GuardMetrics:
    """The counters of one service; label values come from closed lists: no caller can make them grow."""

    def __init__(self, desk: GuardDesk) -> None:
        self._registry = CollectorRegistry()
        self._decisions = _Decisions()
        self._registry.register(self._decisions)
        self._settled = Counter(
            "sekisho_outcomes_total",
            "Outcomes told, each as often as it was told.",
            ("outcome", "challenge"),
            registry=self._registry,
        )
        self._refused = Counter(
            "sekisho_refusals_total",
            "Requests refused, by the problem's code.",
            ("code",),
            registry=self._registry,
        )
        self._follow(desk)

    def _follow(self, desk: GuardDesk) -> None:
        open_attempts = Gauge(
            "sekisho_open_attempts",
            "Attempts that can still be settled or were settled lately.",
            registry=self._registry,
        )
        open_attempts.set_function(lambda: desk.open_count)
        in_flight = Gauge(
            "sekisho_answers_in_flight",
            "Answers that wait for their record.",
            registry=self._registry,
        )
        in_flight.set_function(lambda: desk.in_flight)
        unrecorded = Gauge(
            "sekisho_unrecorded",
            "Decisions and outcomes that could not be recorded since the start.",
            registry=self._registry,
        )
        unrecorded.set_function(lambda: desk.unrecorded_count)

    def assessed(self, gate: str, decision: Decision, seconds: float) -> None:
        """Count a decision and how long its answer took."""
        self._decisions.count((gate, decision.action, decision.before_hash), seconds)

    def settled(self, outcome: Outcome, challenge: ChallengeResult) -> None:
        """Count an outcome."""
        self._settled.labels(outcome, challenge).inc()

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self._refused.labels(code).inc()

    def text(self) -> bytes:
        """Write everything in the text format."""
        return generate_latest(self._registry)


class _Decisions:
    """Counts decisions and how long they took. One event loop counts: no lock is taken at each."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, bool], int] = {}
        self._spans = [0] * (len(ANSWER_BUCKETS_S) + 1)
        self._seconds = 0.0

    def count(self, label: tuple[str, str, bool], seconds: float) -> None:
        self._counts[label] = self._counts.get(label, 0) + 1
        self._spans[bisect_left(ANSWER_BUCKETS_S, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterator[Metric]:
        attempts = CounterMetricFamily(
            "sekisho_attempts_total", "Attempts decided.", labels=("gate", "action", "before_hash")
        )
        for (gate, action, before_hash), count in self._counts.items():
            attempts.add_metric((gate, action, str(int(before_hash))), count)
        yield attempts
        edges = (*map(str, ANSWER_BUCKETS_S), "+Inf")
        yield HistogramMetricFamily(
            "sekisho_answer_seconds",
            "From the parsed request to the answer of a decision, its record included.",
            buckets=list(zip(edges, accumulate(self._spans), strict=True)),
            sum_value=self._seconds,
        )
