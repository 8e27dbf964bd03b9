"""A record with decisions as a guard with shadows writes them, for tests of what reads it back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.guard.policy import Policy, default_policy
from sekisho.kernel.clock import SECOND_US
from sekisho.storage.attempts import DECIDED, SETTLED
from sekisho.storage.history.parquet import HistoryFolder
from sekisho.storage.outbox import StoredEntry

NOON_US = 1_600_000_000 * SECOND_US
IN_FORCE = default_policy()
NEXT = msgspec.structs.replace(IN_FORCE, revision=IN_FORCE.revision + 1)
OURS = msgspec.structs.replace(IN_FORCE, id="ours", revision=5)


class Record:
    """Attempts that wait to be written as one batch of history; times are seconds after `NOON_US`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries: list[StoredEntry] = []
        self._position = 0

    def add(
        self,
        at_s: float,
        member: str,
        action: Action = Action.ALLOW,
        *,
        outcome: Outcome = Outcome.UNKNOWN,
        challenge: ChallengeResult = ChallengeResult.NONE,
        policy: Policy = IN_FORCE,
        shadow: Mapping[str, str] | None = None,
        vouched: bool = False,
        **facts: Any,
    ) -> None:
        """Add an attempt, what was decided of it, and what came of it where that is known."""
        at_us = NOON_US + round(at_s * SECOND_US)
        if vouched:
            facts = {"device_valid": True, "device": "d", **facts}
        attempt = Attempt(
            **{"time_us": at_us, "member": member, "ip": "192.0.2.1", "user_agent": "Firefox", **facts}
        )
        decision = Decision(
            action=action,
            probability=0.0,
            before_hash=False,
            reasons=("known_device",) if vouched else (),
            policy=policy.id,
            policy_revision=policy.revision,
            shadow=dict(shadow or {}),
        )
        body = msgspec.json.encode({"attempt": attempt, "decision": decision})
        self._position += 2
        subject = f"att_{self._position}"
        self._entries.append(StoredEntry(self._position - 1, DECIDED, subject, at_us, body))
        if outcome is not Outcome.UNKNOWN:
            told = msgspec.json.encode({"outcome": outcome, "challenge": challenge})
            self._entries.append(StoredEntry(self._position, SETTLED, subject, at_us + 1, told))

    def write(self) -> None:
        """Write what was added, if anything was, as a batch of its own."""
        if self._entries:
            HistoryFolder(self.folder).write(self._entries)
            self._entries = []


def write_hunt(file: Path, *found: tuple[float, str, float, str | None]) -> None:
    """Write a hunt's `attempts.parquet`: seconds, member, probability and campaign of each attempt."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(
        {
            "time_us": [NOON_US + round(at_s * SECOND_US) for at_s, *_ in found],
            "member": [member for _, member, *_ in found],
            "probability": [probability for *_, probability, _ in found],
            "campaign": [campaign for *_, campaign in found],
        },
        schema={"time_us": pl.Int64, "member": pl.String, "probability": pl.Float32, "campaign": pl.String},
    ).write_parquet(file)
