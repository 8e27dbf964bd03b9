"""What is known when a charge is asked for, of session, wallet, link and its use; then it is weighed."""

from typing import NamedTuple

from sqlalchemy import Connection, and_, func, or_, select

from sekisho.identity import personal_data
from sekisho.identity.assurance import Level
from sekisho.identity.personal_data import Item
from sekisho.identity.session_desk import Present
from sekisho.kernel.yen import Yen
from sekisho.response.money_gates import Weighed
from sekisho.sharing.agreed_subjects import MEMBER
from sekisho.storage.tables.ledger import ledger_journal
from sekisho.storage.tables.signals import signal_evidence
from sekisho.wallet import bank_order_rows
from sekisho.wallet.link_risk import RAPID_US, ChargeFacts, charge_signs
from sekisho.wallet.link_rows import BankLink
from sekisho.wallet.link_signals import BANK_LINK
from sekisho.wallet.wallets import Wallet, require_open


class ChargeAsked(NamedTuple):
    """A charge that somebody asks for: in which session, over which link, how much."""

    present: Present
    link: BankLink
    amount: Yen


def weigh_charge(connection: Connection, asked: ChargeAsked, *, now_us: int, risk_max: float) -> Weighed:
    """Gather what is known of a charge and weigh it, for the gate. Raises WalletNotOpen."""
    evidence = charge_signs(charge_facts(connection, asked, now_us), risk_max=risk_max)
    return Weighed(evidence.names, evidence.points)


def charge_facts(connection: Connection, asked: ChargeAsked, now_us: int) -> ChargeFacts:
    """Return what is known of a charge. Raises WalletNotOpen."""
    link = asked.link
    session, device = asked.present
    wallet = require_open(connection, session.member_id)
    charged = bank_order_rows.charged_over(connection, link.id, now_us)
    return ChargeFacts(
        now_us=now_us,
        amount=asked.amount,
        wallet_opened_us=wallet.opened_at_us,
        linked_us=link.begun_at_us if link.active_at_us is None else link.active_at_us,
        strength=link.strength,
        once_max=Yen(link.once_yen),
        month_max=Yen(link.month_yen),
        charged_month=charged.month,
        charges_rapid=bank_order_rows.charges_since(connection, link.id, now_us - RAPID_US),
        charges_ever=bank_order_rows.charges_since(connection, link.id),
        risk=session.risk,
        campaign=session.campaign,
        proven=session.level is Level.PASSKEY,
        device_since_us=device.trusted_at_us or device.first_seen_us,
        contact_changed_us=_contact_changed_us(connection, wallet),
        spent_us=_spent_us(connection, wallet),
        warned=_is_warned(connection, link, now_us),
    )


def _contact_changed_us(connection: Connection, wallet: Wallet) -> int | None:
    """Return when the mobile number or the e-mail address was last changed from another one."""
    seen: set[Item] = set()
    last: int | None = None
    for change in personal_data.changes_of(connection, wallet.member_id):
        if change.item in {Item.MOBILE_PHONE, Item.EMAIL}:
            last = change.at_us if change.item in seen else last
            seen.add(change.item)
    return last


def _spent_us(connection: Connection, wallet: Wallet) -> int | None:
    """Return when money last left the wallet."""
    out = select(func.max(ledger_journal.c.booked_at_us)).where(ledger_journal.c.debit == wallet.account)
    last: int | None = connection.execute(out).scalar_one_or_none()
    return last


def _is_warned(connection: Connection, link: BankLink, now_us: int) -> bool:
    """Say whether a partner's word speaks against the link or its member now."""
    counts = and_(
        or_(
            and_(signal_evidence.c.kind == BANK_LINK, signal_evidence.c.about == link.id),
            and_(signal_evidence.c.kind == MEMBER, signal_evidence.c.about == link.member_id),
        ),
        signal_evidence.c.lifted_at_us.is_(None),
        signal_evidence.c.until_us > now_us,
    )
    return connection.execute(select(signal_evidence.c.id).where(counts).limit(1)).first() is not None
