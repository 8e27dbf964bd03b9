"""Opening an account for somebody who logged in with the ID for the first time: a member and an empty wallet.

The ID's word opens it, and proves nothing about the person: the wallet begins at the level `none`.
"""

from sqlalchemy import Connection

from sekisho.identity import contacts, members, personal_data
from sekisho.identity.contacts import ContactKind, EmailUnusable
from sekisho.identity.institution import Parts
from sekisho.identity.personal_data import Item
from sekisho.identity.relying.desk import Newcomer, Opens
from sekisho.kernel.ids import MemberId
from sekisho.wallet.wallets import open_wallet


def opens(parts: Parts) -> Opens:
    """Return what opens the accounts of one institution's newcomers."""

    def open_for(connection: Connection, newcomer: Newcomer) -> MemberId:
        member = members.open_account(connection, parts, language=newcomer.language)
        _keep_email(connection, parts, member.id, newcomer.email)
        open_wallet(connection, parts, member.id)
        return member.id

    return open_for


def _keep_email(connection: Connection, parts: Parts, member_id: MemberId, told: str) -> None:
    """Keep the address that the ID has proven, unless it is another member's here already."""
    try:
        email = contacts.read_email(told)
    except EmailUnusable:
        return
    if contacts.put(connection, parts, member_id, ContactKind.EMAIL, email):
        personal_data.store(
            connection, parts.keyring, member_id, {Item.EMAIL: email}, parts.clock.now_us(), actor="id"
        )
