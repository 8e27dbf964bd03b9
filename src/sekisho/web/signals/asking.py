"""Who asks, and what: a partner by its token, a body by its type."""

from typing import Any, cast

import msgspec
from litestar import Request, Response

from sekisho.kernel.refusals import Refusal
from sekisho.sharing import partners, streams
from sekisho.sharing.exchange import Exchange
from sekisho.sharing.partners import Partner
from sekisho.sharing.streams import Stream

AnyRequest = Request[Any, Any, Any]

STATE = "exchange"
JSON = "application/json"
NO_STORE = {"Cache-Control": "no-store"}


class PartnerUnknown(Refusal):
    """The request brings no token of a partner."""

    code = "partner_unknown"
    status = 401
    told = "Bring the token that was agreed, as a bearer token in the Authorization header."


def exchange_of(request: AnyRequest) -> Exchange:
    """Return the exchange of the application that a request came to."""
    return cast("Exchange", request.app.state[STATE])


def authorization_of(request: AnyRequest) -> str:
    """Return the one Authorization header of a request, empty where there is none or more than one."""
    values = request.headers.getall("authorization", [])
    return values[0] if len(values) == 1 else ""


async def partner_of(request: AnyRequest) -> Partner:
    """Return the partner whose token a request brings. Raises PartnerUnknown and OperationalError."""
    authorization = authorization_of(request)
    found = await exchange_of(request).parts.read(lambda at: partners.holder(at, authorization))
    if found is None:
        raise PartnerUnknown
    return found


async def stream_of(request: AnyRequest, partner: Partner, stream_id: str) -> Stream:
    """Return a partner's stream. Raises NoSuchStream and OperationalError."""
    return await exchange_of(request).parts.read(lambda at: streams.require(at, partner.issuer, stream_id))


def answer(body: object, status: int = 200) -> Response[bytes]:
    """Answer in JSON, for nobody to keep."""
    return Response(msgspec.json.encode(body), status_code=status, media_type=JSON, headers=NO_STORE)


def empty(status: int) -> Response[bytes]:
    """Answer with nothing but a status."""
    return Response(b"", status_code=status, media_type=JSON, headers=NO_STORE)
