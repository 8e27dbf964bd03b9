"""What goes round with links: banks hear of links that ended, and links that nobody finished are ended."""

import structlog
from sqlalchemy import Connection

from sekisho.kernel.clock import MINUTE_US
from sekisho.linking.bank_http import BankAway
from sekisho.linking.link_partners import BankNotLinkable
from sekisho.wallet import link_rows
from sekisho.wallet.house import WalletParts
from sekisho.wallet.link_banks import LinkBanks
from sekisho.wallet.link_ends import LinkEnd, end_within
from sekisho.wallet.link_rows import BankLink

log = structlog.get_logger(__name__)

AT_ONCE = 20
PAUSE_US = 5 * MINUTE_US


class LinkRounds:
    """Does what is due with links, for one wallet."""

    def __init__(self, house: WalletParts, banks: LinkBanks) -> None:
        self._house = house
        self._banks = banks

    async def end_unfinished(self) -> int:
        """End the links whose members did not come back in time, and return how many there were.

        Raises OperationalError.
        """
        now_us = self._house.clock.now_us()
        lost = await self._house.read(lambda at: link_rows.lost_on_the_way(at, now_us, AT_ONCE))
        return sum([await self._ended(link) for link in lost])

    async def tell_banks(self) -> int:
        """Tell banks of links that ended here, until they have heard it; return how many heard it now.

        With the token the mandate ends at the bank as well. Raises OperationalError.
        """
        now_us = self._house.clock.now_us()
        due = await self._house.read(lambda at: link_rows.to_tell(at, now_us, AT_ONCE))
        return sum([await self._told(link) for link in due])

    async def _ended(self, link: BankLink) -> bool:
        parts = self._house.parts
        return await self._house.written(lambda at: end_within(at, parts, link, LinkEnd.NOT_FINISHED))

    async def _told(self, link: BankLink) -> bool:
        keyring = self._house.keyring
        next_us = self._house.clock.now_us() + PAUSE_US
        await self._house.written(lambda at: link_rows.change(at, link.id, next_tell_us=next_us))
        secrets = await self._house.read(lambda at: link_rows.secrets_of(at, keyring, link.id))
        try:
            client = await self._banks.client(link.bank)
            await client.revoke(secrets.refresh_token or secrets.access_token)
        except (BankAway, BankNotLinkable) as away:
            log.info("bank_link:bank_not_told", link=link.id, detail=str(away))
            return False

        def heard(connection: Connection) -> None:
            link_rows.change(connection, link.id, bank_to_tell=False)
            link_rows.wipe(connection, keyring, link.id)

        await self._house.written(heard)
        return True
