"""What an auditor does: search what staff did and saw, take it along, and see whether the chain holds."""

import asyncio
import json
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.response import audit
from sekisho.response.audit import Act, Recorded
from sekisho.response.audit_check import Checked, check_record, export_line
from sekisho.response.glass import Glass
from sekisho.storage.history.parquet import HistoryFolder

SHOWN = 200


class Asked(NamedTuple):
    """What is searched for: who, to what, which acts (as they begin), before when. Empty is everything."""

    actor: str = ""
    subject: str = ""
    act: str = ""
    before_us: int | None = None


def is_loud(one: Recorded) -> bool:
    """Say whether somebody looked at what their role does not let them see."""
    return one.details.get("glass") == Glass.BROKEN.value


class AuditDesk:
    """Reads the acts of staff at one institution. That it is read is an act as well."""

    def __init__(self, parts: Parts, history: Path) -> None:
        self._parts = parts
        self._history = history

    async def search(self, asked: Asked) -> list[Recorded]:
        """Return acts, the newest first."""
        return await self._parts.read(
            lambda at: audit.search(
                at,
                actor=asked.actor,
                subject=asked.subject,
                act=asked.act,
                before_us=asked.before_us,
                limit=SHOWN,
            )
        )

    async def count(self) -> int:
        """Return how many acts there are."""
        return await self._parts.read(audit.count)

    async def export(self, *, by: str) -> bytes:
        """Return every act in order as NDJSON, with its link; that it was taken along is the last of them."""

        def work(connection: Connection) -> None:
            now_us = self._parts.clock.now_us()
            audit.record(connection, Act(actor=by, act="audit:exported", subject=""), at_us=now_us)

        def look(connection: Connection) -> bytes:
            lines = (json.dumps(export_line(one), ensure_ascii=False) for one in audit.all_acts(connection))
            return "".join(f"{line}\n" for line in lines).encode()

        await self._parts.written(work)
        return await self._parts.read(look)

    async def verify(self, *, by: str) -> Checked:
        """Check the acts, the sealed history and the books; who had it checked is an act as well."""
        checked = await asyncio.to_thread(check_record, self._parts.store, HistoryFolder(self._history))

        def work(connection: Connection) -> None:
            details = {"faults": checked.faults, "acts": checked.acts}
            act = Act(actor=by, act="audit:verified", subject="", details=details)
            audit.record(connection, act, at_us=self._parts.clock.now_us())

        await self._parts.written(work)
        return checked
