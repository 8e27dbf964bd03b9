"""The token of a link: alive when it is used, renewed once by many who need it, kept under its seal."""

import asyncio
from collections import OrderedDict

import msgspec
from sqlalchemy import Connection

from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.refusals import Refusal
from sekisho.linking.bank_bookings import Access
from sekisho.linking.dpop import ProofKey
from sekisho.linking.link_answers import Declined, Tokens
from sekisho.wallet import link_rows
from sekisho.wallet.house import WalletParts
from sekisho.wallet.link_banks import LinkBanks
from sekisho.wallet.link_ends import Suspension, suspend_within
from sekisho.wallet.link_rows import BankLink, LinkSecrets

MARGIN_US = 30 * SECOND_US
"""A token that ends sooner than this is renewed first: the question has to arrive while it lives."""

LOCKS_MAX = 1_000


class LinkRefusedByBank(Refusal):
    """The bank takes what it gave us for this link no more; the link stands still."""

    code = "link_refused_by_bank"
    status = 409
    told = "Your bank no longer lets us use this account. Please link it anew."


class LinkTokens:
    """Gives access to linked accounts, for one wallet. Safe to share between tasks."""

    def __init__(self, house: WalletParts, banks: LinkBanks) -> None:
        self._house = house
        self._banks = banks
        self._locks: OrderedDict[str, asyncio.Lock] = OrderedDict()

    async def access(self, link: BankLink, *, but_not: str = "") -> Access:
        """Return a token that lives, and its key; `but_not` is one that the bank has just refused.

        Raises LinkRefusedByBank, BankNotLinkable, BankAway and OperationalError.
        """
        async with self._lock(link.id):
            secrets = await self._house.read(
                lambda at: link_rows.secrets_of(at, self._house.keyring, link.id)
            )
            ends_us = secrets.access_until_us - MARGIN_US
            if self._house.clock.now_us() >= ends_us or secrets.access_token == but_not:
                secrets = await self._renewed(link, secrets)
        return Access(secrets.access_token, ProofKey(secrets.dpop_key))

    async def _renewed(self, link: BankLink, secrets: LinkSecrets) -> LinkSecrets:
        client = await self._banks.client(link.bank)
        tokens = await client.refresh(secrets.refresh_token, ProofKey(secrets.dpop_key))
        if isinstance(tokens, Declined):
            await self._house.written(lambda at: self._refused(at, link))
            raise LinkRefusedByBank(known=f"{link.id}: {tokens.code}")
        renewed = self._with(secrets, tokens)
        keyring = self._house.keyring
        await self._house.written(lambda at: link_rows.keep_secrets(at, keyring, link.id, renewed))
        return renewed

    def _with(self, secrets: LinkSecrets, tokens: Tokens) -> LinkSecrets:
        return msgspec.structs.replace(
            secrets,
            access_token=tokens.access_token,
            access_until_us=self._house.clock.now_us() + tokens.expires_in * SECOND_US,
            # A bank need not give another one; where it does, the old one may be worth nothing.
            refresh_token=tokens.refresh_token or secrets.refresh_token,
        )

    def _refused(self, connection: Connection, link: BankLink) -> None:
        current = link_rows.find(connection, link.id)
        if current is not None:
            suspend_within(connection, self._house.parts, current, Suspension.BANK_REFUSES)

    def _lock(self, link_id: str) -> asyncio.Lock:
        lock = self._locks.pop(link_id, None) or asyncio.Lock()
        self._locks[link_id] = lock
        if len(self._locks) > LOCKS_MAX:
            # Whoever still holds the oldest one keeps it; at worst a token is renewed twice.
            self._locks.popitem(last=False)
        return lock
