"""Personal items that members change themselves after a fresh proof, in the forms in which they are kept.

Contacts are not among them: those have to be proven first (`contact_desk`).
"""

import asyncio
import unicodedata

import phonenumbers
from phonenumbers import PhoneNumberFormat
from sqlalchemy import Connection

from sekisho.identity import personal_data, sessions
from sekisho.identity.assurance import Granted, InsufficientAuthentication, Need, demand
from sekisho.identity.institution import Parts
from sekisho.identity.people import read_address
from sekisho.identity.personal_data import Item
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.kernel.refusals import Refusal

COMPANY_MAX = 100
_TYPED_NUMBER_MAX = 40


class TelephoneUnusable(Refusal):
    """What was typed is no Japanese telephone number."""

    code = "telephone_unusable"
    status = 422
    told = "This is not a Japanese telephone number."


class CompanyUnusable(Refusal):
    """The name of a company is empty, too long, or has characters that cannot be seen."""

    code = "company_unusable"
    status = 422
    told = "A company's name has 1 to 100 characters."


def read_telephone(typed: str) -> str:
    """Return a Japanese number of any kind as people write it. Raises TelephoneUnusable."""
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", typed[:_TYPED_NUMBER_MAX]), "JP")
    except phonenumbers.NumberParseException as error:
        raise TelephoneUnusable from error
    if phonenumbers.region_code_for_number(number) != "JP" or number.extension:
        raise TelephoneUnusable
    return str(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))


def read_company(typed: str) -> str:
    """Return a company's name in one line. Raises CompanyUnusable."""
    name = unicodedata.normalize("NFC", " ".join(typed[: 4 * COMPANY_MAX].split()))
    unseen = any(unicodedata.category(character).startswith("C") for character in name)
    if not name or len(name) > COMPANY_MAX or unseen:
        raise CompanyUnusable
    return name


READERS = {
    Item.HOME_ADDRESS: read_address,
    Item.HOME_PHONE: read_telephone,
    Item.EMPLOYER_NAME: read_company,
    Item.EMPLOYER_ADDRESS: read_address,
    Item.EMPLOYER_PHONE: read_telephone,
}
"""The items that a member may change, and how each is read."""


def change_of(item: Item) -> Purpose:
    """Return the purpose that a code must have been asked for, to change this item and no other."""
    return Purpose(action="contact_change", item=item.value)


class DetailDesk:
    """Changes personal items, for one institution."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def change(self, present: Present, item: Item, typed: str) -> None:
        """Keep a new value of an item that is among READERS.

        Raises InsufficientAuthentication, AddressUnusable, TelephoneUnusable, CompanyUnusable, KeyError for
        an item that is not changed here, and OperationalError.
        """
        parts, session = self._parts, present.session
        now_us = parts.clock.now_us()
        answer = demand(session, present.device, Need.CHANGE, now_us, purpose=change_of(item).key)
        if not isinstance(answer, Granted):
            raise InsufficientAuthentication(answer, known=f"change of {item}")
        value = READERS[item](typed)

        def work(connection: Connection) -> None:
            sessions.require_live(connection, session, now_us)
            personal_data.store(
                connection, parts.keyring, session.member_id, {item: value}, now_us, session_id=session.id
            )

        await asyncio.wrap_future(parts.store.write(work))
