"""Drawing a report up: out of the record as it is now, kept as the next version, and typeset."""

import re
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.kernel.refusals import Refusal
from sekisho.response import cases, containment_rows
from sekisho.response.reports import versions, wording
from sekisho.response.reports.breach import Kind, breach_report
from sekisho.response.reports.deadlines import Deadlines, deadlines
from sekisho.response.reports.evidence import Details, Evidence, gather
from sekisho.response.reports.notices import partner_notice, police_report, public_notice
from sekisho.response.reports.phrases import Language
from sekisho.response.reports.sheets import Sheet
from sekisho.response.reports.typesetting import Typeset, typeset
from sekisho.response.reports.versions import Version

_PARTNER = re.compile(r"[A-Za-z0-9_-]{1,40}")


class ReportAboutNothing(Refusal):
    """There is no case and no contained campaign of this name, or the notice names no partner."""

    code = "report_about_nothing"
    status = 404
    told = "There is no case and no contained campaign of this name."


class Paper(StrEnum):
    """What can be drawn up about a campaign."""

    BREACH_PRELIMINARY = "breach_preliminary"
    """The first report of a breach of personal data to the authority."""

    BREACH_FINAL = "breach_final"
    """The final one."""

    POLICE = "police"
    """The report to the police."""

    PARTNER = "partner"
    """The notice to one bank or service."""

    PUBLIC = "public"
    """The notice to the public."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be drawn up: about which campaign, for which partner (of a notice to one), with what only
    people know, and in which language.
    """

    paper: Paper
    campaign: str
    partner: str = ""
    partner_name: str = ""
    details: Details = Details()
    language: Language = "ja"

    @property
    def kind(self) -> str:
        """Under which kind its versions are kept: each partner's and each language's are its own."""
        kind = f"{self.paper}_{self.partner}" if self.paper is Paper.PARTNER else self.paper.value
        return versions.kind_in(kind, self.language)


class Drawn(NamedTuple):
    """A version that was just drawn up, its PDF, and until when the authority has to be told."""

    version: Version
    typeset: Typeset
    due: Deadlines


def campaign_of(connection: Connection, about: str) -> str:
    """Return the campaign of a case, or the contained campaign itself. Raises ReportAboutNothing."""
    found = cases.find(connection, about)
    campaign = about if found is None else found.campaign
    if not campaign or (found is None and containment_rows.of_campaign(connection, campaign) is None):
        raise ReportAboutNothing(known=about[:60])
    return campaign


def draw_up(parts: Parts, order: Order, *, by: str, hunt: Path | None) -> Drawn:
    """Draw a report up and keep it as the next version. `hunt` is the report.json of the hunt, if any.

    Typesetting takes a second: call it beside the event loop. Raises ReportAboutNothing, ReportNotMade,
    StaffIdUnusable and OperationalError.
    """
    if order.paper is Paper.PARTNER and not _PARTNER.fullmatch(order.partner):
        raise ReportAboutNothing(known="no partner")
    with parts.store.read() as connection:
        campaign = campaign_of(connection, order.campaign)
        file = hunt if hunt is not None and hunt.exists() else None
        of = gather(connection, parts, campaign, hunt=file, details=order.details, language=order.language)
        sheet = _sheet(connection, order, of)
    made = typeset(sheet)
    version = parts.store.write(
        lambda at: versions.keep(at, parts, order.kind, campaign, (sheet, made.pdf), by=by)
    ).result()
    return Drawn(version, made, deadlines(wording.known_on(of), is_improper=True))


def _sheet(connection: Connection, order: Order, of: Evidence) -> Sheet:
    match order.paper:
        case Paper.BREACH_PRELIMINARY:
            return breach_report(connection, of, Kind.PRELIMINARY)
        case Paper.BREACH_FINAL:
            return breach_report(connection, of, Kind.FINAL)
        case Paper.POLICE:
            return police_report(connection, of)
        case Paper.PARTNER:
            return partner_notice(connection, of, order.partner, order.partner_name)
        case Paper.PUBLIC:
            before = versions.of(connection, of.parts, order.kind, of.campaign)
            return public_notice(connection, of, len(before) + 1)
