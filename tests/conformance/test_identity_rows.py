"""Personal data, passkeys and ceremonies, against every engine, and against two processes on one server."""

from pathlib import Path

import pytest
from tests.identity.member_at_hand import LENDER, NOON_US, AtHand
from tests.identity.passkeys_at_hand import add, authenticator, log_in

from sekisho.identity import ceremonies, passkeys
from sekisho.identity.assurance import Way
from sekisho.identity.ceremonies import Binding, CeremonyKind, CeremonyOver
from sekisho.identity.institution import Parts
from sekisho.identity.passkey_answers import PasskeyRefused
from sekisho.identity.passkey_desk import SIGNING_UP, PasskeyDesk
from sekisho.identity.passkey_proofs import PasskeyProofs
from sekisho.identity.personal_data import Item, changes_of, read_for_use
from sekisho.identity.personal_data import store as keep
from sekisho.identity.reveals import Form, NoSources, PersonalDataDesk, Viewer, seen_in_sessions
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.storage.engine import open_store
from sekisho.storage.key_holders import held_by
from sekisho.storage.keyring import HeldKeyring, KeyUse, new_key, new_keys
from sekisho.storage.sealed_columns import reseal_all

DATA = {Item.NAME: "𠮷田 花子", Item.EMAIL: "hanako@example.jp", Item.MOBILE_PHONE: "+819012341234"}
CHANCE = SeededChance(7)
KEYS = new_keys(SetClock(1), CHANCE)


def on(store):
    """Stand an institution on an engine."""
    clock = SetClock(NOON_US)
    parts = Parts(LENDER, store, HeldKeyring.of(KEYS, CHANCE), clock, CHANCE)
    return AtHand(parts=parts, clock=clock, chance=CHANCE, file=Path())


def test_personal_data_are_kept_changed_shown_and_moved_to_another_key(store):
    at_hand = on(store)
    entered = at_hand.log_in(at_hand.add_member())
    member_id = entered.session.member_id
    ring, now_us = at_hand.parts.keyring, at_hand.clock.now_us()
    for items in (DATA, DATA | {Item.NAME: "林 花子"}):
        store.write(lambda connection, items=items: keep(connection, ring, member_id, items, now_us)).result()
    desk = PersonalDataDesk(at_hand.parts, NoSources())
    session = at_hand.prove(entered, Way.PASSKEY).session
    viewer = Viewer(session, entered.device)
    store.write(lambda connection: desk.masked_within(connection, viewer, reason="test")).result()
    store.write(
        lambda connection: desk.reveal_within(connection, viewer, [Item.NAME], reason="test")
    ).result()
    with store.read() as connection:
        looks = seen_in_sessions(connection, [session.id])
        assert looks == seen_in_sessions(connection, [session.id])
        assert {look.item for look in looks if look.form is Form.MASKED} == {*DATA, Item.MEMBER_NUMBER}
        assert [look.item for look in looks if look.form is Form.SHOWN] == [Item.NAME]
        assert len(changes_of(connection, member_id)) == 4
    new = new_key(KeyUse.SEAL, SetClock(2), CHANCE)
    rotated = HeldKeyring.of((*KEYS, new), CHANCE)
    old = next(key.name for key in KEYS if key.use is KeyUse.SEAL)
    moved = sum(batch.resealed for batch in reseal_all(store, rotated))
    with store.read() as connection:
        assert moved == 3
        assert "personal_item.sealed" not in held_by(connection, old)
        assert held_by(connection, new.name) == {"personal_item.sealed": 3}
        assert read_for_use(connection, rotated, member_id, Item) == DATA | {Item.NAME: "林 花子"}


def test_a_passkey_is_made_used_once_and_stopped_when_copied(store):
    at_hand = on(store)
    desk, proofs = PasskeyDesk(at_hand.parts), PasskeyProofs(at_hand.parts)
    member = at_hand.prove(at_hand.log_in(at_hand.add_reachable_member()), Way.CODE, SIGNING_UP.key)
    phone = authenticator()
    add(desk, member, phone)
    assert log_in(proofs, phone).passkey.sign_count == 1
    phone.credentials[0].count = 0
    with pytest.raises(PasskeyRefused):
        log_in(proofs, phone)
    assert at_hand.notices().count("passkey_suspected") == 2


@pytest.mark.server
def test_two_processes_on_one_server_use_a_ceremony_once(server_store_url):
    """What the first has not committed yet holds the second up, which then is told that it came too late."""
    stores = [open_store(server_store_url) for _ in range(2)]
    sides = [on(store) for store in stores]
    ceremony = ceremonies.begin(sides[0].parts, Binding(CeremonyKind.LOGIN))
    member_id = sides[0].add_member()

    def use(side):
        def work(connection):
            ceremonies.use(connection, side.parts, ceremony, credential_id=b"x", answer=b"{}")
            return passkeys.make_user_handle(connection, side.parts, member_id)

        return side.store.write(work)

    futures = [use(side) for side in sides for _ in range(3)]
    failures = [future.exception() for future in futures]
    assert [type(failure) for failure in failures if failure] == [CeremonyOver] * 5
    handles = {
        side.store.write(
            lambda connection, side=side: passkeys.make_user_handle(connection, side.parts, member_id)
        ).result()
        for side in sides
    }
    assert len(handles) == 1
    for store in stores:
        store.close()
