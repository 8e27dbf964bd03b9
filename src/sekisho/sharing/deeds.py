"""Deeds on a partner's word: done once each, written down, and done again where they failed."""

from traceback import format_exception

import msgspec
import structlog
from sqlalchemy import Connection, insert, select, update

from sekisho.identity.institution import Parts
from sekisho.kernel.chain import canonical
from sekisho.kernel.clock import MINUTE_US, SetClock
from sekisho.sharing import evidence
from sekisho.sharing.actions import Action, Deed, Handler, Handlers
from sekisho.sharing.agreed_subjects import About
from sekisho.storage import outbox
from sekisho.storage.tables.signals import signal_action

log = structlog.get_logger(__name__)

TRIES_MAX = 5
DONE, FAILED = "done", "failed"


def do_within(connection: Connection, parts: Parts, handlers: Handlers, deed: Deed) -> bool:
    """Do what every house does for an action, then what this one does; say whether it was done.

    A handler that fails takes nothing else along, and is tried again. `parts` has a clock that stands still,
    so that all that is done bears one moment.
    """
    doing = _handlers_of(handlers, deed)
    if not doing:
        return False
    savepoint = connection.begin_nested()
    try:
        for handler in doing:
            handler(connection, parts, deed)
        savepoint.commit()
        state = DONE
    except Exception as failure:  # noqa: BLE001 - the event is kept whatever one handler does
        savepoint.rollback()
        state = FAILED
        # Rendered by the logger, an exception may show local variables.
        log.error("signals:action:failed", action=deed.action, trace="".join(format_exception(failure)))  # noqa: TRY400 - see above
    _write_down(connection, deed, state, parts.clock.now_us())
    return state == DONE


async def do_failed_again(parts: Parts, handlers: Handlers) -> int:
    """Do again what failed, and return how much of it is done now. Raises OperationalError."""
    now_us = parts.clock.now_us()
    still = parts._replace(clock=SetClock(now_us))
    failed = select(signal_action.c.deed).where(
        signal_action.c.state == FAILED,
        signal_action.c.tries < TRIES_MAX,
        signal_action.c.changed_at_us < now_us - MINUTE_US,
    )

    def work(connection: Connection) -> int:
        deeds = [msgspec.json.decode(deed, type=Deed) for deed in connection.execute(failed).scalars()]
        return sum(do_within(connection, still, handlers, deed) for deed in deeds)

    return await parts.written(work)


def was_made_by_signal(connection: Connection, about: About, at_us: int) -> bool:
    """Say whether what befell somebody at a moment was done on a partner's word."""
    done = select(signal_action.c.jti).where(
        signal_action.c.kind == about.kind,
        signal_action.c.about == about.id,
        signal_action.c.changed_at_us == at_us,
        signal_action.c.state == DONE,
    )
    return connection.execute(done.limit(1)).first() is not None


def _handlers_of(handlers: Handlers, deed: Deed) -> list[Handler]:
    both = (_EVERYWHERE.get(deed.action), handlers.get((deed.action, deed.about.kind)))
    return [handler for handler in both if handler is not None]


def _write_down(connection: Connection, deed: Deed, state: str, now_us: int) -> None:
    row = {
        "issuer": deed.issuer,
        "jti": deed.jti,
        "action": deed.action.value,
        "kind": deed.about.kind,
        "about": deed.about.id,
        "deed": msgspec.json.encode(deed),
        "state": state,
        "tries": 1,
        "changed_at_us": now_us,
    }
    its = tuple(signal_action.c[name] == row[name] for name in ("issuer", "jti", "action", "kind"))
    again = update(signal_action).where(*its)
    changed = {"state": state, "changed_at_us": now_us, "tries": signal_action.c.tries + 1}
    if not connection.execute(again.values(changed)).rowcount:
        connection.execute(insert(signal_action), row)
    body = {"action": deed.action, "event": deed.event, "txn": deed.txn, "kind": deed.about.kind}
    subject = f"{deed.issuer} {deed.jti} {deed.action} {deed.about.kind}"
    happened = outbox.Entry(f"signal:action:{state}", subject, now_us, canonical(body))
    outbox.append(connection, [happened])


def _raise_evidence(connection: Connection, parts: Parts, deed: Deed) -> None:
    evidence.raise_within(
        connection, parts, deed.about, deed.sign, issuer=deed.issuer, jti=deed.jti, until_us=deed.until_us
    )


def _lift_evidence(connection: Connection, parts: Parts, deed: Deed) -> None:
    now_us = parts.clock.now_us()
    evidence.lift_within(
        connection, deed.about, issuer=deed.issuer, by=deed.jti, now_us=now_us, cause=deed.cause
    )


def _tell_staff(connection: Connection, parts: Parts, deed: Deed) -> None:
    body = {"event": deed.event, "about": deed.about, "issuer": deed.issuer, "txn": deed.txn}
    subject = f"{deed.issuer} {deed.jti} {deed.about.kind}"
    told = outbox.Entry("signal:staff:told", subject, parts.clock.now_us(), canonical(body))
    outbox.append(connection, [told])
    log.warning("signals:staff:told", event_type=deed.event, issuer=deed.issuer)


_EVERYWHERE = {
    Action.RAISE_EVIDENCE: _raise_evidence,
    Action.LIFT: _lift_evidence,
    Action.TELL_STAFF: _tell_staff,
}
