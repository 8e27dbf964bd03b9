"""The endpoints that partners call themselves, without HTTP: pushed requests, tokens, revocation."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.bank import mandates
from sekisho.bank.authorisation import client_proofs, consents, grants, pushed_requests
from sekisho.bank.authorisation.access import Prover
from sekisho.bank.authorisation.client_proofs import Proven
from sekisho.bank.authorisation.consents import Consent
from sekisho.bank.authorisation.grants import Token, TokenKind, Unusable
from sekisho.bank.authorisation.metadata import PUSH_PATH, TOKEN_PATH
from sekisho.bank.authorisation.refusals import LinkingSwitchedOff
from sekisho.bank.authorisation.settings import LinkSettings
from sekisho.bank.house import BankParts
from sekisho.bank.mandate_states import Actor, Who
from sekisho.bank.switches import Function, Switches, Usage
from sekisho.identity.openid.parameters import Parameters
from sekisho.identity.openid.refusals import (
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    UnsupportedGrantType,
)
from sekisho.kernel.clock import DAY_US, SECOND_US
from sekisho.kernel.ids import LinkConsentId
from sekisho.linking.dpop import Proof
from sekisho.linking.link_details import LinkGranted

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
CODE, REFRESH = "authorization_code", "refresh_token"


class Pushed(NamedTuple):
    """A request was taken: by what name the browser brings it, and within how many seconds."""

    request_uri: str
    expires_s: int


class Tokens(NamedTuple):
    """What a code or a refresh token buys; `refresh_token` is empty where it was one."""

    access_token: str
    refresh_token: str
    expires_s: int
    granted: LinkGranted


class ExchangeDesk:
    """Takes pushed requests, exchanges codes, refreshes and revokes, for one bank."""

    def __init__(self, bank: BankParts, settings: LinkSettings, prover: Prover, switches: Switches) -> None:
        self._bank = bank
        self._settings = settings
        self._prover = prover
        self._switches = switches

    async def push(self, parameters: Parameters, dpop: Sequence[str]) -> Pushed:
        """Take a request. A DPoP proof may come with it, and then binds the code to its key.

        Raises InvalidClient, InvalidRequest, InvalidAuthorizationDetails, UnsupportedResponseType,
        InvalidDpopProof, UseDpopNonce, LinkingSwitchedOff and OperationalError.
        """
        _refuse_repetition(parameters)
        proven = await self._proven(parameters)
        proof = self._prover.check(dpop, "POST", PUSH_PATH) if dpop else None
        asked = pushed_requests.read_asked(
            parameters, proven.partner, self._settings, proof_thumbprint=proof.thumbprint if proof else ""
        )
        client_id = proven.partner.client_id
        usage = Usage(Function.LINK_REGISTER, client_id, is_new=True)

        def work(connection: Connection) -> str | None:
            self._use_up(connection, proven, proof)
            if self._switches.off_within(connection, usage) is not None:
                return None
            return pushed_requests.push(connection, self._bank, client_id, asked)

        uri = await self._bank.written(work)
        if uri is None:
            raise LinkingSwitchedOff(known=client_id)
        return Pushed(uri, self._settings.request_s)

    async def exchange(self, parameters: Parameters, dpop: Sequence[str]) -> Tokens:
        """Exchange a code or a refresh token for an access token that is bound to the proof's key.

        Raises InvalidClient, InvalidRequest, InvalidGrant, UnsupportedGrantType, InvalidDpopProof,
        UseDpopNonce and OperationalError.
        """
        _refuse_repetition(parameters)
        kind = parameters.need("grant_type")
        if kind not in {CODE, REFRESH}:
            raise UnsupportedGrantType
        proven = await self._proven(parameters)
        proof = self._prover.check(dpop, "POST", TOKEN_PATH)
        if kind == REFRESH:
            secret = parameters.need("refresh_token")
            bought = await self._bank.written(lambda at: self._refresh(at, proven, proof, secret))
        else:
            shown = _shown(parameters, proven, proof)
            bought = await self._bank.written(lambda at: self._buy(at, proven, proof, shown))
        if isinstance(bought, Unusable):
            raise InvalidGrant(known=f"{proven.partner.client_id}: {bought.why}")
        return bought

    async def revoke(self, parameters: Parameters) -> None:
        """Revoke a partner's own token (RFC 7009); with a refresh token the link itself ends.

        Raises InvalidClient, InvalidRequest and OperationalError; an unknown token is no error.
        """
        _refuse_repetition(parameters)
        secret = parameters.need("token")
        proven = await self._proven(parameters)
        await self._bank.written(lambda at: self._revoke(at, proven, secret))

    async def sweep(self) -> None:
        """End links whose code nobody came for, and forget what is too old. Raises OperationalError.

        Without tokens nothing could be debited; but a depositor must not read of a link that there is not.
        """
        now_us = self._bank.clock.now_us()

        def work(connection: Connection) -> None:
            for consent_id in grants.take_unused(connection, now_us=now_us):
                self._end(connection, consent_id, Actor(Who.BANK), "code_unused")
            client_proofs.forget_expired(connection, now_us=now_us)
            grants.forget_expired(connection, now_us=now_us)
            pushed_requests.forget_old(connection, now_us=now_us)

        await self._bank.written(work)

    async def _proven(self, parameters: Parameters) -> Proven:
        issuer, now_us = self._bank.institution.origin, self._bank.clock.now_us()
        return await self._bank.read(
            lambda at: client_proofs.prove(at, parameters, issuer=issuer, now_us=now_us)
        )

    def _use_up(self, connection: Connection, proven: Proven, proof: Proof | None) -> None:
        if not client_proofs.use_up(connection, proven.digest, proven.until_us):
            raise InvalidClient(known=f"{proven.partner.client_id}: a statement came twice")
        if proof is not None:
            self._prover.use_up(connection, proof)

    def _buy(
        self, connection: Connection, proven: Proven, proof: Proof, shown: grants.Presented
    ) -> Tokens | Unusable:
        self._use_up(connection, proven, proof)
        now_us = self._bank.clock.now_us()
        bought = grants.redeem(connection, shown, now_us=now_us)
        if isinstance(bought, Unusable):
            if bought.spoilt is not None:
                self._end(connection, bought.spoilt, Actor(Who.BANK), f"code:{bought.why}")
            return bought
        consent = consents.find(connection, self._bank, bought)
        if consent is None or consent.revoked_at_us is not None:
            return Unusable("consent revoked")
        token = Token(consent.id, consent.client_id, proof.thumbprint)
        lives_s = self._settings.refresh_days * (DAY_US // SECOND_US)
        refresh = grants.new_grant(connection, self._bank, token, TokenKind.REFRESH, lives_s=lives_s)
        return self._tokens(connection, consent, token, refresh)

    def _refresh(
        self, connection: Connection, proven: Proven, proof: Proof, secret: str
    ) -> Tokens | Unusable:
        self._use_up(connection, proven, proof)
        if not _SECRET.fullmatch(secret):
            return Unusable("no refresh token")
        now_us = self._bank.clock.now_us()
        token = grants.find_token(connection, secret, TokenKind.REFRESH, now_us=now_us)
        if token is None or token.client_id != proven.partner.client_id:
            return Unusable("refresh token unknown, or another partner's")
        if token.key_thumbprint != proof.thumbprint:
            return Unusable("refresh token of another key")
        consent = consents.find(connection, self._bank, token.consent_id)
        return Unusable("no consent") if consent is None else self._tokens(connection, consent, token, "")

    def _tokens(self, connection: Connection, consent: Consent, token: Token, refresh: str) -> Tokens:
        lives_s = self._settings.access_token_s
        access = grants.new_grant(connection, self._bank, token, TokenKind.ACCESS, lives_s=lives_s)
        return Tokens(access, refresh, lives_s, consents.granted(connection, self._bank, consent))

    def _revoke(self, connection: Connection, proven: Proven, secret: str) -> None:
        self._use_up(connection, proven, None)
        found = grants.of_any_kind(connection, secret) if _SECRET.fullmatch(secret) else None
        if found is None or found[0].client_id != proven.partner.client_id:
            return
        token, kind = found
        if kind is TokenKind.REFRESH:
            self._end(connection, token.consent_id, Actor(Who.PARTNER, token.client_id), "token_revoked")
        else:
            grants.revoke_one(connection, secret, self._bank.clock.now_us())

    def _end(self, connection: Connection, consent_id: LinkConsentId, by: Actor, why: str) -> None:
        """End a link: its tokens, and its mandate."""
        consent = consents.find(connection, self._bank, consent_id)
        if consent is not None:
            consents.revoke(connection, consent_id, why, self._bank.clock.now_us())
            mandates.revoke_within(connection, self._bank, consent.mandate_id, by, why)


def _shown(parameters: Parameters, proven: Proven, proof: Proof) -> grants.Presented:
    verifier = parameters.need("code_verifier")
    if not _VERIFIER.fullmatch(verifier):
        raise InvalidRequest(told="The code_verifier has 43 to 128 letters, digits and -._~")
    return grants.Presented(
        client_id=proven.partner.client_id,
        code=parameters.need("code"),
        redirect_uri=parameters.need("redirect_uri"),
        code_verifier=verifier,
        key_thumbprint=proof.thumbprint,
    )


def _refuse_repetition(parameters: Parameters) -> None:
    for name in sorted(parameters.repeated):
        raise InvalidRequest(told="A parameter is repeated.", known=name[:40])
