"""Run a guard over past attempts in time order, each decided before its outcome is known to it."""

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from sekisho.campaigns.logs.record import FLAGS
from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision

DECIDED_AT_ONCE = 65_536

DECISIONS = pa.schema(
    [
        ("row", pa.int64()),
        ("action", pa.dictionary(pa.int8(), pa.string())),
        ("probability", pa.float64()),
        ("before_hash", pa.int8()),
        ("reasons", pa.list_(pa.string())),
        ("campaign", pa.dictionary(pa.int32(), pa.string())),
    ]
)

_ACTIONS = {action: code for code, action in enumerate(Action)}
_FIELDS = tuple(name for name in Attempt.__struct_fields__ if name not in {"time_us", "signs"})


class Judge(Protocol):
    """What a replay needs of a guard."""

    def assess(self, attempt: Attempt) -> Decision:
        """Decide an attempt whose outcome is not known."""

    def learn(
        self, attempt: Attempt, decision: Decision, outcome: Outcome, challenge: ChallengeResult
    ) -> None:
        """Take in what came of it."""


def decide_all(batches: Iterable[pa.RecordBatch], judge: Judge) -> Iterator[pa.RecordBatch]:
    """Yield a decision (`DECISIONS`) for each attempt of the batches, which must come in time order."""
    for batch in batches:
        for start in range(0, len(batch), DECIDED_AT_ONCE):
            yield _decide(batch.slice(start, DECIDED_AT_ONCE), judge)


def _decide(batch: pa.RecordBatch, judge: Judge) -> pa.RecordBatch:
    assess, learn = judge.assess, judge.learn
    actions: list[int] = []
    probabilities: list[float] = []
    before: list[bool] = []
    reasons: list[int] = []
    campaigns: list[str] = []
    reason_codes: dict[tuple[str, ...], int] = {}
    for attempt, outcome, challenge in past_attempts(batch):
        decision = assess(attempt)
        learn(attempt, decision, outcome, challenge)
        actions.append(_ACTIONS[decision.action])
        probabilities.append(decision.probability)
        before.append(decision.before_hash and decision.action is not Action.ALLOW)
        reasons.append(reason_codes.setdefault(decision.reasons, len(reason_codes)))
        campaigns.append(decision.campaign)
    listed = pa.array([list(names) for names in reason_codes], pa.list_(pa.string()))
    return pa.RecordBatch.from_arrays(
        [
            batch["row"],
            pa.DictionaryArray.from_arrays(pa.array(actions, pa.int8()), pa.array([a.value for a in Action])),
            pa.array(probabilities, pa.float64()),
            pa.array(before, pa.bool_()).cast(pa.int8()),
            listed.take(pa.array(reasons, pa.int32())),
            pc.dictionary_encode(pa.array(campaigns, pa.string())),
        ],
        schema=DECISIONS,
    )


def past_attempts(batch: pa.RecordBatch) -> Iterator[tuple[Attempt, Outcome, ChallengeResult]]:
    """Yield each record of a batch as the guard would have seen it, and apart from that what came of it."""
    times = batch["time_us"].to_numpy().tolist()
    outcomes = _words(batch["outcome"], Outcome)
    challenges = _words(batch["challenge"], ChallengeResult)
    columns = [_values(batch, name) for name in _FIELDS]
    for time_us, outcome, challenge, *values in zip(times, outcomes, challenges, *columns, strict=False):
        yield Attempt(time_us=time_us, **dict(zip(_FIELDS, values, strict=True))), outcome, challenge


def _values(batch: pa.RecordBatch, name: str) -> Iterable[Any]:
    column: Any = batch[name]
    listed: list[Any]
    if name in FLAGS:
        column = pc.if_else(pc.less(column, 0), None, pc.equal(column, 1))
    if column.null_count == len(column):
        return repeat(None)
    if pa.types.is_dictionary(column.type):
        return _words(column, str)
    listed = column.to_pylist()
    return listed


def _words(column: pa.DictionaryArray, kind: type[Any]) -> Iterable[Any]:
    """Return a column's values, equal ones as one object."""
    words = [kind(text) for text in column.dictionary.to_pylist()]
    if len(words) == 1:
        return repeat(words[0])
    return [words[code] for code in column.indices.to_numpy().tolist()]
