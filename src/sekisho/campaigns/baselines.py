"""The published risk score as a judge of its own, so that a log can be replayed with it beside the guard.

A device token spares its member the score, as it does in the guard; everything else is the score alone. It
knows no campaign and stops nothing before the password is verified.
"""

from collections import defaultdict

import numpy as np

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.clients import read_client
from sekisho.guard.decisions import Action, Decision
from sekisho.guard.freeman import Login, PastLogins
from sekisho.guard.networks import read_source

RING = 16_384  # successes from which the threshold is taken
FEWEST = 1_000
_EVERY = 256
_VOUCHED = 0.0
_SAYS_NOTHING = 1.0
_MOBILE_SYSTEMS = 3  # iPhone, iPad and Android are numbered 1 to 3


class FreemanJudge:
    """Challenges the attempts whose score lies above that of all but a share of recent successes.

    `friction` is that share, 0 to 1. Nothing is challenged until a gate has seen a thousand successes. A
    member's first login has no published score and counts as 1, as likely an attacker's as the member's.
    Every success is learnt, an attacker's too, except where a challenge was failed.
    """

    def __init__(self, *, friction: float) -> None:
        self._gates: dict[str, _Gate] = defaultdict(lambda: _Gate(friction))

    def assess(self, attempt: Attempt) -> Decision:
        """Decide an attempt whose outcome is not known.

        `probability` is score / (1 + score): it orders attempts, and is a probability only where half of all
        logins are hostile.
        """
        gate = self._gates[attempt.gate]
        score = gate.score(attempt)
        probability = score / (1.0 + score)
        challenged = probability > gate.threshold
        return Decision(
            action=Action.CHALLENGE if challenged else Action.ALLOW,
            probability=probability,
            before_hash=False,
            reasons=("unlike_this_member",) if challenged else (),
            policy="freeman",
            policy_revision=1,
        )

    def learn(
        self, attempt: Attempt, decision: Decision, outcome: Outcome, challenge: ChallengeResult
    ) -> None:
        """Take in what came of it: a success becomes part of the member's past."""
        if outcome == Outcome.SUCCESS and challenge not in (
            ChallengeResult.FAILED,
            ChallengeResult.ABANDONED,
        ):
            self._gates[attempt.gate].learn(attempt, decision.probability)


class _Gate:
    """One gate's past: what is usual at a login is not usual at a bank link."""

    def __init__(self, friction: float) -> None:
        self.threshold = float("inf")
        self._friction = friction
        self._past = PastLogins()
        self._earned: set[tuple[str, str]] = set()
        self._probabilities = np.zeros(RING)
        self._learnt = 0

    def score(self, attempt: Attempt) -> float:
        if self._is_vouched_for(attempt):
            return _VOUCHED
        score = self._past.score(attempt.member, _values(attempt))
        return _SAYS_NOTHING if score is None else score

    def _is_vouched_for(self, attempt: Attempt) -> bool:
        if attempt.device_valid is not None:
            return attempt.device_valid
        return bool(attempt.device) and (attempt.member, attempt.device) in self._earned

    def learn(self, attempt: Attempt, probability: float) -> None:
        self._past.add(attempt.member, _values(attempt))
        if attempt.device and attempt.device_valid is not False:
            self._earned.add((attempt.member, attempt.device))
        self._probabilities[self._learnt % RING] = probability
        self._learnt += 1
        if self._learnt >= FEWEST and self._learnt % _EVERY == 0:
            recent = self._probabilities[: min(self._learnt, RING)]
            self.threshold = float(np.quantile(recent, 1.0 - self._friction))


def _values(attempt: Attempt) -> Login:
    """Return what the score compares. Programs and systems stand without their versions."""
    client = read_client(attempt.user_agent)
    return Login(
        read_source(attempt.ip, attempt.asn).address,
        attempt.asn,
        attempt.country,
        attempt.user_agent,
        client.family,
        client.system,
        0 < client.system <= _MOBILE_SYSTEMS,
    )
