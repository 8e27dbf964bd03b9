"""Debits and credits at one bank, under a mandate: each has a key that makes it happen once.

A movement whose answer was lost is not ordered again: it is asked about by its key until the bank knows. The
bank books nothing new under a key after `not_after`, so that a key it has not heard of by then means never.
"""

from enum import StrEnum
from http import HTTPStatus
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode

import msgspec

from sekisho.kernel.clock import rfc3339
from sekisho.kernel.yen import Yen
from sekisho.linking.bank_client import NONCE_CHARACTERS_MAX, BankClient
from sekisho.linking.bank_http import BankAway, Heard, Question
from sekisho.linking.dpop import Demand, ProofKey
from sekisho.linking.link_answers import Booking, BookingState, Declined

Kind = TypeVar("Kind")

_CODE_CHARACTERS_MAX = 80
_KEY_UNKNOWN = "bank_order_unknown"


class Direction(StrEnum):
    """Which way money moves, seen from the depositor's account."""

    DEBIT = "debit"
    """From the account to us."""

    CREDIT = "credit"
    """From us to the account."""


class Access(NamedTuple):
    """A token and the key that it is bound to."""

    token: str
    key: ProofKey

    def __repr__(self) -> str:
        # It stands in tracebacks, and the token must not.
        return "Access(...)"


class Movement(NamedTuple):
    """What the bank is asked to move. `text` is what the passbook shows, `reference` what we call it.

    `not_after_us` is when it must not be begun any more, in microseconds since the epoch.
    """

    key: str
    direction: Direction
    mandate_id: str
    amount: Yen
    reference: str
    text: str
    not_after_us: int


class BankMandate(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate as the bank has it."""

    mandate_id: str
    state: str


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    state: BookingState
    result: str
    booked_at: str = ""
    debit_id: str = ""
    credit_id: str = ""
    amount_yen: int | None = None
    mandate_id: str = ""


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""


class BankBookings:
    """Moves money at one bank. Raises BankAway where the bank's answer is unknown."""

    def __init__(self, client: BankClient) -> None:
        self._client = client
        self._nonce = ""

    async def move(self, access: Access, movement: Movement) -> Booking | Declined:
        """Order a movement, once by its key: the same again is answered with what became of it.

        Raises BankAway; where it says `maybe_heard`, ask `find` before anything else.
        """
        url = await self._endpoint(movement.direction)
        body = msgspec.json.encode(
            {
                "mandate_id": movement.mandate_id,
                "amount_yen": movement.amount.amount,
                "reference": movement.reference,
                "text": movement.text,
                "not_after": rfc3339(movement.not_after_us),
            }
        )
        heard = await self._ask(access, Question("POST", url, {"Idempotency-Key": movement.key}, body=body))
        return self._booking(heard, movement)

    async def find(self, access: Access, movement: Movement) -> Booking | Declined | None:
        """Ask what became of a movement by its key; None where the bank never heard it. Raises BankAway."""
        url = await self._endpoint(movement.direction)
        heard = await self._ask(access, Question("GET", f"{url}?{urlencode({'key': movement.key})}"))
        said = self._booking(heard, movement)
        # Whatever stands in front of a bank says 404 as well; that it knows no such key is the bank's to say.
        return None if said == Declined(_KEY_UNKNOWN, HTTPStatus.NOT_FOUND) else said

    async def mandate(self, access: Access, mandate_id: str) -> BankMandate | Declined:
        """Ask how a mandate stands. Raises BankAway."""
        metadata = await self._client.metadata()
        url = f"{metadata.sekisho_mandate_endpoint}/{mandate_id}"
        return self._read(await self._ask(access, Question("GET", url)), BankMandate)

    async def revoke_mandate(self, access: Access, mandate_id: str) -> BankMandate | Declined:
        """End a mandate; ended already, it stays so. Raises BankAway."""
        metadata = await self._client.metadata()
        url = f"{metadata.sekisho_mandate_endpoint}/{mandate_id}/revoke"
        headers = {"Idempotency-Key": f"revoke:{mandate_id}"}
        return self._read(await self._ask(access, Question("POST", url, headers, body=b"{}")), BankMandate)

    async def _endpoint(self, direction: Direction) -> str:
        metadata = await self._client.metadata()
        if direction is Direction.DEBIT:
            return metadata.sekisho_debit_endpoint
        return metadata.sekisho_credit_endpoint

    async def _ask(self, access: Access, question: Question) -> Heard:
        heard = await self._sent(access, question)
        nonce = heard.headers.get("dpop-nonce", "")
        if nonce and nonce != self._nonce and len(nonce) <= NONCE_CHARACTERS_MAX:
            self._nonce = nonce
            if heard.status == HTTPStatus.UNAUTHORIZED:
                return await self._sent(access, question)
        return heard

    async def _sent(self, access: Access, question: Question) -> Heard:
        client = self._client
        demand = Demand(question.method, question.url, access.token)
        proof = access.key.prove(demand, clock=client.clock, chance=client.chance, nonce=self._nonce)
        headers = {**question.headers, "Authorization": f"DPoP {access.token}", "DPoP": proof}
        return await client.line.ask(question._replace(headers=headers))

    def _booking(self, heard: Heard, movement: Movement) -> Booking | Declined:
        said = self._read(heard, _Said)
        if isinstance(said, Declined):
            return said
        about_another = (said.amount_yen not in (None, movement.amount.amount)) or (
            said.mandate_id not in ("", movement.mandate_id)
        )
        its_id = said.debit_id if movement.direction is Direction.DEBIT else said.credit_id
        if about_another or not its_id:
            raise BankAway(self._client.partner.bank, "an answer about something else", maybe_heard=True)
        return Booking(id=its_id, state=said.state, result=said.result, booked_at=said.booked_at)

    def _read(self, heard: Heard, kind: type[Kind]) -> Kind | Declined:
        bank = self._client.partner.bank
        try:
            if HTTPStatus.OK <= heard.status < HTTPStatus.MULTIPLE_CHOICES:
                return heard.read(kind)
            if HTTPStatus.BAD_REQUEST <= heard.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return Declined(heard.read(_Problem).code[:_CODE_CHARACTERS_MAX], heard.status)
        except msgspec.MsgspecError as error:
            raise BankAway(bank, "an answer that can't be read", maybe_heard=True) from error
        raise BankAway(bank, f"HTTP {heard.status}", maybe_heard=True)
