"""The courier: carries what waits, tries again what was not taken, and records each success once."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from traceback import format_exception
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.posture import OperationalError
from sekisho.messages import leases
from sekisho.messages.carriers import PATIENCE_S, Carrier, Handover, Later, Parcel
from sekisho.messages.leases import Lane, Leased, Space
from sekisho.messages.message import Channel, Urgency
from sekisho.messages.queue import unseal
from sekisho.storage.engine import Store
from sekisho.storage.keyring import Keyring

log = structlog.get_logger(__name__)

TOGETHER_MAX = 8
"""How many messages of one lane are carried at once."""

PAUSE_S = 0.5
"""How often the queue is looked at while nothing is in hand."""

# A carrier keeps to its patience by itself; this one is for a carrier that does not.
GRACE_S = 3.0


class CourierParts(NamedTuple):
    """What a courier stands on: one institution's store, keys, time and chance."""

    store: Store
    keyring: Keyring
    clock: Clock
    chance: Chance


class Courier:
    """Carries one store's messages. On PostgreSQL any number of couriers share the work.

    A message is taken under a lease, carried, and its end recorded; a process that dies in between leaves it
    to be carried again under the same id, which the gateway's idempotency key makes harmless.
    """

    def __init__(self, parts: CourierParts, carriers: Mapping[Channel, Carrier]) -> None:
        self._parts = parts
        self._carriers = dict(carriers)
        self._lanes = [Lane(channel, urgency) for channel in carriers for urgency in Urgency]
        self._carrying: defaultdict[Lane, dict[str, asyncio.Task[None]]] = defaultdict(dict)
        self._awake = asyncio.Event()

    async def deliver_due(self) -> int:
        """Carry what is due now and wait for it; return how many messages were in hand.

        Raises OperationalError where the store is down.
        """
        started = await self._start_due()
        await self._all_carried()
        return started

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Carry for as long as the block runs; what is in hand at its end is carried to its end."""
        ending = asyncio.Event()
        going = asyncio.create_task(self._go_on(ending), name="courier")
        try:
            yield
        finally:
            # Asked to end rather than cancelled, so that no lease is left behind with nobody to carry it.
            ending.set()
            self._awake.set()
            await going
            await self._all_carried()

    async def _all_carried(self) -> None:
        await asyncio.gather(*(task for carried in self._carrying.values() for task in carried.values()))

    async def _go_on(self, ending: asyncio.Event) -> None:
        while not ending.is_set():
            self._awake.clear()
            try:
                await self._start_due()
            except OperationalError as outage:
                log.warning("message:queue:unreachable", failure=str(outage))
            except Exception as failure:  # noqa: BLE001 - a courier that ends is a member who is not warned
                # Rendered by the logger, an exception may show local variables: addresses and texts.
                log.error("message:queue:failed", trace="".join(format_exception(failure)))  # noqa: TRY400 - see above
            with suppress(TimeoutError):
                async with asyncio.timeout(0 if ending.is_set() else PAUSE_S):
                    await self._awake.wait()

    async def _start_due(self) -> int:
        taken = await self._take()
        for leased in taken:
            self._start(leased)
        return len(taken)

    async def _take(self) -> list[Leased]:
        store, chance, now_us = self._parts.store, self._parts.chance, self._parts.clock.now_us()
        spaces = [self._space(lane) for lane in self._lanes]

        def look() -> list[Space]:
            with store.read() as connection:
                return [space for space in spaces if space.slots and leases.is_due(connection, space, now_us)]

        def take(connection: Connection) -> list[Leased]:
            return [leased for space in due for leased in leases.lease(connection, space, now_us, chance)]

        # Looking costs no transaction that writes, and most of the time there is nothing.
        due = await asyncio.to_thread(look)
        return await asyncio.wrap_future(store.write(take)) if due else []

    def _space(self, lane: Lane) -> Space:
        carrying = frozenset(self._carrying[lane])
        return Space(lane, TOGETHER_MAX - len(carrying), carrying)

    def _start(self, leased: Leased) -> None:
        carried = self._carrying[Lane.of(leased.channel, leased.kind)]
        task = carried[leased.message_id] = asyncio.create_task(self._carry(leased))

        def ended(_: asyncio.Task[None]) -> None:
            del carried[leased.message_id]
            self._awake.set()

        task.add_done_callback(ended)

    async def _carry(self, leased: Leased) -> None:
        """Hand one message over and record the answer. Raises nothing: the lease runs out by itself."""
        answer = await self._hand_over(leased)
        now_us = self._parts.clock.now_us()
        if isinstance(answer, Later):
            log.info("message:delivery:postponed", message=leased.message_id, reason=answer.reason)
        try:
            await asyncio.wrap_future(
                self._parts.store.write(
                    lambda connection: leases.record(connection, leased, answer, now_us, self._parts.chance)
                )
            )
        except OperationalError as outage:
            log.warning("message:record:unreachable", message=leased.message_id, failure=str(outage))

    async def _hand_over(self, leased: Leased) -> Handover:
        try:
            contents = unseal(self._parts.keyring, leased.message_id, leased.sealed)
            parcel = Parcel(
                leased.message_id,
                leased.channel,
                leased.kind,
                contents.to,
                contents.subject,
                contents.text,
                contents.language,
                leased.made_at_us,
            )
            async with asyncio.timeout(PATIENCE_S + GRACE_S):
                return await self._carriers[leased.channel].carry(parcel)
        except OperationalError as outage:
            log.warning("message:carrier:unreachable", message=leased.message_id, failure=str(outage))
            return Later(f"outage: {outage.part}")
        except TimeoutError:
            return Later("no answer in time")
        except Exception as error:  # noqa: BLE001 - one bad message must not hold up the others
            # Its text may name the recipient; its type does not.
            log.error("message:carrier:failed", message=leased.message_id, error=type(error).__name__)  # noqa: TRY400 - likewise, a traceback shows values
            return Later(f"error: {type(error).__name__}")
