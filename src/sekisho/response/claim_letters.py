"""The letter that says what came of a claim: on paper to whoever lost something, member or not."""

import tomllib
from functools import cache
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from sekisho.identity.institution import Parts
from sekisho.identity.notifying import language_of
from sekisho.identity.personal_data import Item, read_for_use
from sekisho.kernel.ids import MemberId
from sekisho.kernel.yen import Yen
from sekisho.messages.message import Channel, Message
from sekisho.messages.queue import queue
from sekisho.response.cases import Case, report_of
from sekisho.storage.keyring import Unsealable
from sekisho.storage.tables.messages import message as message_table

KIND = "response:claim_decided:1"
LETTERS = Path(__file__).with_name("claim_letters.toml")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A letter in one language."""

    subject: str
    text: str


@cache
def words() -> dict[str, dict[str, Words]]:
    """Return the letters by language, and by what came of the claim."""
    return msgspec.convert(tomllib.loads(LETTERS.read_text(encoding="utf-8")), dict[str, dict[str, Words]])


def send(  # noqa: PLR0913 - whose claim, and what came of it
    connection: Connection, parts: Parts, case: Case, claim_id: str, yen: int, *, is_paid: bool
) -> bool:
    """Queue the letter, once a claim, and say whether there is an address that it can go to."""
    language, to = _address(connection, parts, case)
    if not to:
        return False
    said = words()[language]["paid" if is_paid and yen > 0 else "turned_down"]
    amount = Yen(yen)
    values = {
        "amount": amount.in_english() if language == "en" else amount.in_japanese(),
        "reference": claim_id,
        "name": parts.institution.name(language),
        "telephone": parts.institution.telephone,
    }
    message = Message(
        dedupe=_dedupe(claim_id),
        member_id=case.member_id,
        channel=Channel.LETTER,
        kind=KIND,
        to=to,
        subject=said.subject,
        text=said.text.strip().format(**values),
        language=language,
    )
    queue(connection, message, keyring=parts.keyring, clock=parts.clock, chance=parts.chance)
    return True


def state_of(connection: Connection, claim_id: str) -> str:
    """Return how far the letter of a claim is, as the queue says it; empty where there is none."""
    found = select(message_table.c.state).where(message_table.c.dedupe == _dedupe(claim_id))
    return connection.execute(found).scalar_one_or_none() or ""


def _dedupe(claim_id: str) -> str:
    return f"claim:{claim_id}:{Channel.LETTER}"


def _address(connection: Connection, parts: Parts, case: Case) -> tuple[str, str]:
    if not case.member_id:
        said = report_of(connection, parts.keyring, case.id)
        return "ja", f"{said.address}\n{said.name} 様" if said.address and said.name else ""
    member_id = MemberId(case.member_id)
    language = language_of(connection, member_id)
    try:
        found = read_for_use(connection, parts.keyring, member_id, (Item.HOME_ADDRESS, Item.NAME))
    except Unsealable:
        return language, ""
    home, name = found.get(Item.HOME_ADDRESS, ""), found.get(Item.NAME, "")
    return language, f"{home}\n{name}{' 様' if language == 'ja' else ''}" if home and name else ""
