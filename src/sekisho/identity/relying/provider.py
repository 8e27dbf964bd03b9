"""The ID as a client sees it: discovery, keys, the token endpoint and userinfo, all on its one origin."""

import asyncio
from typing import TypeVar

import msgspec
from joserfc.jwk import KeySet

from sekisho.identity.http_line import AddressUnfit, Answered, HttpLine, require_fit
from sekisho.identity.openid.client_authentication import ASSERTION_TYPE
from sekisho.identity.openid.jose import ALGORITHMS, Claims, SigningKey, UnusableKey, public_keys, sign
from sekisho.identity.relying.refusals import SignInFailed
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import HOUR_US, MINUTE_US, SECOND_US, Clock
from sekisho.kernel.posture import OperationalError

Shape = TypeVar("Shape")

KEPT_US = HOUR_US
KEYS_AGAIN_US = MINUTE_US
"""How often the keys are read anew because a token names one that we do not have: nobody makes us ask
the ID at every forged token.
"""

ASSERTION_S = 60
JTI_OCTETS = 16
OK = 200
CLIENT_ERRORS = range(400, 500)
PART = "id"


class IdClient(msgspec.Struct, frozen=True, kw_only=True):
    """What we are to an ID: its issuer, our client id there, and where it sends browsers back to."""

    issuer: str
    client_id: str
    redirect_uri: str
    after_logout_uri: str = ""


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What the ID says about itself (OpenID Connect Discovery 1.0), as far as we need it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    end_session_endpoint: str


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a code was exchanged for."""

    access_token: str
    id_token: str
    token_type: str


class Provider:
    """Asks one ID. Metadata and keys are kept for an hour."""

    def __init__(self, client: IdClient, line: HttpLine, clock: Clock, chance: Chance) -> None:
        self.client = client
        self._line = line
        self._clock = clock
        self._chance = chance
        self._metadata: tuple[Metadata, int] | None = None
        self._keys: tuple[KeySet, int] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """Return what the ID says about itself. Raises OperationalError where it can't be asked."""
        kept, now_us = self._metadata, self._clock.now_us()
        if kept is not None and now_us - kept[1] < KEPT_US:
            return kept[0]
        url = f"{self.client.issuer}/.well-known/openid-configuration"
        found = _read(await self._ask("GET", url), Metadata)
        if found.issuer != self.client.issuer:
            raise OperationalError(PART, "the metadata are another issuer's")
        try:
            for name in Metadata.__struct_fields__[1:]:
                require_fit(getattr(found, name), self.client.issuer)
        except AddressUnfit as error:
            raise OperationalError(PART, "the metadata lead to another origin") from error
        self._metadata = (found, now_us)
        return found

    async def keys(self, *, because_unknown: bool = False) -> KeySet:
        """Return the ID's public keys; anew, at most once a minute, where a token names one that is not
        among them. Raises OperationalError.
        """
        async with self._one_at_a_time:
            kept, now_us = self._keys, self._clock.now_us()
            lasts_us = KEYS_AGAIN_US if because_unknown else KEPT_US
            if kept is not None and now_us - kept[1] < lasts_us:
                return kept[0]
            answer = await self._ask("GET", (await self.metadata()).jwks_uri)
            try:
                keys = public_keys(answer.body, ALGORITHMS)
            except UnusableKey as error:
                raise OperationalError(PART, str(error)) from error
            self._keys = (keys, now_us)
            return keys

    async def exchange(self, code: str, verifier: str, key: SigningKey) -> Tokens:
        """Exchange a code, proving who we are by a statement signed with our key (RFC 7523).

        Raises SignInFailed where the ID refuses, and OperationalError where it can't be asked.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": verifier,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._statement(key),
        }
        answer = await self._ask("POST", (await self.metadata()).token_endpoint, form=form)
        tokens = _read(answer, Tokens)
        if tokens.token_type.lower() != "bearer":
            raise SignInFailed(known="another kind of token")
        return tokens

    async def userinfo(self, access_token: str) -> Claims:
        """Return the claims that a token opens. Raises SignInFailed and OperationalError."""
        headers = {"authorization": f"Bearer {access_token}"}
        answer = await self._ask("GET", (await self.metadata()).userinfo_endpoint, headers=headers)
        return _read(answer, Claims)

    def _statement(self, key: SigningKey) -> str:
        now_s = self._clock.now_us() // SECOND_US
        claims: Claims = {
            "iss": self.client.client_id,
            "sub": self.client.client_id,
            "aud": self.client.issuer,
            "iat": now_s,
            "exp": now_s + ASSERTION_S,
            "jti": self._chance.octets(JTI_OCTETS).hex(),
        }
        return sign(claims, key)

    async def _ask(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
    ) -> Answered:
        answer = await self._line.call(method, url, headers=headers, form=form)
        if answer.status == OK:
            return answer
        if form is not None and answer.status in CLIENT_ERRORS:
            raise SignInFailed(known=f"the ID answered {answer.status}")
        raise OperationalError(PART, f"{url} answered {answer.status}")


def _read(answer: Answered, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.DecodeError, RecursionError) as error:
        raise OperationalError(PART, "the answer is not what the standard says") from error
