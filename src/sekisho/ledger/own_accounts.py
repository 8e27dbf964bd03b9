"""An institution's own accounts in its books: cash, clearing, income, each kind once."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Side, accounts_of, open_account
from sekisho.ledger.journal import take_turn


class OwnLimits(NamedTuple):
    """On which side an account stands, and by how much it may stand on the other one (None: at will)."""

    normal: Side
    wrong_way_max: Yen | None


def open_own_accounts(
    connection: Connection, owner: str, kinds: Mapping[str, OwnLimits], *, clock: Clock, chance: Chance
) -> dict[str, str]:
    """Return an owner's accounts by kind, and open those that are missing. Again, it changes nothing."""
    take_turn(connection)
    there = {account.kind: account.id for account in accounts_of(connection, owner)}
    for kind, limits in kinds.items():
        if kind in there:
            continue
        there[kind] = open_account(
            connection,
            kind=kind,
            owner=owner,
            normal=limits.normal,
            net_debit_max=limits.wrong_way_max if limits.normal is Side.CREDIT else None,
            net_credit_max=limits.wrong_way_max if limits.normal is Side.DEBIT else None,
            clock=clock,
            chance=chance,
        )
    return {kind: there[kind] for kind in kinds}
