"""What staff do with merchants: register a shop, see what each is owed, stop one and let it go on.

Each deed is on record in the unit of work that does it.
"""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import find_account
from sekisho.ledger.journal import take_turn
from sekisho.response import audit
from sekisho.response.staff import Deed, require_staff
from sekisho.wallet.house import WalletParts
from sekisho.wallet.merchants import (
    Merchant,
    NewMerchant,
    all_merchants,
    merchant_of_key,
    register_merchant,
    require_merchant,
    resume_merchant,
    stop_merchant,
)
from sekisho.wallet.payment_requests import code_of


class Standing(NamedTuple):
    """A merchant, and what it is owed now; below zero where it gave back more than it had sold."""

    merchant: Merchant
    owed: Yen


class MerchantDesk:
    """Serves the staff of one wallet."""

    def __init__(self, house: WalletParts) -> None:
        self._house = house

    async def all(self) -> list[Standing]:
        """Return every merchant with what it is owed, the oldest first. Raises OperationalError."""
        return await self._house.read(lambda at: [Standing(one, _owed(at, one)) for one in all_merchants(at)])

    async def register(self, key: str, new: NewMerchant, deed: Deed) -> Merchant:
        """Register a merchant, which takes payments from then on; the same key again returns it.

        Raises MerchantUnusable, MerchantKeyReused, HolderNameUnusable, StaffIdUnusable and OperationalError.
        """

        def work(connection: Connection) -> Merchant:
            # Two that register by one key have to see each other, so that only one of them is on record.
            take_turn(connection)
            before = merchant_of_key(connection, self._house, key, new)
            made = register_merchant(connection, self._house, key, new)
            if before is None:
                self._on_record(connection, "merchant:registered", made.id, deed)
            return made

        return await self._house.written(work)

    async def stop(self, merchant_id: str, deed: Deed) -> bool:
        """Let a merchant take no more payments, and tell whether it did; refunds and settlements go on.

        Raises StaffIdUnusable and OperationalError.
        """

        def work(connection: Connection) -> bool:
            stopped = stop_merchant(connection, self._house, merchant_id, by=require_staff(deed.by))
            if stopped:
                self._on_record(connection, "merchant:stopped", merchant_id, deed)
            return stopped

        return await self._house.written(work)

    async def resume(self, merchant_id: str, deed: Deed) -> bool:
        """Let a merchant take payments again, and tell whether it had been stopped.

        Raises StaffIdUnusable and OperationalError.
        """

        def work(connection: Connection) -> bool:
            resumed = resume_merchant(connection, self._house, merchant_id, by=require_staff(deed.by))
            if resumed:
                self._on_record(connection, "merchant:resumed", merchant_id, deed)
            return resumed

        return await self._house.written(work)

    async def code(self, merchant_id: str) -> str:
        """Return the payload of the code that hangs at a merchant's till.

        Raises MerchantUnknown where it takes no payments, and OperationalError.
        """
        return await self._house.read(lambda at: code_of(require_merchant(at, merchant_id)))

    def _on_record(self, connection: Connection, act: str, subject: str, deed: Deed) -> None:
        audit.record_deed(connection, deed, act, subject, at_us=self._house.clock.now_us())


def _owed(connection: Connection, one: Merchant) -> Yen:
    account = find_account(connection, one.account)
    if account is None:
        raise LookupError(f"{one.id} has no account in the books")
    return account.balance
