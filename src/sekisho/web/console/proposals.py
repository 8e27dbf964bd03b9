"""What is typed at the desks is shown once more as it would be done, and a passkey approves exactly that.

A form is posted twice to one route: first as it was typed, which shows what would be done; then with the
passkey's answer. The digest that the passkey signs holds every field and whatever else the page showed.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from litestar import Response

from sekisho.web.console.staff_deeds import deed, require_approved
from sekisho.web.console.staff_desks import InstitutionDesks
from sekisho.web.members.visits import Visit


class Proposal(NamedTuple):
    """What somebody is about to do: the deed's name, the route it is posted to, and what was typed.

    `rows` stand on the page, each under the words of its key; `back` is where the form was. A `grave` deed
    takes something away.
    """

    name: str
    action: str
    back: str
    fields: Mapping[str, str]
    rows: tuple[tuple[str, str], ...] = ()
    grave: bool = False

    @property
    def digest(self) -> str:
        """The digest of all that the page shows and the form holds."""
        # What is shown is told apart by language, and so is what was approved.
        said = msgspec.json.encode([dict(self.fields), self.rows], order="deterministic").decode()
        return deed(self.name, route=self.action, said=said)


async def to_approve(visit: Visit, desks: InstitutionDesks, of: Proposal) -> Response[Any] | None:
    """Return the page that asks for a passkey, or None where it has approved exactly this just now.

    Raises DeedNotApproved.
    """
    if visit.form["credential"]:
        await require_approved(visit, of.digest)
        return None
    return visit.page("desks/proposal.html", desks=desks, of=of, here=of.back)
