"""What a partner pushes before it sends the browser (RFC 9126), and how far that browser has got.

Nothing of a request ever passes through the browser but a `request_uri` that is good for a minute and for one
use. From then on a cookie of that one browser stands for it.
"""

import re
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from sekisho.bank.authorisation.partners import Partner
from sekisho.bank.authorisation.refusals import InvalidAuthorizationDetails
from sekisho.bank.authorisation.settings import LinkSettings
from sekisho.bank.house import BankParts
from sekisho.identity.openid.parameters import Parameters
from sekisho.identity.openid.refusals import InvalidRequest, UnsupportedResponseType
from sekisho.identity.tokens import digest_of, new_token
from sekisho.kernel.clock import DAY_US, SECOND_US
from sekisho.kernel.ids import LINK_REQUEST, LinkRequestId
from sekisho.linking.link_details import LinkDetailsUnreadable, LinkRequest, read_request
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.deposits import link_request

URI_PREFIX = "urn:ietf:params:oauth:request_uri:"
STATE_CHARACTERS_MAX = 1_024
TRIES = 3
KEPT_US = DAY_US
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VISIBLE = re.compile(r"[\x20-\x7e]*")


class Step(StrEnum):
    """How far a request has got."""

    PUSHED = "pushed"
    """It waits for its browser."""

    OPENED = "opened"
    """The browser is here, and nobody has proved anything."""

    CODE = "code"
    """Whoever is there was asked for a code; whether one was sent does not show."""

    PROVEN = "proven"
    """The depositor is there, and is asked for consent."""

    ENDED = "ended"
    """It was consented to, declined, or given up."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that passed every check. `key_thumbprint` binds the code to a DPoP key; empty: none yet."""

    redirect_uri: str
    state: str
    code_challenge: str
    key_thumbprint: str
    link: LinkRequest


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A request with its browser. `deposit_id` is the account once the right proof was typed, else empty."""

    id: LinkRequestId
    client_id: str
    asked: Asked
    step: Step
    visit_until_us: int
    tries_left: int
    deposit_id: str
    code_id: str
    code_subject: str
    attempt_id: str
    way: str

    def is_over(self, now_us: int) -> bool:
        """Say whether nothing can be done here any more. This depends on tries and time alone."""
        return self.step is Step.ENDED or self.tries_left <= 0 or now_us >= self.visit_until_us


def read_asked(
    parameters: Parameters, partner: Partner, settings: LinkSettings, *, proof_thumbprint: str
) -> Asked:
    """Check what is asked for. `proof_thumbprint` is the key of a DPoP proof that came with the request.

    Raises InvalidRequest, UnsupportedResponseType and InvalidAuthorizationDetails.
    """
    if parameters.get("request_uri") or parameters.get("request"):
        raise InvalidRequest(told="Push the parameters themselves.")
    if parameters.need("response_type") != "code":
        raise UnsupportedResponseType
    if parameters.get("response_mode") not in {"", "query"}:
        raise InvalidRequest(told="Only response_mode=query is supported.")
    redirect_uri = parameters.need("redirect_uri")
    if redirect_uri not in partner.settings.redirect_uris:
        raise InvalidRequest(told="The redirect_uri is not registered.", known=partner.client_id)
    if parameters.need("code_challenge_method") != "S256":
        raise InvalidRequest(told="The code_challenge_method must be S256.")
    challenge = parameters.need("code_challenge")
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequest(told="The code_challenge is not a SHA-256 in base64url.")
    state = parameters.get("state")
    if len(state) > STATE_CHARACTERS_MAX or not _VISIBLE.fullmatch(state):
        raise InvalidRequest(told=f"The state has at most {STATE_CHARACTERS_MAX} ASCII characters.")
    thumbprint = parameters.get("dpop_jkt")
    if thumbprint and not _CHALLENGE.fullmatch(thumbprint):
        raise InvalidRequest(told="The dpop_jkt is no thumbprint.")
    if thumbprint and proof_thumbprint and thumbprint != proof_thumbprint:
        raise InvalidRequest(told="The dpop_jkt is not that of the DPoP proof.")
    return Asked(
        redirect_uri=redirect_uri,
        state=state,
        code_challenge=challenge,
        key_thumbprint=thumbprint or proof_thumbprint,
        link=_details(parameters.need("authorization_details"), partner, settings),
    )


def _details(text: str, partner: Partner, settings: LinkSettings) -> LinkRequest:
    try:
        link = read_request(text)
    except LinkDetailsUnreadable as error:
        raise InvalidAuthorizationDetails(known=f"{partner.client_id}: {error}") from error
    at_once = min(settings.ceiling_yen, partner.settings.ceiling_yen)
    in_month = min(settings.month_ceiling_yen, partner.settings.month_ceiling_yen)
    if link.ceiling_yen > at_once or link.month_ceiling_yen > in_month:
        raise InvalidAuthorizationDetails(
            told=f"The ceilings are at most {at_once} yen a debit and {in_month} yen a month."
        )
    return link


def push(connection: Connection, bank: BankParts, client_id: str, asked: Asked) -> str:
    """Keep a request until its browser comes, and return its `request_uri`. What is kept is the digest."""
    secret, now_us = new_token(bank.chance), bank.clock.now_us()
    request_id = LINK_REQUEST.new(bank.clock, bank.chance)
    connection.execute(
        insert(link_request),
        {
            "id": request_id,
            "uri_digest": digest_of(secret),
            "client_id": client_id,
            "sealed": bank.keyring.seal(msgspec.json.encode(asked), context=_context(request_id)),
            "pushed_at_us": now_us,
            "state": Step.PUSHED.value,
            "visit_digest": None,
            "visit_until_us": 0,
            "tries_left": TRIES,
            "deposit_id": "",
            "code_id": "",
            "code_subject": "",
            "attempt_id": "",
            "way": "",
            "ended_at_us": None,
        },
    )
    return URI_PREFIX + secret


def open_visit(
    connection: Connection, bank: BankParts, settings: LinkSettings, *, client_id: str, uri: str
) -> str | None:
    """Use a `request_uri` up, and return the token for the browser that brought it.

    None where it is unknown, used, too old or another partner's: which of these is nobody's to know.
    """
    if not uri.startswith(URI_PREFIX):
        return None
    now_us, token = bank.clock.now_us(), new_token(bank.chance)
    its = update(link_request).where(
        link_request.c.uri_digest == digest_of(uri.removeprefix(URI_PREFIX)),
        link_request.c.client_id == client_id,
        link_request.c.state == Step.PUSHED.value,
        link_request.c.pushed_at_us <= now_us,
        link_request.c.pushed_at_us > now_us - settings.request_s * SECOND_US,
    )
    values = {
        "state": Step.OPENED.value,
        "visit_digest": digest_of(token),
        "visit_until_us": now_us + settings.visit_s * SECOND_US,
    }
    return token if connection.execute(its.values(values)).rowcount == 1 else None


def find_visit(
    connection: Connection, bank: BankParts, token: str, *, for_update: bool = False
) -> Visit | None:
    """Return the request of a browser's token, None where there is none. Raises Unsealable."""
    found = select(link_request).where(link_request.c.visit_digest == digest_of(token))
    row = connection.execute(found.with_for_update() if for_update else found).one_or_none()
    return None if row is None else _read(bank, row)


def change(connection: Connection, request_id: str, **values: str | int) -> None:
    """Write down how far a request has got."""
    connection.execute(update(link_request).where(link_request.c.id == request_id).values(**values))


def chosen(connection: Connection, visit: Visit, deposit_id: str) -> Visit:
    """Write down on which of the offered accounts the link is to be, and return the visit as it is then."""
    change(connection, visit.id, deposit_id=deposit_id)
    return msgspec.structs.replace(visit, deposit_id=deposit_id)


def end(connection: Connection, request_id: str, now_us: int) -> bool:
    """End a request, and say whether it had not ended before."""
    its = update(link_request).where(link_request.c.id == request_id, link_request.c.ended_at_us.is_(None))
    return connection.execute(its.values(state=Step.ENDED.value, ended_at_us=now_us)).rowcount == 1


def give_up_late(connection: Connection, *, now_us: int, limit: int = 100) -> list[str]:
    """End those whose code never came though the proof was right; return the ids of their attempts."""
    late = (
        select(link_request.c.id, link_request.c.attempt_id)
        .where(
            link_request.c.state == Step.CODE.value,
            link_request.c.deposit_id != "",
            link_request.c.visit_until_us <= now_us,
            link_request.c.ended_at_us.is_(None),
        )
        .order_by(link_request.c.id)
        .limit(limit)
    )
    rows = connection.execute(late).all()
    return [row.attempt_id for row in rows if end(connection, row.id, now_us)]


def forget_old(connection: Connection, *, now_us: int) -> None:
    """Delete requests a day after they came: what came of them stands in the consents and in history."""
    connection.execute(delete(link_request).where(link_request.c.pushed_at_us < now_us - KEPT_US))


def _read(bank: BankParts, row: Row[Any]) -> Visit:
    plain = bank.keyring.open(row.sealed, context=_context(row.id))
    return Visit(
        id=row.id,
        client_id=row.client_id,
        asked=msgspec.json.decode(plain, type=Asked),
        step=Step(row.state),
        visit_until_us=row.visit_until_us,
        tries_left=row.tries_left,
        deposit_id=row.deposit_id,
        code_id=row.code_id,
        code_subject=row.code_subject,
        attempt_id=row.attempt_id,
        way=row.way,
    )


def _context(request_id: str) -> str:
    return context_of(link_request.c.sealed, id=request_id)
