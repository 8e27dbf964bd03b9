"""What banks and the wallet tell each other of a link by shared signals, under the name of its mandate.

A bank that sees fraud stops the link here within seconds, and its all-clear lets it go on, unless somebody
else has stopped it as well. One whose mandate the bank has ended is over, and the account free for another
wallet. A link that we stop because of fraud is told to its bank.
"""

from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import MEMBER as MEMBER_IDS
from sekisho.sharing.actions import Action, Deed, Handler
from sekisho.sharing.agreed_subjects import MEMBER, About, agree_within
from sekisho.sharing.announcements import Announcement, announce_within
from sekisho.sharing.caep_events import RiskLevelChange
from sekisho.sharing.subjects import Opaque
from sekisho.wallet import link_rows
from sekisho.wallet.link_ends import Suspension, end_by_bank, resume_within, suspend_all_of, suspend_within
from sekisho.wallet.link_rows import BankLink

BANK_LINK = "bank_link"
"""The kind of a subject that is a link."""


def agree_on(connection: Connection, parts: Parts, issuer: str, link: BankLink) -> None:
    """Note that a bank's mandate is this link, so that both sides mean the same by its name."""
    if link.mandate_id is not None:
        agree_within(connection, parts, issuer, Opaque(link.mandate_id), About(BANK_LINK, link.id))


def tell_bank(connection: Connection, parts: Parts, link: BankLink, reason: str) -> int:
    """Tell a link's bank that the link may be fraud, and return to how many partners it went.

    `reason` is for the bank's staff, in English, without personal data.
    """
    event = RiskLevelChange(
        principal="USER",
        current_level="HIGH",
        event_timestamp=parts.clock.now_us() // SECOND_US,
        initiating_entity="admin",
        reason_admin={"en": reason},
    )
    return announce_within(connection, parts, Announcement(event=event, about=About(BANK_LINK, link.id)))


def _suspend_link(connection: Connection, parts: Parts, deed: Deed) -> None:
    link = link_rows.find(connection, deed.about.id)
    if link is not None:
        suspend_within(connection, parts, link, Suspension.BANK_SIGNAL)


def _suspend_links_of(connection: Connection, parts: Parts, deed: Deed) -> None:
    suspend_all_of(connection, parts, MEMBER_IDS.parse(deed.about.id), Suspension.MEMBER_SIGNAL)


def _end_link(connection: Connection, parts: Parts, deed: Deed) -> None:
    link = link_rows.find(connection, deed.about.id)
    if link is not None:
        end_by_bank(connection, parts, link)


def _lift(connection: Connection, parts: Parts, deed: Deed) -> None:
    """Take back what a bank's word had stopped, and nothing that anybody else did."""
    link = link_rows.find(connection, deed.about.id)
    if link is not None:
        lifts = Suspension.BANK_SIGNAL
        resume_within(connection, parts, link, by=f"signal:{deed.issuer}", lifts=lifts)


def _owner(connection: Connection, link_id: str) -> About | None:
    link = link_rows.find(connection, link_id)
    return None if link is None else About(MEMBER, link.member_id)


LINK_HANDLERS: dict[tuple[Action, str], Handler] = {
    (Action.SUSPEND_LINK, BANK_LINK): _suspend_link,
    (Action.SUSPEND_LINK, MEMBER): _suspend_links_of,
    (Action.END_LINK, BANK_LINK): _end_link,
    (Action.LIFT, BANK_LINK): _lift,
}
"""What the wallet does on a partner's word, beside what every institution does."""

LINK_LEADS_TO = {BANK_LINK: _owner}
"""What befalls a link befalls the member who made it."""
