"""Whom the pages ask: the desks of one institution, one a noun."""

from typing import NamedTuple

from sekisho.guard.answers import AsksGuard
from sekisho.identity.codes import CodeDesk
from sekisho.identity.institution import Parts
from sekisho.identity.reveals import NoSources, PersonalDataDesk, Sources


class Desks(NamedTuple):
    """The desks of one institution."""

    codes: CodeDesk
    personal_data: PersonalDataDesk


def open_desks(parts: Parts, guard: AsksGuard, *, sources: Sources | None = None) -> Desks:
    """Open the desks of an institution; `sources` hold the personal items that are no fixed data."""
    del guard
    return Desks(codes=CodeDesk(parts), personal_data=PersonalDataDesk(parts, sources or NoSources()))
