"""What partners call themselves: metadata, pushed requests, tokens, revocation. No cookie counts here."""

from typing import Any

import msgspec
import structlog
from litestar import Response, get, post

from sekisho.bank.authorisation.metadata import metadata
from sekisho.identity.openid.parameters import Parameters, read_form
from sekisho.identity.openid.refusals import InvalidRequest, RequestUnreadable
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.web.bank.desks import desks_of
from sekisho.web.members.forms import FORM_TYPE
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, AnyRequest

log = structlog.get_logger(__name__)

JSON = "application/json"
OF_PARTNERS = {ROLE: Role.CLIENT}
METADATA_AGE_S = 300
RETRY_AFTER_S = 5
UNAVAILABLE = 503


@get("/.well-known/oauth-authorization-server", opt=OF_PARTNERS, sync_to_thread=False)
def show_metadata(request: AnyRequest) -> Response[Any]:
    """Say what this bank asks of partners and depositors, and where."""
    desks = desks_of(request)
    headers = {"Cache-Control": f"public, max-age={METADATA_AGE_S}", "Access-Control-Allow-Origin": "*"}
    body = msgspec.json.encode(metadata(desks.bank, desks.settings))
    return Response(body, media_type=JSON, headers=headers)


@post("/link/par", opt=OF_PARTNERS, status_code=201)
async def push_request(request: AnyRequest) -> Response[Any]:
    """Take a request that a browser will come for."""
    try:
        parameters = await _parameters(request)
        pushed = await desks_of(request).exchange.push(parameters, proofs_of(request))
    except (Refusal, OperationalError) as failure:
        return _failed(request, failure)
    return _answer(request, {"request_uri": pushed.request_uri, "expires_in": pushed.expires_s}, 201)


@post("/link/token", opt=OF_PARTNERS, status_code=200)
async def exchange(request: AnyRequest) -> Response[Any]:
    """Exchange a code or a refresh token."""
    try:
        parameters = await _parameters(request)
        tokens = await desks_of(request).exchange.exchange(parameters, proofs_of(request))
    except (Refusal, OperationalError) as failure:
        return _failed(request, failure)
    answer: dict[str, object] = {
        "access_token": tokens.access_token,
        "token_type": "DPoP",
        "expires_in": tokens.expires_s,
        "authorization_details": [tokens.granted],
    }
    if tokens.refresh_token:
        answer["refresh_token"] = tokens.refresh_token
    return _answer(request, answer)


@post("/link/revoke", opt=OF_PARTNERS, status_code=200)
async def revoke(request: AnyRequest) -> Response[Any]:
    """Revoke a token; with a refresh token the link ends."""
    try:
        await desks_of(request).exchange.revoke(await _parameters(request))
    except (Refusal, OperationalError) as failure:
        return _failed(request, failure)
    return _answer(request, {})


def proofs_of(request: AnyRequest) -> list[str]:
    """Return all DPoP headers of a request: two of them are two meanings, and no proof."""
    return list(request.headers.getall("dpop", []))


async def _parameters(request: AnyRequest) -> Parameters:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise InvalidRequest(told=f"The body must be {FORM_TYPE}.")
    if request.scope["query_string"]:
        # What is sent here are secrets, and addresses are written into logs.
        raise InvalidRequest(told="Parameters belong into the body.")
    if request.headers.get("authorization"):
        raise InvalidRequest(told="Partners are authenticated by private_key_jwt alone.")
    return read_form(await request.body())


def _answer(request: AnyRequest, body: object, status: int = 200) -> Response[Any]:
    headers = {**NO_STORE, "DPoP-Nonce": desks_of(request).prover.nonce()}
    return Response(msgspec.json.encode(body), status_code=status, media_type=JSON, headers=headers)


def _failed(request: AnyRequest, failure: Refusal | OperationalError) -> Response[Any]:
    """Answer a failure as OAuth has it (RFC 6749 section 5.2, RFC 9126 section 2.3)."""
    if isinstance(failure, OperationalError):
        log.warning("link:request:outage", part=failure.part, path=request.url.path)
        body = {"error": "temporarily_unavailable", "error_description": "Try again shortly."}
        return _unavailable(_answer(request, body, UNAVAILABLE))
    log.info("link:request:refused", code=failure.code, known=failure.known, path=request.url.path)
    code = InvalidRequest.code if isinstance(failure, RequestUnreadable) else failure.code
    told = {"error": code, "error_description": failure.told}
    answer = _answer(request, told, failure.status)
    return _unavailable(answer) if failure.status == UNAVAILABLE else answer


def _unavailable(answer: Response[Any]) -> Response[Any]:
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


ROUTES = (show_metadata, push_request, exchange, revoke)
