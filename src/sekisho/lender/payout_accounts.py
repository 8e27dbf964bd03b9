"""The member's own account, to which loans are paid out: registered, changed, and told on every channel.

A new account waits 72 hours before money goes to it; until then it goes to the old one. The holder's name
must be the member's own, so that an account of somebody else is no use even where everything else was stolen.
"""

import hashlib
import hmac
import re
import unicodedata
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, insert, select, update

from sekisho.guard.attempts import Gate
from sekisho.identity import members, personal_data
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import NotFromHere, StepUp
from sekisho.identity.masks import masked_account
from sekisho.identity.names import NameUnusable, read_kana
from sekisho.identity.notifying import facts_of, language_of, notify
from sekisho.identity.personal_data import Item, read_for_use
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.kernel.clock import HOUR_US
from sekisho.kernel.ids import PAYOUT_ACCOUNT, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.ledger.journal import take_turn
from sekisho.lender.gates import Gatekeeper
from sekisho.lender.house import LenderParts
from sekisho.lender.switches import Function
from sekisho.linking.zengin import BankAccount
from sekisho.messages.notices import NoticeKind
from sekisho.response.money_gates import Asked, Held, Passed, Stopped
from sekisho.storage import outbox
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.borrowings import payout_account

COOLING_OFF_US = 72 * HOUR_US
NEW_MEMBER_US = 72 * HOUR_US
"""How long a member is new: the first account, registered in this time, is used at once."""

KINDS = {"1": "普通", "2": "当座", "4": "貯蓄"}
KEY_MAX = 100

_BANK, _BRANCH, _NUMBER = re.compile(r"[0-9]{4}"), re.compile(r"[0-9]{3}"), re.compile(r"[0-9]{7}")
_DIGEST_CONTEXT = "payout_account"


class PayoutAccountUnusable(Refusal):
    """What was typed names no bank account."""

    code = "payout_account_unusable"
    status = 422
    told = "This is no bank account. Please check the bank, the branch and the number."


class HolderNotMember(Refusal):
    """The account is not in the member's own name."""

    code = "holder_not_member"
    status = 422
    told = "The account must be in your own name, written as you registered it in kana."


class PayoutAccountPending(Refusal):
    """Another account waits already; it has to be cancelled before one more is registered."""

    code = "payout_account_pending"
    status = 409
    told = "A new account is waiting already. Cancel it first if it is not the right one."


class Typed(NamedTuple):
    """An account as it was typed."""

    bank: str
    branch: str
    kind: str
    number: str
    holder: str


class Payee(msgspec.Struct, frozen=True):
    """An account with its holder's name, as a bank takes it."""

    bank: str
    branch: str
    kind: str
    number: str
    holder_kana: str

    @property
    def account(self) -> BankAccount:
        """Return the account as files name it."""
        return BankAccount(self.bank, self.branch, self.kind, self.number)

    def in_words(self) -> str:
        """Return the account in one line, as its owner reads it."""
        return f"{self.bank}-{self.branch} {KINDS[self.kind]} {self.number} {self.holder_kana}"


class PayoutAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A registered account. It is used from `usable_from_us` on, until another one is."""

    id: str
    member_id: MemberId
    bank: str
    registered_at_us: int
    usable_from_us: int
    cancelled_at_us: int | None
    debits_stopped_at_us: int | None


class Standing(NamedTuple):
    """The account that loans go to now, and the one that waits; None where there is none."""

    in_use: PayoutAccount | None
    waiting: PayoutAccount | None


def read_payee(typed: Typed) -> Payee:
    """Return an account as it is kept. Raises PayoutAccountUnusable and NameUnusable."""
    bank, branch, kind, number = (unicodedata.normalize("NFKC", part[:20]).strip() for part in typed[:4])
    number = number.zfill(7)
    fits = _BANK.fullmatch(bank) and _BRANCH.fullmatch(branch) and _NUMBER.fullmatch(number)
    if not fits or kind not in KINDS or not (bank + branch + number).isascii():
        raise PayoutAccountUnusable
    return Payee(bank, branch, kind, number, read_kana(typed.holder))


def is_holder(payee: Payee, member_kana: str) -> bool:
    """Say whether the account is in the member's name: equal in the banks' writing, spaces aside."""
    try:
        own = read_kana(member_kana)
    except NameUnusable:
        return False
    return payee.holder_kana.replace(" ", "") == own.replace(" ", "")


def change_of(payee: Payee) -> Purpose:
    """Return the purpose that must have been approved, to register this account and no other."""
    shown = masked_account(payee.number)
    # All of the account binds the approval; a purpose may be kept with its code, so not as it is.
    whole = hashlib.sha256(_whole(payee).encode()).hexdigest()
    details = {"bank": payee.bank, "account": shown, "payee_digest": whole}
    return Purpose(action="payout_account", item=Item.PAYOUT_ACCOUNT.value, details=details)


def standing_of(connection: Connection, member_id: str, now_us: int) -> Standing:
    """Return which account is used and which one waits."""
    rows = select(*_COLUMNS).where(_of_member(member_id), payout_account.c.cancelled_at_us.is_(None))
    newest_first = rows.order_by(payout_account.c.usable_from_us.desc(), payout_account.c.id.desc())
    found = [PayoutAccount(**row) for row in connection.execute(newest_first).mappings()]
    in_use = next((one for one in found if one.usable_from_us <= now_us), None)
    waiting = next((one for one in found if one.usable_from_us > now_us), None)
    return Standing(in_use, waiting)


def payee_of(connection: Connection, house: LenderParts, account_id: str) -> Payee:
    """Open a registered account, to pay to it or to show it. Raises LookupError and Unsealable."""
    row = connection.execute(select(payout_account).where(payout_account.c.id == account_id)).one_or_none()
    if row is None:
        raise LookupError(f"no account {account_id}")
    plain = house.keyring.open(row.sealed, context=_context(row.member_id, row.id))
    return msgspec.json.decode(plain, type=Payee)


def stop_debits(connection: Connection, account_id: str, now_us: int) -> None:
    """Keep that a bank debits this account for us no more."""
    one = update(payout_account).where(payout_account.c.id == account_id)
    connection.execute(one.values(debits_stopped_at_us=now_us))


def end_accounts(
    connection: Connection,
    house: LenderParts,
    member_id: MemberId,
    *,
    session_id: str = "",
    actor: str = personal_data.MEMBER_ACTOR,
) -> None:
    """Let no account of a member be used any more, the earlier ones included; again, it changes nothing."""
    now_us = house.clock.now_us()
    standing = _of_member(member_id) & payout_account.c.cancelled_at_us.is_(None)
    ended = list(connection.execute(select(payout_account.c.id).where(standing)).scalars())
    if not ended:
        return
    connection.execute(update(payout_account).where(standing).values(cancelled_at_us=now_us))
    nothing = {Item.PAYOUT_ACCOUNT: ""}
    personal_data.store(
        connection, house.keyring, member_id, nothing, now_us, session_id=session_id, actor=actor
    )
    events = [
        outbox.Entry("lender:payout_account:cancelled", account_id, now_us, b"{}") for account_id in ended
    ]
    outbox.append(connection, events)


class PayoutAccountDesk:
    """Registers, changes and cancels payout accounts."""

    def __init__(self, house: LenderParts, gatekeeper: Gatekeeper) -> None:
        self._house = house
        self._gatekeeper = gatekeeper

    async def standing(self, member_id: MemberId) -> Standing:
        """Return which account is used and which one waits. Raises OperationalError."""
        now_us = self._house.clock.now_us()
        return await self._house.read(lambda at: standing_of(at, member_id, now_us))

    async def register(
        self, present: Present, arrival: Arrival, typed: Typed, key: str
    ) -> PayoutAccount | StepUp | NotFromHere | Held | Stopped:
        """Register an account, or change it. The same key again returns what it made.

        Raises PayoutAccountUnusable, NameUnusable, HolderNotMember, PayoutAccountPending and
        OperationalError.
        """
        payee = read_payee(typed)
        member_id = present.session.member_id
        made = await self._house.read(lambda at: self._before(at, member_id, payee, key))
        if made is not None:
            return made
        asked = Asked(
            present=present,
            arrival=arrival,
            gate=Gate.CONTACT_CHANGE,
            function=Function.PAYOUT_CHANGE,
            purpose=change_of(payee),
            target=Item.PAYOUT_ACCOUNT.value,
            partner=payee.bank,
        )
        passed = await self._gatekeeper.ask(asked)
        if not isinstance(passed, Passed):
            return passed
        done = False
        try:
            outcome = await self._house.written(lambda at: self._register(at, asked, passed, payee, key))
            done = isinstance(outcome, PayoutAccount)
        finally:
            await self._gatekeeper.settle(passed, done=done)
        return outcome

    async def cancel_waiting(self, present: Present, arrival: Arrival) -> bool:
        """Cancel the account that waits and tell whether there was one; any live session may.

        Whoever stole a session can only keep money where it went before. Raises OperationalError.
        """

        def work(connection: Connection) -> bool:
            now_us, member_id = self._house.clock.now_us(), present.session.member_id
            waiting = standing_of(connection, member_id, now_us).waiting
            if waiting is None:
                return False
            one = update(payout_account).where(payout_account.c.id == waiting.id)
            connection.execute(one.values(cancelled_at_us=now_us))
            in_use = standing_of(connection, member_id, now_us).in_use
            self._show(connection, present, in_use.id if in_use else None)
            self._tell(connection, member_id, arrival, NoticeKind.PAYOUT_CANCELLED, waiting)
            event = outbox.Entry("lender:payout_account:cancelled", waiting.id, now_us, b"{}")
            outbox.append(connection, [event])
            return True

        return await self._house.written(work)

    def _before(
        self, connection: Connection, member_id: MemberId, payee: Payee, key: str
    ) -> PayoutAccount | None:
        """Return what a key made. Raises HolderNotMember and PayoutAccountPending."""
        kana = read_for_use(connection, self._house.keyring, member_id, (Item.NAME_KANA,))
        if not is_holder(payee, kana.get(Item.NAME_KANA, "")):
            raise HolderNotMember
        row = (
            connection.execute(
                select(*_COLUMNS, payout_account.c.digest).where(payout_account.c.key == _key(member_id, key))
            )
            .mappings()
            .one_or_none()
        )
        if row is None:
            return None
        if not hmac.compare_digest(bytes(row["digest"]), self._digest(payee)):
            raise PayoutAccountPending(known="the key was used for another account")
        return PayoutAccount(**{name: row[name] for name in PayoutAccount.__struct_fields__})

    def _register(
        self, connection: Connection, asked: Asked, passed: Passed, payee: Payee, key: str
    ) -> PayoutAccount | StepUp | NotFromHere | Held:
        # Who else approves the same at this moment has to be seen before the approval is used up.
        take_turn(connection)
        house, now_us = self._house, self._house.clock.now_us()
        member_id = asked.present.session.member_id
        made = self._before(connection, member_id, payee, key)
        if made is not None:
            return made
        before = standing_of(connection, member_id, now_us)
        if before.waiting is not None:
            raise PayoutAccountPending(known=before.waiting.id)
        refused = self._gatekeeper.take_within(connection, asked, passed)
        if refused is not None:
            return refused
        account = PayoutAccount(
            id=PAYOUT_ACCOUNT.new(house.clock, house.chance),
            member_id=member_id,
            bank=payee.bank,
            registered_at_us=now_us,
            usable_from_us=now_us + self._waits_us(connection, member_id, before, now_us),
            cancelled_at_us=None,
            debits_stopped_at_us=None,
        )
        sealed = house.keyring.seal(msgspec.json.encode(payee), context=_context(member_id, account.id))
        connection.execute(
            insert(payout_account),
            {
                **msgspec.structs.asdict(account),
                "key": _key(member_id, key),
                "sealed": sealed,
                "digest": self._digest(payee),
                "session_id": asked.present.session.id,
            },
        )
        self._show(connection, asked.present, account.id)
        self._tell(connection, member_id, asked.arrival, NoticeKind.PAYOUT_CHANGED, account)
        body = msgspec.json.encode({"way": passed.way, "usable_from_us": account.usable_from_us})
        outbox.append(
            connection, [outbox.Entry("lender:payout_account:registered", account.id, now_us, body)]
        )
        return account

    def _waits_us(self, connection: Connection, member_id: MemberId, before: Standing, now_us: int) -> int:
        member = members.find(connection, member_id)
        is_new = member is not None and now_us - member.opened_at_us < NEW_MEMBER_US
        ever = connection.execute(select(payout_account.c.id).where(_of_member(member_id)).limit(1)).first()
        return 0 if before.in_use is None and ever is None and is_new else COOLING_OFF_US

    def _show(self, connection: Connection, present: Present, account_id: str | None) -> None:
        """Keep as the member's item what was registered last and stands."""
        text = "" if account_id is None else payee_of(connection, self._house, account_id).in_words()
        session = present.session
        personal_data.store(
            connection,
            self._house.keyring,
            session.member_id,
            {Item.PAYOUT_ACCOUNT: text},
            self._house.clock.now_us(),
            session_id=session.id,
        )

    def _tell(
        self,
        connection: Connection,
        member_id: MemberId,
        arrival: Arrival,
        kind: NoticeKind,
        account: PayoutAccount,
    ) -> None:
        now_us = self._house.clock.now_us()
        language = language_of(connection, member_id)
        values = {**facts_of(arrival, now_us, language), "until": account.usable_from_us}
        notify(connection, self._house.parts, member_id, kind, values, dedupe=f"{kind}:{account.id}")

    def _digest(self, payee: Payee) -> bytes:
        return self._house.keyring.digest(_whole(payee), context=_DIGEST_CONTEXT)


_COLUMNS = tuple(payout_account.c[name] for name in PayoutAccount.__struct_fields__)


def _of_member(member_id: str) -> ColumnElement[bool]:
    return payout_account.c.member_id == member_id


def _whole(payee: Payee) -> str:
    return msgspec.json.encode(payee, order="deterministic").decode()


def _context(member_id: str, account_id: str) -> str:
    return context_of(payout_account.c.sealed, member_id=member_id, id=account_id)


def _key(member_id: str, key: str) -> str:
    return f"{member_id}:{key[:KEY_MAX]}"
