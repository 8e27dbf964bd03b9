"""A partner of the bank with a link: it shows its token with a proof of its key, as a wallet does."""

from typing import TYPE_CHECKING, NamedTuple, cast

import httpx
import msgspec
from litestar import Litestar
from litestar.datastructures import State
from sqlalchemy import select
from tests.bank.mandate_at_hand import NAME, TEXT, WALLET, BankAtHand

from sekisho.bank.authorisation import consents, grants
from sekisho.bank.authorisation.access import AccessDesk, Prover
from sekisho.bank.authorisation.grants import Token, TokenKind
from sekisho.bank.authorisation.partners import PartnerSettings, register
from sekisho.bank.authorisation.pushed_requests import Asked, Step, Visit
from sekisho.bank.mandates import Mandate
from sekisho.kernel.ids import LINK_REQUEST
from sekisho.linking.dpop import Demand, ProofKey, new_key
from sekisho.linking.link_details import Action, HolderClaim, LinkRequest
from sekisho.storage.tables.deposits import link_partner
from sekisho.web.bank import debit_api
from sekisho.web.bank.debit_desks import STATE, open_debit_desks

if TYPE_CHECKING:
    from sekisho.web.asgi import App

REDIRECT = "https://wallet.example/links/return"


class Linked(NamedTuple):
    """A mandate with a token that stands on it, and the key that the token is bound to."""

    bank: BankAtHand
    app: Litestar
    mandate: Mandate
    token: str
    key: ProofKey

    async def ask(self, method, path, body=None, *, nonce=None, key=None, token=None, **headers):
        """Ask the bank as the partner does, with the nonce of the moment unless another is given."""
        origin = self.bank.bank.institution.origin
        if nonce is None:
            nonce = self.app.state[STATE].prover.nonce()
        secret = self.token if token is None else token
        demand = Demand(method, origin + path.partition("?")[0], secret)
        at_hand = self.bank.at_hand
        proof = (key or self.key).prove(demand, clock=at_hand.clock, chance=at_hand.chance, nonce=nonce)
        named = {"Authorization": f"DPoP {secret}", "DPoP": proof}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        transport = httpx.ASGITransport(app=cast("App", self.app))
        async with httpx.AsyncClient(transport=transport, base_url=origin) as client:
            return await client.request(method, path, json=body, headers=named)

    async def debit(self, yen, key="k", path="/v1/debits", **changes):
        """Debit, or pay out where the path says so."""
        body = {
            "mandate_id": self.mandate.id,
            "amount_yen": yen,
            "reference": f"ref-{key}",
            "text": TEXT,
            **changes,
        }
        return await self.ask("POST", path, body, Idempotency_Key=key)


def bank_app(bank):
    """Make an application of the debit interface alone."""
    prover = Prover(bank.bank)
    desks = open_debit_desks(bank.bank, AccessDesk(bank.bank, prover), prover, bank.switches)
    return Litestar(
        list(debit_api.ROUTES), state=State({STATE: desks}), openapi_config=None, logging_config=None
    )


def linked(bank, app=None, *, client_id=WALLET, lives_s=300, **mandate):
    """Give a partner a mandate and a token for it, as a depositor's consent does."""
    made = bank.mandate(partner=client_id, **mandate)
    key = ProofKey(new_key())

    def work(connection):
        known = select(link_partner.c.client_id).where(link_partner.c.client_id == client_id)
        if connection.execute(known).first() is None:
            register(connection, bank.bank, client_id, partner_settings())
        consent_id = consents.give(connection, bank.bank, _visit(bank, client_id, made), made.id)
        token = Token(consent_id, client_id, key.thumbprint)
        return grants.new_grant(connection, bank.bank, token, TokenKind.ACCESS, lives_s=lives_s)

    return Linked(bank, app or bank_app(bank), made, bank.do(work), key)


def partner_settings():
    """Return what the operator says of the partner."""
    key_set = {"keys": [{**ProofKey(new_key()).public, "kid": "k", "alg": "ES256", "use": "sig"}]}
    return PartnerSettings(
        names={"ja": "かもめウォレット", "en": "Kamome Wallet"},
        redirect_uris=(REDIRECT,),
        key_set=msgspec.json.encode(key_set).decode(),
    )


def _visit(bank, client_id, made):
    link = LinkRequest(
        type="account_link",
        actions=(Action.DEBIT, Action.CREDIT),
        ceiling_yen=made.ceiling_yen,
        month_ceiling_yen=made.month_ceiling_yen,
        holder=HolderClaim(name_kana=NAME, birth_date="1980-01-01"),
        user_ref="user-0001",
    )
    return Visit(
        id=LINK_REQUEST.new(bank.clock, bank.at_hand.chance),
        client_id=client_id,
        asked=Asked(redirect_uri=REDIRECT, state="", code_challenge="", key_thumbprint="", link=link),
        step=Step.PROVEN,
        visit_until_us=bank.clock.now_us(),
        tries_left=3,
        deposit_id=made.deposit_id,
        code_id="",
        code_subject="",
        attempt_id="",
        way="account_pin_code",
    )
