"""What clients call themselves: discovery, keys, token, userinfo, revocation. No cookie counts here."""

from typing import Any

import msgspec
import structlog
from litestar import Response, get, post, route

from sekisho.identity.openid.metadata import (
    discovery,
)
from sekisho.identity.openid.parameters import Parameters, read_form
from sekisho.identity.openid.refusals import InvalidClient, InvalidRequest, InvalidToken, RequestUnreadable
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.web.id.desks import desks_of
from sekisho.web.members.forms import FORM_TYPE
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, AnyRequest, visit_of

log = structlog.get_logger(__name__)

JSON = "application/json"
OF_CLIENTS = {ROLE: Role.CLIENT}
BEARER = "bearer "


@get(
    ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"],
    opt=OF_CLIENTS,
    sync_to_thread=False,
)
def show_discovery(request: AnyRequest) -> Response[Any]:
    """Say what this provider can do and where."""
    return _public(request, discovery(visit_of(request).site.parts.institution))


@get("/openid/keys", opt=OF_CLIENTS, sync_to_thread=True)
def show_keys(request: AnyRequest) -> Response[Any]:
    """Show the keys that verify our tokens, those that will sign soon among them."""
    return _public(request, desks_of(request).keys.shown())


@post("/openid/token", opt=OF_CLIENTS, status_code=200)
async def exchange_code(request: AnyRequest) -> Response[Any]:
    """Exchange a code for an access token and an ID token."""
    try:
        parameters = await read_parameters(request)
        tokens = await desks_of(request).tokens.exchange(parameters, _authorization(request))
    except (Refusal, OperationalError) as failure:
        return _failed(request, failure)
    answer = {
        "access_token": tokens.access_token,
        "token_type": "Bearer",
        "expires_in": tokens.expires_s,
        "id_token": tokens.id_token,
        "scope": tokens.scope,
    }
    return Response(msgspec.json.encode(answer), media_type=JSON, headers=NO_STORE)


@post("/openid/revoke", opt=OF_CLIENTS, status_code=200)
async def revoke_token(request: AnyRequest) -> Response[Any]:
    """Revoke an access token."""
    try:
        parameters = await read_parameters(request)
        await desks_of(request).tokens.revoke(parameters, _authorization(request))
    except (Refusal, OperationalError) as failure:
        return _failed(request, failure)
    return Response(b"", media_type=JSON, headers=NO_STORE)


@route("/openid/userinfo", http_method=["GET", "POST"], opt=OF_CLIENTS, status_code=200)
async def show_userinfo(request: AnyRequest) -> Response[Any]:
    """Tell the claims that an access token opens."""
    authorization = _authorization(request)
    try:
        if authorization[: len(BEARER)].lower() != BEARER:
            raise InvalidToken(known="no bearer token")
        claims = await desks_of(request).tokens.userinfo(authorization[len(BEARER) :].strip())
    except (Refusal, OperationalError) as failure:
        return _failed(request, failure, asked_for_token=bool(authorization))
    return Response(msgspec.json.encode(claims), media_type=JSON, headers=NO_STORE)


async def read_parameters(request: AnyRequest) -> Parameters:
    """Read a form that a client posted. Raises InvalidRequest and RequestUnreadable."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise InvalidRequest(told=f"The body must be {FORM_TYPE}.")
    if request.scope["query_string"]:
        # What is sent here are secrets, and addresses are written into logs.
        raise InvalidRequest(told="Parameters belong into the body.")
    return read_form(await request.body())


def _authorization(request: AnyRequest) -> str:
    values = request.headers.getall("authorization", [])
    # Two headers are two meanings; neither is taken.
    return values[0] if len(values) == 1 else ""


def _public(request: AnyRequest, document: dict[str, Any]) -> Response[Any]:
    age_s = desks_of(request).settings.key_set_age_s
    headers = {"Cache-Control": f"public, max-age={age_s}", "Access-Control-Allow-Origin": "*"}
    return Response(msgspec.json.encode(document), media_type=JSON, headers=headers)


def _failed(
    request: AnyRequest, failure: Refusal | OperationalError, *, asked_for_token: bool = True
) -> Response[Any]:
    """Answer a failure as OAuth has it (RFC 6749 section 5.2, RFC 6750 section 3)."""
    headers = dict(NO_STORE)
    if isinstance(failure, OperationalError):
        log.warning("openid:request:outage", part=failure.part, path=request.url.path)
        headers["Retry-After"] = "5"
        body = {"error": "temporarily_unavailable", "error_description": "Try again shortly."}
        return Response(msgspec.json.encode(body), status_code=503, media_type=JSON, headers=headers)
    log.info("openid:request:refused", code=failure.code, known=failure.known, path=request.url.path)
    code = InvalidRequest.code if isinstance(failure, RequestUnreadable) else failure.code
    if isinstance(failure, InvalidClient):
        headers["WWW-Authenticate"] = 'Basic realm="openid", charset="UTF-8"'
    if isinstance(failure, InvalidToken):
        why = f', error="{code}", error_description="{failure.told}"' if asked_for_token else ""
        headers["WWW-Authenticate"] = f'Bearer realm="openid"{why}'
    body = {"error": code, "error_description": failure.told}
    return Response(msgspec.json.encode(body), status_code=failure.status, media_type=JSON, headers=headers)


ROUTES = (show_discovery, show_keys, exchange_code, revoke_token, show_userinfo)
