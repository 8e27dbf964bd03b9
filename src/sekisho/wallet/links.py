"""Linking a bank account to a wallet: begun and approved here, agreed to at the bank, compared and kept.

The bank says whose account it is, and we say who our member is; a link is made where both are one person, the
account and the phone are no other wallet's, and the bank was as sure as the wallet demands (or what stands in
for it is there). Who comes back from the bank is who set out: same session, same state, the bank's own name
in the answer.
"""

import base64
import hmac
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.guard.attempts import Gate
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import NotFromHere, StepUp
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.identity.tokens import digest_of, new_token
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import BANK_LINK, MemberId
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.posture import Posture
from sekisho.kernel.refusals import Refusal
from sekisho.ledger.journal import take_turn
from sekisho.linking.bank_client import BankClient, Flow
from sekisho.linking.bank_http import BankAway
from sekisho.linking.banks import bank_in_words
from sekisho.linking.dpop import ProofKey, new_key
from sekisho.linking.link_answers import Pushed
from sekisho.linking.link_details import Action, HolderClaim, LinkRequest
from sekisho.linking.link_partners import LinkPartner, Strength
from sekisho.response.money_gates import Asked, Held, HeldFor, Passed, Stopped
from sekisho.storage import outbox
from sekisho.wallet import link_rows
from sekisho.wallet.gates import Gatekeeper
from sekisho.wallet.house import WalletParts
from sekisho.wallet.identity_levels import LevelTooLow, require_may
from sekisho.wallet.link_banks import LinkBanks
from sekisho.wallet.link_ends import LinkEnd, end_within
from sekisho.wallet.link_limits import LinkSettings, terms_for
from sekisho.wallet.link_rows import LIVE, BankLink, LinkSecrets, LinkState, Review
from sekisho.wallet.persons import VerifiedPerson, verified_person
from sekisho.wallet.switches import Function
from sekisho.wallet.wallets import require_open

RETURN_PATH = "/links/return"
"""Where banks send members back to, on the wallet's own origin."""

KEY_MAX = 100
_PHONE_CONTEXT = "linked_phone"
_USER_REF_OCTETS = 18


class LinkUnknown(Refusal):
    """The member has no such link, or none that this can be done with."""

    code = "link_unknown"
    status = 404
    told = "There is no such link."


class LinkNeedsRecheck(Refusal):
    """The bank asks for less than we demand, so that the member's identity has to be proven afresh."""

    code = "link_needs_recheck"
    status = 403
    told = "For an account of this bank, please confirm who you are once more first."


class BankNotReached(Refusal):
    """The bank gave no answer."""

    code = "bank_not_reached"
    status = 503
    told = "We can't reach the bank at the moment. Please try again later."


class LinkNotGranted(Refusal):
    """The bank, or whoever was there, said no."""

    code = "link_not_granted"
    status = 409
    told = "The bank did not link the account."


class LinkToApprove(NamedTuple):
    """A link that was begun, and the purpose that has to be approved for it."""

    link: BankLink
    purpose: Purpose


class AtBank(NamedTuple):
    """The link is with the bank: the member's browser goes to this address."""

    link: BankLink
    address: str


class LinkDesk:
    """Begins links, sends members to their banks, and ends links."""

    def __init__(
        self,
        house: WalletParts,
        gatekeeper: Gatekeeper,
        banks: LinkBanks,
        settings: LinkSettings | None = None,
    ) -> None:
        self._house = house
        self._gatekeeper = gatekeeper
        self._banks = banks
        self._settings = settings or LinkSettings()

    async def begin(self, present: Present, bank: str, key: str) -> LinkToApprove:
        """Begin a link with a bank; the same key again returns what it began.

        Raises BankNotLinkable, LevelTooLow and OperationalError.
        """
        partner = self._banks.partner(bank)
        link = await self._house.written(lambda at: self._begin(at, present, partner, key))
        return LinkToApprove(link, purpose_of(link))

    async def to_approve(self, member_id: MemberId, link_id: str) -> LinkToApprove:
        """Return a link that was begun, with its purpose. Raises LinkUnknown and OperationalError."""
        link = await self._house.read(lambda at: owned(at, member_id, link_id))
        return LinkToApprove(link, purpose_of(link))

    async def set_out(
        self, present: Present, arrival: Arrival, link_id: str
    ) -> AtBank | StepUp | NotFromHere | Held | Stopped:
        """Send a member to the bank, once the gate lets it pass.

        Raises LinkUnknown, BankNotLinkable, LevelTooLow, LinkNeedsRecheck, PhoneTaken, BankNotReached,
        LinkNotGranted and OperationalError.
        """
        link = await self._house.read(lambda at: owned(at, present.session.member_id, link_id))
        if link.state is not LinkState.BEGUN:
            raise LinkUnknown(known=f"{link.id}: {link.state}")
        client = await self._banks.client(link.bank)
        strength = await self._strength(client)
        asked = await self._asked(present, arrival, link)
        off = await self._off_at_bank(asked)
        if off is not None:
            return off
        passed = await self._gatekeeper.ask(asked)
        if not isinstance(passed, Passed):
            return passed
        done = False
        try:
            out = await self._house.written(lambda at: self._set_out(at, asked, passed, link, strength))
            if not isinstance(out, _Out):
                return out
            address = await self._pushed(client, out)
            done = True
        finally:
            await self._gatekeeper.settle(passed, done=done)
        return AtBank(out.link, address)

    async def links(self, member_id: MemberId) -> list[BankLink]:
        """Return a member's links, the newest first. Raises OperationalError."""
        return await self._house.read(lambda at: link_rows.of_member(at, member_id))

    async def end(self, present: Present, link_id: str) -> BankLink:
        """End a link for its member; any live session may, for it only keeps money where it is.

        Raises LinkUnknown and OperationalError.
        """

        def work(connection: Connection) -> BankLink:
            link = owned(connection, present.session.member_id, link_id)
            end_within(connection, self._house.parts, link, LinkEnd.BY_MEMBER)
            return owned(connection, present.session.member_id, link_id)

        return await self._house.written(work)

    def _begin(self, connection: Connection, present: Present, partner: LinkPartner, key: str) -> BankLink:
        house, member_id = self._house, present.session.member_id
        whole_key = f"{member_id}:{key[:KEY_MAX]}"
        before = link_rows.by_key(connection, whole_key)
        if before is not None:
            return before
        require_verified(connection, house, member_id)
        now_us = house.clock.now_us()
        link = BankLink(
            id=BANK_LINK.new(house.clock, house.chance),
            key=whole_key,
            member_id=member_id,
            bank=partner.bank,
            state=LinkState.BEGUN,
            strength=partner.strength,
            session_id=present.session.id,
            attempt_id="",
            approved_by="",
            mandate_id=None,
            holder_match="",
            review=Review.NONE,
            reviewed_by="",
            once_yen=partner.once_max.amount,
            month_yen=partner.month_max.amount,
            begun_at_us=now_us,
            return_until_us=now_us + self._settings.return_s * SECOND_US,
            returned_at_us=None,
            active_at_us=None,
            usable_from_us=None,
            first_until_us=None,
            first_yen=0,
            suspended_for="",
            ended_at_us=None,
            ended_for="",
            bank_to_tell=False,
        )
        state, verifier = new_token(house.chance), new_token(house.chance) + new_token(house.chance)
        secrets = LinkSecrets(dpop_key=new_key(), flow_state=state, verifier=verifier)
        link_rows.add(connection, link, secrets, digest_of(state), house.keyring)
        return link

    async def _strength(self, client: BankClient) -> Strength:
        """Return how sure the bank is: as it says today, and never more than was agreed."""
        try:
            return min(client.partner.strength, (await client.metadata()).strength)
        except BankAway as away:
            raise BankNotReached(known=away.detail) from away

    async def _off_at_bank(self, asked: Asked) -> Held | None:
        """Ask the bank before the member is sent there, only to be sent back.

        An outage means that the member may try: the bank keeps its own gate.
        """
        function = "register" if asked.is_new else "change"
        off = await self._banks.off_at_bank(asked.partner, function, on_outage=Posture.OPEN)
        return None if off is None else Held(HeldFor.SWITCHED_OFF, f"bank: {off.reason}", off.told)

    async def _asked(self, present: Present, arrival: Arrival, link: BankLink) -> Asked:
        own = await self.links(present.session.member_id)
        has_one = any(one.bank == link.bank and one.state in LIVE for one in own)
        return Asked(
            present=present,
            arrival=arrival,
            gate=Gate.CONTACT_CHANGE,
            function=Function.LINK_CHANGE if has_one else Function.LINK_REGISTER,
            purpose=purpose_of(link),
            target="bank_link",
            partner=link.bank,
            is_new=not has_one,
        )

    def _set_out(
        self, connection: Connection, asked: Asked, passed: Passed, link: BankLink, strength: Strength
    ) -> "_Out | Held | StepUp | NotFromHere":
        take_turn(connection)
        house, now_us = self._house, self._house.clock.now_us()
        person = require_verified(connection, house, link.member_id)
        self._require_fresh(person, strength, now_us)
        refused = self._gatekeeper.take_within(connection, asked, passed)
        if refused is not None:
            return refused
        phone = house.keyring.digest(person.phone_e164, context=_PHONE_CONTEXT)
        link_rows.claim_phone(connection, phone, link.member_id, now_us)
        moved = link_rows.move(
            connection,
            link,
            LinkState.AT_BANK,
            strength=int(strength),
            session_id=asked.present.session.id,
            attempt_id=passed.attempt_id,
            approved_by=passed.way.value,
            return_until_us=now_us + self._settings.return_s * SECOND_US,
        )
        if not moved:
            raise LinkUnknown(known=f"{link.id}: somebody else set out")
        after = owned(connection, link.member_id, link.id)
        secrets = link_rows.secrets_of(connection, house.keyring, link.id)
        return _Out(after, secrets, self._wish(after, person))

    def _require_fresh(self, person: VerifiedPerson, strength: Strength, now_us: int) -> None:
        terms = terms_for(strength, self._settings.floor)
        age_us = now_us - person.checked_at_us
        if terms.needs_recheck and not 0 <= age_us < self._settings.recheck_s * SECOND_US:
            raise LinkNeedsRecheck(known=f"strength {int(strength)}")

    def _wish(self, link: BankLink, person: VerifiedPerson) -> LinkRequest:
        holder = HolderClaim(
            name_kana=person.name_kana, birth_date=person.birth_date.isoformat(), phone=person.phone_e164
        )
        return LinkRequest(
            type="account_link",
            actions=(Action.DEBIT, Action.CREDIT),
            ceiling_yen=link.once_yen,
            month_ceiling_yen=link.month_yen,
            holder=holder,
            user_ref=user_ref(self._house, link.bank, link.member_id),
        )

    async def _pushed(self, client: BankClient, out: "_Out") -> str:
        """Leave the request with the bank and return where the browser goes; end the link if it fails."""
        flow = flow_of(self._house, out.secrets)
        try:
            pushed = await client.push(out.wish, flow, ProofKey(out.secrets.dpop_key))
            if isinstance(pushed, Pushed):
                return await client.address_for(pushed)
        except BankAway as away:
            await self._end(out.link, LinkEnd.BANK_AWAY)
            raise BankNotReached(known=away.detail) from away
        await self._end(out.link, LinkEnd.DECLINED)
        raise LinkNotGranted(known=pushed.code)

    async def _end(self, link: BankLink, why: LinkEnd) -> None:
        await self._house.written(lambda at: end_within(at, self._house.parts, link, why))


class _Out(NamedTuple):
    link: BankLink
    secrets: LinkSecrets
    wish: LinkRequest


def purpose_of(link: BankLink) -> Purpose:
    """Return what has to be approved, to begin exactly this link."""
    bank = bank_in_words(link.bank, day_in_japan(link.begun_at_us))
    return Purpose(action="bank_link", details={"bank": bank, "link": link.id})


def owned(connection: Connection, member_id: str, link_id: str) -> BankLink:
    """Return a member's own link. Raises LinkUnknown."""
    link = link_rows.find(connection, link_id, for_update=False)
    if link is None or not hmac.compare_digest(link.member_id, member_id):
        raise LinkUnknown(known=link_id[:40])
    return link


def require_verified(connection: Connection, house: WalletParts, member_id: MemberId) -> VerifiedPerson:
    """Return who a member was verified to be, whose wallet is open. Raises LevelTooLow and WalletNotOpen."""
    require_open(connection, member_id)
    person = verified_person(connection, house.keyring, member_id)
    if person is None:
        raise LevelTooLow(known="bank link below the level verified")
    require_may(person.level, Function.LINK_REGISTER, house.today())
    return person


def flow_of(house: WalletParts, secrets: LinkSecrets) -> Flow:
    """Return the way to the bank and back that a link's secrets are for."""
    return Flow(house.institution.origin + RETURN_PATH, secrets.flow_state, secrets.verifier)


def user_ref(house: WalletParts, bank: str, member_id: MemberId) -> str:
    """Return our pseudonym of a member towards one bank: the same at each request, and at no other bank."""
    digest = house.keyring.digest(f"{bank}:{member_id}", context="bank_link:user_ref")
    return base64.urlsafe_b64encode(digest[:_USER_REF_OCTETS]).decode()


def link_event(kind: str, link: BankLink, now_us: int, **facts: object) -> outbox.Entry:
    """Return an event about a link, without personal data."""
    body = {"member_id": link.member_id, "bank": link.bank, "mandate_id": link.mandate_id, **facts}
    return outbox.Entry(kind, f"{link.id}:{now_us}", now_us, msgspec.json.encode(body))
