"""One institution's part in the exchange of signals: what it sends and takes in, and what keeps it going."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from traceback import format_exception
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from sekisho.identity.http_line import ANSWER_S_MAX, HttpLine
from sekisho.identity.institution import Parts
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.identity.openid.signing_keys import SigningKeys
from sekisho.kernel.posture import OperationalError
from sekisho.sharing import actions, announcing, feeds, outgoing, source_exchange
from sekisho.sharing.actions import Handlers, LeadsTo
from sekisho.sharing.announcing import Announcer, Learner
from sekisho.sharing.deeds import do_failed_again
from sekisho.sharing.deliverer import Deliverer
from sekisho.sharing.feeds import Feed
from sekisho.sharing.intake import Intake, Policy, forget_received
from sekisho.sharing.member_actions import MEMBER_HANDLERS
from sekisho.sharing.partner_keys import PartnerKeys
from sekisho.sharing.poller import Poller
from sekisho.sharing.polls import PollDesk
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.source_watch import SourceWatch
from sekisho.sharing.streams import POLL
from sekisho.sharing.subscribing import Subscriber

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.5
TIDY_EVERY_S = 60.0
POLL_EVERY_S = 1.0
WATCH_EVERY_S = 2.0


class Exchange(NamedTuple):
    """The desks of one institution's exchange. Serve its application within `living`."""

    parts: Parts
    settings: SignalSettings
    keys: SigningKeys
    announcer: Announcer
    watch: SourceWatch
    deliverer: Deliverer
    polls: PollDesk
    intake: Intake
    policy: Policy
    subscriber: Subscriber
    poller: Poller
    line: HttpLine
    patient: HttpLine

    async def go_on(self) -> None:
        """Announce what happened and begin to deliver what is due. Raises OperationalError."""
        await self.announcer.catch_up()
        await self.deliverer.start_due()

    async def fetch(self, *, wait: bool = False) -> int:
        """Fetch what waits at transmitters that do not push; return how many tokens came.

        Raises OperationalError where the store is down.
        """
        polled = [feed for feed in await self.parts.read(feeds.all_feeds) if feed.method == POLL]
        return sum(await asyncio.gather(*(self._fetch(feed, wait=wait) for feed in polled)))

    async def tidy(self) -> None:
        """Do again what failed, forget what is over, make keys that are due. Raises OperationalError."""
        await do_failed_again(self.parts, self.policy.handlers)
        now_us = self.parts.clock.now_us()

        def work(connection: Connection) -> None:
            forget_received(connection, self.settings, now_us)
            outgoing.expire_waiting(connection, self.settings, now_us)
            outgoing.forget_ended(connection, now_us)
            source_exchange.forget_within(connection, now_us)

        await self.parts.written(work)
        await asyncio.to_thread(self.keys.ensure)

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Announce, deliver, fetch and tidy for as long as the block runs."""
        going = [
            asyncio.create_task(_again_and_again(work, every_s))
            for work, every_s in (
                (self.go_on, LOOK_EVERY_S),
                (partial(self.fetch, wait=True), POLL_EVERY_S),
                (self.watch.look, WATCH_EVERY_S),
                (self.tidy, TIDY_EVERY_S),
            )
        ]
        try:
            yield
        finally:
            for task in going:
                task.cancel()
            for task in going:
                with suppress(asyncio.CancelledError):
                    await task
            # What is in hand is carried to its end, so that no lease is left behind.
            await self.deliverer.close()
            await self.close()

    async def close(self) -> None:
        """Let the lines go; `living` does so at its end."""
        await self.line.close()
        await self.patient.close()

    async def _fetch(self, feed: Feed, *, wait: bool) -> int:
        try:
            return await self.poller.fetch(feed, wait=wait)
        except OperationalError as outage:
            log.warning("signals:poll:unreachable", issuer=feed.issuer, failure=str(outage))
            return 0


def open_exchange(
    parts: Parts,
    *,
    handlers: Handlers | None = None,
    leads_to: LeadsTo | None = None,
    learners: Mapping[str, Learner] | None = None,
    settings: SignalSettings | None = None,
) -> Exchange:
    """Put an institution's exchange together, and wait until it has keys that sign.

    `handlers` are the institution's own, beside those for members; `leads_to` says whose its links are, and
    `learners` which names follow from its own happenings. Raises OperationalError.
    """
    settings = settings or SignalSettings()
    keys = SigningKeys(parts.store, parts.keyring, parts.clock, OpenIdSettings())
    keys.ensure()
    announcer = Announcer(parts, announcing.load_table(), learners)
    announcer.begin()
    watch = SourceWatch(parts, settings)
    watch.begin()
    line, patient = HttpLine(), HttpLine(answer_s_max=ANSWER_S_MAX + settings.poll_wait_s)
    policy = Policy(actions.load_table(), {**MEMBER_HANDLERS, **(handlers or {})}, leads_to or {})
    intake = Intake(parts, PartnerKeys(line, parts.clock), policy, settings)
    return Exchange(
        parts=parts,
        settings=settings,
        keys=keys,
        announcer=announcer,
        watch=watch,
        deliverer=Deliverer(parts, keys, line, settings),
        polls=PollDesk(parts, keys, settings),
        intake=intake,
        policy=policy,
        subscriber=Subscriber(parts, line),
        poller=Poller(parts, patient, intake),
        line=line,
        patient=patient,
    )


async def _again_and_again(work: Callable[[], Awaitable[object]], every_s: float) -> None:
    while True:
        try:
            await work()
        except OperationalError as outage:
            log.warning("signals:exchange:outage", part=outage.part)
        except Exception as failure:  # noqa: BLE001 - an exchange that ends is a partner that is not warned
            # Rendered by the logger, an exception may show local variables.
            log.error("signals:exchange:failed", trace="".join(format_exception(failure)))  # noqa: TRY400 - see above
        await asyncio.sleep(every_s)
