"""Coming back from the bank: the answer is checked, the code given back for tokens, the holder compared.

A foreign state, another session, another issuer, a second time and a late return are one refusal to whoever
tries them. What the bank granted is believed as far as it is what was asked for.
"""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.identity.arrivals import Arrival
from sekisho.identity.holds import OnHold, holds_on
from sekisho.identity.notifying import facts_of, language_of, notify
from sekisho.identity.session_desk import Present
from sekisho.identity.tokens import digest_of
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.refusals import Refusal
from sekisho.ledger.journal import take_turn
from sekisho.linking.bank_http import BankAway
from sekisho.linking.banks import bank_in_words
from sekisho.linking.dpop import ProofKey
from sekisho.linking.holder_match import Holder, HolderMatch, Person, Verdict, match_holder
from sekisho.linking.link_answers import Tokens
from sekisho.linking.link_details import Action, LinkDetailsUnreadable, LinkGranted
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox
from sekisho.wallet import link_rows
from sekisho.wallet.house import WalletParts
from sekisho.wallet.identity_levels import LevelTooLow
from sekisho.wallet.link_banks import LinkBanks
from sekisho.wallet.link_ends import LinkEnd, end_within
from sekisho.wallet.link_limits import LinkSettings, terms_for
from sekisho.wallet.link_rows import AccountTaken, BankLink, LinkSecrets, LinkState, Review
from sekisho.wallet.link_signals import agree_on
from sekisho.wallet.links import (
    BankNotReached,
    LinkNotGranted,
    flow_of,
    link_event,
    owned,
    require_verified,
    user_ref,
)
from sekisho.wallet.wallets import WalletNotOpen

PARAMETER_CHARACTERS_MAX = 2_048


class LinkReturnUnfit(Refusal):
    """What came back from a bank belongs to nothing that this session began."""

    code = "link_return_unfit"
    status = 400
    told = "This answer of a bank fits nothing that you began here. Please begin anew."


class HolderDiffers(Refusal):
    """The account is not in the member's own name, birth date and all; which of them is not told."""

    code = "holder_differs"
    status = 409
    told = "The account could not be linked. Only your own account can be linked to your wallet."


class BankAnswer(NamedTuple):
    """What a browser brings back from a bank, as it stands in the address."""

    state: str
    iss: str
    code: str = ""
    error: str = ""


class LinkReturnDesk:
    """Takes members back from their banks."""

    def __init__(self, house: WalletParts, banks: LinkBanks, settings: LinkSettings | None = None) -> None:
        self._house = house
        self._banks = banks
        self._settings = settings or LinkSettings()

    async def come_back(self, present: Present, arrival: Arrival, answer: BankAnswer) -> BankLink:
        """Take a member back and make the link: active, or waiting for a person to look at its holder.

        The same answer again changes nothing and returns the link as it stands. Raises LinkReturnUnfit,
        LinkNotGranted, BankNotReached, HolderDiffers, AccountTaken, LevelTooLow, WalletNotOpen, OnHold and
        OperationalError.
        """
        if max(map(len, answer)) > PARAMETER_CHARACTERS_MAX:
            raise LinkReturnUnfit(known="too long")
        arrived = await self._house.written(lambda at: self._arrive(at, present, answer))
        if arrived.was_here:
            return arrived.link
        link, why = arrived.link, self._why_over(arrived.link, answer)
        if why is not None:
            await self._end(link, why)
            refusal = LinkNotGranted if why is LinkEnd.DECLINED else LinkReturnUnfit
            raise refusal(known=why.value)
        tokens = await self._tokens(link, arrived.secrets, answer.code)
        return await self._made(link, arrived.secrets, tokens, arrival)

    def _arrive(self, connection: Connection, present: Present, answer: BankAnswer) -> "_Arrived":
        now_us = self._house.clock.now_us()
        link = link_rows.by_state_digest(connection, digest_of(answer.state))
        if link is None:
            raise LinkReturnUnfit(known="a foreign state")
        # Whoever brings another's answer into a session of their own must neither use nor spoil it.
        if (link.session_id, link.member_id) != (present.session.id, present.session.member_id):
            raise LinkReturnUnfit(known=f"{link.id}: another session")
        if not link_rows.come_back(connection, link, now_us):
            if link.returned_at_us is None:
                raise LinkReturnUnfit(known=f"{link.id}: {link.state}")
            return _Arrived(link, LinkSecrets(dpop_key=b""), was_here=True)
        secrets = link_rows.secrets_of(connection, self._house.keyring, link.id)
        return _Arrived(owned(connection, link.member_id, link.id), secrets, was_here=False)

    def _why_over(self, link: BankLink, answer: BankAnswer) -> LinkEnd | None:
        if answer.iss != self._banks.partner(link.bank).issuer:
            return LinkEnd.FOREIGN_ANSWER
        if self._house.clock.now_us() >= link.return_until_us:
            return LinkEnd.NOT_FINISHED
        return None if answer.code and not answer.error else LinkEnd.DECLINED

    async def _tokens(self, link: BankLink, secrets: LinkSecrets, code: str) -> Tokens:
        client = await self._banks.client(link.bank)
        try:
            tokens = await client.exchange(code, flow_of(self._house, secrets), ProofKey(secrets.dpop_key))
        except BankAway as away:
            # The code may be used up, and using it twice would void what it gave: this link is lost.
            await self._end(link, LinkEnd.BANK_AWAY)
            raise BankNotReached(known=away.detail) from away
        if not isinstance(tokens, Tokens):
            await self._end(link, LinkEnd.DECLINED)
            raise LinkNotGranted(known=tokens.code)
        return tokens

    async def _made(self, link: BankLink, secrets: LinkSecrets, tokens: Tokens, arrival: Arrival) -> BankLink:
        try:
            granted = tokens.granted
        except LinkDetailsUnreadable as error:
            await self._house.written(lambda at: self._give_back(at, link, secrets, tokens))
            raise LinkNotGranted(known="details that can't be read") from error
        outcome = await self._house.written(
            lambda at: self._make(at, link, _Granted(secrets, tokens, granted), arrival)
        )
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    def _give_back(
        self, connection: Connection, link: BankLink, secrets: LinkSecrets, tokens: Tokens
    ) -> None:
        """End a link whose terms nobody can read; its bank hears it by the token that it gave."""
        kept = LinkSecrets(dpop_key=secrets.dpop_key, refresh_token=tokens.refresh_token)
        link_rows.keep_secrets(connection, self._house.keyring, link.id, kept)
        link_rows.change(connection, link.id, mandate_id="")
        after = owned(connection, link.member_id, link.id)
        if not end_within(connection, self._house.parts, after, LinkEnd.FOREIGN_ANSWER):
            link_rows.change(connection, link.id, bank_to_tell=True)

    def _make(
        self, connection: Connection, link: BankLink, granted: "_Granted", arrival: Arrival
    ) -> BankLink | Refusal:
        """Keep what was granted. A refusal is returned, so that the link's end is kept as well."""
        take_turn(connection)
        house, now_us = self._house, self._house.clock.now_us()
        link = self._keep(connection, link, granted, now_us)
        if link.state is not LinkState.AT_BANK:
            # It was ended while the bank answered: it stays so, and the bank takes back what it gave.
            link_rows.change(connection, link.id, bank_to_tell=True)
            return LinkReturnUnfit(known=f"{link.id}: {link.state} on the way back")
        weighed = self._weigh(connection, link, granted.details, now_us)
        if isinstance(weighed, _Against):
            end_within(connection, house.parts, link, weighed.why)
            return weighed.refusal
        if weighed is Verdict.REVIEW:
            link_rows.keep_holder(connection, house.keyring, link.id, granted.details.holder.name_kana)
            link_rows.move(connection, link, LinkState.CONFIRMED, review=Review.WAITING.value)
            outbox.append(connection, [link_event("wallet:link:review_asked", link, now_us)])
        else:
            activate_within(connection, house, link, self._settings)
        self._tell(connection, link, arrival, now_us)
        return owned(connection, link.member_id, link.id)

    def _weigh(
        self, connection: Connection, link: BankLink, details: LinkGranted, now_us: int
    ) -> "Verdict | _Against":
        """Hold what was granted against our member, and claim the account; say what speaks against it."""
        if holds_on(connection, link.member_id, now_us):
            return _Against(LinkEnd.CONTAINED, OnHold(known=f"{link.id}: on the way back"))
        if fault := self._fault(link, details):
            return _Against(LinkEnd.FOREIGN_ANSWER, LinkNotGranted(known=fault))
        try:
            match = self._match(connection, link, details)
            link_rows.change(connection, link.id, holder_match=match.in_one_word)
            if match.verdict is Verdict.REFUSED:
                return _Against(LinkEnd.HOLDER_DIFFERS, HolderDiffers(known=match.in_one_word))
            self._claim(connection, link, details.account.ref, now_us)
        except (LevelTooLow, WalletNotOpen) as refusal:
            return _Against(LinkEnd.CONTAINED, refusal)
        except AccountTaken as refusal:
            return _Against(LinkEnd.ACCOUNT_TAKEN, refusal)
        agree_on(connection, self._house.parts, self._banks.partner(link.bank).issuer, link)
        return match.verdict

    def _keep(self, connection: Connection, link: BankLink, granted: "_Granted", now_us: int) -> BankLink:
        details, tokens = granted.details, granted.tokens
        secrets = LinkSecrets(
            dpop_key=granted.secrets.dpop_key,
            access_token=tokens.access_token,
            access_until_us=now_us + tokens.expires_in * SECOND_US,
            refresh_token=tokens.refresh_token,
            branch=details.account.branch[:3],
            kind=details.account.kind[:1],
            last4=details.account.last4[-4:],
        )
        link_rows.keep_secrets(connection, self._house.keyring, link.id, secrets)
        link_rows.change(
            connection,
            link.id,
            mandate_id=details.mandate_id,
            once_yen=min(link.once_yen, details.ceiling_yen),
            month_yen=min(link.month_yen, details.month_ceiling_yen),
        )
        return owned(connection, link.member_id, link.id)

    def _fault(self, link: BankLink, details: LinkGranted) -> str:
        """Return in which way a bank granted something else than was asked for, empty where it did not."""
        rules = (
            (details.account.bank == link.bank, "an account of another bank"),
            (details.user_ref == user_ref(self._house, link.bank, link.member_id), "for somebody else"),
            (set(details.actions) <= set(Action) and Action.DEBIT in details.actions, "other actions"),
            (min(details.ceiling_yen, details.month_ceiling_yen) > 0, "no ceilings"),
            (bool(details.mandate_id) and bool(details.account.ref), "no mandate, or no account"),
        )
        return next((fault for holds, fault in rules if not holds), "")

    def _match(self, connection: Connection, link: BankLink, details: LinkGranted) -> HolderMatch:
        person = require_verified(connection, self._house, link.member_id)
        theirs = details.holder
        return match_holder(
            Person(person.name_kana, person.birth_date),
            Holder(theirs.name_kana, theirs.birth_date, theirs.phone_matches),
            phone_must_match=terms_for(link.strength, self._settings.floor).needs_phone,
        )

    def _claim(self, connection: Connection, link: BankLink, account_ref: str, now_us: int) -> None:
        before = link_rows.link_over(connection, link.bank, account_ref)
        link_rows.claim_account(connection, link, account_ref, now_us)
        replaced = None if before is None else link_rows.find(connection, before)
        if replaced is not None and replaced.id != link.id:
            end_within(connection, self._house.parts, replaced, LinkEnd.REPLACED)

    def _tell(self, connection: Connection, link: BankLink, arrival: Arrival, now_us: int) -> None:
        language = language_of(connection, link.member_id)
        bank = bank_in_words(link.bank, self._house.today())
        kind, values = NoticeKind.BANK_LINKED, {**facts_of(arrival, now_us, language), "bank": bank}
        notify(connection, self._house.parts, link.member_id, kind, values, dedupe=f"{kind}:{link.id}")

    async def _end(self, link: BankLink, why: LinkEnd) -> None:
        await self._house.written(lambda at: end_within(at, self._house.parts, link, why))


class _Arrived(NamedTuple):
    link: BankLink
    secrets: LinkSecrets
    was_here: bool


class _Against(NamedTuple):
    why: LinkEnd
    refusal: Refusal


class _Granted(msgspec.Struct, frozen=True):
    secrets: LinkSecrets
    tokens: Tokens
    details: LinkGranted


def activate_within(
    connection: Connection, house: WalletParts, link: BankLink, settings: LinkSettings
) -> bool:
    """Make a link active under the terms of its strength, and tell whether it was not yet."""
    now_us, terms = house.clock.now_us(), terms_for(link.strength, settings.floor)
    usable_from_us = now_us + terms.cooling_off_us
    moved = link_rows.move(
        connection,
        link,
        # What stopped it while it waited for a review stops it still.
        LinkState.SUSPENDED if link.suspended_for else LinkState.ACTIVE,
        active_at_us=now_us,
        usable_from_us=usable_from_us,
        first_until_us=usable_from_us + terms.first_us,
        first_yen=terms.first_max.amount,
    )
    if moved:
        event = link_event("wallet:link:active", link, now_us, strength=int(link.strength))
        outbox.append(connection, [event])
    return moved
