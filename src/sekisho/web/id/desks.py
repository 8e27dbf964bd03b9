"""Whom the OpenID Connect pages and endpoints ask, and how a handler finds them."""

from typing import Any, NamedTuple, cast

from litestar import Request

from sekisho.identity.institution import Parts
from sekisho.identity.openid.authorisation import AuthorisationDesk
from sekisho.identity.openid.backchannel import LogoutCourier
from sekisho.identity.openid.exchange import TokenDesk
from sekisho.identity.openid.id_tokens import TokenSigner
from sekisho.identity.openid.logout import LogoutDesk
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.identity.openid.signing_keys import SigningKeys
from sekisho.identity.openid.used_services import ServiceDesk

STATE = "openid"


class OpenIdDesks(NamedTuple):
    """The desks of one provider, its keys and its settings."""

    authorisation: AuthorisationDesk
    tokens: TokenDesk
    logout: LogoutDesk
    services: ServiceDesk
    courier: LogoutCourier
    keys: SigningKeys
    settings: OpenIdSettings


def open_desks(parts: Parts, settings: OpenIdSettings) -> OpenIdDesks:
    """Put a provider together, and wait until it has keys that sign. Raises OperationalError."""
    keys = SigningKeys(parts.store, parts.keyring, parts.clock, settings)
    keys.ensure()
    signer = TokenSigner(parts, settings, keys)
    return OpenIdDesks(
        authorisation=AuthorisationDesk(parts, settings),
        tokens=TokenDesk(parts, settings, signer),
        logout=LogoutDesk(parts, signer),
        services=ServiceDesk(parts),
        courier=LogoutCourier(parts, settings, signer, keys),
        keys=keys,
        settings=settings,
    )


def desks_of(request: Request[Any, Any, Any]) -> OpenIdDesks:
    """Return the desks of the application that a request came to."""
    return cast("OpenIdDesks", request.app.state[STATE])
