"""Everything that knows of past uses, for previews of switches: the guard's gates, and each room's books."""

from pathlib import Path

from sekisho.bank.past_uses import BankUses
from sekisho.identity.institution import Parts
from sekisho.lender.past_uses import LenderUses
from sekisho.response.past_uses import AttemptHistory, PastUses
from sekisho.wallet.past_uses import WalletUses


def past_uses(parts: Parts, history: Path) -> tuple[PastUses, ...]:
    """Return the sources at an institution of any kind: a room that it does not have knows of nothing."""
    return (AttemptHistory(parts, history), LenderUses(), WalletUses(), BankUses())
