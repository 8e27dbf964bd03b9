"""What partners are called towards depositors: linked services by registered names, collectors in kana."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, select

from sekisho.bank.authorisation.partners import PartnerSettings
from sekisho.storage.tables.deposits import link_partner
from sekisho.storage.tables.mandates import file_partner

FILE_PREFIX = "file:"
"""What stands before a collector's code where it is a partner: no client id has a colon."""


def names_of(connection: Connection, partner: str) -> Mapping[str, str]:
    """Return what a partner is called, by language, also after it was removed."""
    linked = select(link_partner.c.settings).where(link_partner.c.client_id == partner)
    settings = connection.execute(linked).scalar_one_or_none()
    if settings is not None:
        return msgspec.json.decode(settings, type=PartnerSettings).names
    code = partner.removeprefix(FILE_PREFIX)
    collector = select(file_partner.c.name_kana).where(file_partner.c.code == code)
    return {"ja": connection.execute(collector).scalar_one_or_none() or partner}


def name_of(connection: Connection, partner: str, language: str) -> str:
    """Return what a partner is called in a language, the Japanese name where there is no other."""
    names = names_of(connection, partner)
    return names.get(language) or names.get("ja") or next(iter(names.values()))
