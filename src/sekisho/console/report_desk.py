"""What a desk does with reports: draw one up, compare its versions, hand out the PDF, keep what was sent."""

import asyncio
import hashlib
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit, containment_rows
from sekisho.response.audit import Act
from sekisho.response.containment_rows import Containment
from sekisho.response.reports import versions
from sekisho.response.reports.deadlines import Deadlines, deadlines
from sekisho.response.reports.drawing_up import Drawn, Order, campaign_of, draw_up
from sekisho.response.reports.evidence import Details, gather
from sekisho.response.reports.sheets import differences
from sekisho.response.reports.typesetting import typeset
from sekisho.response.reports.versions import Version, VersionUnknown
from sekisho.response.reports.wording import known_on

NEWEST = 50


class ReportChanged(Refusal):
    """Typeset again, the report is not what it was: another font, or another program."""

    code = "report_changed"
    status = 409
    told = "Typeset now, this version would not be the file that it was. Use the file that was kept."


class Compared(NamedTuple):
    """A version beside what was sent before it, or else the version before it: what differs, place by place.

    `against` is None for the first one.
    """

    version: Version
    against: Version | None
    changes: list[tuple[str, str, str]]


class Papers(NamedTuple):
    """The reports about one campaign by kind, the newest version first; and when the authority is due."""

    campaign: str
    by_kind: dict[str, list[Compared]]
    due: Deadlines


class ReportDesk:
    """Draws up reports at one institution. `hunt` is the report.json of its last hunt."""

    def __init__(self, parts: Parts, hunt: Path) -> None:
        self._parts = parts
        self._hunt = hunt

    async def campaigns(self) -> list[Containment]:
        """Return the newest campaigns that were contained: reports are about these."""
        return await self._parts.read(lambda at: containment_rows.newest(at, NEWEST))

    async def campaign_of(self, about: str) -> str:
        """Return the campaign that a case or a campaign is about. Raises ReportAboutNothing."""
        return await self._parts.read(lambda at: campaign_of(at, about))

    async def papers(self, about: str) -> Papers:
        """Return the reports about a campaign. Raises ReportAboutNothing and Unsealable."""

        def look(connection: Connection) -> Papers:
            campaign = campaign_of(connection, about)
            by_kind = {
                kind: _compared(versions.of(connection, self._parts, kind, campaign))
                for kind in versions.kinds(connection, campaign)
            }
            of = gather(connection, self._parts, campaign, hunt=None, details=Details())
            return Papers(campaign, by_kind, deadlines(known_on(of), is_improper=True))

        return await self._parts.read(look)

    async def draw_up(self, order: Order, *, by: str) -> Drawn:
        """Draw a report up as the next version; see `drawing_up.draw_up`."""
        return await asyncio.to_thread(draw_up, self._parts, order, by=by, hunt=self._hunt)

    async def pdf(self, kind: str, about: str, number: int, *, by: str) -> bytes:
        """Return a version as the file that it was, after writing down who takes it.

        Raises VersionUnknown, ReportNotMade, and ReportChanged where it would not be the same octets.
        """

        def look(connection: Connection) -> Version:
            found = versions.of(connection, self._parts, kind, about)
            one = next((each for each in found if each.version == number), None)
            if one is None:
                raise VersionUnknown(known=f"{kind[:60]} {about[:60]} {number}")
            return one

        version = await self._parts.read(look)
        made = await asyncio.to_thread(typeset, version.sheet)
        if hashlib.sha256(made.pdf).hexdigest() != version.sha256:
            raise ReportChanged(known=f"{kind} {about} {number}")
        act = Act(actor=by, act="report:taken", subject=f"{kind}:{about}:{number}")
        await self._parts.written(lambda at: audit.record(at, act, at_us=self._parts.clock.now_us()))
        return made.pdf

    async def mark_sent(self, kind: str, about: str, number: int, *, by: str) -> None:
        """Keep that a version was sent, once. Raises VersionUnknown."""
        await self._parts.written(lambda at: versions.mark_sent(at, self._parts, kind, about, number, by=by))


def _compared(found: list[Version]) -> list[Compared]:
    compared: list[Compared] = []
    for place, one in enumerate(found):
        sent = [each for each in found[:place] if each.sent_at_us is not None]
        against = sent[-1] if sent else found[place - 1] if place else None
        changes = [] if against is None else differences(against.sheet, one.sheet)
        compared.append(Compared(one, against, changes))
    return compared[::-1]
