"""Where a login under way waits: a cookie of the browser that began it, named by its state's beginning."""

import re

from sekisho.identity.relying.desk import Begun
from sekisho.identity.relying.refusals import SignInOver
from sekisho.identity.relying.tickets import CHARACTERS_MAX, LASTS_US
from sekisho.kernel.clock import SECOND_US
from sekisho.web.members import cookies
from sekisho.web.members.visits import Visit

PREFIX = "__Host-id-"
NAME_CHARACTERS = 12
WAITING_MAX = 4
_STATE = re.compile(r"[A-Za-z0-9_-]{43}")


def keep(visit: Visit, begun: Begun) -> None:
    """Set a login's cookie with the answer. The oldest make room, because people open several tabs."""
    waiting = [name for name in visit.request.cookies if name.startswith(PREFIX)]
    for name in waiting[: max(0, len(waiting) + 1 - WAITING_MAX)]:
        visit.set(cookies.gone(name))
    visit.set(cookies.hosted(_name(begun.state), begun.ticket, max_age_s=LASTS_US // SECOND_US))


def take(visit: Visit, state: str) -> str:
    """Return the ticket of a state and take its cookie away. Raises SignInOver where there is none."""
    if not _STATE.fullmatch(state):
        raise SignInOver(known="no state")
    ticket = str(visit.request.cookies.get(_name(state), ""))
    if not ticket or len(ticket) > CHARACTERS_MAX:
        raise SignInOver(known="no cookie")
    visit.set(cookies.gone(_name(state)))
    return ticket


def _name(state: str) -> str:
    return PREFIX + state[:NAME_CHARACTERS]
