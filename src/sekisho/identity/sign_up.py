"""Opening an account: e-mail address and mobile number proven by codes, then the person, then the password.

Nobody learns here whether a contact is a member's: the answer is the same, and the contact itself gets the
message that says so. The browser on which an account is opened is a trusted device from the first moment.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from sekisho.identity import contacts, members, passwords, personal_data, sign_up_rows
from sekisho.identity.answer_floors import moment_in, until
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.claims import asked_of
from sekisho.identity.code_limits import TooMany
from sekisho.identity.codes import CodeAsked, CodeDesk, Contact, Entry, Order, Right
from sekisho.identity.contacts import ContactKind, read_email
from sekisho.identity.hashing import Hasher
from sekisho.identity.institution import Parts
from sekisho.identity.leaked_lists import Leaks
from sekisho.identity.members import LANGUAGES
from sekisho.identity.notifying import Address, notify_at
from sekisho.identity.password_rules import PasswordFault, PasswordUnfit, fault_of
from sekisho.identity.people import Person, read_person
from sekisho.identity.personal_data import Item
from sekisho.identity.purposes import Purpose
from sekisho.identity.recipients import mobile_number
from sekisho.identity.sign_ins import LoginWay
from sekisho.identity.sign_up_rows import LASTS_US, Opening, Typed
from sekisho.identity.tokens import new_token
from sekisho.identity.welcomes import Proved, Welcome, welcome
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.posture import Posture
from sekisho.messages.message import Channel
from sekisho.messages.notices import NoticeKind

Result = TypeVar("Result")

SIGN_UP = Purpose(action="sign_up")

ANSWER_FLOOR_S = 0.1
"""Nobody is answered earlier who asks for codes: sending two takes longer than sending one, or none."""

_CHANNELS = {ContactKind.EMAIL: Channel.EMAIL, ContactKind.MOBILE: Channel.SMS}


class SignUpForm(NamedTuple):
    """How somebody wants to be reached, as typed, and the language of the pages."""

    email: str
    mobile: str
    language: str = "ja"


class SignUpStep(NamedTuple):
    """Enter the two codes. Whether they were sent shows nowhere in it."""

    token: str
    expires_at_us: int


class SignUpCodes(NamedTuple):
    """Which of the two contacts are proven now."""

    email: bool
    mobile: bool


class SignUpOver(NamedTuple):
    """Nothing can be opened here any more: the time is over, or it was used. Begin again."""


class SignUpDesk:
    """Opens accounts for one institution. `leaks_down` says what a list means that cannot be read."""

    def __init__(  # noqa: PLR0913 - what a sign-up stands on, each named at the call
        self,
        parts: Parts,
        hasher: Hasher,
        codes: CodeDesk,
        leaks: Leaks,
        *,
        leaks_down: Posture,
        answer_floor_s: float = ANSWER_FLOOR_S,
    ) -> None:
        self._parts = parts
        self._hasher = hasher
        self._codes = codes
        self._leaks = leaks
        self._leaks_down = leaks_down
        self._floor_s = answer_floor_s

    async def begin(self, form: SignUpForm, arrival: Arrival) -> SignUpStep | TooMany:
        """Take the contacts and send a code to each. TooMany says when this place may ask again.

        Raises EmailUnusable, NumberNotServed and OperationalError.
        """
        language = form.language if form.language in LANGUAGES else LANGUAGES[0]
        typed = Typed(read_email(form.email), mobile_number(form.mobile), language)
        token = new_token(self._parts.chance)

        def work(connection: Connection) -> TooMany | None:
            sign_up_rows.write(connection, self._parts, token, typed, arrival.ip)
            opening = sign_up_rows.find(connection, self._parts, token)
            return None if opening is None else self._send(connection, opening, arrival)

        due_s = moment_in(self._floor_s)
        refused = await self._written(work)
        await until(due_s)
        return refused or SignUpStep(token, self._parts.clock.now_us() + LASTS_US)

    async def send_again(self, token: str, arrival: Arrival) -> TooMany | SignUpOver | None:
        """Send new codes to what is not proven yet; None where that was done, or seemed to be."""

        def work(connection: Connection) -> TooMany | SignUpOver | None:
            opening = sign_up_rows.find(connection, self._parts, token, for_update=True)
            return SignUpOver() if opening is None else self._send(connection, opening, arrival)

        due_s = moment_in(self._floor_s)
        sent = await self._written(work)
        await until(due_s)
        return sent

    async def enter(
        self, token: str, email_code: str, mobile_code: str, arrival: Arrival
    ) -> SignUpCodes | SignUpOver:
        """Take the codes. One that is empty, or whose contact is proven already, is passed over."""

        def work(connection: Connection) -> SignUpCodes | SignUpOver:
            opening = sign_up_rows.find(connection, self._parts, token, for_update=True)
            if opening is None:
                return SignUpOver()
            email = opening.email_proven or self._enter(
                connection, opening, opening.email_code_id, email_code, arrival
            )
            mobile = opening.mobile_proven or self._enter(
                connection, opening, opening.mobile_code_id, mobile_code, arrival
            )
            now_us = self._parts.clock.now_us()
            proven = {"email_proven_at_us": email, "mobile_proven_at_us": mobile}
            values = {name: now_us for name, is_proven in proven.items() if is_proven}
            if values:
                sign_up_rows.change(connection, opening.token_digest, **values)
            return SignUpCodes(email, mobile)

        return await self._written(work)

    async def finish(
        self, token: str, person: Person, password: str, arrival: Arrival, *, replaces: str = ""
    ) -> Welcome | SignUpOver:
        """Open the account and a session on this browser, which is trusted from now on.

        Raises NameUnusable, BirthDateUnusable, AddressUnusable, PasswordUnfit, HashingBusy and
        OperationalError. Nothing is lost by a refusal: the same token can be used again.
        """
        opening = await asyncio.to_thread(self._find, token)
        if opening is None or not opening.is_proven:
            return SignUpOver()
        read = read_person(person, self._parts.clock.now_us())
        self._require_fit(password, opening.typed, read)
        peppered = passwords.pepper(self._parts.keyring, password, None)
        hashed = await self._hasher.hash(peppered.for_new)
        try:
            return await self._written(
                lambda at: self._open(at, token, read, (hashed, peppered.newest_pepper), arrival, replaces)
            )
        except IntegrityError:
            # Another process was faster by less than a transaction: one contact is one member's.
            return SignUpOver()

    def _require_fit(self, password: str, typed: Typed, person: Person) -> None:
        institution = self._parts.institution
        mobile = "0" + typed.mobile.removeprefix("+81")
        own = (
            *(typed.email, typed.email.partition("@")[0], mobile, person.name, person.kana),
            *(person.birth_date, institution.host, *institution.names.values()),
        )
        fault = fault_of(password, own)
        if fault is None and (
            self._leaks.has_pair([typed.email], password, on_outage=self._leaks_down)
            or self._leaks.has_password(password, on_outage=self._leaks_down)
        ):
            fault = PasswordFault.LEAKED
        if fault is not None:
            raise PasswordUnfit(fault)

    def _send(self, connection: Connection, opening: Opening, arrival: Arrival) -> TooMany | None:
        """Send to each contact a code, or the message that it is a member's already."""
        wanted = (
            (ContactKind.EMAIL, opening.typed.email, opening.email_proven),
            (ContactKind.MOBILE, opening.typed.mobile, opening.mobile_proven),
        )
        ids = {}
        for kind, value, proven in wanted:
            if proven:
                continue
            asked = self._ask(connection, opening, kind, value, arrival)
            if isinstance(asked, TooMany):
                return asked
            column = "email_code_id" if kind is ContactKind.EMAIL else "mobile_code_id"
            ids[column] = str(asked.code_id)
        if ids:
            sign_up_rows.change(connection, opening.token_digest, **ids)
        return None

    def _ask(
        self, connection: Connection, opening: Opening, kind: ContactKind, value: str, arrival: Arrival
    ) -> CodeAsked | TooMany:
        asked = asked_of(arrival)
        owner = contacts.holder(connection, self._parts.keyring, kind, value)
        if owner is None:
            to = Contact(_CHANNELS[kind], value)
            order = Order(opening.subject, to, SIGN_UP, asked, opening.typed.language)
            return self._codes.ask_within(connection, order)
        decoy = self._codes.decoy_within(connection, f"{opening.subject}:{kind}", SIGN_UP, asked)
        if isinstance(decoy, CodeAsked):
            self._say_who_is_member(connection, opening.typed, kind, value)
        return decoy

    def _say_who_is_member(self, connection: Connection, typed: Typed, kind: ContactKind, value: str) -> None:
        """Tell the contact itself, once a day: whoever asks a hundred times floods nobody."""
        now_us = self._parts.clock.now_us()
        digest = contacts.digest_of(self._parts.keyring, kind, value).hex()
        notice = NoticeKind.SIGN_UP_AS_MEMBER
        address = Address(_CHANNELS[kind], value, typed.language)
        notify_at(
            connection,
            self._parts,
            address,
            notice,
            {"when": now_us},
            dedupe=f"{notice}:{digest}:{now_us // DAY_US}",
        )

    def _enter(
        self, connection: Connection, opening: Opening, code_id: str, typed: str, arrival: Arrival
    ) -> bool:
        if not typed.strip():
            return False
        entry = Entry(code_id, opening.subject, SIGN_UP, typed, asked_of(arrival))
        return isinstance(self._codes.enter_within(connection, entry), Right)

    def _open(  # noqa: PLR0913, PLR0917 - all that an account is made of
        self,
        connection: Connection,
        token: str,
        person: Person,
        hashed: tuple[str, str],
        arrival: Arrival,
        replaces: str,
    ) -> Welcome | SignUpOver:
        opening = sign_up_rows.find(connection, self._parts, token, for_update=True)
        if opening is None or not opening.is_proven or self._is_taken(connection, opening.typed):
            return SignUpOver()
        now_us = self._parts.clock.now_us()
        sign_up_rows.change(connection, opening.token_digest, used_at_us=now_us, sealed=b"")
        typed = opening.typed
        member = members.open_account(connection, self._parts, language=typed.language)
        contacts.put(connection, self._parts, member.id, ContactKind.EMAIL, typed.email)
        contacts.put(connection, self._parts, member.id, ContactKind.MOBILE, typed.mobile)
        items = {
            Item.NAME: person.name,
            Item.NAME_KANA: person.kana,
            Item.BIRTH_DATE: person.birth_date,
            Item.HOME_ADDRESS: person.home_address,
            Item.EMAIL: typed.email,
            Item.MOBILE_PHONE: typed.mobile,
        }
        personal_data.store(connection, self._parts.keyring, member.id, items, now_us)
        passwords.put(connection, self._parts, member.id, *hashed)
        proved = Proved(
            member_id=member.id,
            level=Level.CODE,
            way=LoginWay.SIGN_UP,
            standing=Standing.TRUSTED,
            arrival=arrival,
            purpose=SIGN_UP.key,
            replaces=replaces,
        )
        return welcome(connection, self._parts, proved)

    def _is_taken(self, connection: Connection, typed: Typed) -> bool:
        """Look again: two people may have proven one contact at the same time."""
        keyring = self._parts.keyring
        return any(
            contacts.holder(connection, keyring, kind, value) is not None
            for kind, value in ((ContactKind.EMAIL, typed.email), (ContactKind.MOBILE, typed.mobile))
        )

    def _find(self, token: str) -> Opening | None:
        with self._parts.store.read() as connection:
            return sign_up_rows.find(connection, self._parts, token)

    async def _written(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.wrap_future(self._parts.store.write(work))
