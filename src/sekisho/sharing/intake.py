"""Take a token in: believe it or refuse it with a code, keep its id, and act, all in one unit of work.

What is answered as taken is kept: a copy of it, or the same token after an answer that was lost, changes
nothing and is answered as taken again. What an event leads to happens in the unit of work that keeps it.
"""

import hmac
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

import structlog
from sqlalchemy import Connection, and_, delete, func, select

from sekisho.identity.institution import Parts
from sekisho.kernel.chain import canonical
from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Clock, SetClock
from sekisho.kernel.refusals import Refusal
from sekisho.messages.queue import insert_once
from sekisho.sharing import feeds, source_exchange
from sekisho.sharing.actions import Action, Deed, Handlers, LeadsTo, Rule, rule_for
from sekisho.sharing.agreed_subjects import About, named_by
from sekisho.sharing.deeds import do_within
from sekisho.sharing.events import short_name
from sekisho.sharing.feeds import Feed
from sekisho.sharing.partner_keys import PartnerKeys
from sekisho.sharing.sets import Err, Expected, SecurityEvent, SetRefused, issuer_of, key_id_of, read_set
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.stream_events import HostileSources, StreamUpdated, Verification
from sekisho.sharing.streams import Status
from sekisho.sharing.subjects import Foreign, Opaque
from sekisho.storage import outbox
from sekisho.storage.tables.signals import signal_action, signal_received

log = structlog.get_logger(__name__)


class Outcome(StrEnum):
    """What came of a token that was believed."""

    ACTED = "acted"
    """What the table says was done."""

    NOTED = "noted"
    """The table says nothing about it, or it is about the stream."""

    UNKNOWN_EVENT = "unknown_event"
    """Its type is not known here."""

    UNKNOWN_SUBJECT = "unknown_subject"
    """Nobody here is known by that name."""

    DUPLICATE = "duplicate"
    """It was taken before."""


class TooManyEvents(Refusal):
    """A transmitter sends more than is agreed; the rest comes later."""

    code = "too_many_events"
    status = 429
    told = "Too many events; send the rest later."


class Policy(NamedTuple):
    """What events lead to here: the table, who does what, and whose is what."""

    rules: tuple[Rule, ...]
    handlers: Handlers
    leads_to: LeadsTo


class Intake:
    """Takes tokens in at one institution."""

    def __init__(self, parts: Parts, keys: PartnerKeys, policy: Policy, settings: SignalSettings) -> None:
        self._parts = parts
        self._keys = keys
        self._policy = policy
        self._settings = settings
        self._flood = Flood(parts.clock, settings.events_per_minute)

    async def take(self, feed: Feed, token: str) -> Outcome:
        """Take a token of a feed in, and return what came of it once that is kept.

        Raises SetRefused, TooManyEvents, and OperationalError where the store or the issuer's keys are out.
        """
        if not self._flood.has_room(feed.issuer):
            raise TooManyEvents(known=feed.issuer)
        return await self.take_polled(feed, token)

    async def take_polled(self, feed: Feed, token: str) -> Outcome:
        """Take a token in that we asked for ourselves; see `take`."""
        key_id = key_id_of(token)
        if issuer_of(token) != feed.issuer:
            raise SetRefused(Err.INVALID_ISSUER, "The stream belongs to another issuer.")
        key = await self._keys.find(feed, key_id)
        # Of what happens in the unit of work, all bears the moment of the signal.
        now_us = self._parts.clock.now_us()
        event = read_set(token, key, Expected(feed.issuer, feed.audience, now_us), self._settings)
        outcome = await self._parts.written(lambda at: self._keep(at, event, now_us))
        if outcome in {Outcome.UNKNOWN_EVENT, Outcome.UNKNOWN_SUBJECT}:
            kind = short_name(event.event_type) if event.event else "unknown"
            log.warning("signals:event:unknown", issuer=feed.issuer, event_type=kind, outcome=outcome.value)
        return outcome

    def _keep(self, connection: Connection, event: SecurityEvent, now_us: int) -> Outcome:
        its = (signal_received.c.issuer == event.issuer, signal_received.c.jti == event.jti)
        if connection.execute(select(signal_received.c.jti).where(*its)).first() is not None:
            return Outcome.DUPLICATE
        about, outcome = self._about(connection, event)
        row = {
            "issuer": event.issuer,
            "jti": event.jti,
            "event_type": event.event_type,
            "kind": about.kind if about else "",
            "about": about.id if about else "",
            "txn": event.txn,
            "outcome": outcome.value,
            "issued_at_us": event.iat * SECOND_US,
            "received_at_us": now_us,
        }
        # Another process may have taken a copy in meanwhile.
        if not insert_once(connection, signal_received, row):
            return Outcome.DUPLICATE
        body = {"event": short_name(event.event_type), "txn": event.txn, "outcome": outcome.value}
        subject = f"{event.issuer} {event.jti}"
        happened = outbox.Entry("signal:event:received", subject, now_us, canonical(body))
        outbox.append(connection, [happened])
        if about is None:
            self._about_stream(connection, event, now_us)
        else:
            for deed in self._deeds(connection, event, about, now_us):
                do_within(connection, self._at(now_us), self._policy.handlers, deed)
        return outcome

    def _about(self, connection: Connection, event: SecurityEvent) -> tuple[About | None, Outcome]:
        if event.event is None:
            return None, Outcome.UNKNOWN_EVENT
        if isinstance(event.event, Verification | StreamUpdated | HostileSources):
            return None, Outcome.NOTED
        named = event.subject
        about = None if isinstance(named, Foreign) else named_by(connection, event.issuer, named)
        if about is None:
            return None, Outcome.UNKNOWN_SUBJECT
        rule = rule_for(self._policy.rules, event.event, about.kind)
        return about, Outcome.NOTED if rule is None else Outcome.ACTED

    def _about_stream(self, connection: Connection, event: SecurityEvent, now_us: int) -> None:
        about = event.event
        if not isinstance(about, Verification | StreamUpdated | HostileSources):
            return
        feed = feeds.find(connection, event.issuer)
        if feed is None or event.subject != Opaque(feed.stream_id):
            raise SetRefused(Err.INVALID_REQUEST, "The subject must be the stream.")
        if isinstance(about, Verification):
            if about.state is not None and not _is_expected(about.state, feed.state):
                raise SetRefused(Err.INVALID_STATE, "The state is not the one that was asked with.")
            if about.state is not None:
                feeds.verified(connection, event.issuer, now_us)
        elif isinstance(about, StreamUpdated):
            feeds.set_status(connection, event.issuer, Status(about.status))
            log.warning("signals:feed:updated", issuer=event.issuer, status=about.status)
        else:
            parts = self._at(now_us)
            source_exchange.take_within(connection, parts, self._settings, event.issuer, about)

    def _deeds(
        self, connection: Connection, event: SecurityEvent, about: About, now_us: int
    ) -> Iterator[Deed]:
        rule = None if event.event is None else rule_for(self._policy.rules, event.event, about.kind)
        if rule is None:
            return
        for action in rule.actions:
            for one in self._chain(connection, about):
                if action is Action.LIFT and _is_overtaken(connection, event, one):
                    log.warning("signals:all_clear:overtaken", issuer=event.issuer, jti=event.jti)
                    continue
                yield Deed(
                    action=action,
                    about=one,
                    issuer=event.issuer,
                    jti=event.jti,
                    txn=event.txn,
                    event=rule.event,
                    sign=rule.sign,
                    until_us=now_us + rule.hours * HOUR_US,
                    cause=None if one == about else about,
                )

    def _chain(self, connection: Connection, about: About) -> list[About]:
        """Return what an event is about, and whose that is."""
        chain = [about]
        while (owner := self._policy.leads_to.get(chain[-1].kind)) is not None:
            found = owner(connection, chain[-1].id)
            if found is None or found in chain:
                break
            chain.append(found)
        return chain

    def _at(self, now_us: int) -> Parts:
        return self._parts._replace(clock=SetClock(now_us))


class Flood:
    """Counts what each transmitter sends by the minute: a bucket that fills evenly."""

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._used: dict[str, tuple[int, float]] = {}

    def has_room(self, issuer: str) -> bool:
        """Say whether one more may come now, and count it."""
        now_us = self._clock.now_us()
        since_us, used = self._used.get(issuer, (now_us, 0.0))
        used = max(0.0, used - max(0, now_us - since_us) * self._per_minute / MINUTE_US)
        if used + 1.0 > self._per_minute:
            return False
        self._used[issuer] = (now_us, used + 1.0)
        return True


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """Return how many tokens came in, by issuer and outcome, as far back as they are kept."""
    rows = select(signal_received.c.issuer, signal_received.c.outcome, func.count()).group_by(
        signal_received.c.issuer, signal_received.c.outcome
    )
    return {(issuer, outcome): count for issuer, outcome, count in connection.execute(rows)}


def forget_received(connection: Connection, settings: SignalSettings, now_us: int) -> int:
    """Forget the ids of tokens that nobody would believe any more; return how many that were.

    By their time of issue and not of arrival: a token from slightly ahead is believed for longer.
    """
    before_us = now_us - (settings.age_days + 1) * DAY_US
    old = delete(signal_received).where(
        signal_received.c.issued_at_us < before_us, signal_received.c.received_at_us < before_us
    )
    return connection.execute(old).rowcount


def _is_overtaken(connection: Connection, event: SecurityEvent, about: About) -> bool:
    """Say whether something newer than an all-clear was done on its sender's word to whom it is about.

    Tokens are sent again until they are taken, and may come in another order than they were made.
    """
    same = (signal_received.c.issuer == signal_action.c.issuer, signal_received.c.jti == signal_action.c.jti)
    newer = (
        select(signal_action.c.jti)
        .join(signal_received, and_(*same))
        .where(
            signal_action.c.kind == about.kind,
            signal_action.c.about == about.id,
            signal_action.c.issuer == event.issuer,
            signal_action.c.action != Action.LIFT,
            signal_received.c.issued_at_us > event.iat * SECOND_US,
        )
    )
    return connection.execute(newer.limit(1)).first() is not None


def _is_expected(state: str, expected: str) -> bool:
    return bool(expected) and hmac.compare_digest(
        state.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )
