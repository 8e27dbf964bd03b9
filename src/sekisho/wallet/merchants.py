"""Merchants: shops that take payments, what they are owed, and the account where they are paid out."""

from datetime import date
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, insert, select, update

from sekisho.kernel.ids import MERCHANT, MerchantId
from sekisho.kernel.refusals import Refusal
from sekisho.ledger.accounts import Side, open_account
from sekisho.ledger.journal import take_turn
from sekisho.linking.banks import BankUnknown, published_register
from sekisho.linking.holder_names import read_holder_name
from sekisho.linking.zengin import BankAccount
from sekisho.storage import outbox
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.wallet_money import merchant, merchant_registration
from sekisho.wallet.emv_qr import CITY_MAX, NAME_MAX
from sekisho.wallet.house import WalletParts

KIND = "merchant"
"""The kind of a merchant's account in the ledger."""

FEE_BASIS_POINTS_MAX = 1_000
KEY_MAX = 100


class MerchantState(StrEnum):
    """Whether a merchant takes payments."""

    OPEN = "open"
    """It does."""

    STOPPED = "stopped"
    """It does not; refunds and settlements go on."""


class MerchantUnusable(Refusal):
    """What was said of a merchant does not fit."""

    code = "merchant_unusable"
    status = 422
    told = "This merchant can't be registered as it is."


class MerchantKeyReused(Refusal):
    """The key was used before to register another merchant."""

    code = "merchant_key_reused"
    status = 409
    told = "This key was used to register another shop. Nothing was registered."


class MerchantUnknown(Refusal):
    """There is no such merchant, or it takes no payments now."""

    code = "merchant_unknown"
    status = 404
    told = "This shop does not take payments at the moment."


class NewMerchant(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant to be registered. `name_en` and `city` are Latin letters, as they stand in its codes.

    `holder_kana` is the holder of the account for settlements, as banks write names; `category` is four
    digits (ISO 18245); the fee is in hundredths of a per cent of what was paid.
    """

    name_ja: str
    name_en: str
    holder_kana: str
    city: str
    account: BankAccount
    category: str = "5999"
    fee_basis_points: int = 200


class Merchant(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant. `account` is what it is owed, in the ledger."""

    id: MerchantId
    name_ja: str
    name_en: str
    name_kana: str
    category: str
    city: str
    fee_basis_points: int
    account: str
    state: MerchantState
    opened_at_us: int

    def name(self, language: str) -> str:
        """Return its name in `ja` or `en`."""
        return self.name_en if language == "en" else self.name_ja


def merchant_of_key(
    connection: Connection, house: WalletParts, key: str, new: NewMerchant
) -> Merchant | None:
    """Return the merchant that was registered by a key, None where none was.

    Raises MerchantKeyReused where it is not the one that is to be registered now, and Unsealable.
    """
    its = select(merchant_registration.c.merchant_id).where(merchant_registration.c.key == key)
    found = find_merchant(connection, connection.execute(its).scalar_one_or_none() or "")
    if found is not None and not _is(connection, house, found, new):
        raise MerchantKeyReused(known=f"{found.id} by {key[:40]!r}")
    return found


def register_merchant(connection: Connection, house: WalletParts, key: str, new: NewMerchant) -> Merchant:
    """Register a merchant with an account of its own in the books; the same key again returns it.

    Raises MerchantUnusable, MerchantKeyReused, and what `read_holder_name` does for the holder's name.
    """
    # Two that register by one key have to see each other.
    take_turn(connection)
    before = merchant_of_key(connection, house, key, new)
    if before is not None:
        return before
    if not 0 < len(key) <= KEY_MAX:
        raise _unusable("the key does not fit")
    _require_fit(new)
    _require_bank(new.account.bank, house.today())
    now_us, merchant_id = house.clock.now_us(), MERCHANT.new(house.clock, house.chance)
    account = open_account(
        connection,
        kind=KIND,
        owner=merchant_id,
        normal=Side.CREDIT,
        # A refund after the settlement may leave a shop owing us; the next settlement makes up for it.
        net_debit_max=None,
        clock=house.clock,
        chance=house.chance,
    )
    made = Merchant(
        id=merchant_id,
        name_ja=new.name_ja,
        name_en=new.name_en,
        name_kana=read_holder_name(new.holder_kana),
        category=new.category,
        city=new.city,
        fee_basis_points=new.fee_basis_points,
        account=account,
        state=MerchantState.OPEN,
        opened_at_us=now_us,
    )
    sealed = house.keyring.seal(new.account.number.encode(), context=_context(merchant_id))
    at_bank = {"bank": new.account.bank, "branch": new.account.branch, "bank_kind": new.account.kind}
    values = msgspec.structs.asdict(made) | at_bank | {"number_sealed": sealed}
    connection.execute(insert(merchant), values)
    connection.execute(insert(merchant_registration), {"key": key, "merchant_id": merchant_id})
    outbox.append(connection, [outbox.Entry("wallet:merchant:registered", merchant_id, now_us, b"{}")])
    return made


def find_merchant(connection: Connection, merchant_id: str) -> Merchant | None:
    """Return a merchant by its id."""
    columns = [merchant.c[name] for name in Merchant.__struct_fields__]
    row = connection.execute(select(*columns).where(merchant.c.id == merchant_id)).one_or_none()
    return None if row is None else msgspec.convert(row, Merchant, from_attributes=True)


def require_merchant(connection: Connection, merchant_id: str) -> Merchant:
    """Return a merchant that takes payments. Raises MerchantUnknown."""
    found = find_merchant(connection, merchant_id)
    if found is None or found.state is not MerchantState.OPEN:
        raise MerchantUnknown(known=merchant_id[:40])
    return found


def all_merchants(connection: Connection) -> list[Merchant]:
    """Return every merchant, the oldest first."""
    columns = [merchant.c[name] for name in Merchant.__struct_fields__]
    rows = connection.execute(select(*columns).order_by(merchant.c.id))
    return [msgspec.convert(row, Merchant, from_attributes=True) for row in rows]


def settlement_account(connection: Connection, house: WalletParts, merchant_id: str) -> BankAccount:
    """Return the account where a merchant is paid out. Raises LookupError and Unsealable."""
    columns = (merchant.c.bank, merchant.c.branch, merchant.c.bank_kind, merchant.c.number_sealed)
    row = connection.execute(select(*columns).where(merchant.c.id == merchant_id)).one_or_none()
    if row is None:
        raise LookupError(f"no merchant {merchant_id}")
    number = house.keyring.open(row.number_sealed, context=_context(merchant_id)).decode()
    return BankAccount(row.bank, row.branch, row.bank_kind, number)


def stop_merchant(connection: Connection, house: WalletParts, merchant_id: str, *, by: str) -> bool:
    """Let a merchant take no more payments, and tell whether it did until now."""
    return _set_state(connection, house, merchant_id, MerchantState.OPEN, MerchantState.STOPPED, by)


def resume_merchant(connection: Connection, house: WalletParts, merchant_id: str, *, by: str) -> bool:
    """Let a merchant take payments again, and tell whether it had been stopped."""
    return _set_state(connection, house, merchant_id, MerchantState.STOPPED, MerchantState.OPEN, by)


def _set_state(  # noqa: PLR0913, PLR0917 - from where to where, and by whom
    connection: Connection,
    house: WalletParts,
    merchant_id: str,
    before: MerchantState,
    after: MerchantState,
    by: str,
) -> bool:
    now_us = house.clock.now_us()
    its = update(merchant).where(merchant.c.id == merchant_id, merchant.c.state == before)
    if connection.execute(its.values(state=after.value)).rowcount != 1:
        return False
    body = msgspec.json.encode({"by": by})
    entry = outbox.Entry(f"wallet:merchant:{after}", f"{merchant_id}:{now_us}", now_us, body)
    outbox.append(connection, [entry])
    return True


def _is(connection: Connection, house: WalletParts, found: Merchant, new: NewMerchant) -> bool:
    """Say whether a merchant is the one that is to be registered, to the last word."""
    plain = ("name_ja", "name_en", "city", "category", "fee_basis_points")
    return (
        all(getattr(found, name) == getattr(new, name) for name in plain)
        and found.name_kana == read_holder_name(new.holder_kana)
        and settlement_account(connection, house, found.id) == new.account
    )


def _require_fit(new: NewMerchant) -> None:
    at = new.account
    faults = (
        (not new.name_ja.strip() or len(new.name_ja) > NAME_MAX, "the Japanese name"),
        (not new.name_en.isascii() or not 0 < len(new.name_en) <= NAME_MAX, "the English name"),
        (not new.city.isascii() or not 0 < len(new.city) <= CITY_MAX, "the city"),
        (not _digits(new.category, 4), "the category"),
        (not 0 <= new.fee_basis_points <= FEE_BASIS_POINTS_MAX, "the fee"),
        (not (_digits(at.bank, 4) and _digits(at.branch, 3) and _digits(at.number, 7)), "the account"),
        (at.kind not in {"1", "2"}, "the kind of account"),
    )
    for is_so, what in faults:
        if is_so:
            raise _unusable(f"{what} does not fit")


def _require_bank(code: str, on: date) -> None:
    """Let a bank through that has this code today: what goes to the code of one that ended comes back."""
    try:
        bank = published_register().in_charge(code, on)
    except BankUnknown as unknown:
        raise _unusable("there is no bank of this code") from unknown
    if bank.code != code:
        raise _unusable(f"the bank's code is {bank.code} now")


def _unusable(what: str) -> MerchantUnusable:
    return MerchantUnusable(known=what, told=f"This merchant can't be registered: {what}.")


def _digits(text: str, count: int) -> bool:
    return len(text) == count and text.isascii() and text.isdecimal()


def _context(merchant_id: str) -> str:
    return context_of(merchant.c.number_sealed, id=merchant_id)
