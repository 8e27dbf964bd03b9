"""What partners call: debits and credits under a mandate, each once by its key, and how things stand.

Every request shows a token bound to the partner's key, with a proof of that key for exactly this request
(RFC 9449). A refusal of a debit is an answer with a result, and no error; errors are problem details.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from traceback import format_exc
from typing import Annotated, Any

import msgspec
import structlog
from litestar import Response, get, post

from sekisho.bank.authorisation import client_proofs
from sekisho.bank.authorisation.access import Grant, Shown
from sekisho.bank.authorisation.refusals import InvalidDpopProof, TokenNotBound, UseDpopNonce
from sekisho.bank.mandates import MandateUnknown
from sekisho.bank.orders import Asked, Direction, Order, OrderUnknown, by_key, find
from sekisho.identity.openid.refusals import InvalidClient
from sekisho.kernel.clock import rfc3339
from sekisho.kernel.japan import japanese_us
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.linking.holder_names import HolderNameUnusable, read_holder_name
from sekisho.web.bank.debit_desks import DebitDesks, debit_desks_of
from sekisho.web.id.endpoints import read_parameters
from sekisho.web.json_bodies import read_json
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, AnyRequest
from sekisho.web.problems import (
    CONTENT_TYPE,
    Internal,
    Malformed,
    Overloaded,
    UnsupportedMediaType,
    problem_of,
)

log = structlog.get_logger(__name__)

JSON = "application/json"
OF_PARTNERS = {ROLE: Role.CLIENT}
UNAUTHORISED = 401
CREATED = 201
TEXT_MAX = 20
KEY = re.compile(r"[\x21-\x7e]{1,80}")
_OF_TOKENS = (InvalidDpopProof, TokenNotBound, UseDpopNonce)


class OrderBody(msgspec.Struct, frozen=True):
    """What a partner asks for. `text` is for the passbook, `not_after` when the partner gives up."""

    mandate_id: Annotated[str, msgspec.Meta(max_length=60)]
    amount_yen: Annotated[int, msgspec.Meta(ge=1, le=9_999_999_999)]
    reference: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,64}$")]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    not_after: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


Answers = Callable[[DebitDesks, Grant], Awaitable[Response[Any]]]


@post("/v1/debits", opt=OF_PARTNERS, status_code=CREATED)
async def make_debit(request: AnyRequest) -> Response[Any]:
    """Debit the linked account; the same key again is answered the same."""

    async def answer(desks: DebitDesks, grant: Grant) -> Response[Any]:
        return _said(await desks.debits.debit(await _asked(request, grant)), CREATED)

    return await _answered(request, answer)


@post("/v1/credits", opt=OF_PARTNERS, status_code=CREATED)
async def make_credit(request: AnyRequest) -> Response[Any]:
    """Pay out to the linked account; the same key again is answered the same."""

    async def answer(desks: DebitDesks, grant: Grant) -> Response[Any]:
        return _said(await desks.credits.credit(await _asked(request, grant)), CREATED)

    return await _answered(request, answer)


@get("/v1/debits", opt=OF_PARTNERS)
async def find_debit(request: AnyRequest) -> Response[Any]:
    """Tell a debit by its key, for who lost the answer."""
    return await _found_by_key(request, Direction.DEBIT)


@get("/v1/credits", opt=OF_PARTNERS)
async def find_credit(request: AnyRequest) -> Response[Any]:
    """Tell a payout by its key, for who lost the answer."""
    return await _found_by_key(request, Direction.CREDIT)


@get("/v1/debits/{order_id:str}", opt=OF_PARTNERS)
async def show_debit(request: AnyRequest) -> Response[Any]:
    """Tell a debit by its id."""
    return await _found_by_id(request, Direction.DEBIT)


@get("/v1/credits/{order_id:str}", opt=OF_PARTNERS)
async def show_credit(request: AnyRequest) -> Response[Any]:
    """Tell a payout by its id."""
    return await _found_by_id(request, Direction.CREDIT)


@get("/v1/mandates/{mandate_id:str}", opt=OF_PARTNERS)
async def show_mandate(request: AnyRequest) -> Response[Any]:
    """Tell how the mandate of a token stands."""

    async def answer(desks: DebitDesks, grant: Grant) -> Response[Any]:
        mandate_id = _of_token(grant, request.path_params["mandate_id"])
        return _json(await desks.partners.mandate(grant.client_id, mandate_id))

    return await _answered(request, answer)


@post("/v1/mandates/{mandate_id:str}/revoke", opt=OF_PARTNERS, status_code=200)
async def revoke_mandate(request: AnyRequest) -> Response[Any]:
    """End the mandate of a token for good."""

    async def answer(desks: DebitDesks, grant: Grant) -> Response[Any]:
        mandate_id = _of_token(grant, request.path_params["mandate_id"])
        return _json(await desks.partners.revoke(grant.client_id, mandate_id))

    return await _answered(request, answer)


@get("/v1/service-status", opt=OF_PARTNERS)
async def show_service_status(request: AnyRequest) -> Response[Any]:
    """Tell what is switched off for the partner of a token."""

    async def answer(desks: DebitDesks, grant: Grant) -> Response[Any]:
        return _json(await desks.partners.service_status(grant.client_id))

    return await _answered(request, answer)


@post("/v1/service-status", opt=OF_PARTNERS, status_code=200)
async def show_service_status_to_client(request: AnyRequest) -> Response[Any]:
    """Tell what is switched off for a partner that has no link yet and proves itself by a statement."""

    async def work() -> Response[Any]:
        desks = debit_desks_of(request)
        parameters = await read_parameters(request)
        bank, now_us = desks.bank, desks.bank.clock.now_us()
        issuer = bank.institution.origin
        proven = await bank.read(lambda at: client_proofs.prove(at, parameters, issuer=issuer, now_us=now_us))
        if not await bank.written(lambda at: client_proofs.use_up(at, proven.digest, proven.until_us)):
            raise InvalidClient(known=f"{proven.partner.client_id}: a statement came twice")
        return _json(await desks.partners.service_status(proven.partner.client_id))

    return await _guarded(request, work)


async def _found_by_key(request: AnyRequest, direction: Direction) -> Response[Any]:
    async def answer(desks: DebitDesks, grant: Grant) -> Response[Any]:
        key = _key(request.query_params.get("key", ""))
        order = await desks.bank.read(lambda at: by_key(at, grant.client_id, direction, key))
        return _said(_own(order, grant, direction, key))

    return await _answered(request, answer)


async def _found_by_id(request: AnyRequest, direction: Direction) -> Response[Any]:
    async def answer(desks: DebitDesks, grant: Grant) -> Response[Any]:
        order_id = request.path_params["order_id"]
        order = await desks.bank.read(lambda at: find(at, order_id))
        return _said(_own(order, grant, direction, order_id))

    return await _answered(request, answer)


def _own(order: Order | None, grant: Grant, direction: Direction, named: str) -> Order:
    """Return an order of the token's mandate; another's is as unknown as none."""
    its = (grant.client_id, grant.mandate_id, direction)
    if order is None or (order.partner, order.mandate_id, order.direction) != its:
        raise OrderUnknown(known=named[:60])
    return order


async def _asked(request: AnyRequest, grant: Grant) -> Asked:
    """Read what a partner asks for. Raises Malformed, UnsupportedMediaType and MandateUnknown."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise UnsupportedMediaType
    key = _key(request.headers.get("idempotency-key", ""))
    body = await read_json(request, OrderBody)
    try:
        text = read_holder_name(body.text, octets_max=TEXT_MAX)
    except HolderNameUnusable as error:
        raise Malformed(told=f"text has 1 to {TEXT_MAX} characters that banks write.") from error
    return Asked(
        partner=grant.client_id,
        mandate_id=_of_token(grant, body.mandate_id),
        key=key,
        amount=Yen(body.amount_yen),
        reference=body.reference,
        text=text,
        not_after_us=None if body.not_after is None else japanese_us(body.not_after),
    )


def _key(text: str) -> str:
    if not KEY.fullmatch(text):
        raise Malformed(told="An Idempotency-Key of 1 to 80 visible characters is needed.")
    return text


def _of_token(grant: Grant, mandate_id: str) -> str:
    if mandate_id != grant.mandate_id:
        raise MandateUnknown(known=f"{mandate_id[:40]} is not the token's")
    return mandate_id


def _said(order: Order, status: int = 200) -> Response[Any]:
    told = {
        f"{order.direction}_id": order.id,
        "mandate_id": order.mandate_id,
        "amount_yen": order.amount_yen,
        "reference": order.reference,
        "key": order.key,
        "state": order.state,
        "result": order.result,
        "reason": order.why,
        "booked_at": rfc3339(order.booked_at_us),
    }
    return _json(told, status)


def _json(body: object, status: int = 200) -> Response[Any]:
    return Response(msgspec.json.encode(body), status_code=status, media_type=JSON, headers=NO_STORE)


async def _answered(request: AnyRequest, answer: Answers) -> Response[Any]:
    """Let a partner in by its token, and answer it."""

    async def work() -> Response[Any]:
        desks, headers = debit_desks_of(request), request.headers
        shown = Shown(
            method=request.method,
            path=request.url.path,
            authorization=headers.getall("authorization", []),
            dpop=headers.getall("dpop", []),
        )
        return await answer(desks, await desks.access.require_token(shown))

    return await _guarded(request, work)


async def _guarded(request: AnyRequest, work: Callable[[], Awaitable[Response[Any]]]) -> Response[Any]:
    """Do the work, tell failures as programs read them, and give the nonce for the next proof."""
    try:
        response = await work()
    except Refusal as refusal:
        log.info("bank:request:refused", code=refusal.code, known=refusal.known, path=request.url.path)
        response = _problem(refusal)
    except OperationalError as outage:
        log.warning("bank:request:outage", part=outage.part, detail=outage.detail, path=request.url.path)
        response = _problem(Overloaded())
        response.headers["Retry-After"] = "5"
    except Exception:  # noqa: BLE001 - whatever it was, the partner gets problem details
        trace = format_exc()
        log.error("bank:request:failed", path=request.url.path, trace=trace)  # noqa: TRY400 - rendered, an exception shows local variables, and with them tokens
        response = _problem(Internal())
    response.headers["DPoP-Nonce"] = debit_desks_of(request).prover.nonce()
    return response


def _problem(refusal: Refusal) -> Response[Any]:
    headers, status = dict(NO_STORE), refusal.status
    if isinstance(refusal, _OF_TOKENS):
        # A resource server says so with 401, an authorisation server with 400 (RFC 9449 sections 7.1, 9).
        status = UNAUTHORISED
        challenge = f'DPoP error="{refusal.code}", error_description="{refusal.told}", algs="ES256"'
        headers["WWW-Authenticate"] = challenge
    body = msgspec.structs.replace(problem_of(refusal), status=status)
    return Response(msgspec.json.encode(body), status_code=status, media_type=CONTENT_TYPE, headers=headers)


ROUTES = (
    make_debit,
    make_credit,
    find_debit,
    find_credit,
    show_debit,
    show_credit,
    show_mandate,
    revoke_mandate,
    show_service_status,
    show_service_status_to_client,
)
