"""The question that the guard is asked before a PIN is looked at, and what else calls for a second factor."""

from typing import NamedTuple

from sekisho.bank import deposits, pins
from sekisho.bank.authorisation.pushed_requests import Visit
from sekisho.bank.deposits import Deposit
from sekisho.bank.house import BankParts
from sekisho.bank.pin_popularity import PinPopularity
from sekisho.guard.answers import UNAVAILABLE, AsksGuard, GuardAnswer
from sekisho.guard.attempts import Attempt, ChallengeResult, Gate, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity.arrivals import Arrival
from sekisho.identity.relay import RelayEvidence
from sekisho.kernel.posture import Posture

_NAMED_CHARACTERS_MAX = 64


class LinkForm(NamedTuple):
    """What a depositor types to link an account, exactly as it was typed."""

    branch: str
    number: str
    name_kana: str
    birth_date: str
    pin: str


class Judged(NamedTuple):
    """What the gate says. Nothing in it depends on whether what was typed is right."""

    attempt_id: str
    denied: bool
    wants_code: bool


class LinkGate:
    """Asks the guard about links, for one bank. `on_outage` is what it means that the guard is out.

    A PIN that fails on too many accounts, or that is made of the birth date beside it, is no proof: it asks
    for a code whatever the bank's policy is. Both are known of what was typed, and tell nothing of what is
    kept.
    """

    def __init__(
        self, bank: BankParts, guard: AsksGuard, popularity: PinPopularity, *, on_outage: Posture
    ) -> None:
        self._bank = bank
        self._guard = guard
        self._popularity = popularity
        self._on_outage = on_outage

    async def ask(self, visit: Visit, form: LinkForm, one: Deposit | None, arrival: Arrival) -> Judged:
        """Judge an attempt before its PIN is looked at."""
        now_us, pin = self._bank.clock.now_us(), pins.digits_of(form.pin)
        attempt = Attempt(
            time_us=now_us,
            gate=Gate.BANK_LINK,
            member=claimed(self._bank, form),
            known=one is not None,
            actor=actor_of(visit.client_id, visit.asked.link.user_ref),
            client=visit.client_id,
            ip=arrival.ip,
            asn=arrival.asn,
            country=arrival.country,
            user_agent=arrival.user_agent,
            tls=arrival.tls,
            secret=pins.secret_token(self._bank.keyring, pin or form.pin[:_NAMED_CHARACTERS_MAX], now_us),
            amount_yen=visit.asked.link.ceiling_yen,
            target=self._bank.profile.code,
        )
        answer = await self._guard.assess(attempt)
        doubted = self._popularity.excess(pin).stands_out or pins.is_of_birth_date(pin, form.birth_date)
        return self._judged(answer, doubted=doubted)

    async def ask_code(
        self, visit: Visit, subject: str, evidence: RelayEvidence, arrival: Arrival
    ) -> GuardAnswer:
        """Judge the entry of a code, with what speaks for a relay."""
        return await self._guard.assess(
            Attempt(
                time_us=self._bank.clock.now_us(),
                gate=Gate.CODE_ENTRY,
                member=subject,
                client=visit.client_id,
                ip=arrival.ip,
                asn=arrival.asn,
                country=arrival.country,
                user_agent=arrival.user_agent,
                tls=arrival.tls,
                signs=evidence.names,
            )
        )

    async def settle(
        self, attempt_id: str, outcome: Outcome, challenge: ChallengeResult = ChallengeResult.NONE
    ) -> None:
        """Tell the guard what came of an attempt."""
        await self._guard.settle(attempt_id, outcome, challenge)

    def failed(self, form: LinkForm) -> None:
        """Count that a PIN did not open an account."""
        if pin := pins.digits_of(form.pin):
            self._popularity.failed(pin, claimed(self._bank, form))

    def succeeded(self, form: LinkForm) -> None:
        """Count that a PIN opened its account."""
        self._popularity.succeeded(pins.digits_of(form.pin))

    def _judged(self, answer: GuardAnswer, *, doubted: bool) -> Judged:
        out = UNAVAILABLE in answer.decision.reasons
        action = answer.decision.action
        denied = self._on_outage is Posture.CLOSED if out else action is Action.DENY
        asks = not out and action in {Action.CHALLENGE, Action.PUZZLE}
        # With an open posture a bank without its guard still asks for a code: it goes on, and not blindly.
        return Judged(answer.attempt_id, denied, asks or doubted or (out and not denied))


def actor_of(partner: str, user_ref: str) -> str:
    """Return by what the guard knows a partner's user: two partners may use one name for different people."""
    return f"{partner}:{user_ref}"


def claimed(bank: BankParts, form: LinkForm) -> str:
    """Return by what the guard knows the account that was typed; what cannot be one goes keyed."""
    branch, number = deposits.read_branch(form.branch), deposits.read_number(form.number)
    if branch and number:
        return f"{branch}-{number}"
    typed = f"{form.branch[:_NAMED_CHARACTERS_MAX]}\n{form.number[:_NAMED_CHARACTERS_MAX]}"
    return "name:" + bank.keyring.digest(typed, context="guard:deposit")[:16].hex()
