"""By which name a bank knows a member of ours: the pseudonym under which the member's links were made."""

from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.kernel.japan import day_in_japan
from sekisho.linking.link_partners import BankNotLinkable, PartnerBook
from sekisho.sharing.agreed_subjects import MEMBER, About, agree_within
from sekisho.sharing.announcing import Learner
from sekisho.sharing.subjects import Opaque
from sekisho.storage.outbox import StoredEntry
from sekisho.wallet import link_rows
from sekisho.wallet.house import WalletParts
from sekisho.wallet.links import user_ref

LINK_ACTIVE = "wallet:link:active"


def learners(house: WalletParts, partners: PartnerBook) -> dict[str, Learner]:
    """Return what is learnt from our own happenings: who the owner of a new link is to its bank."""

    def learn_owner(connection: Connection, parts: Parts, entry: StoredEntry) -> None:
        link = link_rows.find(connection, entry.subject.partition(":")[0])
        if link is None:
            return
        try:
            issuer = partners.on(link.bank, day_in_japan(entry.at_us)).issuer
        except BankNotLinkable:
            return
        pseudonym = Opaque(user_ref(house, link.bank, link.member_id))
        agree_within(connection, parts, issuer, pseudonym, About(MEMBER, link.member_id))

    return {LINK_ACTIVE: learn_owner}
