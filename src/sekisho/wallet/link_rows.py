"""Links as they are kept: their states, their secrets under seal, and whose each account and phone is."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    and_,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from sekisho.kernel.ids import BankLinkId, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.linking.link_partners import Strength
from sekisho.storage.keyring import Keyring
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.bank_links import bank_link, bank_order, linked_account, linked_phone
from sekisho.wallet.link_limits import Ceilings


class LinkState(StrEnum):
    """Where a link stands. Only ACTIVE moves money."""

    BEGUN = "begun"
    """The member chose a bank and has not approved it yet."""

    AT_BANK = "at_bank"
    """The member is on the way to the bank, or back."""

    CONFIRMED = "confirmed"
    """The bank agreed, and a person has to look at the holder."""

    ACTIVE = "active"
    """It can be used, once its waiting time is over."""

    SUSPENDED = "suspended"
    """Stopped for a while; it may go on."""

    ENDED = "ended"
    """Over for good. A new one has to be begun."""


LIVE = (LinkState.CONFIRMED, LinkState.ACTIVE, LinkState.SUSPENDED)
"""The states in which an account belongs to a wallet."""

OPEN = (LinkState.BEGUN, LinkState.AT_BANK, *LIVE)


class Review(StrEnum):
    """What a person said of a holder who was not matched outright."""

    NONE = ""
    """Nobody had to look."""

    WAITING = "waiting"
    """Somebody has to look."""

    APPROVED = "approved"
    """It is the member."""

    TURNED_DOWN = "turned_down"
    """It is not, or nobody could tell."""


class AccountTaken(Refusal):
    """The account is linked to another wallet."""

    code = "account_taken"
    status = 409
    told = "This account can't be linked to this wallet. Please call us."


class PhoneTaken(Refusal):
    """Another wallet has linked an account with this telephone number."""

    code = "phone_taken"
    status = 409
    told = "Your mobile number is in use for links of another wallet. Please call us."


class BankLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link, without its secrets. Times are microseconds since the epoch, amounts yen."""

    id: BankLinkId
    key: str
    member_id: MemberId
    bank: str
    state: LinkState
    strength: Strength
    session_id: str
    attempt_id: str
    approved_by: str
    mandate_id: str | None
    holder_match: str
    review: Review
    reviewed_by: str
    once_yen: int
    month_yen: int
    begun_at_us: int
    return_until_us: int
    returned_at_us: int | None
    active_at_us: int | None
    usable_from_us: int | None
    first_until_us: int | None
    first_yen: int
    suspended_for: str
    ended_at_us: int | None
    ended_for: str
    bank_to_tell: bool

    @property
    def stopped_for(self) -> tuple[str, ...]:
        """Return every reason for which it stands still."""
        return tuple(filter(None, self.suspended_for.split(",")))

    @property
    def ceilings(self) -> Ceilings:
        """Return what it allows. Raises LookupError before it was active."""
        if self.usable_from_us is None or self.first_until_us is None:
            raise LookupError(f"{self.id} was never active")
        return Ceilings(
            self.usable_from_us,
            Yen(self.once_yen),
            Yen(self.month_yen),
            Yen(self.first_yen),
            self.first_until_us,
        )


class LinkSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """What is under a link's seal: on the way to the bank the flow, later the tokens and the account.

    `holder_kana` is the holder's name by the bank's books, only as long as a person has to look at it.
    """

    dpop_key: bytes
    flow_state: str = ""
    verifier: str = ""
    access_token: str = ""
    access_until_us: int = 0
    refresh_token: str = ""
    branch: str = ""
    kind: str = ""
    last4: str = ""
    holder_kana: str = ""

    def __repr__(self) -> str:
        # It stands in tracebacks, and its secrets must not.
        return "LinkSecrets(...)"


def find(connection: Connection, link_id: str, *, for_update: bool = False) -> BankLink | None:
    """Return a link by id; `for_update` keeps it until this work is over."""
    its = select(*_COLUMNS).where(bank_link.c.id == link_id)
    return _one(connection, its.with_for_update() if for_update else its)


def by_key(connection: Connection, key: str) -> BankLink | None:
    """Return what a key began."""
    return _one(connection, select(*_COLUMNS).where(bank_link.c.key == key))


def by_state_digest(connection: Connection, digest: bytes) -> BankLink | None:
    """Return the link whose member set out to the bank with this state."""
    return _one(connection, select(*_COLUMNS).where(bank_link.c.state_digest == digest))


def of_member(connection: Connection, member_id: str) -> list[BankLink]:
    """Return a member's links, those that ended included, the newest first."""
    rows = select(*_COLUMNS).where(bank_link.c.member_id == member_id).order_by(bank_link.c.id.desc())
    return [_read(row) for row in connection.execute(rows).mappings()]


def waiting_for_review(connection: Connection, limit: int) -> list[BankLink]:
    """Return the links that a person has to look at, the oldest first."""
    waits = and_(bank_link.c.state == LinkState.CONFIRMED, bank_link.c.review == Review.WAITING)
    rows = select(*_COLUMNS).where(waits).order_by(bank_link.c.id).limit(limit)
    return [_read(row) for row in connection.execute(rows).mappings()]


def lost_on_the_way(connection: Connection, now_us: int, limit: int) -> list[BankLink]:
    """Return the links whose members did not come back from the bank in time."""
    lost = and_(
        bank_link.c.state.in_((LinkState.BEGUN, LinkState.AT_BANK)), bank_link.c.return_until_us <= now_us
    )
    rows = select(*_COLUMNS).where(lost).order_by(bank_link.c.id).limit(limit)
    return [_read(row) for row in connection.execute(rows).mappings()]


def to_tell(connection: Connection, now_us: int, limit: int) -> list[BankLink]:
    """Return the links that ended here and whose banks have to hear it, as far as it is their time.

    While it is not known what became of an order, its link's token is needed to ask.
    """
    asking = exists().where(bank_order.c.link_id == bank_link.c.id, bank_order.c.state == "ordered")
    due = and_(bank_link.c.bank_to_tell.is_(True), bank_link.c.next_tell_us <= now_us, ~asking)
    rows = select(*_COLUMNS).where(due).order_by(bank_link.c.next_tell_us).limit(limit)
    return [_read(row) for row in connection.execute(rows).mappings()]


def add(
    connection: Connection, link: BankLink, secrets: LinkSecrets, digest: bytes, keyring: Keyring
) -> None:
    """Write a new link down."""
    values = msgspec.structs.asdict(link)
    sealed = _seal(keyring, link.id, secrets)
    row = {**values, "sealed": sealed, "state_digest": digest, "next_tell_us": 0}
    connection.execute(insert(bank_link), row)


def move(connection: Connection, link: BankLink, after: LinkState, **values: object) -> bool:
    """Move a link from the state in which it was read, and tell whether it still stood there."""
    still = and_(bank_link.c.id == link.id, bank_link.c.state == link.state)
    return bool(connection.execute(update(bank_link).where(still).values(state=after, **values)).rowcount)


def change(connection: Connection, link_id: str, **values: object) -> None:
    """Change what is written of a link, its state apart."""
    connection.execute(update(bank_link).where(bank_link.c.id == link_id).values(**values))


def come_back(connection: Connection, link: BankLink, now_us: int) -> bool:
    """Write down that the member is back, and tell whether this was the first time."""
    first = and_(
        bank_link.c.id == link.id,
        bank_link.c.state == LinkState.AT_BANK,
        bank_link.c.returned_at_us.is_(None),
    )
    return bool(connection.execute(update(bank_link).where(first).values(returned_at_us=now_us)).rowcount)


def secrets_of(connection: Connection, keyring: Keyring, link_id: str) -> LinkSecrets:
    """Open what is under a link's seal. Raises Unsealable, and LookupError where there is no such link."""
    sealed = connection.execute(
        select(bank_link.c.sealed).where(bank_link.c.id == link_id)
    ).scalar_one_or_none()
    if sealed is None:
        raise LookupError(f"no link {link_id}")
    return msgspec.json.decode(keyring.open(sealed, context=_context(link_id)), type=LinkSecrets)


def keep_secrets(connection: Connection, keyring: Keyring, link_id: str, secrets: LinkSecrets) -> None:
    """Put other secrets under a link's seal."""
    change(connection, link_id, sealed=_seal(keyring, link_id, secrets))


def keep_holder(connection: Connection, keyring: Keyring, link_id: str, holder_kana: str) -> None:
    """Put a holder's name under a link's seal, or, with an empty one, take it away."""
    kept = secrets_of(connection, keyring, link_id)
    keep_secrets(connection, keyring, link_id, msgspec.structs.replace(kept, holder_kana=holder_kana))


def wipe(connection: Connection, keyring: Keyring, link_id: str) -> None:
    """Keep of what is under a link's seal only how the account is shown: what is gone can't be stolen."""
    kept = secrets_of(connection, keyring, link_id)
    shown = LinkSecrets(dpop_key=b"", branch=kept.branch, kind=kept.kind, last4=kept.last4)
    keep_secrets(connection, keyring, link_id, shown)


def claim_account(connection: Connection, link: BankLink, account_ref: str, now_us: int) -> None:
    """Make an account the wallet's, unless it is another one's. Raises AccountTaken.

    The store's own key decides between two who come at once.
    """
    free = or_(linked_account.c.released_at_us.is_not(None), linked_account.c.member_id == link.member_id)
    whose = {"bank": link.bank, "account_ref": account_ref}
    values = {"link_id": link.id, "member_id": link.member_id, "since_us": now_us, "released_at_us": None}
    if not _claim(connection, linked_account, whose, values, free):
        raise AccountTaken(known=link.id)


def link_over(connection: Connection, bank: str, account_ref: str) -> str | None:
    """Return the id of the link that an account belongs to now."""
    its = and_(
        linked_account.c.bank == bank,
        linked_account.c.account_ref == account_ref,
        linked_account.c.released_at_us.is_(None),
    )
    found: str | None = connection.execute(select(linked_account.c.link_id).where(its)).scalar_one_or_none()
    return found


def release_account(connection: Connection, link: BankLink, now_us: int) -> None:
    """Let an account be linked anew; doing it again changes nothing."""
    its = and_(linked_account.c.link_id == link.id, linked_account.c.released_at_us.is_(None))
    connection.execute(update(linked_account).where(its).values(released_at_us=now_us))


def claim_phone(connection: Connection, digest: bytes, member_id: MemberId, now_us: int) -> None:
    """Make a phone the wallet's, unless it is another one's. Raises PhoneTaken."""
    free = or_(linked_phone.c.released_at_us.is_not(None), linked_phone.c.member_id == member_id)
    values = {"member_id": member_id, "since_us": now_us, "released_at_us": None}
    if not _claim(connection, linked_phone, {"digest": digest}, values, free):
        raise PhoneTaken(known=member_id)


def release_phones(connection: Connection, member_id: MemberId, now_us: int) -> None:
    """Let a member's phones be used by another wallet, once none of the member's links is open."""
    mine = and_(bank_link.c.member_id == member_id, bank_link.c.state.in_(OPEN))
    if connection.execute(select(func.count()).select_from(bank_link).where(mine)).scalar_one():
        return
    its = and_(linked_phone.c.member_id == member_id, linked_phone.c.released_at_us.is_(None))
    connection.execute(update(linked_phone).where(its).values(released_at_us=now_us))


_COLUMNS = tuple(bank_link.c[name] for name in BankLink.__struct_fields__)


def _claim(
    connection: Connection,
    into: Table,
    whose: Mapping[str, object],
    values: Mapping[str, object],
    free: ColumnElement[bool],
) -> bool:
    """Put a row where none has its key, or in the place of one that is free; tell whether it is in."""
    insert_one = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    made = insert_one(into).values(**whose, **values)
    claim = made.on_conflict_do_update(index_elements=list(whose), set_=values, where=free)
    return connection.execute(claim.execution_options(preserve_rowcount=True)).rowcount > 0


def _one(connection: Connection, query: Select[Any]) -> BankLink | None:
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _read(row)


def _read(row: RowMapping) -> BankLink:
    return msgspec.convert({name: row[name] for name in BankLink.__struct_fields__}, BankLink)


def _seal(keyring: Keyring, link_id: str, secrets: LinkSecrets) -> bytes:
    return keyring.seal(msgspec.json.encode(secrets), context=_context(link_id))


def _context(link_id: str) -> str:
    return context_of(bank_link.c.sealed, id=link_id)
