"""Consent to documents by electronic delivery: given and taken back by the member, each with its time."""

from sqlalchemy import Connection, insert, select, update

from sekisho.identity.institution import Parts
from sekisho.kernel.ids import MemberId, SessionId
from sekisho.kernel.refusals import Refusal
from sekisho.storage import outbox
from sekisho.storage.tables.applications import delivery_consent

WORDING = "electronic-delivery-1"
"""Which words were agreed to; they stand in the member site's pages under this name."""


class DeliveryConsentMissing(Refusal):
    """The member has not agreed to electronic delivery; documents go on paper."""

    code = "delivery_consent_missing"
    status = 409
    told = "Please agree to receive the documents electronically, or ask us for paper."


def give(connection: Connection, parts: Parts, member_id: MemberId, session_id: SessionId) -> None:
    """Write a consent down. One that stands already is left as it is."""
    if has_consented(connection, member_id):
        return
    now_us = parts.clock.now_us()
    row = {
        "member_id": member_id,
        # Two consents are two, also where the clock stands still.
        "given_at_us": max(now_us, _last_us(connection, member_id) + 1),
        "session_id": session_id,
        "wording": WORDING,
    }
    connection.execute(insert(delivery_consent), row)
    _tell(connection, member_id, "given", now_us)


def withdraw(connection: Connection, parts: Parts, member_id: MemberId) -> bool:
    """Take the consent back, and tell whether there was one. What was delivered stays delivered."""
    now_us = parts.clock.now_us()
    standing = (delivery_consent.c.member_id == member_id) & delivery_consent.c.withdrawn_at_us.is_(None)
    done = connection.execute(
        update(delivery_consent).where(standing).values(withdrawn_at_us=now_us)
    ).rowcount
    if done:
        _tell(connection, member_id, "withdrawn", now_us)
    return bool(done)


def has_consented(connection: Connection, member_id: MemberId) -> bool:
    """Say whether a consent stands."""
    standing = select(delivery_consent.c.given_at_us).where(
        delivery_consent.c.member_id == member_id, delivery_consent.c.withdrawn_at_us.is_(None)
    )
    return connection.execute(standing).first() is not None


def _last_us(connection: Connection, member_id: MemberId) -> int:
    own = (
        select(delivery_consent.c.given_at_us)
        .where(delivery_consent.c.member_id == member_id)
        .order_by(delivery_consent.c.given_at_us.desc())
        .limit(1)
    )
    return int(connection.execute(own).scalar_one_or_none() or 0)


def _tell(connection: Connection, member_id: MemberId, what: str, now_us: int) -> None:
    event = outbox.Entry(f"lender:delivery_consent:{what}", f"{member_id}:{now_us}", now_us, b"{}")
    outbox.append(connection, [event])
