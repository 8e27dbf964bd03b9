"""Looking at personal data: masked until proven, granted item by item, every look on record."""

import asyncio

import msgspec
import pytest
from sqlalchemy import select

from sekisho.identity.assurance import (
    InsufficientAuthentication,
    NotFromHere,
    Proof,
    Standing,
    StepUp,
    Way,
)
from sekisho.identity.personal_data import Item, store
from sekisho.identity.reveals import (
    Form,
    NoSources,
    PersonalDataDesk,
    Viewer,
    reveal_purpose,
    seen_in_sessions,
)
from sekisho.kernel.clock import DAY_US, MINUTE_US
from sekisho.storage import outbox
from sekisho.storage.tables.personal_data import reveal as reveal_table

DATA = {Item.NAME: "山田 太郎", Item.EMAIL: "taro@example.jp", Item.MOBILE_PHONE: "+819012341234"}
MASKED = {
    Item.NAME: "山●●●●",
    Item.MEMBER_NUMBER: "****-****-0001",
    Item.EMAIL: "t****@example.jp",
    Item.MOBILE_PHONE: "090-****-1234",
}


class OneLoan:
    """An institution that has something to tell."""

    def items(self, connection, member_id):  # noqa: ARG002 - the protocol's
        return {Item.LOAN_BALANCE: f"123,456円 ({member_id})"}


@pytest.fixture
def member_id(at_hand):
    member_id = at_hand.add_member()
    at_hand.store.write(
        lambda connection: store(connection, at_hand.parts.keyring, member_id, DATA, at_hand.clock.now_us())
    ).result()
    return member_id


@pytest.fixture
def viewer(at_hand, member_id):
    def viewer(*proofs, standing=Standing.TRUSTED, actor="member"):
        device = at_hand.device_of(member_id, standing)
        return Viewer(at_hand.session_on(device, *proofs), device, actor)

    return viewer


@pytest.fixture
def desk(at_hand):
    return PersonalDataDesk(at_hand.parts, NoSources())


def passkey(at_hand, age_us=0):
    return Proof(Way.PASSKEY, at_hand.clock.now_us() - age_us)


def code(at_hand, item):
    return Proof(Way.CODE, at_hand.clock.now_us(), reveal_purpose(item).key)


def seen(at_hand, viewer):
    with at_hand.store.read() as connection:
        looks = seen_in_sessions(connection, [viewer.session.id])
    return {(look.item, look.form, look.reason, look.actor) for look in looks}


def masked(desk, viewer):
    return asyncio.run(desk.masked(viewer, reason="profile"))


def reveal(desk, viewer, *items):
    return asyncio.run(desk.reveal(viewer, items, reason="profile"))


def test_a_page_shows_masks_and_is_recorded_once_for_a_session(at_hand, desk, viewer):
    first, second = viewer(standing=Standing.UNCONFIRMED), viewer()
    assert [masked(desk, first) for _ in range(3)] == [MASKED] * 3
    masked(desk, second)
    expected = {(item, Form.MASKED, "profile", "member") for item in MASKED}
    assert seen(at_hand, first) == expected
    assert seen(at_hand, second) == expected


def test_an_item_that_came_later_is_recorded_when_it_is_first_seen(at_hand, desk, viewer, member_id):
    looker = viewer()
    masked(desk, looker)
    at_hand.store.write(
        lambda connection: store(
            connection, at_hand.parts.keyring, member_id, {Item.HOME_PHONE: "+81312345678"}, 1
        )
    ).result()
    assert masked(desk, looker)[Item.HOME_PHONE] == "03-****-5678"
    with at_hand.store.read() as connection:
        looks = seen_in_sessions(connection, [looker.session.id])
    assert sorted(look.item for look in looks) == sorted([*MASKED, Item.HOME_PHONE])


def test_a_session_that_has_ended_sees_nothing(at_hand, desk, viewer):
    looker = viewer(passkey(at_hand))
    ended = looker._replace(session=msgspec.structs.replace(looker.session, ended_at_us=1))
    with pytest.raises(InsufficientAuthentication):
        masked(desk, ended)
    with pytest.raises(InsufficientAuthentication):
        reveal(desk, ended, Item.NAME)
    assert seen(at_hand, looker) == set()


def test_after_a_passkey_items_are_shown_and_each_is_recorded_each_time(at_hand, desk, viewer):
    looker = viewer(passkey(at_hand))
    assert reveal(desk, looker, Item.EMAIL, Item.NAME) == {
        Item.NAME: "山田 太郎",
        Item.EMAIL: "taro@example.jp",
    }
    assert reveal(desk, looker, Item.NAME) == {Item.NAME: "山田 太郎"}
    with at_hand.store.read() as connection:
        looks = seen_in_sessions(connection, [looker.session.id])
    assert sorted((look.item, look.form) for look in looks) == [
        (Item.EMAIL, Form.SHOWN),
        (Item.NAME, Form.SHOWN),
        (Item.NAME, Form.SHOWN),
    ]


def test_a_reveal_is_an_event_that_names_the_item_and_holds_nothing_of_it(at_hand, desk, viewer):
    looker = viewer(passkey(at_hand), actor="staff:sato")
    reveal(desk, looker, Item.EMAIL)
    with at_hand.store.read() as connection:
        event = next(e for e in outbox.read_after(connection, 0, limit=99) if e.kind == "member:item:shown")
        row = connection.execute(select(reveal_table)).one()
    assert event.subject == row.id
    assert msgspec.json.decode(event.body) == row._asdict()
    assert row.actor == "staff:sato"
    assert b"example" not in event.body


@pytest.mark.parametrize(
    ("standing", "proof", "answer"),
    [
        (Standing.TRUSTED, None, StepUp((Way.PASSKEY, Way.CODE))),
        (Standing.TRUSTED, "old passkey", StepUp((Way.PASSKEY, Way.CODE))),
        (Standing.TRUSTED, "code for another item", StepUp((Way.PASSKEY, Way.CODE))),
        (Standing.UNCONFIRMED, "code", NotFromHere((Way.PASSKEY, Way.APPROVAL, Way.RECOVERY))),
        (Standing.REVOKED, "passkey", NotFromHere(())),
    ],
)
def test_without_the_proof_nothing_is_shown_and_nothing_recorded(
    at_hand, desk, viewer, standing, proof, answer
):
    proofs = {
        "old passkey": passkey(at_hand, 5 * MINUTE_US),
        "passkey": passkey(at_hand),
        "code for another item": code(at_hand, Item.NAME),
        "code": code(at_hand, Item.EMAIL),
    }
    looker = viewer(*([proofs[proof]] if proof else []), standing=standing)
    with pytest.raises(InsufficientAuthentication) as refusal:
        reveal(desk, looker, Item.EMAIL)
    assert refusal.value.answer == answer
    assert seen(at_hand, looker) == set()


def test_a_code_shows_the_one_item_that_it_was_asked_for(at_hand, desk, viewer):
    looker = viewer(code(at_hand, Item.EMAIL))
    assert reveal(desk, looker, Item.EMAIL) == {Item.EMAIL: "taro@example.jp"}
    with pytest.raises(InsufficientAuthentication):
        reveal(desk, looker, Item.EMAIL, Item.NAME)
    assert {item for item, *_ in seen(at_hand, looker)} == {Item.EMAIL}


def test_what_the_member_does_not_have_is_neither_shown_nor_recorded(at_hand, desk, viewer):
    looker = viewer(passkey(at_hand))
    assert reveal(desk, looker, Item.LOAN_BALANCE, Item.PAYOUT_ACCOUNT) == {}
    assert seen(at_hand, looker) == set()


def test_the_institutions_own_items_are_masked_and_shown_like_the_others(at_hand, viewer, member_id):
    desk = PersonalDataDesk(at_hand.parts, OneLoan())
    looker = viewer(passkey(at_hand))
    assert masked(desk, looker)[Item.LOAN_BALANCE] == "●●●●"
    assert reveal(desk, looker, Item.LOAN_BALANCE) == {Item.LOAN_BALANCE: f"123,456円 ({member_id})"}


def test_a_page_that_was_seen_in_the_session_costs_no_further_write(at_hand, desk, viewer):
    looker = viewer()
    masked(desk, looker)
    before = len(at_hand.events())
    masked(desk, looker)
    assert len(at_hand.events()) == before == len(DATA) + len(MASKED)


@pytest.mark.parametrize(
    ("later_us", "age_us", "told"),
    [
        (0, MINUTE_US, False),
        (30 * MINUTE_US, MINUTE_US, False),
        (2 * DAY_US, MINUTE_US, True),
        (2 * DAY_US, 7 * DAY_US, False),
    ],
)
def test_the_member_hears_once_of_data_shown_on_a_new_device(at_hand, desk, viewer, later_us, age_us, told):
    """New is a device of the last seven days, unless the account was opened on it."""
    at_hand.clock.advance(later_us)
    device = viewer().device
    at_hand.clock.advance(age_us)
    looker = Viewer(at_hand.session_on(device, passkey(at_hand)), device)
    for item in (Item.NAME, Item.EMAIL):
        reveal(desk, looker, item)
    assert at_hand.notices() == ["personal_data_shown"] * (2 if told else 0)


def test_nothing_is_revealed_without_a_reason(at_hand, desk, viewer):
    looker = viewer(passkey(at_hand))
    with pytest.raises(ValueError, match="without a reason"):
        asyncio.run(desk.reveal(looker, [Item.NAME], reason=""))


def test_what_was_seen_in_other_sessions_is_not_counted(at_hand, desk, viewer):
    one, other = viewer(passkey(at_hand)), viewer(passkey(at_hand))
    reveal(desk, one, Item.NAME)
    reveal(desk, other, Item.EMAIL)
    with at_hand.store.read() as connection:
        assert [look.item for look in seen_in_sessions(connection, [one.session.id])] == [Item.NAME]
        both = seen_in_sessions(connection, [one.session.id, other.session.id])
        assert seen_in_sessions(connection, []) == []
    assert {(look.session_id, look.item) for look in both} == {
        (one.session.id, Item.NAME),
        (other.session.id, Item.EMAIL),
    }
