"""Partners: the services that may ask depositors for a link, as the bank's operator registered them.

A partner proves who it is with a key of its own (`private_key_jwt`); no secret is shared. Each has an account
in the books through which its debits and credits are settled.
"""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from sekisho.bank.house import BankParts, open_settlement
from sekisho.identity.openid.clients import CLIENT_ID, KEY_SET_CHARACTERS_MAX, NAME_CHARACTERS_MAX
from sekisho.identity.openid.jose import UnusableKey, public_keys
from sekisho.identity.openid.redirects import Unregistrable, check_redirect_uri, host_of
from sekisho.kernel.ids import AccountId
from sekisho.kernel.yen import Yen
from sekisho.storage import outbox
from sekisho.storage.tables.deposits import link_partner

ALGORITHMS = ("ES256", "PS256")
"""What partners sign with. RS256 is left out, as FAPI 2.0 has it."""

URIS_MAX = 10


class PartnerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator says about a partner.

    `names` by language are shown to depositors, with the host of the redirect URI. `redirect_uris` are
    compared character for character. `key_set` is the partner's JWK set, in JSON. `ceiling_yen` and
    `month_ceiling_yen` bound what it may ask for, below the bank's own.
    """

    names: dict[str, str]
    redirect_uris: tuple[str, ...]
    key_set: str
    ceiling_yen: int = 300_000
    month_ceiling_yen: int = 1_000_000


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """A registered partner, and the account in the books through which it settles."""

    client_id: str
    settings: PartnerSettings
    settlement_account: AccountId
    registered_at_us: int

    def name(self, language: str) -> str:
        """Return the name for people, in their language where there is one."""
        names = self.settings.names
        return names.get(language) or names.get("ja") or next(iter(names.values()))

    @property
    def host(self) -> str:
        """Where depositors are sent back to."""
        return host_of(self.settings.redirect_uris[0])


class PartnerUnfit(ValueError):  # noqa: N818 - says what is wrong with the registration
    """A registration that would be unsafe or could never work, or an id that is taken."""


def check(settings: PartnerSettings) -> None:
    """Raise PartnerUnfit where a registration would be unsafe or could never work."""
    if not settings.names:
        raise PartnerUnfit("a partner has a name")
    for name in settings.names.values():
        if not name.strip() or len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
            raise PartnerUnfit(f"a name has 1 to {NAME_CHARACTERS_MAX} characters that can be seen")
    if not 0 < len(settings.redirect_uris) <= URIS_MAX:
        raise PartnerUnfit(f"a partner has 1 to {URIS_MAX} redirect URIs")
    if len({host_of(uri) for uri in settings.redirect_uris}) > 1:
        raise PartnerUnfit("the redirect URIs are on one host, which depositors are shown")
    if len(settings.key_set) > KEY_SET_CHARACTERS_MAX:
        raise PartnerUnfit(f"the key set is longer than {KEY_SET_CHARACTERS_MAX} characters")
    if not Yen(0) < Yen(settings.ceiling_yen) <= Yen(settings.month_ceiling_yen):
        raise PartnerUnfit("the ceilings are more than 0, and a month's is not below one debit's")
    try:
        for uri in settings.redirect_uris:
            check_redirect_uri(uri, native=False)
        public_keys(settings.key_set, ALGORITHMS)
    except (Unregistrable, UnusableKey) as error:
        raise PartnerUnfit(str(error)) from error


def register(connection: Connection, bank: BankParts, client_id: str, settings: PartnerSettings) -> Partner:
    """Register a partner, with its account in the books. Raises PartnerUnfit.

    An id that was removed is not given out again: old consents must not count for it.
    """
    if not CLIENT_ID.fullmatch(client_id):
        raise PartnerUnfit(f"a partner's id matches {CLIENT_ID.pattern}: {client_id[:80]!r}")
    check(settings)
    taken = select(link_partner.c.client_id).where(link_partner.c.client_id == client_id)
    if connection.execute(taken).first():
        raise PartnerUnfit(f"there is or was a partner of this id: {client_id!r}")
    now_us = bank.clock.now_us()
    account = open_settlement(connection, client_id, clock=bank.clock, chance=bank.chance)
    row = {"client_id": client_id, "settings": msgspec.json.encode(settings), "settlement_account": account}
    connection.execute(insert(link_partner), row | {"registered_at_us": now_us, "removed_at_us": None})
    outbox.append(connection, [outbox.Entry("bank:partner:registered", client_id, now_us, b"{}")])
    return Partner(
        client_id=client_id, settings=settings, settlement_account=account, registered_at_us=now_us
    )


def change(connection: Connection, client_id: str, settings: PartnerSettings) -> bool:
    """Replace what is known of a partner, keys too; say whether there is one. Raises PartnerUnfit."""
    check(settings)
    its = update(link_partner).where(_is(client_id), link_partner.c.removed_at_us.is_(None))
    return connection.execute(its.values(settings=msgspec.json.encode(settings))).rowcount == 1


def remove(connection: Connection, bank: BankParts, client_id: str) -> bool:
    """Take a partner away; say whether there was one. Nothing that it holds counts any more."""
    now_us = bank.clock.now_us()
    its = update(link_partner).where(_is(client_id), link_partner.c.removed_at_us.is_(None))
    removed = connection.execute(its.values(removed_at_us=now_us)).rowcount == 1
    if removed:
        outbox.append(connection, [outbox.Entry("bank:partner:removed", client_id, now_us, b"{}")])
    return removed


def find(connection: Connection, client_id: str) -> Partner | None:
    """Return the partner of an id, None where there is none."""
    if not CLIENT_ID.fullmatch(client_id):
        return None
    found = select(link_partner).where(_is(client_id), link_partner.c.removed_at_us.is_(None))
    row = connection.execute(found).one_or_none()
    return None if row is None else _read(row)


def all_partners(connection: Connection) -> list[Partner]:
    """Return all partners by their id."""
    live = select(link_partner).where(link_partner.c.removed_at_us.is_(None))
    return [_read(row) for row in connection.execute(live.order_by(link_partner.c.client_id))]


def _is(client_id: str) -> ColumnElement[bool]:
    return link_partner.c.client_id == client_id


def _read(row: Row[Any]) -> Partner:
    return Partner(
        client_id=row.client_id,
        settings=msgspec.json.decode(row.settings, type=PartnerSettings),
        settlement_account=AccountId(row.settlement_account),
        registered_at_us=row.registered_at_us,
    )
