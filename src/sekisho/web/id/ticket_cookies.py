"""Where a ticket waits while its member logs in: a cookie of this browser, named by a short id.

In an address it would be long, and anybody could send it to somebody else. A few may wait at once, because
people open several tabs.
"""

from litestar.datastructures import Cookie

from sekisho.identity.openid.refusals import TicketStale
from sekisho.identity.openid.tickets import CHARACTERS_MAX
from sekisho.web.members import cookies
from sekisho.web.members.visits import Visit

PREFIX = "__Host-openid-"
ID_OCTETS = 6
WAITING_MAX = 4


def keep(visit: Visit, ticket: str, *, ticket_s: int) -> str:
    """Set a ticket's cookie with the answer and return its id. The oldest cookies make room."""
    waiting = [name for name in visit.request.cookies if name.startswith(PREFIX)]
    for name in waiting[: max(0, len(waiting) + 1 - WAITING_MAX)]:
        visit.set(cookies.gone(name))
    ticket_id = visit.site.parts.chance.octets(ID_OCTETS).hex()
    visit.set(_cookie(ticket_id, ticket, ticket_s))
    return ticket_id


def read(visit: Visit, ticket_id: str) -> str:
    """Return the ticket of an id. Raises TicketStale where this browser has none."""
    ticket: str = visit.request.cookies.get(PREFIX + ticket_id, "")
    if not ticket or len(ticket) > CHARACTERS_MAX:
        raise TicketStale(known="no cookie")
    return ticket


def drop(visit: Visit, ticket_id: str) -> None:
    """Take a ticket's cookie away with the answer."""
    visit.set(cookies.gone(PREFIX + ticket_id))


def _cookie(ticket_id: str, ticket: str, ticket_s: int) -> Cookie:
    return cookies.hosted(PREFIX + ticket_id, ticket, max_age_s=ticket_s)
