"""The login log that a house keeps: one attempt record a line, written when it is known what came of it."""

from pathlib import Path

import msgspec

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.kernel.clock import rfc3339
from sekisho.range.checkpoint import Answer, Checkpoint


class LoginLog:
    """An NDJSON file of attempt records, made anew, that only its owner can read; `sekisho hunt` takes it."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._file = path.open("wb")
        self._encoder = msgspec.json.Encoder()

    def write(self, attempt: Attempt, outcome: Outcome, challenge: ChallengeResult) -> None:
        """Add one attempt. What is not known is left out, as the record allows."""
        row: dict[str, object] = {"time": rfc3339(attempt.time_us)}
        for name, value in msgspec.structs.asdict(attempt).items():
            if name != "time_us" and value not in {"", None, ()}:
                row[name] = int(value) if isinstance(value, bool) else value
        row["outcome"] = outcome
        if challenge:
            row["challenge"] = challenge
        self._file.write(self._encoder.encode(row) + b"\n")

    def flush(self) -> None:
        """Let readers see what was written so far."""
        self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class LoggedCheckpoint:
    """A checkpoint whose attempts are written to the house's log when they are settled."""

    def __init__(self, checkpoint: Checkpoint, log: LoginLog) -> None:
        self._checkpoint = checkpoint
        self._log = log
        self._open: dict[str, Attempt] = {}

    async def assess(self, attempt: Attempt) -> Answer:
        """Ask the checkpoint, and keep the attempt until it is settled."""
        answer = await self._checkpoint.assess(attempt)
        self._open[answer.id] = attempt
        return answer

    async def settle(self, attempt_id: str, outcome: Outcome, challenge: ChallengeResult) -> None:
        """Tell the checkpoint, and write the line."""
        await self._checkpoint.settle(attempt_id, outcome, challenge)
        self._log.write(self._open.pop(attempt_id), outcome, challenge)
