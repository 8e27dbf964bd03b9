"""Wallets, proven persons and logins with an ID, on every engine: what must be one is one."""

from concurrent.futures import TimeoutError as NotYet

import pytest
from sqlalchemy import delete, insert
from tests.conformance.busy import hold_up
from tests.wallet.wallet_at_hand import KAMOME, TARO

from sekisho.identity.assurance import Level
from sekisho.identity.institution import Parts
from sekisho.identity.relying import federated
from sekisho.identity.relying.client_keys import client_key
from sekisho.identity.relying.id_tokens import Asserted, LogoutAsked
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SECOND_US, SetClock
from sekisho.kernel.ids import MEMBER
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.tables.members import member
from sekisho.storage.tables.wallet_money import send
from sekisho.wallet.closings import close_within, in_the_way
from sekisho.wallet.house import open_house
from sekisho.wallet.identity_levels import IdentityLevel
from sekisho.wallet.persons import PersonHasWallet, keep_person, verified_person
from sekisho.wallet.wallets import (
    WalletNotEmpty,
    WalletNotOpen,
    WalletState,
    account_of,
    close_wallet,
    freeze_wallet,
    open_wallet,
    prove_phone,
    require_open,
    wallet_of,
)

NOW_US = 1_795_000_000 * SECOND_US
ISSUER = "https://id.example"


@pytest.fixture(name="parts")
def _parts(store):
    return parts_on(store)


def parts_on(store):
    clock, chance = SetClock(NOW_US), SeededChance(5)
    return Parts(KAMOME, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)


def written(parts, work):
    return parts.store.write(work).result()


def add_member(parts, number):
    member_id = MEMBER.new(parts.clock, parts.chance)
    row = {"id": member_id, "number": number, "state": "open", "language": "ja", "opened_at_us": NOW_US}
    written(parts, lambda at: at.execute(insert(member).values(row)))
    return member_id


def asserted(subject):
    return Asserted(ISSUER, subject, "sid", Level.PASSKEY, NOW_US // SECOND_US)


def test_a_wallet_is_opened_once_raised_stopped_and_closed_when_it_is_empty(parts):
    member_id = add_member(parts, "123456780001")
    first = written(parts, lambda at: open_wallet(at, parts, member_id))
    assert written(parts, lambda at: open_wallet(at, parts, member_id)) == first
    written(parts, lambda at: prove_phone(at, parts, require_open(at, member_id)))
    raised = written(parts, lambda at: wallet_of(at, member_id))
    assert raised.level is IdentityLevel.PHONE
    assert written(parts, lambda at: account_of(at, raised).net_credit_max) == 100_000
    assert written(parts, lambda at: freeze_wallet(at, parts, first.id, reason="x", by="aoki"))
    assert not written(parts, lambda at: close_wallet(at, parts, first.id, reason="x", by="aoki"))


def test_one_person_has_one_wallet(parts):
    one, other = add_member(parts, "123456780001"), add_member(parts, "123456780002")
    for member_id in (one, other):
        written(parts, lambda at, of=member_id: open_wallet(at, parts, of))
        written(parts, lambda at, of=member_id: prove_phone(at, parts, require_open(at, of)))
    written(parts, lambda at: keep_person(at, parts, one, TARO, check_id="c1"))
    with pytest.raises(PersonHasWallet):
        written(parts, lambda at: keep_person(at, parts, other, TARO, check_id="c2"))
    assert written(parts, lambda at: wallet_of(at, other)).level is IdentityLevel.PHONE
    assert written(parts, lambda at: verified_person(at, parts.keyring, other)) is None
    wallet_id = written(parts, lambda at: wallet_of(at, one)).id
    assert written(parts, lambda at: close_wallet(at, parts, wallet_id, reason="left", by="member"))
    written(parts, lambda at: keep_person(at, parts, other, TARO, check_id="c3"))
    assert written(parts, lambda at: wallet_of(at, other)).level is IdentityLevel.VERIFIED


def test_a_login_with_the_id_opens_one_account(parts):
    one, other = add_member(parts, "123456780001"), add_member(parts, "123456780002")
    assert written(parts, lambda at: federated.tie(at, asserted("a"), one, NOW_US))
    assert not written(parts, lambda at: federated.tie(at, asserted("a"), other, NOW_US))
    # One account has one login, too.
    assert not written(parts, lambda at: federated.tie(at, asserted("b"), one, NOW_US))
    assert written(parts, lambda at: federated.member_of(at, ISSUER, "a")) == one
    assert written(parts, lambda at: federated.member_of(at, ISSUER, "b")) is None
    assert written(parts, lambda at: federated.member_of(at, "https://other.example", "a")) is None


def test_a_logout_token_counts_once_and_is_forgotten_when_it_is_over(parts):
    asked = LogoutAsked(ISSUER, "a", "sid", "jti", NOW_US // SECOND_US + 120)
    assert written(parts, lambda at: federated.end_sessions(at, parts, asked)) == 0
    parts.clock.advance(300 * SECOND_US)
    assert written(parts, lambda at: federated.end_sessions(at, parts, asked)) == 0


def test_our_key_towards_an_id_is_made_once_and_kept_sealed(parts):
    first = written(parts, lambda at: client_key(at, parts, ISSUER))
    again = written(parts, lambda at: client_key(at, parts, ISSUER))
    other = written(parts, lambda at: client_key(at, parts, "https://other.example"))
    assert first.public == again.public != other.public
    assert first.signing.kid == again.signing.kid


def test_a_wallet_is_closed_once_nothing_waits_to_come_back(parts):
    member_id = add_member(parts, "123456780001")
    its = written(parts, lambda at: open_wallet(at, parts, member_id))
    house = open_house(parts)
    written(parts, lambda at: at.execute(insert(send).values(send_of(member_id))))
    assert [one.id for one in written(parts, lambda at: in_the_way(at, house, its)).sends] == ["snd_1"]
    with pytest.raises(WalletNotEmpty):
        written(parts, lambda at: close_within(at, house, its, reason="left", by="member"))
    written(parts, lambda at: at.execute(delete(send)))
    assert written(parts, lambda at: close_within(at, house, its, reason="left", by="member"))
    assert not written(parts, lambda at: close_within(at, house, its, reason="left", by="member"))


@pytest.mark.server
def test_a_wallet_that_is_stopped_while_it_is_closed_stays_stopped_and_whole(server_store_url):
    """Another process stops it in a transaction that commits while this one closes it."""
    rival = open_store(server_store_url)
    here = parts_on(rival)
    member_id = add_member(here, "123456780001")
    its, house = written(here, lambda at: open_wallet(at, here, member_id)), open_house(here)
    other = open_store(server_store_url)
    go_on = hold_up(rival, before=lambda at: freeze_wallet(at, here, its.id, reason="police", by="aoki"))
    closing = other.write(lambda at: close_within(at, house, its, reason="left", by="member"))
    with pytest.raises(NotYet):
        closing.result(timeout=0.3)
    go_on.set()
    with pytest.raises(WalletNotOpen):
        closing.result()
    after = written(here, lambda at: wallet_of(at, member_id))
    assert after.state is WalletState.FROZEN
    assert written(here, lambda at: account_of(at, after)).closed_at_us is None
    rival.close()
    other.close()


def send_of(member_id):
    """Return a send that nobody has accepted, as a row."""
    ids = {"id": "snd_1", "key": "k", "receiver_id": None, "session_id": "s", "attempt_id": ""}
    phone = {"phone_digest": b"d", "phone_sealed": b"s", "amount_yen": 100, "state": "waiting"}
    times = {"requested_at_us": NOW_US, "sent_at_us": NOW_US, "expires_at_us": NOW_US, "ended_at_us": None}
    return {"sender_id": member_id, **ids, **phone, **times}
