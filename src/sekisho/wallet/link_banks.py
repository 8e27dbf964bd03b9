"""The banks that the wallet links to: a client for each, and the key by which each bank knows us.

One key for each bank: a bank that is broken into learns nothing that would pass for us at another one.
"""

import msgspec
from sqlalchemy import Connection, insert, select

from sekisho.identity.http_line import HttpLine
from sekisho.identity.institution import Parts
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.posture import Posture
from sekisho.linking.bank_bookings import BankBookings
from sekisho.linking.bank_client import BankClient
from sekisho.linking.bank_http import BankAway, BankLine
from sekisho.linking.client_statements import new_client_key
from sekisho.linking.link_answers import BankOff
from sekisho.linking.link_partners import LinkPartner, PartnerBook
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.bank_links import link_client_key


class LinkBanks:
    """Knows with which banks linking was agreed, and speaks with them. Safe to share between tasks."""

    def __init__(self, parts: Parts, partners: PartnerBook, http: HttpLine) -> None:
        """Take the agreements and the line to the banks; the caller closes the line."""
        self._parts = parts
        self._partners = partners
        self._http = http
        self._clients: dict[LinkPartner, BankClient] = {}
        self._bookings: dict[LinkPartner, BankBookings] = {}

    def partner(self, bank: str) -> LinkPartner:
        """Return today's agreement with a bank. Raises BankNotLinkable."""
        return self._partners.on(bank, day_in_japan(self._parts.clock.now_us()))

    def linkable(self) -> tuple[LinkPartner, ...]:
        """Return the banks that can be linked today."""
        return self._partners.linkable(day_in_japan(self._parts.clock.now_us()))

    async def client(self, bank: str) -> BankClient:
        """Return who speaks with a bank's authorisation server. Raises BankNotLinkable, OperationalError."""
        partner = self.partner(bank)
        if partner not in self._clients:
            private = await self._parts.written(lambda at: own_key(at, self._parts, bank))
            line = BankLine(bank, self._http)
            clock, chance = self._parts.clock, self._parts.chance
            self._clients[partner] = BankClient(line, partner, private, clock=clock, chance=chance)
        return self._clients[partner]

    async def bookings(self, bank: str) -> BankBookings:
        """Return who moves money at a bank. Raises BankNotLinkable and OperationalError."""
        partner = self.partner(bank)
        if partner not in self._bookings:
            self._bookings[partner] = BankBookings(await self.client(bank))
        return self._bookings[partner]

    async def off_at_bank(self, bank: str, function: str, *, on_outage: Posture) -> BankOff | None:
        """Return why a bank has switched a function off for us; None where it has not.

        A bank that can't be asked has switched everything off under CLOSED, and nothing under OPEN. Raises
        BankNotLinkable and OperationalError.
        """
        client = await self.client(bank)
        try:
            return (await client.service_status()).off_for(function)
        except BankAway:
            return BankOff(reason="away") if on_outage is Posture.CLOSED else None


def own_key(connection: Connection, parts: Parts, bank: str) -> bytes:
    """Return our private key towards a bank as JWK in JSON, and make it where there is none."""
    row = connection.execute(select(link_client_key).where(link_client_key.c.bank == bank)).one_or_none()
    if row is not None:
        return parts.keyring.open(row.sealed, context=_context(bank))
    pair = new_client_key()
    connection.execute(
        insert(link_client_key),
        {
            "bank": bank,
            "kid": pair.kid,
            "sealed": parts.keyring.seal(pair.private, context=_context(bank)),
            "public": pair.public,
            "made_at_us": parts.clock.now_us(),
        },
    )
    return pair.private


def public_key_set(connection: Connection, parts: Parts, bank: str) -> str:
    """Return the JWK set that a bank's operator enters for us; the key is made where there is none."""
    own_key(connection, parts, bank)
    its = select(link_client_key.c.public).where(link_client_key.c.bank == bank)
    public = msgspec.json.decode(connection.execute(its).scalar_one())
    return msgspec.json.encode({"keys": [public]}).decode()


def _context(bank: str) -> str:
    return context_of(link_client_key.c.sealed, bank=bank)
