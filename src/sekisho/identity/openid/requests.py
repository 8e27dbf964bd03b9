"""Authorisation requests: what a client asks a browser to bring us, read and checked.

The order matters. Who asks and where the answer would go are settled first, and where either is in doubt
nothing is sent anywhere. Only then may an error travel back to the client.
"""

import re
from enum import StrEnum

import msgspec
from sqlalchemy import Connection

from sekisho.identity.assurance import LEVEL_ORDER, Level
from sekisho.identity.openid import clients, scopes
from sekisho.identity.openid.clients import Client
from sekisho.identity.openid.parameters import Parameters
from sekisho.identity.openid.redirects import fits
from sekisho.identity.openid.refusals import (
    ClientUnknown,
    InvalidRequest,
    InvalidScope,
    RedirectUnregistered,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUnreadable,
    RequestUriNotSupported,
    UnmetAuthenticationRequirements,
    UnsupportedResponseType,
)
from sekisho.identity.openid.scopes import Scope
from sekisho.kernel.refusals import Refusal

# SHA-256 in base64url without padding: any other length is no S256 challenge (RFC 7636 section 4.2).
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,9}")
_VISIBLE = re.compile(r"[\x20-\x7e]*")
STATE_CHARACTERS_MAX = 1_024
NONCE_CHARACTERS_MAX = 512
HINT_CHARACTERS_MAX = 128
LOCALES_CHARACTERS_MAX = 64


class Prompt(StrEnum):
    """What the client wants the member to be asked."""

    NONE = "none"
    """Nothing at all: answer at once or with an error."""

    LOGIN = "login"
    """To log in again."""

    CONSENT = "consent"
    """To consent again."""


class AuthorisationRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request that passed every check.

    `max_age_s` is how old the login may be, None for any age. `levels` are those that would do, the weakest
    first; empty, any will. `login_hint` and `ui_locales` are the client's words and prove nothing.
    """

    client_id: str
    redirect_uri: str
    scopes: tuple[Scope, ...]
    code_challenge: str
    state: str = ""
    nonce: str = ""
    prompts: tuple[Prompt, ...] = ()
    max_age_s: int | None = None
    levels: tuple[Level, ...] = ()
    login_hint: str = ""
    ui_locales: str = ""

    def is_met_by(self, level: Level) -> bool:
        """Say whether a login of this level is strong enough."""
        return not self.levels or LEVEL_ORDER[level] >= LEVEL_ORDER[self.levels[0]]


class Addressee(msgspec.Struct, frozen=True, kw_only=True):
    """Where an answer to a request goes: a registered URI of a known client, and its state."""

    client: Client
    redirect_uri: str
    state: str


class Unacceptable(msgspec.Struct, frozen=True):
    """A request that is refused, and to whom that may be said."""

    addressee: Addressee
    refusal: Refusal


def addressee_of(connection: Connection, parameters: Parameters) -> Addressee:
    """Find out who asks and where the answer may go.

    Raises ClientUnknown, RedirectUnregistered and RequestUnreadable: those go to the person alone.
    """
    try:
        client = clients.find(connection, parameters.need("client_id"))
        redirect_uri = parameters.need("redirect_uri")
    except InvalidRequest as refusal:
        raise RequestUnreadable(known=refusal.told) from refusal
    if client is None:
        raise ClientUnknown
    if not fits(redirect_uri, client.settings.redirect_uris, native=client.settings.native):
        raise RedirectUnregistered(known=client.client_id)
    # A state that cannot be told is not sent back; the request is refused for it below.
    spoilt = "state" in parameters.repeated | parameters.unusable
    state = "" if spoilt else parameters.get("state")
    if len(state) > STATE_CHARACTERS_MAX or not _VISIBLE.fullmatch(state):
        state = ""
    return Addressee(client=client, redirect_uri=redirect_uri, state=state)


def read_request(addressee: Addressee, parameters: Parameters) -> AuthorisationRequest | Unacceptable:
    """Check what is asked for, against the standards and against what the client may do."""
    try:
        return _checked(addressee, parameters)
    except Refusal as refusal:
        return Unacceptable(addressee, refusal)


def _checked(addressee: Addressee, parameters: Parameters) -> AuthorisationRequest:
    _refuse_what_is_not_supported(parameters)
    if parameters.need("response_type") != "code":
        raise UnsupportedResponseType
    if parameters.get("response_mode") not in {"", "query"}:
        raise InvalidRequest(told="Only response_mode=query is supported.")
    asked = scopes.parse(parameters.get("scope"))
    if Scope.OPENID not in asked:
        raise InvalidScope
    return AuthorisationRequest(
        client_id=addressee.client.client_id,
        redirect_uri=addressee.redirect_uri,
        scopes=scopes.in_order(asked & set(addressee.client.settings.scopes)),
        code_challenge=_challenge(parameters),
        state=_bounded(parameters, "state", STATE_CHARACTERS_MAX),
        nonce=_bounded(parameters, "nonce", NONCE_CHARACTERS_MAX),
        prompts=_prompts(parameters),
        max_age_s=_max_age_s(parameters),
        levels=_levels(parameters),
        # A hint that is too long is no hint; it never decides anything.
        login_hint=parameters.get("login_hint")[:HINT_CHARACTERS_MAX],
        ui_locales=parameters.get("ui_locales")[:LOCALES_CHARACTERS_MAX],
    )


def _refuse_what_is_not_supported(parameters: Parameters) -> None:
    for name, refusal in (
        ("request", RequestNotSupported),
        ("request_uri", RequestUriNotSupported),
        ("registration", RegistrationNotSupported),
    ):
        if parameters.get(name):
            raise refusal
    # Whatever else is repeated is refused as well: it may mean something to a filter in front of us.
    for name in sorted(parameters.repeated):
        raise InvalidRequest(told="A parameter is repeated.", known=name[:40])


def _challenge(parameters: Parameters) -> str:
    # Without a method a challenge is "plain" (RFC 7636 section 4.3), which protects nothing from those who
    # read the request: S256 must be said.
    if parameters.need("code_challenge_method") != "S256":
        raise InvalidRequest(told="The code_challenge_method must be S256.")
    challenge = parameters.need("code_challenge")
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequest(told="The code_challenge is not a SHA-256 in base64url.")
    return challenge


def _bounded(parameters: Parameters, name: str, characters_max: int) -> str:
    value = parameters.get(name)
    if len(value) > characters_max or not _VISIBLE.fullmatch(value):
        raise InvalidRequest(told=f"The parameter {name} has at most {characters_max} ASCII characters.")
    return value


def _prompts(parameters: Parameters) -> tuple[Prompt, ...]:
    words = set(parameters.get("prompt").split())
    try:
        prompts = {Prompt(word) for word in words}
    except ValueError as error:
        raise InvalidRequest(told="The prompt is not supported.") from error
    if Prompt.NONE in prompts and len(prompts) > 1:
        raise InvalidRequest(told="prompt=none stands alone.")
    return tuple(prompt for prompt in Prompt if prompt in prompts)


def _max_age_s(parameters: Parameters) -> int | None:
    text = parameters.get("max_age")
    if not text:
        return None
    if not _SECONDS.fullmatch(text):
        raise InvalidRequest(told="The max_age is not a number of seconds.")
    return int(text)


def _levels(parameters: Parameters) -> tuple[Level, ...]:
    asked = parameters.get("acr_values").split()
    known = tuple(level for level in Level if level in asked)
    if asked and not known:
        raise UnmetAuthenticationRequirements
    return known
