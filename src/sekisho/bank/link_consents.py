"""The depositor's yes or no, and the way back to the partner.

With the yes the mandate becomes active, the code is made and the depositor is told by the bank's own channel,
all in one unit of work.
"""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.bank import deposits, holders, mandates, pins
from sekisho.bank.authorisation import consents, grants, pushed_requests
from sekisho.bank.authorisation.partners import Partner
from sekisho.bank.authorisation.pushed_requests import Step, Visit
from sekisho.bank.authorisation.refusals import LinkingSwitchedOff, LinkVisitOver
from sekisho.bank.authorisation.settings import LinkSettings
from sekisho.bank.deposits import Deposit, DepositState
from sekisho.bank.house import BankParts
from sekisho.bank.link_authentication import Came, LinkAuthentication
from sekisho.bank.link_claims import is_free
from sekisho.bank.mandates import AccountLinkedAlready, Consented, Mandate
from sekisho.bank.switches import Function, Switches, Usage
from sekisho.identity.openid.redirects import with_parameters
from sekisho.identity.openid.refusals import AccessDenied
from sekisho.kernel.refusals import Refusal
from sekisho.messages.notices import NoticeKind


class SendBack(NamedTuple):
    """Send the browser back to the partner, with a code or an error in the address."""

    uri: str
    partner: Partner


class Offer(NamedTuple):
    """What the depositor is asked: who asks, for what, and on which accounts it can be."""

    visit: Visit
    partner: Partner
    name_kana: str
    accounts: tuple[Deposit, ...]


class LinkConsents:
    """Asks for the consent and takes it, for one bank."""

    def __init__(
        self,
        bank: BankParts,
        settings: LinkSettings,
        authentication: LinkAuthentication,
        switches: Switches,
    ) -> None:
        self._bank = bank
        self._settings = settings
        self._authentication = authentication
        self._switches = switches

    async def offer(self, came: Came) -> Offer:
        """Return what the depositor is asked to agree to. Raises LinkVisitOver and OperationalError."""
        visit, partner = await self._authentication.visit(came)
        return await self._bank.read(lambda at: self._offer(at, visit, partner))

    async def agree(self, came: Came, deposit_id: str) -> SendBack:
        """Take the yes, for one of the offered accounts. Raises LinkVisitOver and OperationalError.

        Where the link cannot be made any more the way back carries the reason.
        """
        offer = await self.offer(came)
        try:
            code = await self._bank.written(lambda at: self._agreed(at, came, deposit_id))
        except (AccountLinkedAlready, LinkingSwitchedOff) as refusal:
            return await self._end(offer.visit, offer.partner, refusal)
        return self._back(offer.visit, offer.partner, {"code": code})

    async def decline(self, came: Came) -> SendBack:
        """Take the no, at any step. Raises LinkVisitOver and OperationalError."""
        visit, partner = await self._authentication.visit(came)
        return await self._end(visit, partner, AccessDenied())

    async def give_up(self, visit: Visit, partner: Partner) -> SendBack:
        """Tell the partner no, because what was typed was wrong too often. Raises OperationalError."""
        return await self._end(visit, partner, AccessDenied())

    def _offer(self, connection: Connection, visit: Visit, partner: Partner) -> Offer:
        chosen = deposits.find(connection, visit.deposit_id) if visit.step is Step.PROVEN else None
        depositor = None if chosen is None else holders.find(connection, self._bank, chosen.depositor_id)
        if chosen is None or depositor is None:
            raise LinkVisitOver(known=f"{visit.id}: consent at {visit.step}")
        own: tuple[Deposit, ...] = (chosen,)
        if visit.way == "passkey":
            # A passkey proves the holder; a PIN proves one account.
            all_own = deposits.of_depositor(connection, chosen.depositor_id)
            own = tuple(one for one in all_own if one.state is DepositState.OPEN)
        return Offer(visit, partner, depositor.holder.name_kana, own)

    def _agreed(self, connection: Connection, came: Came, deposit_id: str) -> str:
        bank, now_us = self._bank, self._bank.clock.now_us()
        visit, partner = self._authentication.visit_within(connection, came)
        offer = self._offer(connection, visit, partner)
        chosen = next((one for one in offer.accounts if one.id == deposit_id), None)
        if chosen is None or not is_free(connection, bank, chosen):
            raise LinkVisitOver(known=f"{visit.id}: an account that was not offered, is blocked, or on hold")
        usage = Usage(Function.LINK_REGISTER, visit.client_id, is_new=True)
        if self._switches.off_within(connection, usage) is not None:
            raise LinkingSwitchedOff(known=visit.client_id)
        visit = pushed_requests.chosen(connection, visit, chosen.id)
        mandate = mandates.activate_within(connection, bank, _consented(visit, chosen))
        consent_id = consents.give(connection, bank, visit, mandate.id)
        asked = visit.asked
        bound = grants.Bound(
            client_id=visit.client_id,
            redirect_uri=asked.redirect_uri,
            code_challenge=asked.code_challenge,
            key_thumbprint=asked.key_thumbprint,
        )
        code = grants.new_code(connection, bank, consent_id, bound, code_s=self._settings.code_s)
        pushed_requests.end(connection, visit.id, now_us)
        pins.forget_wrong(connection, chosen.id)
        self._tell(connection, mandate, partner, chosen)
        return code

    def _tell(self, connection: Connection, mandate: Mandate, partner: Partner, one: Deposit) -> None:
        language = holders.language_of(connection, one.id)
        facts: dict[str, str | int] = {
            "when": self._bank.clock.now_us(),
            "partner": partner.name(language),
            "amount": mandate.ceiling_yen,
            "stop_code": mandates.stop_code(self._bank.keyring, mandate.id),
        }
        kind = NoticeKind.ACCOUNT_LINKED
        holders.tell_holder(connection, self._bank, one.id, kind, facts, dedupe=f"{kind}:{mandate.id}")

    async def _end(self, visit: Visit, partner: Partner, refusal: Refusal) -> SendBack:
        now_us = self._bank.clock.now_us()
        await self._bank.written(lambda at: pushed_requests.end(at, visit.id, now_us))
        # What this protocol has no word for is told as a no, with the reason beside it.
        code = refusal.code if isinstance(refusal, LinkingSwitchedOff) else AccessDenied.code
        return self._back(visit, partner, {"error": code, "error_description": refusal.told})

    def _back(self, visit: Visit, partner: Partner, answer: dict[str, str]) -> SendBack:
        """Address an answer. The issuer stands in it, so that a partner of several can tell them apart."""
        state = {"state": visit.asked.state} if visit.asked.state else {}
        issuer = {"iss": self._bank.institution.origin}
        return SendBack(with_parameters(visit.asked.redirect_uri, answer | state | issuer), partner)


def _consented(visit: Visit, one: Deposit) -> Consented:
    link = visit.asked.link
    return Consented(
        partner=visit.client_id,
        deposit_id=one.id,
        user_ref=link.user_ref,
        actions=tuple(mandates.Action(action.value) for action in link.actions),
        ceiling=link.ceiling,
        month_ceiling=link.month_ceiling,
        way=visit.way,
    )
