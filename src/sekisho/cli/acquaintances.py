"""What the operators of the demo's institutions would tell each other: who is whose client, by which key.

It is told anew at each start, because a program that is tried may come up on another port.
"""

from collections.abc import Mapping

from sekisho.bank.authorisation import partners
from sekisho.bank.authorisation.partners import PartnerSettings
from sekisho.bank.branches import MISAKI
from sekisho.bank.house import BankParts, open_house
from sekisho.cli.wallet_house import AT_BANK, AT_ID
from sekisho.identity.institution import Parts
from sekisho.identity.openid import clients
from sekisho.identity.openid.clients import ClientSettings
from sekisho.identity.relying.client_keys import client_key
from sekisho.storage.unit_of_work import Connection
from sekisho.wallet.link_banks import public_key_set
from sekisho.wallet.links import RETURN_PATH
from sekisho.wallet.outside import registration


def acquaint(opened: Mapping[str, Parts]) -> None:
    """Tell the ID and the bank of the wallet. Raises OperationalError."""
    wallet, identity, bank = opened["wallet"], opened["id"], opened["bank"]
    own, issuer = wallet.institution, identity.institution.origin
    key = wallet.store.write(lambda at: client_key(at, wallet, issuer)).result()
    at_id = registration(own, key.key_set)
    identity.store.write(lambda at: _at_id(at, identity, at_id)).result()
    at_bank = PartnerSettings(
        names=own.names,
        redirect_uris=(own.origin + RETURN_PATH,),
        key_set=wallet.store.write(lambda at: public_key_set(at, wallet, MISAKI.code)).result(),
    )
    house = open_house(bank)
    bank.store.write(lambda at: _at_bank(at, house, at_bank)).result()


def _at_id(connection: Connection, identity: Parts, settings: ClientSettings) -> None:
    if not clients.change(connection, AT_ID, settings):
        clients.add(connection, AT_ID, settings, now_us=identity.clock.now_us(), chance=identity.chance)


def _at_bank(connection: Connection, bank: BankParts, settings: PartnerSettings) -> None:
    if not partners.change(connection, AT_BANK, settings):
        partners.register(connection, bank, AT_BANK, settings)
