"""Our side of linking with one bank (FAPI 2.0): pushed requests, codes, tokens, each bound to a key.

Every call says who we are by a statement signed for this bank alone, and proves the link's own key. A bank's
no is a value; silence, and an answer that can't be read, raise BankAway, which says whether the bank may
have acted.
"""

import hashlib
from http import HTTPStatus
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode

import msgspec

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import MINUTE_US, Clock
from sekisho.linking.bank_http import BankAway, BankLine, Heard, Question
from sekisho.linking.bank_metadata import BankMetadata, read_metadata
from sekisho.linking.client_statements import ASSERTION_TYPE, client_statement
from sekisho.linking.dpop import Demand, ProofKey, encoded
from sekisho.linking.link_answers import Declined, Pushed, ServiceStatus, Tokens
from sekisho.linking.link_details import LinkRequest, write_request
from sekisho.linking.link_partners import LinkPartner

Kind = TypeVar("Kind")

METADATA_US = 10 * MINUTE_US
"""How long a bank's metadata are believed before they are read anew."""

NONCE_CHARACTERS_MAX = 500
_NONCE_ASKED = "use_dpop_nonce"
_CODE_CHARACTERS_MAX = 80


class Flow(NamedTuple):
    """One way of a member to the bank and back. `verifier` and `state` are secrets until it ends."""

    redirect_uri: str
    state: str
    verifier: str

    def __repr__(self) -> str:
        # It stands in tracebacks, and its secrets must not.
        return f"Flow({self.redirect_uri!r}, ...)"


class OauthFault(msgspec.Struct):
    """How an authorisation server says no (RFC 6749 section 5.2)."""

    error: str


class BankClient:
    """Speaks with one bank's authorisation server. Safe to share between tasks."""

    def __init__(
        self, line: BankLine, partner: LinkPartner, client_key: bytes, *, clock: Clock, chance: Chance
    ) -> None:
        """Take the line, what was agreed with the bank, and our private key (a JWK) that the bank knows."""
        self.line = line
        self.partner = partner
        self.clock = clock
        self.chance = chance
        self._client_key = client_key
        self._metadata: BankMetadata | None = None
        self._read_at_us = 0
        self._nonce = ""

    async def metadata(self) -> BankMetadata:
        """Return what the bank says of itself, at most ten minutes old. Raises BankAway."""
        now_us = self.clock.now_us()
        if self._metadata is None or not 0 <= now_us - self._read_at_us < METADATA_US:
            self._metadata = await read_metadata(self.line, self.partner)
            self._read_at_us = now_us
        return self._metadata

    async def push(self, wish: LinkRequest, flow: Flow, key: ProofKey) -> Pushed | Declined:
        """Leave a request with the bank, bound to the key that will use its code. Raises BankAway."""
        metadata = await self.metadata()
        form = {
            "response_type": "code",
            "redirect_uri": flow.redirect_uri,
            "state": flow.state,
            "code_challenge": challenge_of(flow.verifier),
            "code_challenge_method": "S256",
            "authorization_details": write_request(wish),
            "dpop_jkt": key.thumbprint,
        }
        heard = await self._asked(metadata.pushed_authorization_request_endpoint, form, None)
        return self._read(heard, Pushed, HTTPStatus.CREATED)

    async def address_for(self, pushed: Pushed) -> str:
        """Return where the member's browser goes for a request that was pushed. Raises BankAway."""
        metadata = await self.metadata()
        query = urlencode({"client_id": self.partner.client_id, "request_uri": pushed.request_uri})
        return f"{metadata.authorization_endpoint}?{query}"

    async def exchange(self, code: str, flow: Flow, key: ProofKey) -> Tokens | Declined:
        """Give a code back for tokens. It is asked once: a code that is used twice voids what it gave.

        Raises BankAway.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.redirect_uri,
            "code_verifier": flow.verifier,
        }
        return await self._tokens(form, key)

    async def refresh(self, refresh_token: str, key: ProofKey) -> Tokens | Declined:
        """Get a fresh access token. Raises BankAway."""
        return await self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token}, key)

    async def revoke(self, refresh_token: str) -> None:
        """Tell the bank that a token is used no more, which ends what it was good for. Raises BankAway."""
        metadata = await self.metadata()
        heard = await self._asked(metadata.revocation_endpoint, {"token": refresh_token}, None)
        if heard.status != HTTPStatus.OK:
            raise BankAway(self.partner.bank, f"revocation: HTTP {heard.status}", maybe_heard=False)

    async def service_status(self) -> ServiceStatus:
        """Ask what the bank has switched off for us; nothing, where it does not say. Raises BankAway."""
        metadata = await self.metadata()
        if not metadata.sekisho_service_status_endpoint:
            return ServiceStatus()
        heard = await self._asked(metadata.sekisho_service_status_endpoint, {}, None)
        status = self._read(heard, ServiceStatus, HTTPStatus.OK)
        if isinstance(status, Declined):
            raise BankAway(self.partner.bank, f"service status: {status.code}", maybe_heard=False)
        return status

    async def _tokens(self, form: dict[str, str], key: ProofKey) -> Tokens | Declined:
        metadata = await self.metadata()
        heard = await self._asked(metadata.token_endpoint, form, key)
        tokens = self._read(heard, Tokens, HTTPStatus.OK)
        if isinstance(tokens, Tokens) and tokens.token_type.lower() != "dpop":
            # A token that anybody could use is not the one that was asked for.
            raise BankAway(self.partner.bank, "a token bound to no key", maybe_heard=True)
        return tokens

    async def _asked(self, url: str, form: dict[str, str], key: ProofKey | None) -> Heard:
        heard = await self._posted(url, form, key)
        nonce = heard.headers.get("dpop-nonce", "")
        if nonce and len(nonce) <= NONCE_CHARACTERS_MAX:
            self._nonce = nonce
            if key is not None and _is_nonce_asked(heard):
                # Nothing was done yet: the bank only said which nonce it wants to see.
                return await self._posted(url, form, key)
        return heard

    async def _posted(self, url: str, form: dict[str, str], key: ProofKey | None) -> Heard:
        now_us, partner = self.clock.now_us(), self.partner
        statement = client_statement(
            self._client_key, partner.client_id, partner.issuer, now_us=now_us, chance=self.chance
        )
        named = {
            "client_id": partner.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": statement,
        }
        headers = {}
        if key is not None:
            demand = Demand("POST", url)
            headers["DPoP"] = key.prove(demand, clock=self.clock, chance=self.chance, nonce=self._nonce)
        return await self.line.ask(Question("POST", url, headers, form=form | named))

    def _read(self, heard: Heard, kind: type[Kind], expected: HTTPStatus) -> Kind | Declined:
        try:
            if heard.status == expected:
                return heard.read(kind)
            if HTTPStatus.BAD_REQUEST <= heard.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return Declined(heard.read(OauthFault).error[:_CODE_CHARACTERS_MAX], heard.status)
        except msgspec.MsgspecError as error:
            raise BankAway(self.partner.bank, "an answer that can't be read", maybe_heard=True) from error
        raise BankAway(self.partner.bank, f"HTTP {heard.status}", maybe_heard=True)


def challenge_of(verifier: str) -> str:
    """Return the challenge of PKCE that a verifier answers (S256)."""
    return encoded(hashlib.sha256(verifier.encode()).digest())


def _is_nonce_asked(heard: Heard) -> bool:
    if heard.status != HTTPStatus.BAD_REQUEST:
        return False
    try:
        return heard.read(OauthFault).error == _NONCE_ASKED
    except msgspec.MsgspecError:
        return False
