"""Who members were proven to be: kept sealed, apart from what they may change about themselves.

One person has one wallet. What finds a person again is a keyed digest of name and birth date, which names
nobody to whoever takes the file.
"""

import unicodedata
from datetime import date

import msgspec
from sqlalchemy import Connection, delete, insert, select

from sekisho.identity.institution import Parts
from sekisho.identity.people import Person
from sekisho.identity.personal_data import Item, read_for_use
from sekisho.kernel.ids import MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.storage.keyring import Keyring
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.wallets import wallet_person
from sekisho.wallet.identity_levels import IdentityLevel
from sekisho.wallet.wallets import WalletState, prove_person, wallet_of


class PersonHasWallet(Refusal):
    """Somebody of this name and birth date was proven for another wallet, which is not closed."""

    code = "person_has_wallet"
    status = 409
    told = "A wallet was confirmed for this person before. Please call us."


class PersonDiffers(Refusal):
    """A wallet that was confirmed for one person was to be confirmed for another."""

    code = "person_differs"
    status = 409
    told = "This wallet was confirmed for somebody else. Please call us."


class VerifiedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the level `verified`: the person as proven, and the mobile number that is proven now.

    `name_kana` is the reading as banks write it; `opened_at_us` is when the wallet was opened.
    """

    name: str
    name_kana: str
    birth_date: date
    home_address: str
    phone_e164: str
    level: IdentityLevel
    check_id: str
    checked_at_us: int
    opened_at_us: int


def verified_person(connection: Connection, keyring: Keyring, member_id: MemberId) -> VerifiedPerson | None:
    """Return who a member was proven to be, None below the level `verified`. Raises Unsealable.

    It is what was proven, and not what the member's pages say today. The reading is as the member
    wrote it when the check was made: no certificate holds it, and it can't be changed afterwards.
    """
    its = wallet_of(connection, member_id)
    if its is None or its.level is not IdentityLevel.VERIFIED:
        return None
    row = connection.execute(
        select(wallet_person).where(wallet_person.c.member_id == member_id)
    ).one_or_none()
    contact = read_for_use(connection, keyring, member_id, (Item.MOBILE_PHONE,))
    if row is None or Item.MOBILE_PHONE not in contact:
        return None
    plain = keyring.open(row.sealed, context=_context(member_id))
    person = msgspec.json.decode(plain, type=Person)
    return VerifiedPerson(
        name=person.name,
        name_kana=person.kana,
        birth_date=date.fromisoformat(person.birth_date),
        home_address=person.home_address,
        phone_e164=contact[Item.MOBILE_PHONE],
        level=its.level,
        check_id=row.check_id,
        checked_at_us=row.at_us,
        opened_at_us=its.opened_at_us,
    )


def keep_person(
    connection: Connection, parts: Parts, member_id: MemberId, person: Person, *, check_id: str
) -> None:
    """Keep who a member was proven to be by a check, and raise the wallet's level.

    Proven afresh, it has to be the same person: whoever took a wallet over does not become its owner. Raises
    PersonHasWallet, PersonDiffers, and LookupError where the member has no wallet.
    """
    its = wallet_of(connection, member_id, for_update=True)
    if its is None:
        raise LookupError(f"{member_id} has no wallet")
    digest = person_digest(parts.keyring, person)
    before = select(wallet_person.c.digest).where(wallet_person.c.member_id == member_id)
    known = connection.execute(before).scalar_one_or_none()
    if known is not None and bytes(known) != digest:
        raise PersonDiffers(known=its.id)
    _make_room(connection, digest, member_id)
    connection.execute(delete(wallet_person).where(wallet_person.c.member_id == member_id))
    sealed = parts.keyring.seal(msgspec.json.encode(person), context=_context(member_id))
    row = {"member_id": member_id, "check_id": check_id, "digest": digest, "sealed": sealed}
    connection.execute(insert(wallet_person), {**row, "at_us": parts.clock.now_us()})
    prove_person(connection, parts, its)


def person_digest(keyring: Keyring, person: Person) -> bytes:
    """Return what finds a person again, however the name is spaced and in whichever width it is written."""
    name = "".join(unicodedata.normalize("NFKC", person.name).split())
    return keyring.digest(f"{name}\n{person.birth_date}", context="wallet:person")


def _make_room(connection: Connection, digest: bytes, member_id: MemberId) -> None:
    """Let go of the person of a closed wallet. Raises PersonHasWallet where another one is not closed."""
    owner = connection.execute(
        select(wallet_person.c.member_id).where(wallet_person.c.digest == digest)
    ).scalar_one_or_none()
    if owner is None or owner == member_id:
        return
    other = wallet_of(connection, owner)
    if other is not None and other.state is not WalletState.CLOSED:
        raise PersonHasWallet(known=other.id)
    connection.execute(delete(wallet_person).where(wallet_person.c.member_id == owner))


def _context(member_id: MemberId) -> str:
    return context_of(wallet_person.c.sealed, member_id=member_id)
