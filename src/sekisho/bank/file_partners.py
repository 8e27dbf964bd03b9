"""Senders of files: collectors and payers with a code of ten digits, and the account they settle through.

What comes straight from a sender is settled with that sender, who has to be registered. What comes through
the clearing is settled with the other banks; whose money it is, the bank that sent it has seen to.
"""

from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from sekisho.bank.house import BankParts, open_settlement
from sekisho.bank.partner_names import FILE_PREFIX
from sekisho.kernel.refusals import Refusal
from sekisho.storage import outbox
from sekisho.storage.tables.mandates import file_partner

CODE_DIGITS = 10
_KANA_MAX = 40


class FilePartnerUnfit(Refusal):
    """A code that is none or is taken, or no name. Only the bank's own staff ever read this."""

    code = "file_partner_unfit"
    status = 422
    told = "A sender of files has ten digits that nobody else has, and a name in banks' kana."


class FilePartner(NamedTuple):
    """A registered sender of files."""

    code: str
    name_kana: str
    settlement_account: str

    @property
    def partner(self) -> str:
        """Return what it is called where partners are named: in mandates, switches and events."""
        return partner_of(self.code)


def partner_of(code: str) -> str:
    """Return what the sender of a code is called where partners are named."""
    return f"{FILE_PREFIX}{code}"


def register(connection: Connection, bank: BankParts, code: str, name_kana: str) -> FilePartner:
    """Register a sender, with its account in the books. Raises FilePartnerUnfit.

    A code that was removed is not given out again: old mandates must not count for somebody else.
    """
    taken = select(file_partner.c.code).where(file_partner.c.code == code)
    named = 0 < len(name_kana) <= _KANA_MAX and name_kana.isprintable()
    fits = len(code) == CODE_DIGITS and code.isascii() and code.isdigit()
    if not fits or not named or connection.execute(taken).first():
        raise FilePartnerUnfit(known=code[:CODE_DIGITS])
    account = open_settlement(connection, partner_of(code), clock=bank.clock, chance=bank.chance)
    found, now_us = FilePartner(code, name_kana, account), bank.clock.now_us()
    values = found._asdict() | {"registered_at_us": now_us, "removed_at_us": None}
    connection.execute(insert(file_partner), values)
    outbox.append(connection, [outbox.Entry("bank:file_partner:registered", code, now_us, b"{}")])
    return found


def remove(connection: Connection, bank: BankParts, code: str) -> bool:
    """Take a sender away, and tell whether there was one: nothing more is taken from it."""
    now_us = bank.clock.now_us()
    its = update(file_partner).where(file_partner.c.code == code, file_partner.c.removed_at_us.is_(None))
    removed = connection.execute(its.values(removed_at_us=now_us)).rowcount == 1
    if removed:
        outbox.append(connection, [outbox.Entry("bank:file_partner:removed", code, now_us, b"{}")])
    return removed


def find(connection: Connection, code: str) -> FilePartner | None:
    """Return the sender of a code, None where there is none or it was removed."""
    columns = (file_partner.c[name] for name in FilePartner._fields)
    its = select(*columns).where(file_partner.c.code == code, file_partner.c.removed_at_us.is_(None))
    row = connection.execute(its).one_or_none()
    return None if row is None else FilePartner(*row)
