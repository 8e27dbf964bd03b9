"""What a report is made from: the record as of a time, the hunt's figures, and what only people know."""

import tomllib
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, func, select

from sekisho.identity.institution import Parts
from sekisho.kernel.refusals import Refusal
from sekisho.response import switch_rows
from sekisho.response.reports import versions
from sekisho.response.reports.phrases import LANGUAGES, Language, Say
from sekisho.response.switches import Switch
from sekisho.storage.tables.cases import contained_member, containment
from sekisho.storage.tables.history import seal

SWITCHES_READ = 500


class DetailsUnreadable(Refusal):
    """The file with what only people know cannot be read."""

    code = "report_details_unreadable"
    status = 422
    told = "The file of details is TOML with the fields of docs/reference/reports.md."


class Details(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What only people know. Where a text is empty, the report says what follows from the record.

    `known_on` is the day of knowledge (YYYY-MM-DD), the day of the containment if not given.
    """

    known_on: str = ""
    authority: str = ""
    police: str = ""
    organisation: str = ""
    address: str = ""
    representative: str = ""
    contact: str = ""
    outline: str = ""
    cause: str = ""
    secondary: str = ""
    measures: str = ""
    other: str = ""


class HuntFigure(msgspec.Struct, frozen=True):
    """A figure of a hunt's report, with its query over the hunt's files."""

    value: float
    query: str


class Evidence(NamedTuple):
    """All that a report stands on, and its language.

    Times are microseconds since the epoch, None where nothing is known.
    """

    parts: Parts
    campaign: str
    as_of_us: int
    first_entered_us: int | None
    last_entered_us: int | None
    begun_at_us: int | None
    hunt: dict[str, HuntFigure]
    switches: list[Switch]
    published_us: list[int]
    seal: str
    details: Details
    language: Language = "ja"

    @property
    def say(self) -> Say:
        """Says things in the language of the report."""
        return Say(self.language)


def gather(  # noqa: PLR0913 - the record, and what is known beside it
    connection: Connection,
    parts: Parts,
    campaign: str,
    *,
    hunt: Path | None,
    details: Details,
    language: Language = "ja",
) -> Evidence:
    """Gather what a report of a campaign stands on, as of now."""
    joined = contained_member.join(containment, containment.c.id == contained_member.c.containment_id)
    entered = contained_member.c.entered_at_us
    span = select(func.min(entered), func.max(entered), func.min(containment.c.begun_at_us))
    times = connection.execute(span.select_from(joined).where(containment.c.campaign == campaign)).one()
    newest = connection.execute(select(seal.c.link).order_by(seal.c.upto.desc()).limit(1))
    link = newest.scalar_one_or_none()
    published = [
        at_us
        for each in LANGUAGES
        for at_us in versions.sent_at(connection, versions.kind_in("public", each), campaign)
    ]
    return Evidence(
        parts=parts,
        campaign=campaign,
        as_of_us=parts.clock.now_us(),
        first_entered_us=times[0],
        last_entered_us=times[1],
        begun_at_us=times[2],
        hunt={} if hunt is None else read_hunt(hunt),
        switches=switch_rows.newest(connection, SWITCHES_READ),
        published_us=sorted(published),
        seal="" if link is None else link.hex(),
        details=details,
        language=language,
    )


def read_details(file: Path) -> Details:
    """Read what only people know. Raises DetailsUnreadable, and OSError."""
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Details)
    except (ValueError, msgspec.ValidationError) as error:
        raise DetailsUnreadable(known=str(error)) from error


def read_hunt(file: Path) -> dict[str, HuntFigure]:
    """Read the figures of a hunt's report.json; none where it cannot be read as one."""
    try:
        read = msgspec.json.decode(file.read_bytes(), type=dict[str, msgspec.Raw])
    except (OSError, msgspec.DecodeError):
        return {}
    found = {}
    for name, raw in read.items():
        try:
            found[name] = msgspec.json.decode(raw, type=HuntFigure)
        except msgspec.ValidationError:
            continue  # the limits and the input of a hunt are no figures
    return found
