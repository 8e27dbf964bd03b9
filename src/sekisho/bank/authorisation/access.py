"""Who may use the debit interface: a token, and a proof that it is shown by whoever it was made for."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.bank.authorisation import client_proofs, consents, grants
from sekisho.bank.authorisation.grants import TokenKind
from sekisho.bank.authorisation.refusals import InvalidDpopProof, TokenNotBound, UseDpopNonce
from sekisho.bank.house import BankParts
from sekisho.kernel.ids import DepositId, LinkConsentId, MandateId
from sekisho.linking.dpop import Demand, Nonces, NonceWanted, Proof, ProofUnusable, check
from sekisho.linking.link_details import Action

SCHEME = "dpop "
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class Shown(NamedTuple):
    """A request as it came: method and path, and all values of its Authorization and DPoP headers."""

    method: str
    path: str
    authorization: Sequence[str]
    dpop: Sequence[str]


class Grant(NamedTuple):
    """What a token allows, and whom."""

    client_id: str
    mandate_id: MandateId
    deposit_id: DepositId
    consent_id: LinkConsentId
    actions: tuple[Action, ...]


class Prover:
    """Believes DPoP proofs for one bank: each once, with its nonce of the moment."""

    def __init__(self, bank: BankParts) -> None:
        self._bank = bank
        self.nonces = Nonces(bank.keyring)

    def nonce(self) -> str:
        """Return the nonce of the moment, which every answer carries."""
        return self.nonces.at(self._bank.clock.now_us())

    def check(self, dpop: Sequence[str], method: str, path: str, *, access_token: str = "") -> Proof:
        """Believe the one proof of a request, without writing. Raises InvalidDpopProof and UseDpopNonce."""
        if len(dpop) != 1:
            raise InvalidDpopProof(known=f"{len(dpop)} proofs")
        # What clients reach is our origin; the Host header is whatever somebody writes.
        demand = Demand(method, self._bank.institution.origin + path, access_token)
        try:
            return check(dpop[0], demand, now_us=self._bank.clock.now_us(), nonces=self.nonces)
        except NonceWanted as wanted:
            raise UseDpopNonce(known=str(wanted)) from wanted
        except ProofUnusable as unusable:
            raise InvalidDpopProof(known=str(unusable)) from unusable

    def use_up(self, connection: Connection, proof: Proof) -> None:
        """Write down that a proof was believed. Raises InvalidDpopProof where it was before."""
        if not client_proofs.use_up(connection, proof.digest, proof.until_us):
            raise InvalidDpopProof(known="a proof came twice")


class AccessDesk:
    """Lets partners with a link in, for one bank."""

    def __init__(self, bank: BankParts, prover: Prover) -> None:
        self._bank = bank
        self._prover = prover

    async def require_token(self, shown: Shown) -> Grant:
        """Return what the token of a request allows. The proof is used up.

        Raises TokenNotBound, InvalidDpopProof, UseDpopNonce and OperationalError.
        """
        secret = self._secret(shown.authorization)
        proof = self._prover.check(shown.dpop, shown.method, shown.path, access_token=secret)
        grant = await self._bank.read(lambda at: self._found(at, secret, proof))
        await self._bank.written(lambda at: self._prover.use_up(at, proof))
        return grant

    def _secret(self, authorization: Sequence[str]) -> str:
        # Two headers are two meanings; a token that is shown as a bearer's would be anybody's.
        header = authorization[0] if len(authorization) == 1 else ""
        secret = header[len(SCHEME) :].strip() if header[: len(SCHEME)].lower() == SCHEME else ""
        if not _TOKEN.fullmatch(secret):
            raise TokenNotBound(known="no token, or not with DPoP")
        return secret

    def _found(self, connection: Connection, secret: str, proof: Proof) -> Grant:
        now_us = self._bank.clock.now_us()
        token = grants.find_token(connection, secret, TokenKind.ACCESS, now_us=now_us)
        if token is None or token.key_thumbprint != proof.thumbprint:
            raise TokenNotBound(known="unknown" if token is None else f"{token.client_id}: another key")
        consent = consents.find(connection, self._bank, token.consent_id)
        if consent is None:
            raise TokenNotBound(known=f"{token.client_id}: no consent")
        return Grant(
            client_id=token.client_id,
            mandate_id=consent.mandate_id,
            deposit_id=consent.deposit_id,
            consent_id=consent.id,
            actions=consent.link.actions,
        )
