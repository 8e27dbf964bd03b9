"""One-time codes: asked for, sent, entered once, each for exactly one purpose of one subject.

A code opens at most once, only its purpose, only for its subject, never after ten minutes, never after five
tries; a new one voids the older of the same purpose. Whoever may not have a code gets a decoy, and sees
everything that somebody with a code sees.
"""

import asyncio
import hmac
import unicodedata
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.identity import code_rows, members
from sekisho.identity.browser_names import browser_in_words
from sekisho.identity.code_limits import (
    MEMBERS,
    RESEND_US,
    STRANGERS,
    Asking,
    CodeLimits,
    Lane,
    TooMany,
    Trying,
    asked_lately,
    may_resend_at_us,
    refused_by_person,
    refused_by_source,
    too_many_wrong,
)
from sekisho.identity.code_messages import NewCode, code_message
from sekisho.identity.code_rows import DIGEST_OCTETS, LIFE_MINUTES, CodeRow, End, Issue
from sekisho.identity.institution import Parts
from sekisho.identity.known_ways import known_ways
from sekisho.identity.notifying import warn
from sekisho.identity.places import place_in_words
from sekisho.identity.purposes import Purpose, in_words
from sekisho.identity.recipients import JAPANESE_MOBILES, counted_as, mobile_number, number_block
from sekisho.identity.relay import Asked, Course, OurHost, RelayEvidence, Strength, look_for_relay
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.ids import CodeId, MemberId
from sekisho.messages.message import Channel
from sekisho.messages.notices import NoticeKind
from sekisho.messages.queue import queue
from sekisho.storage import outbox
from sekisho.storage.unit_of_work import Result, Work

DIGITS = 6
KEPT_US = 90 * DAY_US
"""How long the rows of codes are kept, as evidence of where each was asked for and entered."""


_TYPED_CHARS_MAX = 40
# An e-mail address is confirmed by a code, and is a factor of nothing.
_BY_EMAIL = frozenset({"sign_up", "contact_change"})
# As much as an ordinary message of ours, so that a decoy costs what a message costs.
_DECOY_MESSAGE = bytes(700)


class Contact(NamedTuple):
    """To whom a code goes: a mobile number or an e-mail address."""

    channel: Channel
    value: str


class Order(NamedTuple):
    """A code that is asked for: by whom, to whom it goes, for what, from where, in which language."""

    subject: str
    to: Contact
    purpose: Purpose
    asked: Asked
    language: str = "ja"


class Entry(NamedTuple):
    """A code that is entered: which, by whom, for what, the text, from where; `stopped` by the guard."""

    code_id: str
    subject: str
    purpose: Purpose
    typed: str
    entered: Asked
    stopped: bool = False


class CodeAsked(NamedTuple):
    """A code was asked for. Nothing in it tells whether one was sent."""

    code_id: CodeId
    expires_at_us: int
    may_resend_at_us: int


class Right(NamedTuple):
    """The code was right and is used up. Where the evidence of a relay is weak, grant little."""

    relay: RelayEvidence


class Wrong(NamedTuple):
    """The code does not open this. A right one is answered so as well where much speaks for a relay."""

    tries_left: int


class Over(NamedTuple):
    """Nothing can be entered any more: a new code must be asked for."""

    why: End


Entered = Right | Wrong | Over


class CodeDesk:
    """Gives out codes and takes them, for one institution. Each deed is one unit of work; what ends in
    `_within` is part of the caller's.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        strangers: CodeLimits = STRANGERS,
        members: CodeLimits = MEMBERS,
        served: tuple[str, ...] = JAPANESE_MOBILES,
    ) -> None:
        """Take the limits by lane, and the beginnings of the numbers that messages are sent to."""
        self._parts = parts
        self._limits = {Lane.STRANGER: strangers, Lane.MEMBER: members}
        self._served = served
        name = "".join(parts.institution.name("en").split())
        self._ours = OurHost(parts.institution.host, (name,))

    async def ask(
        self, subject: str, to: Contact, purpose: Purpose, asked: Asked, language: str
    ) -> CodeAsked | TooMany:
        """Make a code and queue its message. `subject` is a member's id, or what a stranger is known by.

        A session in `asked` makes it the member's own asking, which is told of every limit. A stranger is
        told of those of the place alone: where those of the person stand in the way, nothing is sent, and
        the answer is as always. Raises NumberNotServed, ValueError where the code would be an e-mail factor,
        and OperationalError.
        """
        order = Order(subject, to, purpose, asked, language)
        return await self._write(lambda at: self.ask_within(at, order))

    async def decoy(self, subject: str, purpose: Purpose, asked: Asked) -> CodeAsked | TooMany:
        """Answer a stranger as if a text message had been sent, at about the same cost; nothing will fit."""
        return await self._write(lambda at: self.decoy_within(at, subject, purpose, asked))

    async def relay_evidence(self, code_id: str, subject: str, entered: Asked) -> RelayEvidence:
        """Compare an entry that is about to come with its request, for the guard's gate `code_entry`."""

        def read() -> RelayEvidence:
            with self._parts.store.read() as connection:
                return self._evidence(connection, code_rows.find(connection, code_id), subject, entered)

        return await asyncio.to_thread(read)

    async def enter(  # noqa: PLR0913 - each is a part of what must be equal, and `stopped` goes by name
        self,
        code_id: str,
        subject: str,
        purpose: Purpose,
        typed: str,
        entered: Asked,
        *,
        stopped: bool = False,
    ) -> Entered:
        """Take what somebody typed; a right code is used up.

        With `stopped` (the guard said no) or strong evidence of a relay a right code is answered as a wrong
        one, and fits nothing any more. Raises OperationalError.
        """
        entry = Entry(code_id, subject, purpose, typed, entered, stopped)
        return await self._write(lambda at: self.enter_within(at, entry))

    async def sweep(self) -> int:
        """Forget what is older than 90 days, and return how many rows that were."""
        before_us = self._parts.clock.now_us() - KEPT_US
        return await self._write(lambda at: code_rows.forget(at, before_us))

    def ask_within(self, connection: Connection, order: Order) -> CodeAsked | TooMany:
        """Do what `ask` does in the caller's unit of work."""
        order = order._replace(to=self._usable(order))
        asking = self._asking(order.subject, order.to, order.purpose, order.asked)
        new = Issue(asking, order.to.channel, order.purpose, order.asked)
        now_us = self._parts.clock.now_us()
        refused = refused_by_source(connection, self._limits[asking.lane], asking, now_us)
        if refused is not None:
            return refused
        refused = self._refused_person(connection, new, now_us)
        if refused is None:
            return self._send(connection, order, new)
        if asking.lane is Lane.MEMBER:
            return refused
        row = code_rows.live(connection, new, now_us)
        return self._pretend(connection, new) if row is None else _answer(row, now_us)

    def decoy_within(
        self,
        connection: Connection,
        subject: str,
        purpose: Purpose,
        asked: Asked,
        *,
        instead_of: Contact | None = None,
    ) -> CodeAsked | TooMany:
        """Do what `decoy` does in the caller's unit of work.

        A member in a session knows to whom the code would go (`instead_of`), and is told of every limit: a
        decoy counts for them as a code does, or the limit would tell which it was.
        """
        to = instead_of or Contact(Channel.SMS, subject)
        asking = self._asking(subject, to, purpose, asked)
        new = Issue(asking, to.channel, purpose, asked)
        now_us = self._parts.clock.now_us()
        refused = refused_by_source(connection, self._limits[asking.lane], asking, now_us)
        if refused is not None:
            return refused
        refused = self._refused_person(connection, new, now_us)
        if refused is not None and asking.lane is Lane.MEMBER:
            return refused
        return self._pretend(connection, new)

    def enter_within(self, connection: Connection, entry: Entry) -> Entered:
        """Do what `enter` does in the caller's unit of work."""
        code_id, subject, purpose, typed, entered, stopped = entry
        now_us = self._parts.clock.now_us()
        row = code_rows.find(connection, code_id, to_change=True)
        digits = digits_of(typed)
        kept = row.digest if row else bytes(DIGEST_OCTETS)
        fits = hmac.compare_digest(code_rows.digest_of(self._parts, code_id, digits), kept)
        evidence = self._evidence(connection, row, subject, entered)
        trying = Trying(_lane(entered), subject, counted_as(entered.ip)[0])
        if row is None or row.subject != subject:
            # Past its limit nothing is written any more: whoever makes ids up fills no table.
            if not too_many_wrong(connection, self._limits[trying.lane], trying, now_us):
                code_rows.count_failure(connection, self._parts, code_id, trying)
            return Over(End.EXPIRED)
        end = row.end(now_us)
        if end is None and too_many_wrong(connection, self._limits[trying.lane], trying, now_us):
            end = End.SPENT
        if end is not None:
            code_rows.void(connection, row, end, now_us)
            return Over(end)
        if not digits:
            return Wrong(row.tries_left)
        if not fits or row.purpose_key != purpose.key:
            return Wrong(code_rows.fail(connection, self._parts, row, trying))
        if stopped or evidence.strength is Strength.STRONG:
            self._warn(connection, row, entry, evidence)
            return Wrong(code_rows.fail(connection, self._parts, row, trying))
        code_rows.use(connection, row, evidence, now_us)
        self._tell(connection, "code:entered", row, evidence)
        return Right(evidence)

    def _usable(self, order: Order) -> Contact:
        channel, value = order.to
        if channel is Channel.SMS:
            return Contact(channel, mobile_number(value, served=self._served))
        if channel is not Channel.EMAIL or order.purpose.action not in _BY_EMAIL:
            raise ValueError(f"no code for {order.purpose.action} goes by {channel}")
        return order.to

    def _asking(self, subject: str, to: Contact, purpose: Purpose, asked: Asked) -> Asking:
        digest = self._parts.keyring.digest
        block = number_block(to.value) if to.channel is Channel.SMS else to.value
        recipient, block_digest = (
            digest(to.value, context="code:recipient"),
            digest(block, context="code:block"),
        )
        return Asking(_lane(asked), purpose.action, subject, recipient, block_digest, *counted_as(asked.ip))

    def _refused_person(self, connection: Connection, new: Issue, now_us: int) -> TooMany | None:
        again_at_us = may_resend_at_us(self._sent_before(connection, new, now_us))
        full = refused_by_person(connection, self._limits[new.asking.lane], new.asking, now_us)
        return TooMany(again_at_us, "resend") if now_us < again_at_us else full

    def _sent_before(self, connection: Connection, new: Issue, now_us: int) -> tuple[int, ...]:
        return asked_lately(
            connection, new.asking.subject, now_us, purpose_key=new.purpose.key, channel=new.channel
        )

    def _send(self, connection: Connection, order: Order, new: Issue) -> CodeAsked:
        institution, _, keyring, clock, chance = self._parts
        code = f"{chance.below(10**DIGITS):0{DIGITS}}"
        row = code_rows.issue(connection, self._parts, new._replace(digits=code))
        subject, to, purpose, _, language = order
        sent = NewCode(row.id, code, purpose, subject, *to, language, row.expires_at_us, LIFE_MINUTES)
        queue(connection, code_message(institution, sent), keyring=keyring, clock=clock, chance=chance)
        return self._told(connection, new, row)

    def _pretend(self, connection: Connection, new: Issue) -> CodeAsked:
        self._parts.keyring.seal(_DECOY_MESSAGE, context="code:decoy")
        return self._told(connection, new, code_rows.issue(connection, self._parts, new))

    def _told(self, connection: Connection, new: Issue, row: CodeRow) -> CodeAsked:
        answer = _answer(row, row.issued_at_us)
        if new.asking.lane is Lane.STRANGER:
            return answer
        before = self._sent_before(connection, new, row.issued_at_us)
        return answer._replace(may_resend_at_us=may_resend_at_us(before))

    def _evidence(
        self, connection: Connection, row: CodeRow | None, subject: str, entered: Asked
    ) -> RelayEvidence:
        if row is None or row.subject != subject:
            return RelayEvidence()
        now_us = self._parts.clock.now_us()
        course = Course(now_us - row.issued_at_us, len(asked_lately(connection, subject, now_us)))
        return look_for_relay(row.asked_from(), entered, known_ways(connection, subject), course, self._ours)

    def _warn(self, connection: Connection, row: CodeRow, entry: Entry, evidence: RelayEvidence) -> None:
        """Make a decoy of a code that was relayed, record it, and tell the member."""
        code_rows.burn(connection, row, evidence, self._parts.chance.octets(DIGEST_OCTETS))
        self._tell(connection, "code:relay:stopped", row, evidence)
        member = members.find(connection, MemberId(row.subject))
        if member is None:
            return
        values: dict[str, str | int] = {
            "when": self._parts.clock.now_us(),
            "action": in_words(Purpose(action=row.action, item=entry.purpose.item), member.language),
            "device": browser_in_words(entry.entered.user_agent),
            "place": place_in_words(entry.entered.country, member.language),
        }
        kind = NoticeKind.CODE_ENTERED_ELSEWHERE
        warn(connection, self._parts, member.id, kind, values, dedupe=f"code_elsewhere:{row.id}")

    def _tell(self, connection: Connection, kind: str, row: CodeRow, evidence: RelayEvidence) -> None:
        body = {"subject": row.subject, "action": row.action, "signs": evidence.names}
        entry = outbox.Entry(kind, row.id, self._parts.clock.now_us(), msgspec.json.encode(body))
        outbox.append(connection, [entry])

    async def _write(self, work: Work[Result]) -> Result:
        return await asyncio.wrap_future(self._parts.store.write(work))


def _answer(row: CodeRow, now_us: int) -> CodeAsked:
    return CodeAsked(row.id, row.expires_at_us, now_us + RESEND_US[0])


def _lane(asked: Asked) -> Lane:
    return Lane.MEMBER if asked.session_id else Lane.STRANGER


def digits_of(typed: str) -> str:
    """Return the digits of what was typed, full-width ones too; empty where that can be no code."""
    plain = unicodedata.normalize("NFKC", typed[:_TYPED_CHARS_MAX])
    digits = "".join(plain.replace("-", "").split())
    return digits if len(digits) == DIGITS and digits.isascii() and digits.isdigit() else ""
