"""What the service counts, in the Prometheus text format."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Decision
from sekisho.web.guard_api.desk import GuardDesk

ANSWER_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class GuardMetrics:
    """The counters of one service; label values come from closed lists: no caller can make them grow."""

    def __init__(self, desk: GuardDesk) -> None:
        self._registry = CollectorRegistry()
        self._assessed = Counter(
            "sekisho_attempts_total",
            "Attempts decided.",
            ("gate", "action", "before_hash"),
            registry=self._registry,
        )
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
        self.answer_seconds = Histogram(
            "sekisho_answer_seconds",
            "From the parsed request to the answer of a decision, its record included.",
            buckets=ANSWER_BUCKETS_S,
            registry=self._registry,
        )
        self._follow(desk)
        self._assessed_by_label: dict[tuple[str, str, bool], Counter] = {}

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
        label = (gate, decision.action, decision.before_hash)
        counter = self._assessed_by_label.get(label)
        if counter is None:
            counter = self._assessed.labels(gate, decision.action, str(int(decision.before_hash)))
            self._assessed_by_label[label] = counter
        counter.inc()
        self.answer_seconds.observe(seconds)

    def settled(self, outcome: Outcome, challenge: ChallengeResult) -> None:
        """Count an outcome."""
        self._settled.labels(outcome, challenge).inc()

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self._refused.labels(code).inc()

    def text(self) -> bytes:
        """Write everything in the text format."""
        return generate_latest(self._registry)
