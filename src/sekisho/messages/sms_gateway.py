"""Text messages through a gateway that speaks HTTP and JSON.

`POST` to the gateway's URL with `{"to": ..., "text": ..., "reference": ...}`, a bearer key, and the
message's id as `Idempotency-Key` (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
A gateway that answers late, twice or not at all sees the same key again, and sends one text.
"""

import asyncio
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from sekisho.kernel.clock import HOUR_US, SECOND_US, Clock
from sekisho.messages.carriers import PATIENCE_S, Declined, Handover, Later, Parcel, Taken

ANSWER_OCTETS_MAX = 64 * 1024
WAIT_US_MAX = HOUR_US
"""The longest a gateway can make a message wait, in microseconds."""

# Answers about this one message; every other no is about us, our key or our credit, and may change.
_FOR_GOOD = frozenset({400, 410, 413, 422})


class _Answer(msgspec.Struct):
    id: str = ""


class SmsGateway:
    """Carries text messages to one gateway. `client` belongs to the caller, who closes it."""

    def __init__(self, client: httpx.AsyncClient, url: str, key: str, clock: Clock) -> None:
        self._client = client
        self._url = url
        # A connection for each text: what a gateway says too much is no answer to the next one.
        self._headers = {"Connection": "close"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._clock = clock

    async def carry(self, parcel: Parcel) -> Handover:
        """Hand one text to the gateway. An answer that is lost counts as `Later`."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._post(parcel)
        except TimeoutError:
            return Later("no answer in time")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Later(type(error).__name__)

    async def _post(self, parcel: Parcel) -> Handover:
        request = self._client.stream(
            "POST",
            self._url,
            json={"to": parcel.to, "text": parcel.text, "reference": parcel.message_id},
            headers={**self._headers, "Idempotency-Key": parcel.message_id},
            follow_redirects=False,
        )
        async with request as response:
            if response.is_success:
                # The status has said it already; a body that can't be read takes nothing back.
                return Taken(await _reference(response))
            reason = f"HTTP {response.status_code}"
            if response.status_code in _FOR_GOOD:
                return Declined(reason)
            return Later(reason, self._wait_us(response.headers.get("Retry-After", "")))

    def _wait_us(self, retry_after: str) -> int:
        """Read a Retry-After, in seconds or as a date; 0 where it is neither."""
        if retry_after.isascii() and retry_after.isdigit():
            wait_us = int(retry_after[:9]) * SECOND_US
        else:
            try:
                moment = parsedate_to_datetime(retry_after)
            except ValueError:
                return 0
            wait_us = int(moment.astimezone(UTC).timestamp()) * SECOND_US - self._clock.now_us()
        return min(max(wait_us, 0), WAIT_US_MAX)


async def _reference(response: httpx.Response) -> str:
    body = b""
    try:
        async for part in response.aiter_bytes():
            body += part
            if len(body) > ANSWER_OCTETS_MAX:
                return ""
        return msgspec.json.decode(body, type=_Answer).id
    except (httpx.HTTPError, msgspec.DecodeError, TimeoutError):
        return ""
