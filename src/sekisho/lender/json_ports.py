"""Asking a partner over HTTPS with JSON: one question, one answer, the same key when it is asked again."""

import asyncio
from typing import NamedTuple, TypeVar

import httpx
import msgspec

from sekisho.kernel.posture import OperationalError

PATIENCE_S = 10
ANSWER_OCTETS_MAX = 64 * 1024

Answer = TypeVar("Answer")


class Partner(NamedTuple):
    """A partner's address, and the client that speaks to it, with its certificates; the caller closes it.

    `patience_s` is how long an answer is waited for, in seconds.
    """

    name: str
    client: httpx.AsyncClient
    url: str
    key: str = ""
    patience_s: float = PATIENCE_S


async def ask(partner: Partner, reference: str, question: msgspec.Struct, kind: type[Answer]) -> Answer:
    """Post a question and return the answer. Raises OperationalError for everything that is none.

    `reference` goes along as `Idempotency-Key`: a question whose answer was lost is the same question.
    """
    try:
        async with asyncio.timeout(partner.patience_s):
            body = await _posted(partner, reference, msgspec.json.encode(question))
        return msgspec.json.decode(body, type=kind)
    except TimeoutError as error:
        raise OperationalError(partner.name, "no answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OperationalError(partner.name, type(error).__name__) from error
    except msgspec.DecodeError as error:
        # What it said may hold personal data, and stays out of the log.
        raise OperationalError(partner.name, "an answer that can't be read") from error


async def _posted(partner: Partner, reference: str, body: bytes) -> bytes:
    headers = {"Content-Type": "application/json", "Idempotency-Key": reference}
    if partner.key:
        headers["Authorization"] = f"Bearer {partner.key}"
    request = partner.client.stream(
        "POST", partner.url, content=body, headers=headers, follow_redirects=False
    )
    async with request as response:
        if not response.is_success:
            raise OperationalError(partner.name, f"HTTP {response.status_code}")
        answer = b""
        async for part in response.aiter_bytes():
            answer += part
            if len(answer) > ANSWER_OCTETS_MAX:
                raise OperationalError(partner.name, "an answer without end")
        return answer
