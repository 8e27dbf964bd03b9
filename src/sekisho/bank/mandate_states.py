"""How a mandate stands, and which deed by whom takes it where: rules without a store.

A mandate is asked for, proven by the bank's own authentication, and active. The depositor, the partner, the
bank and its watch can each stop it, and no stop lifts another's: it is active again when the last is lifted.
What a depositor called "not me" debits nothing until the bank has decided, and a partner cannot end that.
"""

from enum import StrEnum
from typing import NamedTuple


class MandateState(StrEnum):
    """How a mandate stands. Only ACTIVE moves money."""

    REQUESTED = "requested"
    """A partner asks for it."""

    BANK_AUTHENTICATED = "bank_authenticated"
    """The bank has made sure that the holder of the account is there."""

    ACTIVE = "active"
    """The depositor agreed; within its ceilings the partner may use it."""

    SUSPENDED = "suspended"
    """Stopped by somebody who may allow it again."""

    REVOKED = "revoked"
    """Ended for good, also where its debits are reported later. A new one has to be asked for."""

    DISPUTED = "disputed"
    """The depositor says that somebody else made it, or used it. The bank decides."""


class Who(StrEnum):
    """On whose behalf something is done."""

    DEPOSITOR = "depositor"
    PARTNER = "partner"

    BANK = "bank"
    """The bank's staff."""

    WATCH = "watch"
    """The bank's own watch over debits: what it stops, the depositor may confirm."""


class Actor(NamedTuple):
    """Who does something: on whose behalf, and who it was, where that is known."""

    who: Who
    id: str = ""

    def __str__(self) -> str:
        return f"{self.who}:{self.id}" if self.id else self.who.value


class Deed(StrEnum):
    """What can be done to a mandate."""

    AUTHENTICATE = "authenticate"
    """The bank's authentication was passed."""

    ACTIVATE = "activate"
    """The depositor agreed."""

    STOP = "stop"
    """No debit until the same party allows it again."""

    ALLOW = "allow"
    """Lift one's own stop."""

    REVOKE = "revoke"
    """End it for good."""

    DISPUTE = "dispute"
    """Say that somebody else made it, or used it."""

    CLEAR = "clear"
    """It was the depositor's own after all: stopped, for the depositor to allow again."""


class Standing(NamedTuple):
    """The state, and who has stopped it: nobody unless it is suspended or was before it ended."""

    state: MandateState
    stops: frozenset[Who] = frozenset()


_S = MandateState
_LIVE = (_S.ACTIVE, _S.SUSPENDED)
_PEOPLE = (Who.DEPOSITOR, Who.PARTNER, Who.BANK)

# Who may do it, and in which states.
_MAY: dict[Deed, tuple[tuple[Who, ...], tuple[MandateState, ...]]] = {
    Deed.AUTHENTICATE: ((Who.DEPOSITOR,), (_S.REQUESTED,)),
    Deed.ACTIVATE: ((Who.DEPOSITOR,), (_S.BANK_AUTHENTICATED,)),
    Deed.STOP: (tuple(Who), _LIVE),
    Deed.ALLOW: (tuple(Who), (_S.SUSPENDED,)),
    Deed.REVOKE: (_PEOPLE, (_S.REQUESTED, _S.BANK_AUTHENTICATED, *_LIVE)),
    Deed.DISPUTE: ((Who.DEPOSITOR, Who.BANK), _LIVE),
    Deed.CLEAR: ((Who.BANK,), (_S.DISPUTED,)),
}


def after(standing: Standing, deed: Deed, who: Who) -> Standing | None:
    """Return how a mandate stands after a deed; None where it is not theirs to do, or changes nothing."""
    doers, states = _MAY[deed]
    decides = deed is Deed.REVOKE and who is Who.BANK and standing.state is _S.DISPUTED
    if not decides and (who not in doers or standing.state not in states):
        return None
    stops = _stops_after(standing.stops, deed, who)
    state = _STATE_AFTER.get(deed) or (_S.SUSPENDED if stops else _S.ACTIVE)
    changed = Standing(state, stops)
    return None if changed == standing else changed


_STATE_AFTER = {
    Deed.AUTHENTICATE: _S.BANK_AUTHENTICATED,
    Deed.ACTIVATE: _S.ACTIVE,
    Deed.REVOKE: _S.REVOKED,
    Deed.DISPUTE: _S.DISPUTED,
}


def _stops_after(stops: frozenset[Who], deed: Deed, who: Who) -> frozenset[Who]:
    if deed is Deed.STOP:
        return stops | {who}
    if deed is Deed.ALLOW:
        return stops - {who}
    # Who called it somebody else's is to allow it again in so many words.
    return stops | {Who.DEPOSITOR} if deed is Deed.CLEAR else stops
