"""Idempotency-Key: the same request sent twice gets the same answer, also while the first is in work."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from sekisho.kernel.clock import MINUTE_US, Clock
from sekisho.web.asgi import Answer
from sekisho.web.guard_api.refusals import IdempotencyKeyReused
from sekisho.web.problems import Malformed

KEY = re.compile(rb"[!-~]{1,255}")
KEPT_MAX = 50_000
KEPT_US = 10 * MINUTE_US


class _Kept:
    __slots__ = ("answer", "body", "since_us")

    def __init__(self, body: bytes, since_us: int) -> None:
        self.body = body
        self.since_us = since_us
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()


class AnswersByKey:
    """Keeps at most `kept_max` answers for `kept_us`; the oldest go first. Each caller has its own keys."""

    def __init__(self, clock: Clock, *, kept_max: int = KEPT_MAX, kept_us: int = KEPT_US) -> None:
        self._clock = clock
        self._kept_max = kept_max
        self._kept_us = kept_us
        self._kept: OrderedDict[tuple[str, bytes], _Kept] = OrderedDict()

    async def answer(
        self,
        caller: str,
        key: bytes,
        body: bytes,
        make: Callable[[], Awaitable[Answer]],
    ) -> Answer:
        """Return the answer given to this key before, or make it.

        `body` is a digest of the request. Refuses with `idempotency_key_reused` where the same key came with
        another body. A refusal is not kept: the same key may then be tried again.
        """
        if not KEY.fullmatch(key):
            raise Malformed(told="An Idempotency-Key has 1 to 255 visible ASCII characters.")
        now_us = self._clock.now_us()
        self._drop_old(now_us)
        found = self._kept.get((caller, key))
        if found is not None:
            if found.body != body:
                raise IdempotencyKeyReused(known=f"{caller}: {key!r}")
            return await asyncio.shield(found.answer)
        kept = self._kept[caller, key] = _Kept(body, now_us)
        try:
            answer = await make()
        except BaseException as failure:
            self._kept.pop((caller, key), None)
            kept.answer.set_exception(failure)
            kept.answer.exception()  # marked as seen: nobody else may be waiting for it
            raise
        kept.answer.set_result(answer)
        return answer

    def _drop_old(self, now_us: int) -> None:
        while self._kept:
            oldest = next(iter(self._kept.values()))
            if len(self._kept) < self._kept_max and oldest.since_us + self._kept_us >= now_us:
                return
            self._kept.popitem(last=False)
