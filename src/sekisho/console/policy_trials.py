"""What would have been: the last days under a changed policy, in a process of its own, one at a time."""

import asyncio
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import msgspec
import structlog

from sekisho.campaigns.what_if import WhatIf
from sekisho.guard.policy import parse_policy
from sekisho.guard.policy_faults import BadPolicy
from sekisho.kernel.clock import DAY_US, Clock
from sekisho.kernel.refusals import Refusal

log = structlog.get_logger(__name__)

DAYS_MAX = 90
BUDGETS = ("friction_calm", "friction_before_hash", "friction_campaign")
_BASE = files("sekisho.guard") / "default_policy.toml"
WISH, POLICY, RESULT = "wish.json", "policy.toml", "result.json"


class PolicyUnusable(Refusal):
    """The policy to be tried can't be one; the text says why."""

    code = "policy_unusable"
    status = 422
    told = "This can't be a policy."


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is tried: over how many days, with which budgets of honest friction, denying from which risk."""

    days: int
    friction_calm: float
    friction_before_hash: float
    friction_campaign: float
    deny_from: float | None = None
    by: str = ""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried last, and what came of it."""

    wish: Wish
    found: WhatIf
    at_us: int


def policy_of(wish: Wish) -> str:
    """Return the policy that Sekisho comes with as text, its default changed as wished.

    Raises PolicyUnusable.
    """
    if not 1 <= wish.days <= DAYS_MAX:
        raise PolicyUnusable(known=f"{wish.days} days")
    changed = {name: getattr(wish, name) for name in BUDGETS}
    if wish.deny_from is not None:
        changed["deny_from"] = wish.deny_from
    before, default, after = _BASE.read_text("utf-8").partition("[default]\n")
    # The first mention of each stands in the default; what is not mentioned is added before it.
    for name, value in changed.items():
        after, found = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value!r}", after, count=1)
        after = after if found else f"{name} = {value!r}\n{after}"
    text = before + default + after
    try:
        gate = parse_policy(text).default
    except BadPolicy as error:
        raise PolicyUnusable(known=str(error)) from error
    assert all(getattr(gate, name) == value for name, value in changed.items())  # noqa: S101 - our own file
    return text


class PolicyTrials:
    """Trials over one institution's record. `command` is what compares; logs and options are put behind."""

    def __init__(self, history: Path, folder: Path, command: Sequence[str], clock: Clock) -> None:
        self._history = history
        self._folder = folder
        self._command = tuple(command)
        self._clock = clock
        self._running: asyncio.Task[None] | None = None
        self.share_done = 0.0
        """How much of the attempts the trial that runs has decided, from 0 to 1."""
        self.trouble = ""
        """What the last trial said that could not be done; empty where it could."""

    @property
    def is_running(self) -> bool:
        """Whether a trial is under way."""
        return self._running is not None and not self._running.done()

    def start(self, wish: Wish) -> bool:
        """Begin a trial and tell whether it began: while one runs there is none. Raises PolicyUnusable."""
        policy = policy_of(wish).encode()
        if self.is_running:
            return False
        self.share_done, self.trouble = 0.0, ""
        self._running = asyncio.get_running_loop().create_task(self._try(wish, policy))
        return True

    async def finished(self) -> None:
        """Wait until the trial that runs has ended, if one runs."""
        if self._running is not None:
            await self._running

    async def close(self) -> None:
        """End a trial that runs."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    def last(self) -> Tried | None:
        """Return what was tried last; None before the first. Raises OSError."""
        result = self._folder / RESULT
        if not result.exists():
            return None
        wish = msgspec.json.decode((self._folder / WISH).read_bytes(), type=Wish)
        found = msgspec.json.decode(result.read_bytes(), type=WhatIf)
        return Tried(wish=wish, found=found, at_us=result.stat().st_mtime_ns // 1_000)

    async def _try(self, wish: Wish, policy: bytes) -> None:
        await asyncio.to_thread(self._prepare, wish, policy)
        trying = await asyncio.create_subprocess_exec(
            *self._command,
            str(self._history),
            "--policy",
            str(self._folder / POLICY),
            "--from-us",
            str(self._clock.now_us() - wish.days * DAY_US),
            "--out",
            str(self._folder / RESULT),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            said, _ = await asyncio.gather(_all_of(trying.stderr), self._follow(trying.stdout))
            await trying.wait()
        except asyncio.CancelledError:
            trying.kill()
            await trying.wait()
            raise
        if trying.returncode:
            lines = said.decode("utf-8", "replace").strip().splitlines()
            self.trouble = lines[-1][:200] if lines else f"exit code {trying.returncode}"
            log.warning("desks:trial:failed", said=self.trouble)

    def _prepare(self, wish: Wish, policy: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self._folder / RESULT).unlink(missing_ok=True)
        (self._folder / WISH).write_bytes(msgspec.json.encode(wish))
        (self._folder / POLICY).write_bytes(policy)

    async def _follow(self, told: asyncio.StreamReader | None) -> None:
        while told is not None and (line := await told.readline()):
            done, _, total = line.decode("ascii", "replace").partition(" ")
            if done.isdigit() and total.strip().isdigit():
                self.share_done = int(done) / max(1, int(total))


async def _all_of(told: asyncio.StreamReader | None) -> bytes:
    return b"" if told is None else await told.read()
