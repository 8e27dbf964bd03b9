"""Personal data at rest: sealed, bound to their member, every change on record, moved to a new key."""

import msgspec
import pytest
from sqlalchemy import select, update

from sekisho.identity.personal_data import Item, changes_of, read_for_use, store
from sekisho.kernel.clock import SetClock
from sekisho.storage import outbox
from sekisho.storage.keyring import HeldKeyring, KeyUse, Unsealable, new_key, new_keys
from sekisho.storage.sealed_columns import reseal
from sekisho.storage.tables.personal_data import personal_item

DATA = {
    Item.NAME: "𠮷田 花子",
    Item.NAME_KANA: "ヨシダ ハナコ",
    Item.BIRTH_DATE: "1985-04-12",
    Item.HOME_ADDRESS: "東京都千代田区丸の内1-1-1",
    Item.MOBILE_PHONE: "+819012341234",
    Item.EMAIL: "hanako.yoshida@example.jp",
    Item.PAYOUT_ACCOUNT: "かもめ銀行 本店 普通 7654321 ヨシダ ハナコ",
}


@pytest.fixture
def keep(at_hand):
    def keep(member_id, items, **by):
        at_hand.store.write(
            lambda connection: store(
                connection, at_hand.parts.keyring, member_id, items, at_hand.clock.now_us(), **by
            )
        ).result()

    return keep


@pytest.fixture
def read(at_hand):
    def read(member_id, items=Item, keyring=None):
        with at_hand.store.read() as connection:
            return read_for_use(connection, keyring or at_hand.parts.keyring, member_id, items)

    return read


def test_what_was_kept_is_read_again_and_only_what_was_asked_for(at_hand, keep, read):
    member_id = at_hand.add_member()
    keep(member_id, DATA)
    assert read(member_id) == DATA
    assert read(member_id, [Item.EMAIL, Item.HOME_PHONE]) == {Item.EMAIL: DATA[Item.EMAIL]}
    assert read(at_hand.add_member()) == {}


def test_the_files_on_the_disk_hold_none_of_the_data(at_hand, keep):
    """Neither the database nor its log, read as bytes, contains a datum or a telling part of it."""
    keep(at_hand.add_member(), DATA)
    octets = b"".join(path.read_bytes() for path in at_hand.file.parent.glob("lender.db*"))
    assert b"mobile_phone" in octets
    telling = [*DATA.values(), "9012341234", "hanako", "7654321", "千代田", "1985"]
    assert [text for text in telling if text.encode() in octets or text.encode("utf-16-le") in octets] == []


def test_two_data_of_unlike_length_are_equally_long_at_rest(at_hand, keep):
    short, long = at_hand.add_member(), at_hand.add_member()
    keep(short, {Item.NAME: "林 一"})
    keep(long, {Item.NAME: "勅使河原 右衛門之介"})
    with at_hand.store.read() as connection:
        lengths = {len(sealed) for sealed in connection.execute(select(personal_item.c.sealed)).scalars()}
    assert len(lengths) == 1


@pytest.mark.parametrize("value", ["", "x" * 63, "x" * 64, "x" * 1000, "nul\0", "\x80", "𠮷\U000e0100"])
def test_any_text_comes_back_as_it_was(at_hand, keep, read, value):
    member_id = at_hand.add_member()
    keep(member_id, {Item.EMPLOYER_NAME: value})
    assert read(member_id) == {Item.EMPLOYER_NAME: value}


def test_a_row_moved_to_another_member_or_item_does_not_open(at_hand, keep, read):
    mine, yours = at_hand.add_member(), at_hand.add_member()
    keep(mine, {Item.EMAIL: "a@example.jp", Item.NAME: "山田 太郎"})
    keep(yours, {Item.EMAIL: "b@example.jp"})
    with at_hand.store.read() as connection:
        sealed = connection.execute(
            select(personal_item.c.sealed).where(
                personal_item.c.member_id == mine, personal_item.c.item == "email"
            )
        ).scalar_one()
    moved = update(personal_item).where(personal_item.c.member_id != mine).values(sealed=sealed)
    at_hand.store.write(lambda connection: connection.execute(moved)).result()
    with pytest.raises(Unsealable):
        read(yours)
    swapped = update(personal_item).where(personal_item.c.item == "name").values(sealed=sealed)
    at_hand.store.write(lambda connection: connection.execute(swapped)).result()
    with pytest.raises(Unsealable):
        read(mine)


@pytest.mark.parametrize("item", [Item.MEMBER_NUMBER, Item.LOAN_BALANCE])
def test_what_comes_from_elsewhere_is_not_kept_here(at_hand, keep, item):
    with pytest.raises(ValueError, match=f"not kept here: {item}"):
        keep(at_hand.add_member(), {item: "x"})


def test_a_change_is_on_record_without_what_it_was_before(at_hand, keep, read):
    member_id = at_hand.add_member()
    keep(member_id, {Item.EMAIL: "a@example.jp", Item.NAME: "山田 太郎"})
    keep(
        member_id,
        {Item.EMAIL: "b@example.jp", Item.NAME: "山田 太郎"},
        session_id="ses_1",
        actor="staff:sato",
    )
    with at_hand.store.read() as connection:
        changes = changes_of(connection, member_id)
        events = outbox.read_after(connection, 0, limit=9)
    noon = at_hand.clock.now_us()
    assert changes == [
        (member_id, Item.EMAIL, noon, "", "member"),
        (member_id, Item.NAME, noon, "", "member"),
        (member_id, Item.EMAIL, noon + 1, "ses_1", "staff:sato"),
    ]
    assert [event.kind for event in events] == ["member:item:changed"] * 3
    assert msgspec.json.decode(events[-1].body) == changes[-1]._asdict()
    assert b"example" not in b"".join(event.body for event in events)
    assert read(member_id)[Item.EMAIL] == "b@example.jp"


def test_after_a_rotation_all_items_move_to_the_new_key_in_batches(at_hand, keep, read):
    """A run that was cut off begins again, and what was moved already is left alone."""
    members = [at_hand.add_member() for _ in range(4)]
    for member_id in members:
        keep(member_id, DATA)
    old = new_keys(SetClock(1), at_hand.chance)
    ring = HeldKeyring.of(old, at_hand.chance)
    new = new_key(KeyUse.SEAL, SetClock(2), at_hand.chance)
    _put_under(at_hand, ring)
    rotated = HeldKeyring.of((*old, new), at_hand.chance)
    first = _reseal(at_hand, rotated, None)
    assert (first.resealed, first.unsealable) == (5, ())
    assert [_run_to_the_end(at_hand, rotated) for _ in range(2)] == [len(DATA) * 4 - 5, 0]
    alone = HeldKeyring.of((*(key for key in old if key.use is not KeyUse.SEAL), new), at_hand.chance)
    assert [read(member_id, keyring=alone) for member_id in members] == [DATA] * 4


def test_a_row_that_does_not_open_is_named_and_stops_no_other(at_hand, keep, read):
    spoilt, sound = at_hand.add_member(), at_hand.add_member()
    keep(spoilt, {Item.NAME: "山田 太郎"})
    keep(sound, {Item.NAME: "山田 次郎"})
    old = new_keys(SetClock(1), at_hand.chance)
    _put_under(at_hand, HeldKeyring.of(old, at_hand.chance))
    bad = update(personal_item).where(personal_item.c.member_id == spoilt).values(sealed=b"\x01\x04none")
    at_hand.store.write(lambda connection: connection.execute(bad)).result()
    rotated = HeldKeyring.of((*old, new_key(KeyUse.SEAL, SetClock(2), at_hand.chance)), at_hand.chance)
    batch = _reseal(at_hand, rotated, None)
    assert batch == ("personal_item.sealed", 1, ((spoilt, "name"),), None)
    assert read(sound, keyring=rotated) == {Item.NAME: "山田 次郎"}


def _put_under(at_hand, ring):
    """Seal every row under another keyring."""

    def work(connection):
        for row in connection.execute(select(personal_item)).all():
            context = f"personal:{row.member_id}:{row.item}"
            sealed = ring.seal(at_hand.parts.keyring.open(row.sealed, context=context), context=context)
            place = (personal_item.c.member_id == row.member_id) & (personal_item.c.item == row.item)
            connection.execute(update(personal_item).where(place).values(sealed=sealed))

    at_hand.store.write(work).result()


def _reseal(at_hand, ring, after):
    column = personal_item.c.sealed
    return at_hand.store.write(lambda at: reseal(at, ring, column, after=after, limit=5)).result()


def _run_to_the_end(at_hand, ring):
    batch = _reseal(at_hand, ring, None)
    resealed = batch.resealed
    while batch.last is not None:
        batch = _reseal(at_hand, ring, batch.last)
        resealed += batch.resealed
    return resealed
