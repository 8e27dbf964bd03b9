"""Who is there: the depositor proves it on the bank's own pages, by the bank's own policy.

There is one answer for everything that is wrong: an unknown branch or account, another name or birth date, a
wrong PIN, a locked one, a holder who is not the partner's user. It is the same page, status and text, no
earlier than a floor; where a code is asked for, everybody is asked, and a code is sent to who was right.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection

from sekisho.bank import deposits, holders, pins
from sekisho.bank.authorisation import partners, pushed_requests
from sekisho.bank.authorisation.partners import Partner
from sekisho.bank.authorisation.pushed_requests import TRIES, Step, Visit
from sekisho.bank.authorisation.refusals import LinkRequestGone, LinkVisitOver
from sekisho.bank.authorisation.settings import LinkPolicy, LinkSettings
from sekisho.bank.deposits import DepositState
from sekisho.bank.house import BankParts
from sekisho.bank.link_claims import LinkClaim, is_holder, is_usable_still, look_up
from sekisho.bank.link_codes import LinkCodes, purpose_of, subject_of
from sekisho.bank.link_gate import Judged, LinkForm, LinkGate
from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity import members
from sekisho.identity.answer_floors import moment_in, until
from sekisho.identity.arrivals import Arrival
from sekisho.identity.claims import asked_of
from sekisho.identity.codes import CodeDesk, Entry, Right
from sekisho.identity.hashing import Hasher
from sekisho.identity.holds import holds_on
from sekisho.identity.members import MemberState
from sekisho.kernel.ids import MemberId
from sekisho.messages.notices import NoticeKind
from sekisho.storage.keyring import Unsealable

log = structlog.get_logger(__name__)

ANSWER_FLOOR_S = 0.3
"""Nobody is answered earlier after a PIN or a code: longer than a hash and a few writes take."""


class Next(StrEnum):
    """What the depositor is asked next."""

    IDENTIFY = "identify"
    """The account and its PIN: what was typed did not open one."""

    CODE = "code"
    """The code that was sent, if one was."""

    CONSENT = "consent"
    """Yes or no: the depositor is there."""

    OVER = "over"
    """Nothing more: so many tries were wrong that the partner is told no."""


class Came(NamedTuple):
    """A browser on its way through a link: its token, and the request that the page was about."""

    token: str
    request_id: str


class _Typed(NamedTuple):
    """What was typed and what it came to. `coded` says that everybody is asked for a code here."""

    claim: LinkClaim
    judged: Judged
    arrival: Arrival
    right: bool
    coded: bool


class LinkAuthentication:
    """Makes sure of depositors, for one bank."""

    def __init__(  # noqa: PLR0913 - what it stands on, each named at the call
        self,
        bank: BankParts,
        settings: LinkSettings,
        gate: LinkGate,
        hasher: Hasher,
        codes: CodeDesk,
        *,
        answer_floor_s: float = ANSWER_FLOOR_S,
    ) -> None:
        self._bank = bank
        self._settings = settings
        self._gate = gate
        self._hasher = hasher
        self._codes = LinkCodes(bank, codes)
        self._floor_s = answer_floor_s

    async def open(self, client_id: str, uri: str) -> str:
        """Take a pushed request up, once, and return the token of the browser that brought it.

        Raises LinkRequestGone and OperationalError.
        """
        token = await self._bank.written(
            lambda at: pushed_requests.open_visit(
                at, self._bank, self._settings, client_id=client_id, uri=uri
            )
        )
        if token is None:
            raise LinkRequestGone(known=client_id[:64])
        return token

    async def visit(self, came: Came) -> tuple[Visit, Partner]:
        """Return the request that a browser is here for, and who asks.

        Without a `request_id` it is the one of the token. Raises LinkVisitOver and OperationalError.
        """
        return await self._bank.read(lambda at: self._visit(at, came))

    async def sweep(self) -> None:
        """Tell the guard of right proofs whose code never came. Raises OperationalError."""
        now_us = self._bank.clock.now_us()
        late = await self._bank.written(lambda at: pushed_requests.give_up_late(at, now_us=now_us))
        for attempt_id in late:
            await self._gate.settle(attempt_id, Outcome.CHALLENGED, ChallengeResult.ABANDONED)

    async def given_up(self, came: Came) -> tuple[Visit, Partner]:
        """Return a request in which no try is left, to tell the partner. Raises what `visit` raises."""
        return await self._bank.read(lambda at: self._visit(at, came, spent=True))

    def visit_within(self, connection: Connection, came: Came) -> tuple[Visit, Partner]:
        """Do what `visit` does in the caller's unit of work; nobody else changes the request meanwhile."""
        return self._visit(connection, came, for_update=True)

    async def identify(self, came: Came, form: LinkForm, arrival: Arrival) -> Next:
        """Take what was typed. Raises LinkVisitOver, HashingBusy and OperationalError."""
        due_s = moment_in(self._floor_s)
        visit, _ = await self.visit(came)
        if visit.step is not Step.OPENED or self._settings.policy is LinkPolicy.PASSKEY:
            raise LinkVisitOver(known=f"{visit.id}: typed at {visit.step}")
        claim = await self._bank.read(lambda at: look_up(at, self._bank, form))
        judged = await self._gate.ask(visit, form, claim.deposit, arrival)
        right = False if judged.denied else await self._is_right(visit, claim, form)
        coded = judged.wants_code or self._settings.policy is LinkPolicy.ACCOUNT_PIN_CODE
        typed = _Typed(claim, judged, arrival, right, coded)
        step, typed = await self._bank.written(lambda at: self._taken(at, came, typed))
        await self._learn(form, typed)
        await until(due_s)
        return step

    async def take_code(
        self, came: Came, typed: str, arrival: Arrival, *, filled_in_ms: int | None = None
    ) -> Next:
        """Take a code. Whether there is one that fits shows in nothing but the way on.

        Raises LinkVisitOver and OperationalError.
        """
        due_s = moment_in(self._floor_s)
        visit, partner = await self.visit(came)
        if visit.step is not Step.CODE:
            raise LinkVisitOver(known=f"{visit.id}: a code at {visit.step}")
        entered = asked_of(arrival, filled_in_ms=filled_in_ms)
        evidence = await self._codes.desk.relay_evidence(visit.code_id, visit.code_subject, entered)
        answer = await self._gate.ask_code(visit, visit.code_subject, evidence, arrival)
        denied = answer.decision.action is Action.DENY
        purpose = purpose_of(visit, partner)
        entry = Entry(visit.code_id, visit.code_subject, purpose, typed, entered, denied)
        step = await self._bank.written(lambda at: self._entered(at, came, entry))
        passed = step is Next.CONSENT
        await self._gate.settle(answer.attempt_id, Outcome.SUCCESS if passed else Outcome.WRONG_SECRET)
        if visit.deposit_id and step in {Next.CONSENT, Next.OVER}:
            result = ChallengeResult.PASSED if passed else ChallengeResult.FAILED
            outcome = Outcome.SUCCESS if passed else Outcome.CHALLENGED
            await self._gate.settle(visit.attempt_id, outcome, result)
        await until(due_s)
        return step

    async def send_again(self, came: Came, arrival: Arrival) -> None:
        """Take the wish for another code. The answer is the same whether one is sent or none ever was.

        Raises LinkVisitOver and OperationalError.
        """
        due_s = moment_in(self._floor_s)
        await self._bank.written(lambda at: self._sent_again(at, came, arrival))
        await until(due_s)

    async def by_passkey(self, came: Came, member_id: MemberId) -> Next:
        """Take it that a passkey of the online bank has just proved who is there.

        Raises LinkVisitOver and OperationalError.
        """
        return await self._bank.written(lambda at: self._proven_by_passkey(at, came, member_id))

    def _visit(
        self, connection: Connection, came: Came, *, for_update: bool = False, spent: bool = False
    ) -> tuple[Visit, Partner]:
        found = pushed_requests.find_visit(connection, self._bank, came.token, for_update=for_update)
        if found is None:
            raise LinkVisitOver(known="unknown")
        looked_at = msgspec.structs.replace(found, tries_left=1) if spent else found
        if looked_at.is_over(self._bank.clock.now_us()):
            raise LinkVisitOver(known=f"{found.id} is {found.step}")
        if came.request_id and came.request_id != found.id:
            # Another tab has begun another link since: what was read there must not be agreed to here.
            raise LinkVisitOver(known=f"{found.id}: a page of another request")
        partner = partners.find(connection, found.client_id)
        if partner is None:
            raise LinkVisitOver(known=f"{found.client_id} is gone")
        return found, partner

    async def _is_right(self, visit: Visit, claim: LinkClaim, form: LinkForm) -> bool:
        """Compare everything, at the same cost whatever there is to compare with."""
        deposit_id = "" if claim.deposit is None else claim.deposit.id
        kept = claim.pin if claim.usable else None
        try:
            known = await pins.is_right(self._bank, self._hasher, deposit_id, kept, form.pin)
        except Unsealable as unsealable:
            log.error("link:pepper:missing", detail=unsealable.detail)  # noqa: TRY400 - shows no variables
            known = await pins.is_right(self._bank, self._hasher, deposit_id, None, form.pin)
        return known & is_holder(claim, visit, form)

    def _taken(self, connection: Connection, came: Came, typed: _Typed) -> tuple[Next, _Typed]:
        """Return what is asked next, and what was typed as far as it counts now."""
        visit, partner = self._visit(connection, came, for_update=True)
        if visit.step is not Step.OPENED:
            raise LinkVisitOver(known=f"{visit.id}: typed twice")
        # Who types many PINs at the same moment has them hashed before the first one is counted.
        usable = is_usable_still(connection, self._bank, typed.claim)
        claim = typed.claim._replace(usable=typed.claim.usable and usable)
        typed = typed._replace(claim=claim, right=typed.right and usable)
        return self._next(connection, visit, partner, typed), typed

    def _next(self, connection: Connection, visit: Visit, partner: Partner, typed: _Typed) -> Next:
        one, right = typed.claim.deposit, typed.right
        if one is not None and not right and not typed.judged.denied and typed.claim.usable:
            self._count_wrong(connection, one.id)
        if typed.coded:
            self._ask_code(connection, visit, partner, typed)
            return Next.CODE
        if right and one is not None:
            _proven(connection, visit, one.id, LinkPolicy.ACCOUNT_PIN.value)
            return Next.CONSENT
        return self._failed(connection, visit, Next.IDENTIFY)

    def _ask_code(self, connection: Connection, visit: Visit, partner: Partner, typed: _Typed) -> None:
        """Send a code to the phone on file where the proof was right; else do what costs the same."""
        one, depositor = typed.claim.deposit, typed.claim.depositor
        right = typed.right and one is not None and depositor is not None and bool(depositor.holder.phone)
        deposit_id = one.id if right and one is not None else ""
        visit = msgspec.structs.replace(visit, deposit_id=deposit_id)
        pushed_requests.change(
            connection,
            visit.id,
            state=Step.CODE.value,
            tries_left=TRIES,
            deposit_id=deposit_id,
            code_id=self._codes.send(connection, visit, partner, typed.arrival),
            code_subject=subject_of(visit),
            attempt_id=typed.judged.attempt_id,
        )

    def _sent_again(self, connection: Connection, came: Came, arrival: Arrival) -> None:
        visit, partner = self._visit(connection, came, for_update=True)
        if visit.step is not Step.CODE:
            raise LinkVisitOver(known=f"{visit.id}: another code at {visit.step}")
        code_id = self._codes.send(connection, visit, partner, arrival)
        pushed_requests.change(connection, visit.id, code_id=code_id)

    def _entered(self, connection: Connection, came: Came, entry: Entry) -> Next:
        visit, _ = self._visit(connection, came, for_update=True)
        if visit.step is not Step.CODE:
            raise LinkVisitOver(known=f"{visit.id}: a code at {visit.step}")
        right = self._codes.desk.enter_within(connection, entry)
        if isinstance(right, Right) and visit.deposit_id:
            _proven(connection, visit, visit.deposit_id, LinkPolicy.ACCOUNT_PIN_CODE.value)
            return Next.CONSENT
        return self._failed(connection, visit, Next.CODE)

    def _proven_by_passkey(self, connection: Connection, came: Came, member_id: MemberId) -> Next:
        visit, _ = self._visit(connection, came, for_update=True)
        if visit.step is not Step.OPENED:
            raise LinkVisitOver(known=f"{visit.id}: a passkey at {visit.step}")
        member = members.find(connection, member_id)
        depositor = holders.find_by_member(connection, self._bank, member_id)
        held = holds_on(connection, member_id, self._bank.clock.now_us())
        said = visit.asked.link.holder
        fits = (
            depositor is not None
            and member is not None
            and member.state is MemberState.OPEN
            and not held
            and holders.is_same_person(depositor.holder, said.name_kana, said.birth_date)
        )
        own = deposits.of_depositor(connection, depositor.id) if depositor is not None else []
        usable = [one for one in own if one.state is DepositState.OPEN]
        if not fits or not usable:
            return self._failed(connection, visit, Next.IDENTIFY)
        _proven(connection, visit, usable[0].id, LinkPolicy.PASSKEY.value)
        return Next.CONSENT

    def _failed(self, connection: Connection, visit: Visit, again: Next) -> Next:
        left = visit.tries_left - 1
        pushed_requests.change(connection, visit.id, tries_left=left)
        return again if left > 0 else Next.OVER

    def _count_wrong(self, connection: Connection, deposit_id: str) -> None:
        """Count a wrong PIN, and tell the holder when there were so many that the web takes none any more."""
        now_us = self._bank.clock.now_us()
        if pins.count_wrong(connection, deposit_id, now_us):
            kind = NoticeKind.LINK_PIN_LOCKED
            facts: dict[str, str | int] = {"when": now_us, "until": now_us + pins.WEB_LOCKED_US}
            dedupe = f"{kind}:{deposit_id}:{now_us}"
            holders.tell_holder(connection, self._bank, deposit_id, kind, facts, dedupe=dedupe)

    async def _learn(self, form: LinkForm, typed: _Typed) -> None:
        """Tell the guard what is known already; what waits for a code is told when that is entered."""
        claim, attempt_id = typed.claim, typed.judged.attempt_id
        if typed.right:
            self._gate.succeeded(form)
            if not typed.coded:
                await self._gate.settle(attempt_id, Outcome.SUCCESS)
            return
        self._gate.failed(form)
        if typed.judged.denied or (claim.deposit is not None and not claim.usable):
            outcome = Outcome.REFUSED
        else:
            outcome = Outcome.NO_SUCH_MEMBER if claim.deposit is None else Outcome.WRONG_SECRET
        await self._gate.settle(attempt_id, outcome)


def _proven(connection: Connection, visit: Visit, deposit_id: str, way: str) -> None:
    pushed_requests.change(connection, visit.id, state=Step.PROVEN.value, deposit_id=deposit_id, way=way)
