"""Where events go in and out: pushed to us (RFC 8935), fetched from us (RFC 8936), and what verifies ours."""

from typing import Any

import msgspec
import structlog
from litestar import Response, get, post

from sekisho.kernel.posture import OperationalError
from sekisho.sharing import feeds
from sekisho.sharing.deliverer import CONTENT_TYPE
from sekisho.sharing.feeds import Feed
from sekisho.sharing.intake import TooManyEvents
from sekisho.sharing.metadata import configuration_of
from sekisho.sharing.polls import Poll
from sekisho.sharing.sets import Err, SetRefused
from sekisho.web.json_bodies import read_json
from sekisho.web.signals.asking import (
    JSON,
    NO_STORE,
    AnyRequest,
    answer,
    authorization_of,
    empty,
    exchange_of,
    partner_of,
    stream_of,
)

log = structlog.get_logger(__name__)

PUBLIC = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
TOKEN_OCTETS_MAX = 8_192
RETRY_S = {429: "10", 503: "5"}


@get("/.well-known/ssf-configuration", sync_to_thread=False)
def show_configuration(request: AnyRequest) -> Response[bytes]:
    """Say what this transmitter can do and where."""
    return _public(configuration_of(exchange_of(request).parts.institution))


@get("/ssf/keys", sync_to_thread=True)
def show_keys(request: AnyRequest) -> Response[bytes]:
    """Show the keys that verify our tokens, those that will sign soon among them."""
    return _public(exchange_of(request).keys.shown())


@post("/ssf/events", status_code=202)
async def take_event(request: AnyRequest) -> Response[bytes]:
    """Take a token in that a transmitter pushes. 202 says that it is kept, however often it comes."""
    try:
        feed = await _feed_of(request)
        await exchange_of(request).intake.take(feed, await _token_of(request))
    except SetRefused as refused:
        log.info("signals:push:refused", err=refused.err.value, description=refused.description)
        return _refused(refused)
    except TooManyEvents as flood:
        log.warning("signals:push:flood", issuer=flood.known)
        return _later(429)
    except OperationalError as outage:
        log.warning("signals:push:outage", part=outage.part)
        return _later(503)
    return empty(202)


@post("/ssf/poll/{stream_id:str}", status_code=200)
async def answer_poll(request: AnyRequest) -> Response[bytes]:
    """Take acknowledgements, and bring what waits; at most so long as nothing does."""
    partner, poll = await partner_of(request), await read_json(request, Poll)
    stream = await stream_of(request, partner, request.path_params["stream_id"])
    return answer(await exchange_of(request).polls.answer(stream, poll))


async def _feed_of(request: AnyRequest) -> Feed:
    authorization = authorization_of(request)
    feed = await exchange_of(request).parts.read(lambda at: feeds.by_header(at, authorization))
    if feed is None:
        raise SetRefused(Err.AUTHENTICATION_FAILED, "The Authorization header is not what was agreed.")
    return feed


async def _token_of(request: AnyRequest) -> str:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CONTENT_TYPE:
        raise SetRefused(Err.INVALID_REQUEST, f"The body must be {CONTENT_TYPE}.")
    body = await request.body()
    if len(body) > TOKEN_OCTETS_MAX or not body.isascii():
        raise SetRefused(Err.INVALID_REQUEST, "The body is no signed token.")
    return body.decode("ascii").strip()


def _refused(refused: SetRefused) -> Response[bytes]:
    body = msgspec.json.encode({"err": refused.err.value, "description": refused.description})
    headers = {**NO_STORE, "Content-Language": "en"}
    return Response(body, status_code=400, media_type=JSON, headers=headers)


def _later(status: int) -> Response[bytes]:
    headers = {**NO_STORE, "Retry-After": RETRY_S[status]}
    return Response(b"", status_code=status, media_type=JSON, headers=headers)


def _public(document: dict[str, Any]) -> Response[bytes]:
    return Response(msgspec.json.encode(document), media_type=JSON, headers=PUBLIC)


ROUTES = (show_configuration, show_keys, take_event, answer_poll)
