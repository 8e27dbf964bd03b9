"""Whom a wallet asks outside its own house: the ID that members log in with, authorities, banks."""

from typing import NamedTuple

from sekisho.identity.institution import Institution
from sekisho.identity.openid.clients import ClientSettings, Proof
from sekisho.identity.openid.scopes import Scope
from sekisho.identity.person_checks import NobodyTrusted, Trust
from sekisho.identity.relying.provider import IdClient
from sekisho.linking.link_partners import PartnerBook

CALLBACK_PATH = "/login/id/callback"
LOGOUT_PATH = "/login/id/logout"


class Outside(NamedTuple):
    """Whom a wallet asks. Without partners no bank account is linked.

    `card_page` is where a card for trying out signs (a URL), empty where members have their own reader.
    """

    id: IdClient
    trust: Trust = NobodyTrusted()
    partners: PartnerBook = PartnerBook(())
    card_page: str = ""


def client_at(issuer: str, client_id: str, origin: str) -> IdClient:
    """Return what a wallet on an origin is to the ID of an issuer."""
    return IdClient(issuer=issuer, client_id=client_id, redirect_uri=origin + CALLBACK_PATH)


def registration(institution: Institution, key_set: str) -> ClientSettings:
    """Return the wallet as the operator of the ID registers it, with the key set of its client key."""
    return ClientSettings(
        names=institution.names,
        redirect_uris=(institution.origin + CALLBACK_PATH,),
        backchannel_logout_uri=institution.origin + LOGOUT_PATH,
        proof=Proof.PRIVATE_KEY_JWT,
        key_set=key_set,
        scopes=(Scope.OPENID, Scope.EMAIL),
    )
