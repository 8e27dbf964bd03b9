"""What staff do with wallets: see who waits for a check and decide it, stop a wallet, let it go, close it.

Every look at a person and every stop is on record, in the unit of work that does it; a check is a record.
"""

from typing import NamedTuple

from sqlalchemy import Connection, select

from sekisho.identity.person_checks import ManualCheck, NobodyTrusted
from sekisho.kernel.ids import MemberId
from sekisho.kernel.posture import Posture
from sekisho.response import audit
from sekisho.response.staff import Deed, require_staff
from sekisho.storage.tables.wallets import wallet, wallet_claim
from sekisho.wallet.closings import close_within
from sekisho.wallet.house import WalletParts
from sekisho.wallet.identity_checks import Claim, IdentityCheck, IdentityDesk, NothingToCheck
from sekisho.wallet.wallets import find_wallet, freeze_wallet, unfreeze_wallet

CLAIMS_SHOWN = 200


class WaitingClaim(NamedTuple):
    """Somebody who says who they are and was not checked: whose wallet it is, and since when they wait."""

    wallet_id: str
    member_id: MemberId
    at_us: int


class WalletStaffDesk:
    """Serves the staff of one wallet."""

    def __init__(self, house: WalletParts) -> None:
        self._house = house
        # Staff check by what lies before them; certificates are the members' own way.
        self._identity = IdentityDesk(house, NobodyTrusted(), on_outage=Posture.CLOSED)

    async def waiting(self) -> list[WaitingClaim]:
        """Return who waits for a check, the longest first, without a name. Raises OperationalError."""
        ids = (wallet.c.id, wallet_claim.c.member_id, wallet_claim.c.at_us)
        joined = wallet_claim.join(wallet, wallet.c.member_id == wallet_claim.c.member_id)
        its = select(*ids).select_from(joined).order_by(wallet_claim.c.at_us).limit(CLAIMS_SHOWN)
        return await self._house.read(lambda at: [WaitingClaim(*row) for row in at.execute(its)])

    async def claim(self, member_id: MemberId, deed: Deed) -> Claim:
        """Return who a member says to be; the look goes on record first.

        Raises StaffIdUnusable, NothingToCheck, Unsealable and OperationalError.
        """
        await self._house.written(lambda at: self._on_record(at, "wallet:claim_seen", member_id, deed))
        found = await self._identity.standing_claim(member_id)
        if found is None:
            raise NothingToCheck(known=f"{member_id} claims nothing")
        return found

    async def decide(self, member_id: MemberId, key: str, manual: ManualCheck) -> IdentityCheck:
        """Write down what was checked; the same key again returns what it recorded.

        Raises what `IdentityDesk.record` does.
        """
        return await self._identity.record(member_id, key, manual)

    async def stop(self, wallet_id: str, deed: Deed) -> bool:
        """Stop a wallet and tell whether it was open. Raises StaffIdUnusable and OperationalError."""

        def work(connection: Connection) -> bool:
            stopped = freeze_wallet(connection, self._house.parts, wallet_id, reason="staff", by=deed.by)
            if stopped:
                self._on_record(connection, "wallet:stopped", wallet_id, deed)
            return stopped

        require_staff(deed.by)
        return await self._house.written(work)

    async def release(self, wallet_id: str, deed: Deed) -> bool:
        """Let a stopped wallet go on, and tell whether it was stopped.

        Raises StaffIdUnusable and OperationalError.
        """

        def work(connection: Connection) -> bool:
            released = unfreeze_wallet(connection, self._house.parts, wallet_id, by=deed.by)
            if released:
                self._on_record(connection, "wallet:released", wallet_id, deed)
            return released

        require_staff(deed.by)
        return await self._house.written(work)

    async def close(self, wallet_id: str, deed: Deed) -> bool:
        """Close a wallet for a member who asked for it, and tell whether it was not closed before.

        Raises StaffIdUnusable, what stands in the way (WalletNotEmpty, WalletNotOpen, OnHold,
        WalletCaseOpen), and OperationalError.
        """

        def work(connection: Connection) -> bool:
            its = find_wallet(connection, wallet_id)
            if its is None or not close_within(connection, self._house, its, reason="staff", by=deed.by):
                return False
            self._on_record(connection, "wallet:closed", wallet_id, deed)
            return True

        require_staff(deed.by)
        return await self._house.written(work)

    def _on_record(self, connection: Connection, act: str, subject: str, deed: Deed) -> None:
        audit.record_deed(connection, deed, act, subject, at_us=self._house.clock.now_us())
