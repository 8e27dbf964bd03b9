"""Containment: take the thief out of every account that a campaign entered, and tell each member.

Sessions, devices, passkeys, codes, password, money, notice and case of one member are one unit of work: it
happens to the member whole, or not at all. So the process may die anywhere; who waits still waits, and
running again ends where one run would have. Who is shut by itself and who is proposed, a policy says.
"""

import asyncio
import tomllib
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from sekisho.identity import members
from sekisho.identity.containment import reopen, shut
from sekisho.identity.institution import Parts
from sekisho.identity.members import Member
from sekisho.identity.notifying import notify, notify_unchanged
from sekisho.identity.reenrolment import needs_key, send_key
from sekisho.kernel.ids import CONTAINMENT, MEMBER, ContainmentId
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.messages.notices import NoticeKind
from sekisho.response import audit, cases, containment_rows
from sekisho.response.audit import Act
from sekisho.response.case_stages import Stage
from sekisho.response.cases import CaseKind, Opening, Reporter, Step
from sekisho.response.cohorts import Suspect
from sekisho.response.containment_rows import Contained, Containment, Crowd, Outcome, Policy, Standing
from sekisho.response.staff import SecondPersonNeeded, require_second, require_staff
from sekisho.storage import outbox
from sekisho.storage.keyring import Unsealable

POLICY = Path(__file__).with_name("containment.toml")
ADDED_AT_ONCE = 200
AT_ONCE = 8
"""So many members are shut by one commit. More would let logins wait longer behind it."""

BEGUN = "containment:begun"
SAME = "the same member under another name"


class ContainmentUnknown(Refusal):
    """There is no containment of this id or campaign, or nobody of that name is in it."""

    code = "containment_unknown"
    status = 404
    told = "There is no such containment, or nobody of that name is in it."


class ContainmentStepRefused(Refusal):
    """Where this member stands, that cannot be done."""

    code = "containment_step_refused"
    status = 409
    told = "This can't be done with this member as things stand."


class CrowdChanged(Refusal):
    """Those who wait for a second person are not those whom the second person saw."""

    code = "crowd_changed"
    status = 409
    told = "Others wait by now than those that you saw. Nobody was shut by this."


class OnContained(Protocol):
    """What else follows when an account is shut: telling other institutions, stopping links."""

    def contained(self, connection: Connection, of: Contained) -> None:
        """Act within the unit of work that shuts the account."""
        ...

    def reopened(self, connection: Connection, of: Contained) -> None:
        """Act within the unit of work that opens it again."""
        ...


@cache
def published_policy() -> Policy:
    """Return the lines that the file says."""
    return msgspec.convert(tomllib.loads(POLICY.read_text(encoding="utf-8")), Policy)


class ContainmentDesk:
    """Contains campaigns at one institution."""

    def __init__(
        self, parts: Parts, policy: Policy | None = None, *, following: Sequence[OnContained] = ()
    ) -> None:
        self._parts = parts
        self._policy = policy or published_policy()
        self._following = following

    @property
    def policy(self) -> Policy:
        """Where the lines are for what begins now."""
        return self._policy

    async def begin(self, campaign: str, cohort: Sequence[Suspect], *, by: str) -> Containment:
        """Begin to contain a campaign, or add to its containment who is new in its cohort.

        Nobody is shut yet: `run` does that with those who wait. Raises StaffIdUnusable, and OperationalError.
        """
        begun = await self.open(campaign, len(cohort), by=by)
        await self.add(begun, cohort)
        return begun

    async def open(self, campaign: str, size: int, *, by: str) -> Containment:
        """Write down that somebody contains a cohort of so many; who they are, `add` says.

        Raises StaffIdUnusable, and OperationalError.
        """
        return await self._parts.written(lambda at: self._begin(at, campaign, size, by))

    async def add(
        self,
        begun: Containment,
        cohort: Sequence[Suspect],
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Put those of a cohort into a containment who are new in it.

        A large cohort is written down in many units of work, so that nobody waits behind it; `progress` hears
        of each how many it was. Adding again adds whom a crash left out. Raises OperationalError.
        """
        fresh, waits = await self._parts.read(lambda at: _fresh(at, begun, cohort))
        progress(len(cohort) - len(fresh))
        for start in range(0, len(fresh), ADDED_AT_ONCE):
            some = fresh[start : start + ADDED_AT_ONCE]
            await self._parts.written(partial(self._add, begun=begun, some=some, waits=waits))
            progress(len(some))

    async def approve(self, containment_id: str, *, by: str, crowd: Crowd | None = None) -> int:
        """Let those be shut whose number was too large for one person, and return how many that are.

        With a crowd, it is exactly that one. Raises ContainmentUnknown, SecondPersonNeeded, StaffIdUnusable,
        and CrowdChanged where others wait by now.
        """
        return await self._parts.written(lambda at: self._approve(at, containment_id, by, crowd))

    async def decide(self, containment_id: str, named: str, *, contain: bool, by: str) -> Contained:
        """Decide about one who is proposed. Raises ContainmentUnknown and ContainmentStepRefused."""
        return await self._parts.written(
            lambda at: self._decide(at, containment_id, named, contain=contain, by=by)
        )

    async def run(
        self, containment_id: str, *, progress: Callable[[int], None] = lambda _: None, at_once: int = AT_ONCE
    ) -> int:
        """Shut everybody who waits, the likeliest first, and return how many came out of waiting.

        `progress` hears of each step how many more were dealt with. It may end anywhere and be run again,
        also twice at a time. Raises OperationalError where the store is down.
        """
        dealt_with = 0
        while True:
            waiting = await self._parts.read(
                lambda at: containment_rows.next_waiting(at, containment_id, at_once)
            )
            if not waiting:
                return dealt_with
            # Submitted together, they share a commit; each is kept or undone alone.
            works = [self._parts.store.write(self._work(one)) for one in waiting]
            for one, done in zip(waiting, works, strict=True):
                await self._settle(one, asyncio.wrap_future(done))
            dealt_with += len(waiting)
            progress(len(waiting))

    async def waiting(self, containment_id: str) -> int:
        """Return how many wait to be shut in a containment. Raises OperationalError."""
        counted = await self._parts.read(lambda at: containment_rows.counts(at, [containment_id]))
        return counted[containment_id].get(Standing.WAITING, 0)

    async def run_unfinished(self) -> int:
        """Go on with every containment in which somebody waits; to be called at the start."""
        unfinished = await self._parts.read(containment_rows.unfinished)
        return sum([await self.run(each) for each in unfinished])

    async def undo(self, containment_id: str, named: str, *, proof: str, by: str) -> Contained:
        """Take back what was done to a member who has proven that it was them. `proof` says how.

        Raises ContainmentUnknown, ContainmentStepRefused, StaffIdUnusable, and OperationalError.
        """
        return await self._parts.written(lambda at: self._undo(at, containment_id, named, proof, by))

    def _begin(self, connection: Connection, campaign: str, cohort: int, by: str) -> Containment:
        require_staff(by)
        now_us = self._parts.clock.now_us()
        begun = containment_rows.of_campaign(connection, campaign)
        if begun is None:
            containment_id = CONTAINMENT.new(self._parts.clock, self._parts.chance)
            begun = Containment(containment_id, campaign, self._policy, by, now_us, "", None)
            containment_rows.add(connection, begun)
        body = {"campaign": campaign, "by": by, "cohort": cohort}
        self._happened(connection, "begun", f"{begun.id}:{now_us}", body)
        self._acted(connection, by, "begun", begun.id, campaign)
        return begun

    def _add(
        self, connection: Connection, begun: Containment, some: Sequence[Suspect], *, waits: bool
    ) -> None:
        # Who approves, or adds others, does so before this or after it.
        containment_rows.find(connection, begun.id, to_change=True)
        now_us = self._parts.clock.now_us()
        waits = waits or _are_too_many(connection, begun, some)
        for one in some:
            standing = _standing_of(one.probability, begun.policy, waits=waits)
            containment_rows.add_member(connection, begun.id, one, standing, now_us)

    def _approve(self, connection: Connection, containment_id: str, by: str, crowd: Crowd | None) -> int:
        begun = containment_rows.find(connection, containment_id, to_change=True)
        if begun is None:
            raise ContainmentUnknown(known=containment_id[:60])
        require_second(by, begun.begun_by)
        if has_added(connection, begun.id, by):
            raise SecondPersonNeeded(known=by)
        line = begun.policy.automatic_from
        if crowd is not None and containment_rows.crowd(connection, begun.id, line) != crowd:
            raise CrowdChanged(known=begun.id)
        now_us = self._parts.clock.now_us()
        containment_rows.approve(connection, begun.id, by=by, at_us=now_us)
        raised = containment_rows.raise_to_waiting(connection, begun.id, line, by=by)
        self._happened(connection, "approved", f"{begun.id}:{now_us}", {"by": by, "members": raised})
        self._acted(connection, by, "approved", begun.id, begun.campaign)
        return raised

    def _decide(
        self, connection: Connection, containment_id: str, named: str, *, contain: bool, by: str
    ) -> Contained:
        found = self._require(connection, containment_id, named)
        decided = {Standing.PROPOSED, Standing.BELOW, Standing.TURNED_DOWN, Standing.FAILED}
        if found.standing not in decided:
            raise ContainmentStepRefused(known=f"{found.named} is {found.standing}")
        standing = Standing.WAITING if contain else Standing.TURNED_DOWN
        changed = found._replace(standing=standing, by=require_staff(by), at_us=self._parts.clock.now_us())
        containment_rows.change(connection, changed)
        self._member_happened(connection, changed, {"by": by})
        self._acted(connection, by, f"member_{standing}", found.named, containment_id)
        return changed

    def _work(self, one: Contained) -> Callable[[Connection], None]:
        return lambda at: self._contain(at, one.containment_id, one.named)

    async def _settle(self, one: Contained, done: "asyncio.Future[None]") -> None:
        try:
            await done
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - one broken account must not keep the others open
            note = Outcome(note=type(error).__name__)
            failed = one._replace(standing=Standing.FAILED, outcome=note, at_us=self._parts.clock.now_us())
            await self._parts.written(lambda at: containment_rows.change(at, failed))

    def _contain(self, connection: Connection, containment_id: ContainmentId, named: str) -> None:
        found = self._require(connection, containment_id, named)
        if found.standing is not Standing.WAITING:
            return  # somebody else who runs it was here first
        begun = containment_rows.find(connection, containment_id)
        campaign = "" if begun is None else begun.campaign
        now_us = self._parts.clock.now_us()
        member = _member_of(connection, self._parts, named)
        taken = None
        if member is not None and containment_rows.is_done(connection, containment_id, member.id):
            same = found._replace(standing=Standing.TURNED_DOWN, at_us=now_us, outcome=Outcome(note=SAME))
            containment_rows.change(connection, same)
            return
        if member is not None:
            taken = shut(
                connection, self._parts, member.id, entered_at_us=found.entered_at_us, reason=campaign
            )
        if member is None or taken is None:
            containment_rows.change(connection, found._replace(standing=Standing.UNKNOWN, at_us=now_us))
            return
        told_by = notify_unchanged(
            connection,
            self._parts,
            member.id,
            NoticeKind.ACCOUNT_CONTAINED,
            {"when": found.entered_at_us},
            since_us=found.entered_at_us,
            # A member who is in two campaigns is told once a campaign, of another login each.
            dedupe=f"contained:{containment_id}:{member.id}",
        )
        key_sent = needs_key(connection, member.id) and send_key(
            connection, self._parts, member.id, taken.hold_id, since_us=found.entered_at_us
        )
        case = cases.open_case(connection, self._parts, _opening(found, member, campaign), by=cases.SYSTEM)
        outcome = Outcome(
            sessions=taken.sessions,
            devices=taken.devices,
            passkeys=taken.passkeys,
            codes=taken.codes,
            had_password=taken.had_password,
            told_by=tuple(channel.value for channel in told_by),
            key_sent=key_sent,
            note="" if told_by else "nobody could be told: call",
        )
        changed = found._replace(
            member_id=member.id,
            standing=Standing.DONE,
            at_us=now_us,
            hold_id=taken.hold_id,
            case_id=case.id,
            outcome=outcome,
        )
        containment_rows.change(connection, changed)
        for follower in self._following:
            follower.contained(connection, changed)
        self._member_happened(connection, changed, msgspec.to_builtins(outcome))

    def _undo(
        self, connection: Connection, containment_id: str, named: str, proof: str, by: str
    ) -> Contained:
        found = self._require(connection, containment_id, named)
        if found.standing is not Standing.DONE or not proof.strip():
            raise ContainmentStepRefused(known=f"{found.named} is {found.standing}, proof: {bool(proof)}")
        now_us = self._parts.clock.now_us()
        is_open = reopen(connection, self._parts, found.member_id, found.hold_id, by=require_staff(by))
        withdrawn = Step(Stage.WITHDRAWN, 0, "member", now_us, proof)
        if cases.require(connection, found.case_id).stage is not Stage.WITHDRAWN:
            cases.take_step(connection, self._parts, found.case_id, withdrawn, by=by)
        if is_open:
            self._tell_reopened(connection, found, now_us)
        changed = found._replace(standing=Standing.UNDONE, by=by, at_us=now_us)
        containment_rows.change(connection, changed)
        for follower in self._following:
            follower.reopened(connection, changed)
        self._member_happened(connection, changed, {"by": by, "proof": proof, "is_open": is_open})
        self._acted(connection, by, "member_undone", found.member_id, proof)
        return changed

    def _tell_reopened(self, connection: Connection, found: Contained, now_us: int) -> None:
        kind, dedupe = NoticeKind.ACCOUNT_REOPENED, f"reopened:{found.containment_id}:{found.member_id}"
        notify(connection, self._parts, found.member_id, kind, {"when": now_us}, dedupe=dedupe)

    def _require(self, connection: Connection, containment_id: str, named: str) -> Contained:
        found = containment_rows.member(connection, containment_id, named, to_change=True)
        if found is None:
            raise ContainmentUnknown(known=f"{containment_id[:60]} {named[:60]}")
        return found

    def _member_happened(self, connection: Connection, of: Contained, body: dict[str, object]) -> None:
        subject = f"{of.containment_id}:{of.named}:{of.at_us}"
        self._happened(connection, f"member_{of.standing}", subject, body)

    def _acted(self, connection: Connection, by: str, what: str, subject: str, reason: str) -> None:
        act = Act(actor=by, act=f"containment:{what}", subject=subject, reason=reason)
        audit.record(connection, act, at_us=self._parts.clock.now_us())

    def _happened(self, connection: Connection, what: str, subject: str, body: dict[str, object]) -> None:
        now_us = self._parts.clock.now_us()
        event = outbox.Entry(f"response:containment:{what}", subject, now_us, msgspec.json.encode(body))
        outbox.append(connection, [event])


def has_added(connection: Connection, containment_id: str, staff_id: str) -> bool:
    """Say whether somebody began a containment, or put more people into it: they cannot approve it."""
    own = audit.search(connection, actor=staff_id, subject=containment_id, act=BEGUN, limit=1)
    return bool(own)


def _fresh(
    connection: Connection, begun: Containment, cohort: Sequence[Suspect]
) -> tuple[list[Suspect], bool]:
    """Return who is new in a containment, and whether they are too many for one person.

    Those count as well whom nobody has approved yet: little by little makes a crowd.
    """
    known = containment_rows.names_in(connection, begun.id)
    fresh = [one for one in cohort if one.named not in known]
    return fresh, _are_too_many(connection, begun, fresh)


def _are_too_many(connection: Connection, begun: Containment, some: Sequence[Suspect]) -> bool:
    """Say whether some are too many for one person, beside those who were shut alone."""
    line = begun.policy.automatic_from
    alone = containment_rows.shut_alone(connection, begun.id, line)
    return alone + sum(one.probability >= line for one in some) > begun.policy.automatic_members_max


def _standing_of(probability: float, policy: Policy, *, waits: bool) -> Standing:
    if probability >= policy.automatic_from:
        return Standing.PROPOSED if waits else Standing.WAITING
    return Standing.PROPOSED if probability >= policy.proposed_from else Standing.BELOW


def _member_of(connection: Connection, parts: Parts, named: str) -> Member | None:
    """Return whom a cohort means: by member id, by number, or by a verified e-mail address."""
    try:
        return members.find(connection, MEMBER.parse(named))
    except ValueError:
        pass
    try:
        return members.find_by_name(connection, parts.keyring, named)
    except Unsealable:
        return None


def _opening(found: Contained, member: Member, campaign: str) -> Opening:
    return Opening(
        kind=CaseKind.ACCOUNT_ENTERED,
        reporter=Reporter.SYSTEM,
        occasion=f"{found.containment_id}:{member.id}",
        member_id=member.id,
        campaign=campaign,
        stage=Stage.SUSPECTED,
        basis=f"probability {found.probability:.4f}",
        as_of_us=found.entered_at_us,
    )
