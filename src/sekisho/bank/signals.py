"""What the bank does about signals of its partners, and which names it shares with them.

A partner's link is our mandate, and its user is known here by the partner's pseudonym alone. What a partner
says of its user never touches the depositor's own account or online bank: the depositor may be the victim. It
stops debits under that user's mandates until the depositor confirms them, and counts at the gate of links.
"""

from dataclasses import replace

from sqlalchemy import Connection, select

from sekisho.bank import mandates
from sekisho.bank.house import BankParts
from sekisho.bank.link_gate import actor_of
from sekisho.bank.mandate_states import Actor, Deed, Who
from sekisho.bank.mandates import Doing
from sekisho.identity.institution import Parts
from sekisho.sharing import partners
from sekisho.sharing.actions import Action, Handler
from sekisho.sharing.actions import Deed as Signalled
from sekisho.sharing.agreed_subjects import About, agree_within
from sekisho.sharing.announcing import Learner
from sekisho.sharing.evidence import ACTOR
from sekisho.sharing.subjects import Opaque
from sekisho.storage.outbox import StoredEntry
from sekisho.storage.tables.mandates import mandate

MANDATE = "mandate"
"""What a mandate is called where signals are about one."""

MANDATE_ACTIVE = "bank:mandate:active"
WHY = "partner_signal"


def handlers(bank: BankParts) -> dict[tuple[Action, str], Handler]:
    """Return what the bank does about a mandate, and about a partner's user."""

    def stop(connection: Connection, parts: Parts, mandate_id: str, signalled: Signalled) -> None:
        one = mandates.find(connection, mandate_id)
        if one is not None:
            doing = Doing(Deed.STOP, Actor(Who.WATCH, signalled.jti), WHY)
            mandates.move(connection, replace(bank, parts=parts), one, doing)

    def stop_mandate(connection: Connection, parts: Parts, signalled: Signalled) -> None:
        stop(connection, parts, signalled.about.id, signalled)

    def stop_mandates_of(connection: Connection, parts: Parts, signalled: Signalled) -> None:
        partner, _, user_ref = signalled.about.id.partition(":")
        own = select(mandate.c.id).where(mandate.c.partner == partner, mandate.c.user_ref == user_ref)
        for mandate_id in connection.execute(own).scalars().all():
            stop(connection, parts, mandate_id, signalled)

    return {
        (Action.SUSPEND_LINK, MANDATE): stop_mandate,
        (Action.SUSPEND_LINK, ACTOR): stop_mandates_of,
    }


def learn_mandate(connection: Connection, parts: Parts, entry: StoredEntry) -> None:
    """Learn from a mandate that was activated by which names its partner knows it and its user."""
    one = mandates.find(connection, entry.subject.partition(":")[0])
    partner = None if one is None else partners.of_client(connection, one.partner)
    if one is None or partner is None:
        return
    agree_within(connection, parts, partner.issuer, Opaque(one.id), About(MANDATE, one.id))
    if one.user_ref:
        user = About(ACTOR, actor_of(one.partner, one.user_ref))
        agree_within(connection, parts, partner.issuer, Opaque(one.user_ref), user)


LEARNERS: dict[str, Learner] = {MANDATE_ACTIVE: learn_mandate}
