"""Codes and tokens on every store: each code is exchanged once, whoever else tries at the same moment."""

import hashlib
import threading
from base64 import urlsafe_b64encode

import pytest
from sqlalchemy import insert

from sekisho.identity.assurance import Level
from sekisho.identity.openid import grants
from sekisho.identity.openid.grants import Granted, Presented, Unusable
from sekisho.identity.openid.scopes import Scope
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.identity.openid.signing_keys import SigningKeys, stored_keys
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import DAY_US, HOUR_US, SECOND_US, SetClock
from sekisho.kernel.ids import MemberId, SessionId
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.tables.members import member
from sekisho.storage.tables.sessions import device, session

NOW_US = 1_790_000_000_000_000
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
URI = "https://wallet.example/callback"
GRANTED = Granted(
    client_id="wallet",
    member_id=MemberId("mem_1"),
    session_id=SessionId("ses_1"),
    redirect_uri=URI,
    scopes=(Scope.OPENID, Scope.EMAIL),
    code_challenge=CHALLENGE,
    nonce="n",
    level=Level.PASSKEY,
    proven_at_us=NOW_US,
)


@pytest.fixture(name="house")
def _house(store):
    """Give a store with a member who is logged in."""
    of_member = {"id": "mem_1", "number": "1", "state": "open", "language": "ja", "opened_at_us": NOW_US}
    of_device = {column.name: "" for column in device.c} | {
        "id": "dev_1",
        "member_id": "mem_1",
        "token_digest": b"d",
        "first_seen_us": NOW_US,
        "last_seen_us": NOW_US,
        "trusted_at_us": None,
        "revoked_at_us": None,
        "wrong_passwords": 0,
    }
    of_session = {column.name: "" for column in session.c} | {
        "id": "ses_1",
        "member_id": "mem_1",
        "device_id": "dev_1",
        "token_digest": b"s",
        "form_key": b"f",
        "proven_at_us": NOW_US,
        "opened_at_us": NOW_US,
        "last_seen_us": NOW_US,
        "ended_at_us": None,
        "risk": 0.0,
        "password_leaked": False,
        "bound_until_us": 0,
    }

    def work(connection):
        connection.execute(insert(member).values(of_member))
        connection.execute(insert(device).values(of_device))
        connection.execute(insert(session).values(of_session))

    store.write(work).result()
    return store


def new_code(store, chance):
    return store.write(
        lambda connection: grants.new_code(connection, GRANTED, now_us=NOW_US, code_s=60, chance=chance)
    ).result()


def exchanged(store, code, chance):
    """Exchange a code as the token endpoint does, in one unit of work; return the token, or why not."""

    def work(connection):
        presented = Presented("wallet", code, URI, VERIFIER)
        granted = grants.redeem(connection, presented, now_us=NOW_US + 1)
        if isinstance(granted, Unusable):
            return granted
        return grants.new_token(connection, code, granted, now_us=NOW_US + 1, token_s=600, chance=chance)

    return store.write(work)


def opens(store, token, now_us=NOW_US + 2):
    with store.read() as connection:
        return grants.find_token(connection, token, now_us=now_us) is not None


def test_a_code_buys_one_token_and_a_second_try_takes_it_back(house):
    chance = SeededChance(1)
    code = new_code(house, chance)
    token = exchanged(house, code, chance).result()
    assert opens(house, token)
    again = exchanged(house, code, chance).result()
    assert again == Unusable("used before", reused=True)
    assert not opens(house, token)
    assert not opens(house, token, now_us=NOW_US - SECOND_US)


def test_of_many_who_present_a_code_at_once_nobody_keeps_a_token(house, store_url):
    """Over two processes' stores where the database is a server's: one is first, the next one says stolen."""
    chance = SeededChance(2)
    stores = [house]
    if house.is_postgresql:
        stores.append(open_store(store_url))
    code = new_code(house, chance)
    barrier = threading.Barrier(4)
    results = []

    def ask(store):
        barrier.wait()
        results.append(exchanged(store, code, chance).result())

    threads = [threading.Thread(target=ask, args=(stores[each % len(stores)],)) for each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores[1:]:
        store.close()
    tokens = [result for result in results if isinstance(result, str)]
    assert len(tokens) == 1
    assert results.count(Unusable("used before", reused=True)) == 3
    assert not opens(house, tokens[0])


def test_what_expired_is_forgotten_a_day_later(house):
    chance = SeededChance(3)
    code = new_code(house, chance)
    token = exchanged(house, code, chance).result()

    def forget(now_us):
        house.write(lambda connection: grants.forget_expired(connection, now_us=now_us)).result()
        return exchanged(house, code, chance).result()

    assert forget(NOW_US + 60 * SECOND_US + DAY_US).reused
    assert not forget(NOW_US + 601 * SECOND_US + DAY_US).reused
    assert not opens(house, token)


def test_processes_that_start_together_sign_with_keys_that_both_show(house):
    """And a successor is made when its time has come, once."""
    clock = SetClock(NOW_US)
    keyring = HeldKeyring.of(new_keys(clock, SeededChance(4)), SeededChance(5))
    settings = OpenIdSettings()
    first, second = (SigningKeys(house, keyring, clock, settings) for _ in range(2))
    first.ensure()
    second.ensure()
    kid = first.signer("ES256").kid
    assert second.signer("ES256").kid == kid
    clock.advance(90 * DAY_US - 2 * HOUR_US)
    first.ensure()
    second.ensure()
    with house.read() as connection:
        stored = [key for key in stored_keys(connection, now_us=clock.now_us()) if key.algorithm == "ES256"]
    assert (len(stored), first.signer("ES256").kid) == (2, kid)
    clock.advance(2 * HOUR_US)
    first.reread()
    second.reread()
    assert first.signer("ES256").kid == second.signer("ES256").kid == stored[1].kid
    assert kid in {key["kid"] for key in first.shown()["keys"]}
    clock.set(NOW_US - DAY_US)
    first.reread()
    assert first.signer("ES256").kid == kid
