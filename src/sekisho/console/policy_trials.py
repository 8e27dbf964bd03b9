"""What would have been: the last days under a changed policy, in a process of its own, one at a time.

What was tried last lies in its folder until the next trial is whole. Who tried what, and who ended it, stands
on the audit.
"""

import asyncio
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from sekisho.campaigns.what_if import WhatIf
from sekisho.console.hunts import Hunts
from sekisho.console.whole_folders import put_in_place
from sekisho.guard.policy import Policy, parse_policy
from sekisho.guard.policy_changes import DEFAULT
from sekisho.guard.policy_faults import BadPolicy, Fault, with_lines
from sekisho.guard.policy_text import policy_text
from sekisho.identity.institution import Parts
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit
from sekisho.response.audit import Act

log = structlog.get_logger(__name__)

DAYS_MAX = 90
TEXT_MAX = 16_384
SAID_MAX = 200
WISH, TRIED, NOW, RESULT = "wish.json", "tried.toml", "now.toml", "result.json"


class PolicyUnusable(Refusal):
    """What is to be tried can't be; `faults` say why, each with its line where it has one."""

    code = "policy_unusable"
    status = 422
    told = "This can't be a policy."

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__(known="; ".join(map(str, faults)))


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A trial: over how many days, who wants it, and when it was begun."""

    days: int
    by: str
    begun_us: int


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried last beside what was in force then, and what came of it."""

    wish: Wish
    now: Policy
    tried: Policy
    found: WhatIf


def changed_policy(running: Sequence[Policy], gate: str, settings: Mapping[str, float]) -> Policy:
    """Return the policy in force, the first of those that run, with other settings at one gate.

    A gate that has no part of its own gets one, which is the default's but for these. `default` changes every
    gate without one. The revision is one that no policy of this id runs under. Raises PolicyUnusable.
    """
    in_force = running[0]
    part = msgspec.structs.replace(in_force.gate(gate), **settings)
    revision = 1 + max(policy.revision for policy in running if policy.id == in_force.id)
    if gate == DEFAULT:
        changed = msgspec.structs.replace(in_force, default=part, revision=revision)
    else:
        gates = {**in_force.gates, gate: part}
        changed = msgspec.structs.replace(in_force, gates=gates, revision=revision)
    return read_policy(policy_text(changed), in_force)


def read_policy(text: str, in_force: Policy) -> Policy:
    """Read a policy that somebody typed. Raises PolicyUnusable with everything that is wrong."""
    if len(text) > TEXT_MAX:
        raise PolicyUnusable(Fault(f"the text is longer than {TEXT_MAX:,} characters"))
    try:
        policy = parse_policy(text)
    except BadPolicy as error:
        raise PolicyUnusable(*error.faults) from error
    if policy.name == in_force.name:
        why = f"{policy.name} is in force: a policy to try needs another id or revision"
        raise PolicyUnusable(*with_lines([Fault(why, ("revision",))], text))
    return policy


class PolicyTrials:
    """Trials over one institution's record, by a command that compares."""

    def __init__(
        self, parts: Parts, history: Path, folder: Path, hunts: Hunts, command: Sequence[str]
    ) -> None:
        self._parts = parts
        self._history = history
        self._folder = folder
        self._hunts = hunts
        self.command = tuple(command)
        """What compares; logs and options are put behind it."""
        self._task: asyncio.Task[None] | None = None
        self.running: Wish | None = None
        """The trial that is under way."""
        self.share_done = 0.0
        """How much of the attempts it has decided, from 0 to 1."""
        self.trouble = ""
        """What the last trial said that could not be done; empty where it could."""
        self.cancelled_by = ""
        """Who ended the last trial before it was done."""

    def start(self, policy: Policy, now: Policy, *, days: int, by: str) -> bool:
        """Begin a trial and tell whether it began: while one runs there is none. Raises PolicyUnusable."""
        if not 1 <= days <= DAYS_MAX:
            raise PolicyUnusable(Fault(f"days are from 1 to {DAYS_MAX}"))
        if self.running is not None:
            return False
        self.share_done, self.trouble, self.cancelled_by = 0.0, "", ""
        wish = Wish(days=days, by=by, begun_us=self._parts.clock.now_us())
        self.running = wish
        self._task = asyncio.get_running_loop().create_task(self._run(wish, policy, now))
        return True

    async def cancel(self, *, by: str) -> bool:
        """End the trial that runs, if one does; what was tried before it stays. Raises OperationalError."""
        if self.running is None:
            return False
        await self._record(by, "policy:trial_cancelled", "", {})
        await self.close()
        self.cancelled_by = by
        return True

    async def finished(self) -> None:
        """Wait until the trial that runs has ended, if one runs."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """End a trial that runs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            # One that had not even begun has nobody else to say that it is over.
            self.running = None

    def last(self) -> Tried | None:
        """Return what was tried last; None before the first. Raises OSError."""
        if not (self._folder / RESULT).exists():
            return None
        try:
            return Tried(
                wish=msgspec.json.decode((self._folder / WISH).read_bytes(), type=Wish),
                now=parse_policy((self._folder / NOW).read_text("utf-8")),
                tried=parse_policy((self._folder / TRIED).read_text("utf-8")),
                found=msgspec.json.decode((self._folder / RESULT).read_bytes(), type=WhatIf),
            )
        except (FileNotFoundError, msgspec.DecodeError, BadPolicy) as error:
            # Another version of Sekisho wrote it; whoever wants to know tries again.
            log.warning("desks:trial:unreadable", failure=str(error)[:SAID_MAX])
            return None

    async def take(self, *, by: str) -> Policy | None:
        """Return the policy that was tried last, to be run in the shadow next. Raises OperationalError."""
        last = await asyncio.to_thread(self.last)
        if last is None:
            return None
        await self._record(by, "policy:taken", last.tried.name, {"sha256": _digest(last.tried)})
        return last.tried

    async def _run(self, wish: Wish, policy: Policy, now: Policy) -> None:
        try:
            details = {"days": wish.days, "in_force": now.name, "sha256": _digest(policy)}
            await self._record(wish.by, "policy:tried", policy.name, details)
            await self._try(wish, policy, now)
        except (OperationalError, OSError) as failure:
            self.trouble = str(failure)[:SAID_MAX]
            log.warning("desks:trial:failed", said=self.trouble)
        finally:
            self.running = None

    async def _try(self, wish: Wish, policy: Policy, now: Policy) -> None:
        new = self._folder.with_name(f"{self._folder.name}.new")
        await asyncio.to_thread(_prepare, new, wish, policy, now)
        hunt = ("--hunt", str(self._hunts.attempts)) if self._hunts.attempts.exists() else ()
        trying = await asyncio.create_subprocess_exec(
            *self.command,
            str(self._history),
            "--policy",
            str(new / TRIED),
            "--now",
            str(new / NOW),
            "--from-us",
            str(wish.begun_us - wish.days * DAY_US),
            *hunt,
            "--out",
            str(new / RESULT),
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
            self.trouble = lines[-1][:SAID_MAX] if lines else f"exit code {trying.returncode}"
            log.warning("desks:trial:failed", said=self.trouble)
            return
        await asyncio.to_thread(put_in_place, new, self._folder)

    async def _follow(self, told: asyncio.StreamReader | None) -> None:
        while told is not None and (line := await told.readline()):
            done, _, total = line.decode("ascii", "replace").partition(" ")
            if done.isdigit() and total.strip().isdigit():
                self.share_done = int(done) / max(1, int(total))

    async def _record(self, by: str, act: str, subject: str, details: Mapping[str, object]) -> None:
        one = Act(actor=by, act=act, subject=subject, details=details)
        now_us = self._parts.clock.now_us()
        await self._parts.written(lambda at: audit.record(at, one, at_us=now_us))


def _prepare(folder: Path, wish: Wish, policy: Policy, now: Policy) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    (folder / WISH).write_bytes(msgspec.json.encode(wish))
    (folder / TRIED).write_text(policy_text(policy), "utf-8")
    (folder / NOW).write_text(policy_text(now), "utf-8")


def _digest(policy: Policy) -> str:
    return hashlib.sha256(policy_text(policy).encode()).hexdigest()


async def _all_of(told: asyncio.StreamReader | None) -> bytes:
    return b"" if told is None else await told.read()
