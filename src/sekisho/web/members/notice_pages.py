"""The history of what we told the member, and when."""

import asyncio
from typing import Any, NamedTuple

from litestar import Response, get

from sekisho.identity.institution import Parts
from sekisho.kernel.clock import SECOND_US
from sekisho.messages.message import CODE_KIND, Channel, State, is_secret
from sekisho.messages.notices import NoticeKind, notices
from sekisho.messages.queue import told_to
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

SHOWN_MAX = 60
TOGETHER_US = SECOND_US


class ShownNotice(NamedTuple):
    """One occasion: what it was about, when, by which channels, and whether any has taken it."""

    title: str
    is_code: bool
    at_us: int
    channels: tuple[Channel, ...]
    state: State


@get("/notices", opt={ROLE: Role.MEMBER})
async def notices_page(request: AnyRequest) -> Response[Any]:
    """Show the newest notices."""
    visit = visit_of(request)
    parts, member_id = visit.site.parts, visit.who().member.id
    shown = await asyncio.to_thread(_shown, parts, member_id, visit.language)
    return visit.page("members/notices.html", notices=shown)


def _shown(parts: Parts, member_id: str, language: str) -> list[ShownNotice]:
    with parts.store.read() as connection:
        told = told_to(connection, member_id)
    shown: list[ShownNotice] = []
    for one in told:
        title, last = _title(one.kind, language), shown[-1] if shown else None
        channels: tuple[Channel, ...] = (one.channel,)
        # What was queued together for several channels is one notice, and stands together in the history.
        if last is not None and last.title == title and last.at_us - one.made_at_us < TOGETHER_US:
            channels = (*last.channels, one.channel)
            shown.pop()
        shown.append(ShownNotice(title, is_secret(one.kind), one.made_at_us, channels, one.state))
    return shown[:SHOWN_MAX]


def _title(kind: str, language: str) -> str:
    """Return what a message was about; empty for a code, and for what has no words any more."""
    name = kind.split(":")[1] if kind.startswith("notice:") else ""
    if kind.startswith(CODE_KIND) or name not in set(NoticeKind):
        return ""
    return notices()[NoticeKind(name)].wording(language).subject


ROUTES = (notices_page,)
