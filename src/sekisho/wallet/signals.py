"""What the wallet does about signals of its partners, and which names it shares with them.

A member is known to the ID by the login itself, and to a bank by our pseudonym; a link is known to its bank
by the mandate. What befalls a link befalls the member who made it.
"""

from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.kernel.japan import day_in_japan
from sekisho.linking.link_partners import BankNotLinkable, PartnerBook
from sekisho.sharing.actions import Action, Deed, Handler
from sekisho.sharing.agreed_subjects import MEMBER, About, agree_within
from sekisho.sharing.announcing import Learner
from sekisho.sharing.subjects import Opaque
from sekisho.storage.outbox import StoredEntry
from sekisho.wallet import link_rows
from sekisho.wallet.house import WalletParts
from sekisho.wallet.link_ends import Suspension, suspend_all_of, suspend_within
from sekisho.wallet.links import user_ref

LINK = "bank_link"
"""What a link is called where signals are about one."""

LINK_ACTIVE = "wallet:link:active"


def suspend_link(connection: Connection, parts: Parts, deed: Deed) -> None:
    """Stop the link that a bank warned of."""
    link = link_rows.find(connection, deed.about.id)
    if link is not None:
        suspend_within(connection, parts, link, Suspension.BANK_SIGNAL)


def suspend_links_of(connection: Connection, parts: Parts, deed: Deed) -> None:
    """Stop every link of a member of whom a partner warned."""
    member = next((link for link in link_rows.of_member(connection, deed.about.id)), None)
    if member is not None:
        suspend_all_of(connection, parts, member.member_id, Suspension.BANK_SIGNAL)


def owner_of(connection: Connection, link_id: str) -> About | None:
    """Return whose a link is."""
    link = link_rows.find(connection, link_id)
    return None if link is None else About(MEMBER, link.member_id)


HANDLERS: dict[tuple[Action, str], Handler] = {
    (Action.SUSPEND_LINK, LINK): suspend_link,
    (Action.SUSPEND_LINK, MEMBER): suspend_links_of,
}
LEADS_TO = {LINK: owner_of}


def learners(house: WalletParts, partners: PartnerBook) -> dict[str, Learner]:
    """Return what is learnt from our own happenings: by which names a bank knows a new link and its owner."""

    def learn_link(connection: Connection, parts: Parts, entry: StoredEntry) -> None:
        link = link_rows.find(connection, entry.subject.partition(":")[0])
        if link is None or link.mandate_id is None:
            return
        try:
            issuer = partners.on(link.bank, day_in_japan(entry.at_us)).issuer
        except BankNotLinkable:
            return
        pseudonym = Opaque(user_ref(house, link.bank, link.member_id))
        agree_within(connection, parts, issuer, Opaque(link.mandate_id), About(LINK, link.id))
        agree_within(connection, parts, issuer, pseudonym, About(MEMBER, link.member_id))

    return {LINK_ACTIVE: learn_link}
