"""A partner's stream: made, read, changed and taken away; its status, its subjects, its verification."""

from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, patch, post, put

from sekisho.sharing import streams
from sekisho.sharing.announcements import queue_within
from sekisho.sharing.stream_events import STATE_MAX, Verification
from sekisho.sharing.stream_status import Change, change_within
from sekisho.sharing.streams import Status, Stream, Wanted
from sekisho.sharing.subjects import read_subject
from sekisho.storage.unit_of_work import Connection
from sekisho.web.json_bodies import read_json
from sekisho.web.problems import Malformed
from sekisho.web.signals.asking import (
    AnyRequest,
    answer,
    empty,
    exchange_of,
    partner_of,
    stream_of,
)

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class _StatusWish(msgspec.Struct, frozen=True):
    stream_id: _Id
    status: Status
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""


class _SubjectWish(msgspec.Struct, frozen=True):
    stream_id: _Id
    subject: dict[str, Any]
    verified: bool = True


class _VerificationWish(msgspec.Struct, frozen=True):
    stream_id: _Id
    state: Annotated[str, msgspec.Meta(max_length=STATE_MAX)] | None = None


@post("/ssf/streams")
async def create_stream(request: AnyRequest) -> Response[bytes]:
    """Make the partner's stream."""
    partner, wanted = await partner_of(request), await read_json(request, Wanted)
    parts = exchange_of(request).parts
    stream = await parts.written(lambda at: streams.create(at, parts, partner.issuer, wanted))
    return _shown(request, stream, 201)


@get("/ssf/streams")
async def read_streams(request: AnyRequest) -> Response[bytes]:
    """Show the partner's stream, or a list of it where no id is asked for."""
    partner = await partner_of(request)
    if stream_id := request.query_params.get("stream_id"):
        return _shown(request, await stream_of(request, partner, stream_id))
    exchange = exchange_of(request)
    stream = await exchange.parts.read(lambda at: streams.of_partner(at, partner.issuer))
    listed = [] if stream is None else [streams.configuration(stream, exchange.parts, exchange.settings)]
    return answer(listed)


@patch("/ssf/streams")
async def update_stream(request: AnyRequest) -> Response[bytes]:
    """Change what is said of the stream, and leave the rest."""
    return await _changed(request, whole=False)


@put("/ssf/streams")
async def replace_stream(request: AnyRequest) -> Response[bytes]:
    """Say the stream's configuration anew."""
    return await _changed(request, whole=True)


@delete("/ssf/streams", status_code=204)
async def remove_stream(request: AnyRequest) -> None:
    """Take the stream away, with what waits for it."""
    partner = await partner_of(request)
    stream = await stream_of(request, partner, request.query_params.get("stream_id", ""))
    await exchange_of(request).parts.written(lambda at: streams.remove(at, stream))


@get("/ssf/status")
async def read_status(request: AnyRequest) -> Response[bytes]:
    """Tell what becomes of the stream's events."""
    partner = await partner_of(request)
    return _status(await stream_of(request, partner, request.query_params.get("stream_id", "")))


@post("/ssf/status", status_code=200)
async def change_status(request: AnyRequest) -> Response[bytes]:
    """Pause the stream, stop it, or go on with it."""
    partner, wish = await partner_of(request), await read_json(request, _StatusWish)
    parts = exchange_of(request).parts
    stream = await stream_of(request, partner, wish.stream_id)

    def change(connection: Connection) -> Stream:
        change = Change(wish.status, wish.reason, told=False)
        return change_within(connection, parts, stream, change)

    return _status(await parts.written(change))


@post("/ssf/subjects/add", status_code=200)
async def add_subject(request: AnyRequest) -> Response[bytes]:
    """Let the stream carry what happens to somebody. Whether we know them is not told."""
    await _want_subject(request, wanted=True)
    return empty(200)


@post("/ssf/subjects/remove", status_code=204)
async def remove_subject(request: AnyRequest) -> None:
    """Let the stream carry nothing of somebody."""
    await _want_subject(request, wanted=False)


@post("/ssf/verification", status_code=204)
async def ask_verification(request: AnyRequest) -> None:
    """Send a verification over the stream."""
    partner, wish = await partner_of(request), await read_json(request, _VerificationWish)
    exchange = exchange_of(request)
    stream = await stream_of(request, partner, wish.stream_id)

    def ask(connection: Connection) -> None:
        now_us = exchange.parts.clock.now_us()
        streams.ask_verification(connection, stream, exchange.settings, now_us=now_us)
        queue_within(connection, exchange.parts, stream, Verification(state=wish.state))

    await exchange.parts.written(ask)


async def _changed(request: AnyRequest, *, whole: bool) -> Response[bytes]:
    partner, wanted = await partner_of(request), await read_json(request, Wanted)
    if not isinstance(wanted.stream_id, str):
        raise Malformed(known="no stream_id")
    stream = await stream_of(request, partner, wanted.stream_id)
    parts, settings = exchange_of(request).parts, exchange_of(request).settings

    def change(connection: Connection) -> Stream:
        return streams.replace(connection, parts, settings, stream, wanted, whole=whole)

    return _shown(request, await parts.written(change))


async def _want_subject(request: AnyRequest, *, wanted: bool) -> None:
    partner, wish = await partner_of(request), await read_json(request, _SubjectWish)
    parts = exchange_of(request).parts
    stream = await stream_of(request, partner, wish.stream_id)
    subject, now_us = read_subject(wish.subject), parts.clock.now_us()
    await parts.written(lambda at: streams.want_subject(at, stream, subject, wanted=wanted, now_us=now_us))


def _shown(request: AnyRequest, stream: Stream, status: int = 200) -> Response[bytes]:
    exchange = exchange_of(request)
    return answer(streams.configuration(stream, exchange.parts, exchange.settings), status)


def _status(stream: Stream) -> Response[bytes]:
    said = {"stream_id": stream.id, "status": stream.status.value}
    return answer(said | ({"reason": stream.reason} if stream.reason else {}))


ROUTES = (
    create_stream,
    read_streams,
    update_stream,
    replace_stream,
    remove_stream,
    read_status,
    change_status,
    add_subject,
    remove_subject,
    ask_verification,
)
