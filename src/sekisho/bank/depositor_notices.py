"""What depositors are told of mandates and debits, through the bank's own channel alone.

A thief who links somebody's account controls the partner's side of it, its messages too. The bank writes to
the number that it has on file, and each notice names the code that stops the link at once.
"""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from sekisho.bank import deposits, holders, mandates
from sekisho.bank.house import BankParts
from sekisho.bank.mandates import Mandate
from sekisho.bank.orders import Order
from sekisho.bank.partner_names import name_of
from sekisho.kernel.yen import Yen
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox

Facts = Mapping[str, str | int]


def tell_first_debit(connection: Connection, bank: BankParts, one: Mandate, order: Order) -> None:
    """Tell the depositor of the first debit under a mandate."""
    facts: Facts = {"amount": order.amount_yen, "stop_code": mandates.stop_code(bank.keyring, one.id)}
    _tell(connection, bank, one, NoticeKind.ACCOUNT_DEBITED, facts)


def tell_held(connection: Connection, bank: BankParts, one: Mandate, amount: Yen) -> None:
    """Tell the depositor that the bank held a debit back and stopped the link until it is confirmed."""
    _tell(connection, bank, one, NoticeKind.DEBIT_HELD, {"amount": amount.amount})


def tell_stopped(connection: Connection, bank: BankParts, one: Mandate) -> None:
    """Tell the depositor that a link was stopped or ended."""
    _tell(connection, bank, one, NoticeKind.MANDATE_STOPPED, {})


def tell_allowed(connection: Connection, bank: BankParts, one: Mandate) -> None:
    """Tell the depositor that a stopped link was allowed again."""
    facts = {"stop_code": mandates.stop_code(bank.keyring, one.id)}
    _tell(connection, bank, one, NoticeKind.MANDATE_ALLOWED, facts)


def tell_reported(connection: Connection, bank: BankParts, one: Mandate, reference: str) -> None:
    """Tell the depositor that the report was taken, and by which number it is found."""
    _tell(connection, bank, one, NoticeKind.MANDATE_REPORTED, {"reference": reference})


def _tell(
    connection: Connection,
    bank: BankParts,
    one: Mandate,
    kind: NoticeKind,
    facts: Facts,
) -> None:
    language = holders.language_of(connection, one.deposit_id)
    named = {"when": bank.clock.now_us(), "partner": name_of(connection, one.partner, language), **facts}
    # Each move of a mandate is an occasion of its own.
    occasion = f"{kind}:{one.id}:{one.moves}"
    if not _is_reachable(connection, bank, one):
        # Nobody is left in silence: the desk reads this, and writes or calls.
        body = msgspec.json.encode({"kind": kind, "mandate": one.id})
        event = outbox.Entry("bank:notice:undeliverable", occasion, bank.clock.now_us(), body)
        outbox.append(connection, [event])
    holders.tell_holder(connection, bank, one.deposit_id, kind, named, dedupe=occasion)


def _is_reachable(connection: Connection, bank: BankParts, one: Mandate) -> bool:
    """Say whether there is a number on file, or a customer of the online bank, to tell."""
    account = deposits.find(connection, one.deposit_id)
    holder = None if account is None else holders.find(connection, bank, account.depositor_id)
    return holder is not None and bool(holder.holder.phone or holder.member_id)
