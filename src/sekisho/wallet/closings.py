"""Closing a wallet for good: what stands in the way of it, and what ends with it.

A closing moves no money: whoever closes a wallet pays out or spends what is in it first. Nothing of what was
booked is lost by it. The wallet is not opened again, and its login opens no second one.
"""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.holds import OnHold, holds_on
from sekisho.identity.notifying import notify
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present, require_approved
from sekisho.kernel.ids import MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.messages.notices import NoticeKind
from sekisho.response import cases
from sekisho.wallet import bank_moves, link_rows, send_rows
from sekisho.wallet.bank_moves import BankMove
from sekisho.wallet.house import WalletParts
from sekisho.wallet.identity_checks import forget_claim
from sekisho.wallet.link_ends import LinkEnd, end_within
from sekisho.wallet.link_rows import OPEN, BankLink
from sekisho.wallet.send_rows import Send
from sekisho.wallet.wallets import (
    Wallet,
    WalletNotEmpty,
    WalletNotOpen,
    WalletState,
    account_of,
    close_wallet,
    wallet_of,
)

BY_MEMBER = "member"
"""Who closed a wallet whose member did it; and why, in a word."""

NOTHING = Yen(0)


class WalletCaseOpen(Refusal):
    """Damage that was reported about the member is not settled: what is made good is paid into the wallet."""

    code = "wallet_case_open"
    status = 409
    told = "What was reported about this wallet is not settled yet. Please call us."


class InTheWay(NamedTuple):
    """What has to be mended before a wallet can be closed.

    `balance` is in it; `moves` wait for the word of a bank, or of a person who asks it; `sends` wait to be
    accepted and may come back.
    """

    balance: Yen = NOTHING
    moves: tuple[BankMove, ...] = ()
    sends: tuple[Send, ...] = ()
    is_frozen: bool = False
    is_held: bool = False
    has_case: bool = False

    def refusal(self) -> Refusal | None:
        """Return what refuses the closing; None where nothing does."""
        if self.is_frozen:
            return WalletNotOpen(known=WalletState.FROZEN.value)
        if self.is_held:
            return OnHold(known="closing")
        if self.has_case:
            return WalletCaseOpen()
        found = (
            (self.balance > NOTHING, f"{self.balance.in_english()} in it"),
            (bool(self.moves), f"charges and payouts without the bank's word: {len(self.moves)}"),
            (bool(self.sends), f"sends not accepted yet: {len(self.sends)}"),
        )
        left = "; ".join(what for is_so, what in found if is_so)
        return WalletNotEmpty(known=left, told=f"This wallet can't be closed yet: {left}.") if left else None


class Closing(NamedTuple):
    """A wallet that may be closed: what stands in the way, the links that would end, and what approves it."""

    wallet: Wallet
    in_the_way: InTheWay
    links: tuple[BankLink, ...]
    purpose: Purpose


class ClosingDesk:
    """Closes members' wallets at their own wish, for one wallet."""

    def __init__(self, house: WalletParts) -> None:
        self._house = house

    async def look(self, member_id: MemberId) -> Closing:
        """Return how a member's wallet stands to its closing. Raises WalletNotOpen and OperationalError."""
        return await self._house.read(lambda at: self._look(at, member_id))

    async def close(self, present: Present) -> Wallet:
        """Close a member's wallet, and return it; one that is closed is returned as it is.

        It takes a fresh proof for exactly this. Raises InsufficientAuthentication, what `InTheWay.refusal`
        names, WalletNotOpen where there is none, and OperationalError.
        """
        return await self._house.written(lambda at: self._close(at, present))

    def _look(self, connection: Connection, member_id: MemberId) -> Closing:
        its = _wallet_of(connection, member_id)
        links = tuple(one for one in link_rows.of_member(connection, member_id) if one.state in OPEN)
        return Closing(its, in_the_way(connection, self._house, its), links, purpose_of(its))

    def _close(self, connection: Connection, present: Present) -> Wallet:
        # Whoever moves money at this moment is seen before the wallet is found empty.
        take_turn(connection)
        its = _wallet_of(connection, present.session.member_id)
        if its.state is not WalletState.CLOSED:
            now_us = self._house.clock.now_us()
            require_approved(connection, present, purpose_of(its), now_us, known="wallet closing")
            close_within(connection, self._house, its, reason=BY_MEMBER, by=BY_MEMBER)
        return _wallet_of(connection, its.member_id)


def close_within(connection: Connection, house: WalletParts, its: Wallet, *, reason: str, by: str) -> bool:
    """Close a wallet with all that stands on it, and tell whether it was open; its member is told.

    Its links end, and their banks hear of it. `reason` is a word without personal data, `by` says who.
    Raises what `InTheWay.refusal` names.
    """
    take_turn(connection)
    # Whoever stops it at this moment was first, or finds it closed.
    its = _wallet_of(connection, its.member_id, for_update=True)
    if its.state is WalletState.CLOSED:
        return False
    refusal = in_the_way(connection, house, its).refusal()
    if refusal is not None:
        raise refusal
    parts, member_id, now_us = house.parts, its.member_id, house.clock.now_us()
    close_wallet(connection, parts, its.id, reason=reason, by=by)
    for link in link_rows.of_member(connection, member_id):
        end_within(connection, parts, link, LinkEnd.WALLET_CLOSED)
    forget_claim(connection, member_id)
    kind = NoticeKind.WALLET_CLOSED
    notify(connection, parts, member_id, kind, {"when": now_us}, dedupe=f"{kind}:{its.id}")
    return True


def in_the_way(connection: Connection, house: WalletParts, its: Wallet) -> InTheWay:
    """Return what stands in the way of closing a wallet now."""
    member_id = its.member_id
    return InTheWay(
        balance=account_of(connection, its).balance,
        moves=tuple(bank_moves.under_way(connection, member_id)),
        sends=tuple(send_rows.waiting_from(connection, member_id)),
        is_frozen=its.state is WalletState.FROZEN,
        is_held=bool(holds_on(connection, member_id, house.clock.now_us())),
        has_case=any(case.closed_at_us is None for case in cases.of_member(connection, member_id)),
    )


def purpose_of(its: Wallet) -> Purpose:
    """Return what is approved: the closing of exactly this wallet."""
    return Purpose(action="wallet_closed", details={"wallet": its.id})


def _wallet_of(connection: Connection, member_id: MemberId, *, for_update: bool = False) -> Wallet:
    its = wallet_of(connection, member_id, for_update=for_update)
    if its is None:
        raise WalletNotOpen(known=f"{member_id} has none")
    return its
