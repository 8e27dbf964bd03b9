"""Wallets: one a member, its balance an account in the books that never goes below zero.

The ledger holds the ceiling on the balance as well, so that a wallet without a proof takes no money even
where a page forgot to ask for the level.
"""

from enum import StrEnum

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from sekisho.identity.institution import Parts
from sekisho.kernel.ids import WALLET, MemberId, WalletId
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Account, Side, change_limits, close_account, find_account, open_account
from sekisho.ledger.journal import take_turn
from sekisho.storage import outbox
from sekisho.storage.tables.wallets import wallet
from sekisho.wallet.identity_levels import IdentityLevel, hold_max

KIND = "wallet"
"""The kind of a wallet's account in the ledger."""

NOTHING = Yen(0)


class WalletState(StrEnum):
    """What state a wallet is in, whatever its member's login does."""

    OPEN = "open"
    """Everything that its level allows."""

    FROZEN = "frozen"
    """We stopped it: nothing moves, in or out, until we let it."""

    CLOSED = "closed"
    """Given up, with nothing in it."""


class WalletNotOpen(Refusal):
    """The wallet is frozen, or there is none."""

    code = "wallet_not_open"
    status = 409
    told = "Your wallet is stopped at the moment. Please call us."


class WalletClosed(WalletNotOpen):
    """The wallet was given up: nothing moves any more, and what was booked can be read."""

    code = "wallet_closed"
    told = "This wallet is closed. What came and went can still be read."


class WalletNotEmpty(Refusal):
    """A wallet with money in it, or with some on its way, can't be closed."""

    code = "wallet_not_empty"
    status = 409
    told = "There is still money in this wallet, or on its way. Please pay it out first."


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet. `account` is its balance's in the ledger; `stopped_for` a word for why it is not open."""

    id: WalletId
    member_id: MemberId
    account: str
    state: WalletState
    stopped_for: str
    opened_at_us: int
    state_at_us: int
    phone_proven_at_us: int | None
    verified_at_us: int | None

    @property
    def level(self) -> IdentityLevel:
        """Return what is proven. Without a phone nobody is reached, so that nothing above it counts."""
        if self.phone_proven_at_us is None:
            return IdentityLevel.NONE
        return IdentityLevel.PHONE if self.verified_at_us is None else IdentityLevel.VERIFIED


def open_wallet(connection: Connection, parts: Parts, member_id: MemberId) -> Wallet:
    """Open a member's wallet, of the level `none`; where there is one, return it as it is."""
    # Two who open at once take turns at the books, and the second finds what the first opened.
    take_turn(connection)
    before = wallet_of(connection, member_id)
    if before is not None:
        return before
    now_us = parts.clock.now_us()
    wallet_id = WALLET.new(parts.clock, parts.chance)
    account = open_account(
        connection,
        kind=KIND,
        owner=wallet_id,
        normal=Side.CREDIT,
        net_debit_max=NOTHING,
        net_credit_max=hold_max(IdentityLevel.NONE, day_in_japan(now_us)),
        clock=parts.clock,
        chance=parts.chance,
    )
    opened = Wallet(
        id=wallet_id,
        member_id=member_id,
        account=account,
        state=WalletState.OPEN,
        stopped_for="",
        opened_at_us=now_us,
        state_at_us=now_us,
        phone_proven_at_us=None,
        verified_at_us=None,
    )
    connection.execute(insert(wallet), msgspec.structs.asdict(opened))
    outbox.append(connection, [outbox.Entry("wallet:wallet:opened", wallet_id, now_us, b"{}")])
    return opened


def wallet_of(connection: Connection, member_id: str, *, for_update: bool = False) -> Wallet | None:
    """Return a member's wallet; `for_update` keeps its state and level until this work is over."""
    its = select(wallet).where(wallet.c.member_id == member_id)
    row = connection.execute(its.with_for_update() if for_update else its).one_or_none()
    return None if row is None else _of(row)


def find_wallet(connection: Connection, wallet_id: str) -> Wallet | None:
    """Return a wallet by its id."""
    row = connection.execute(select(wallet).where(wallet.c.id == wallet_id)).one_or_none()
    return None if row is None else _of(row)


def require_open(connection: Connection, member_id: str) -> Wallet:
    """Return a member's open wallet, held until this work is over.

    Raises WalletNotOpen, as WalletClosed where it was given up.
    """
    found = wallet_of(connection, member_id, for_update=True)
    if found is not None and found.state is WalletState.OPEN:
        return found
    if found is not None and found.state is WalletState.CLOSED:
        raise WalletClosed(known=found.id)
    raise WalletNotOpen(known="none" if found is None else found.state.value)


def account_of(connection: Connection, of: Wallet) -> Account:
    """Return the account that holds a wallet's balance, with its limits and what is pending."""
    account = find_account(connection, of.account)
    if account is None:
        raise LookupError(f"{of.id} has no account in the books")
    return account


def prove_phone(connection: Connection, parts: Parts, of: Wallet) -> None:
    """Write down that the wallet's phone was proven just now; who proved it made it its contact."""
    _raise(connection, parts, of, phone_proven_at_us=parts.clock.now_us())


def prove_person(connection: Connection, parts: Parts, of: Wallet) -> None:
    """Write down that its member's identity was established just now."""
    _raise(connection, parts, of, verified_at_us=parts.clock.now_us())


def freeze_wallet(connection: Connection, parts: Parts, wallet_id: str, *, reason: str, by: str) -> bool:
    """Stop a wallet and tell whether it was open. `reason` is a word without personal data, `by` says who."""
    return _set_state(connection, parts, wallet_id, WalletState.OPEN, WalletState.FROZEN, reason, by)


def unfreeze_wallet(connection: Connection, parts: Parts, wallet_id: str, *, by: str) -> bool:
    """Let a frozen wallet go on, and tell whether it was frozen."""
    return _set_state(connection, parts, wallet_id, WalletState.FROZEN, WalletState.OPEN, "", by)


def close_wallet(connection: Connection, parts: Parts, wallet_id: str, *, reason: str, by: str) -> bool:
    """Close an open wallet with nothing in it, and tell whether it was open. Raises WalletNotEmpty."""
    take_turn(connection)
    found = find_wallet(connection, wallet_id)
    if found is None or found.state is not WalletState.OPEN:
        return False
    if not close_account(connection, found.account, clock=parts.clock):
        raise WalletNotEmpty(known=wallet_id)
    return _set_state(connection, parts, wallet_id, WalletState.OPEN, WalletState.CLOSED, reason, by)


def _raise(connection: Connection, parts: Parts, of: Wallet, **proven: int) -> None:
    connection.execute(update(wallet).where(wallet.c.id == of.id).values(proven))
    after = find_wallet(connection, of.id)
    assert after is not None  # noqa: S101 - it was just changed
    most = hold_max(after.level, day_in_japan(parts.clock.now_us()))
    change_limits(connection, of.account, net_debit_max=NOTHING, net_credit_max=most)
    now_us = parts.clock.now_us()
    body = msgspec.json.encode({"level": after.level})
    outbox.append(connection, [outbox.Entry("wallet:level:changed", f"{of.id}:{now_us}", now_us, body)])


def _set_state(  # noqa: PLR0913, PLR0917 - from where to where, why and by whom
    connection: Connection,
    parts: Parts,
    wallet_id: str,
    before: WalletState,
    after: WalletState,
    reason: str,
    by: str,
) -> bool:
    now_us = parts.clock.now_us()
    its = update(wallet).where(wallet.c.id == wallet_id, wallet.c.state == before)
    values = {"state": after.value, "stopped_for": reason, "state_at_us": now_us}
    if connection.execute(its.values(values)).rowcount != 1:
        return False
    body = msgspec.json.encode({"reason": reason, "by": by})
    event = outbox.Entry(f"wallet:wallet:{after}", f"{wallet_id}:{now_us}", now_us, body)
    outbox.append(connection, [event])
    return True


def _of(row: Row[tuple[object, ...]]) -> Wallet:
    return msgspec.convert(row, Wallet, from_attributes=True)
