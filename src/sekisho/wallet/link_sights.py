"""What staff see of links: those that wait, a member's, one; and, for a reason, the two names of one."""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.personal_data import Item
from sekisho.linking.holder_names import HolderNameUnusable, read_holder_name
from sekisho.response.access import access_elsewhere
from sekisho.response.audit import Act
from sekisho.wallet import link_rows
from sekisho.wallet.house import WalletParts
from sekisho.wallet.link_reviews import SHOWN_MAX, ReviewOver
from sekisho.wallet.link_rows import BankLink, LinkState, Review
from sekisho.wallet.links import LinkUnknown
from sekisho.wallet.persons import verified_person

NAME_OCTETS_MAX = 60


class Names(NamedTuple):
    """Whose the wallet is and whose the account is, both as banks write names.

    `theirs` is empty for a link that came to its review before holders' names were kept.
    """

    ours: str
    theirs: str


class LinkSightDesk:
    """Shows links to staff, for one wallet."""

    def __init__(self, house: WalletParts) -> None:
        self._house = house

    async def waiting(self) -> list[BankLink]:
        """Return the links that wait for a person, the oldest first. Raises OperationalError."""
        return await self._house.read(lambda at: link_rows.waiting_for_review(at, SHOWN_MAX))

    async def of_member(self, member_id: str) -> list[BankLink]:
        """Return a member's links, those that ended included, the newest first. Raises OperationalError."""
        return await self._house.read(lambda at: link_rows.of_member(at, member_id))

    async def find(self, link_id: str) -> BankLink:
        """Return a link. Raises LinkUnknown and OperationalError."""

        def look(connection: Connection) -> BankLink:
            link = link_rows.find(connection, link_id)
            if link is None:
                raise LinkUnknown(known=link_id[:40])
            return link

        return await self._house.read(look)

    async def names(self, link_id: str, *, by: str, reason: str) -> Names:
        """Return the two names of a link that waits, after writing down who compares them and why.

        It stands in the member's own record of what was seen. Raises ReviewOver, ReasonMissing,
        StaffIdUnusable, Unsealable and OperationalError.
        """

        def work(connection: Connection) -> Names:
            link = link_rows.find(connection, link_id)
            if link is None or (link.state, link.review) != (LinkState.CONFIRMED, Review.WAITING):
                raise ReviewOver(known=link_id[:40])
            act = Act(actor=by, act="link:names_seen", subject=link.id, reason=reason)
            access_elsewhere(connection, self._house.parts, act, link.member_id, (Item.NAME_KANA,))
            keyring = self._house.keyring
            person = verified_person(connection, keyring, link.member_id)
            theirs = link_rows.secrets_of(connection, keyring, link.id).holder_kana
            return Names("" if person is None else _as_banks_write(person.name_kana), theirs)

        return await self._house.written(work)


def _as_banks_write(name: str) -> str:
    """Return a name as banks write it, and as it is where no bank can."""
    try:
        return read_holder_name(name, octets_max=NAME_OCTETS_MAX)
    except HolderNameUnusable:
        return name
