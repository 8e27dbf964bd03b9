"""A desk that gives out codes, and the handset on which they arrive."""

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from sqlalchemy import insert, select
from tests.identity.member_at_hand import AtHand, open_at_hand

from sekisho.identity.assurance import Standing
from sekisho.identity.codes import CodeAsked, CodeDesk, Contact, Entered
from sekisho.identity.purposes import Purpose
from sekisho.identity.relay import Asked
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import DEVICE, DeviceId, MemberId
from sekisho.messages.message import Channel
from sekisho.messages.queue import Contents, unseal
from sekisho.storage.tables.messages import message
from sekisho.storage.tables.outbox import outbox
from sekisho.storage.tables.sessions import device

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Version/17.4 Mobile/15E148 Safari/604.1"
LAPTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36"
HOME = Asked(
    ip="192.0.2.10", user_agent=LAPTOP, tls="t13d1516h2_8daaf6152771_b186095e22b6", asn=64500, country="JP"
)
MOBILE = Contact(Channel.SMS, "+819012345678")
LOGIN = Purpose(action="login")
REVEAL = Purpose(action="reveal", item="email")


def at(where: Asked, **changed: object) -> Asked:
    """Return a place with something changed."""
    return msgspec.structs.replace(where, **changed)


@dataclass
class Desk:
    """A code desk with one member, `someone`."""

    here: AtHand
    codes: CodeDesk
    someone: MemberId
    seen: set[str] = field(default_factory=set)

    def wait(self, seconds: float) -> None:
        self.here.clock.advance(int(seconds * SECOND_US))

    def ask(self, purpose=LOGIN, asked=HOME, *, subject=None, to=MOBILE, language="ja"):
        return asyncio.run(self.codes.ask(subject or self.someone, to, purpose, asked, language))

    def asked(self, *args, **options) -> tuple[CodeAsked, str]:
        """Ask for a code that must be sent, and return it as it arrived, some seconds later."""
        answer = self.ask(*args, **options)
        assert isinstance(answer, CodeAsked), answer
        self.wait(20)
        return answer, self.code_of(answer)

    def decoy(self, purpose=LOGIN, asked=HOME, subject="nobody"):
        return asyncio.run(self.codes.decoy(subject, purpose, asked))

    def enter(self, code_id, typed, purpose=LOGIN, entered=HOME, *, subject=None, stopped=False) -> Entered:
        return asyncio.run(
            self.codes.enter(code_id, subject or self.someone, purpose, typed, entered, stopped=stopped)
        )

    def sent(self) -> list[Contents]:
        """Return the messages that were queued, the oldest first."""
        with self.here.store.read() as connection:
            rows = connection.execute(select(message).order_by(message.c.made_at_us, message.c.id)).all()
        return [unseal(self.here.parts.keyring, row.id, row.sealed) for row in rows]

    def code_of(self, answer: CodeAsked) -> str:
        """Return the digits that were sent for a code."""
        digits = self.digits_sent(answer)
        assert digits
        return digits

    def digits_sent(self, answer: CodeAsked) -> str:
        """Return the digits that were sent for what looks like a code; empty for a decoy."""
        sent = select(message).where(message.c.dedupe == f"code:{answer.code_id}")
        with self.here.store.read() as connection:
            row = connection.execute(sent).one_or_none()
        if row is None:
            return ""
        found = re.search(r"[0-9]{6}", unseal(self.here.parts.keyring, row.id, row.sealed).text)
        assert found
        return found[0]

    def told(self, kind: str) -> list[dict[str, object]]:
        """Return the bodies of the events of a kind."""
        with self.here.store.read() as connection:
            bodies = connection.execute(select(outbox.c.body).where(outbox.c.kind == kind)).scalars()
            return [msgspec.json.decode(body) for body in bodies]

    def trust(self, where: Asked = HOME) -> DeviceId:
        """Give the member a trusted device."""
        device_id = DEVICE.new(self.here.clock, self.here.chance)
        now_us = self.here.clock.now_us()
        row = {
            "id": device_id,
            "member_id": self.someone,
            "token_digest": device_id.encode(),
            "standing": Standing.TRUSTED.value,
            "user_agent": where.user_agent,
            "first_ip": where.ip,
            "first_seen_us": now_us,
            "last_seen_us": now_us,
            "trusted_at_us": now_us,
            "revoked_at_us": None,
            "wrong_passwords": 0,
        }
        self.here.store.write(lambda connection: connection.execute(insert(device).values(row))).result()
        return device_id


def code_desk(folder: Path, **options) -> Desk:
    """Open an institution with one member and a code desk."""
    here = open_at_hand(folder)
    return Desk(here, CodeDesk(here.parts, **options), here.add_member())
