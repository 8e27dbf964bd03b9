"""Passwords: which new ones are fit, how they are hashed, and which have leaked."""

import asyncio
import hashlib
import tempfile
import threading
from pathlib import Path

import jaconv
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.identity.login_house import HOME, PASSWORD, returning, run

from sekisho.identity import passwords
from sekisho.identity.claims import LoginForm
from sekisho.identity.hashing import Hasher, HashingBusy, octets_of
from sekisho.identity.leaked_lists import (
    LeakedList,
    LeakKind,
    Leaks,
    ListUnreadable,
    pair_digest,
    password_digest,
    write_list,
)
from sekisho.identity.logins import LoginDesk
from sekisho.identity.password_rules import LENGTH_MAX, PasswordFault, fault_of, is_common
from sekisho.identity.welcomes import Welcome
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import DAY_US, SetClock
from sekisho.kernel.posture import Posture
from sekisho.storage.keyring import HeldKeyring, KeyUse, new_key, new_keys


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Passw0rd!",
        "p@ssw0rd2026",
        "12345678",
        "87654321",
        "qwertyuiop",
        "1qaz2wsx",
        "iloveyou!",
        "sakura2020",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "19901231",
        "tanakataro1990",
        jaconv.h2z("password123", ascii=True, digit=True),
        "DragonMonkey1234",
    ],
)
def test_a_password_that_many_people_take_is_common_in_any_disguise(password):
    assert fault_of(password) is PasswordFault.COMMON


@pytest.mark.parametrize(
    "password",
    [
        "x7kq2m9w",
        "correct horse battery staple",
        "Tr0ub4dor&3",
        "まいにち海まで歩く",
        "kumo-to-niwatori 37",
        "🦊" * 2 + "🐢🍙🎐⛩🌊🗻",
    ],
)
def test_no_rule_of_composition_stands_in_the_way(password):
    assert fault_of(password) is None


def test_each_code_point_counts_as_one_and_long_ones_are_taken():
    assert fault_of("𠮷𩸽𠀋𡈽𡌛𡑮𡢽") is PasswordFault.TOO_SHORT
    assert fault_of("𠮷𩸽𠀋𡈽𡌛𡑮𡢽𠮟") is None
    long = "".join(chr(0x4E00 + 7 * number) for number in range(LENGTH_MAX))
    assert fault_of(long) is None
    assert fault_of(long + "山") is PasswordFault.TOO_LONG


def test_own_words_are_refused_and_may_be_a_part_of_something_longer():
    own = ("山田 太郎", "taro.yamada@example.jp", "090-1234-5678", "1990-04-01")
    for password in ("taro.yamada1", "yamadataro", "09012345678", "5678taro!", "1990-04-01x"):
        assert fault_of(password, own) in {PasswordFault.OWN_WORDS, PasswordFault.COMMON}, password
    assert fault_of("yamada keeps nine goats", own) is None


@given(st.text(max_size=300), st.lists(st.text(max_size=40), max_size=4))
def test_every_text_gets_an_answer(password, own):
    assert fault_of(password, own) in {None, *PasswordFault}


@given(st.text(alphabet="bcdfghjklmnpqrstvwxz", min_size=14, max_size=20))
def test_drawn_letters_are_hardly_ever_common(password):
    assert not is_common(password) or len(set(password)) < 9


def test_the_way_of_typing_does_not_matter_and_the_password_does():
    assert octets_of(jaconv.h2z("Kumo37", ascii=True, digit=True)) == octets_of("Kumo37")
    assert octets_of("kumo37") != octets_of("Kumo37")
    assert octets_of("\ud800x")


def test_a_hash_fits_its_password_and_pepper_alone():
    async def play():
        chance = SeededChance(1)
        hasher = Hasher(chance, threads=1, memory_kib=64, passes=1)
        one, other = (hashlib.sha256(bytes([number])).digest() for number in (1, 2))
        stored = await hasher.hash(one)
        assert stored.startswith("$argon2id$")
        assert await hasher.verify(stored, one)
        assert not await hasher.verify(stored, other)
        assert not await hasher.verify(None, one)
        assert not await hasher.verify("no hash at all", one)
        hasher.close()

    asyncio.run(play())


def test_what_would_wait_too_long_is_shed():
    async def play():
        hasher = Hasher(SeededChance(1), threads=1, memory_kib=64, passes=1, waiting_max=2)
        gate = threading.Event()
        blocked = [asyncio.create_task(hasher.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(HashingBusy):
            await hasher.verify(None, b"x")
        gate.set()
        await asyncio.gather(*blocked)
        assert not await hasher.verify(None, b"x")
        hasher.close()

    asyncio.run(play())


def test_a_right_password_is_hashed_anew_when_the_pepper_has_changed(tmp_path):
    async def play(house):
        opened = await house.open_account()
        house.wait(1)
        newer = new_key(KeyUse.PEPPER, house.clock, house.parts.chance)
        ring = HeldKeyring.of((*house.keys, newer), house.parts.chance)
        logins = LoginDesk(
            house.parts._replace(keyring=ring),
            house.guard,
            house.hasher,
            house.codes,
            Leaks(),
            leaks_down=Posture.OPEN,
        )
        for _ in range(2):
            form = LoginForm(house.name_of(opened), PASSWORD)
            assert isinstance(await logins.begin(form, returning(opened, HOME)), Welcome)
            with house.parts.store.read() as connection:
                kept = passwords.find(connection, opened.session.member_id)
            assert kept is not None
            assert kept.pepper == newer.name

    run(tmp_path, play)


def test_the_guard_s_token_is_equal_for_equal_passwords_of_one_day():
    chance = SeededChance(1)
    ring = HeldKeyring.of(new_keys(SetClock(), chance), chance)
    token = passwords.secret_token(ring, "kumo", 0)
    assert token == passwords.secret_token(ring, "kumo", DAY_US - 1)
    assert token != passwords.secret_token(ring, "kumo", DAY_US)
    assert token != passwords.secret_token(ring, "Kumo", 0)


@given(st.sets(st.integers(0, 2**64), max_size=60), st.integers(0, 2**64))
def test_a_list_holds_what_was_written_and_nothing_else(numbers, asked):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list"
        digests = {number: password_digest(str(number).encode()) for number in numbers}
        assert write_list(path, LeakKind.PASSWORDS, digests.values()) == len(numbers)
        held = LeakedList(path, LeakKind.PASSWORDS)
        assert len(held) == len(numbers)
        assert all(digest in held for digest in digests.values())
        assert (password_digest(str(asked).encode()) in held) == (asked in numbers)


def _damaged(path, damage):
    write_list(path, LeakKind.PAIRS, [pair_digest("a", str(number)) for number in range(100)])
    octets = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut short":
        path.write_bytes(octets[:-5])
    elif damage == "of another kind":
        write_list(path, LeakKind.PASSWORDS, [])
    elif damage == "not sorted":
        path.write_bytes(octets[:32] + octets[:31:-1])
    else:
        path.write_bytes(b"text\n" * 100)


@pytest.mark.parametrize("damage", ["missing", "empty", "cut short", "of another kind", "not sorted", "text"])
def test_a_list_that_cannot_be_read_means_what_the_caller_says(tmp_path, damage):
    good, bad = tmp_path / "good", tmp_path / "bad"
    write_list(good, LeakKind.PAIRS, [pair_digest("taro@example.jp", "kumo")])
    _damaged(bad, damage)
    with pytest.raises(ListUnreadable):
        LeakedList(bad, LeakKind.PAIRS)
    leaks = Leaks(pairs=[bad, good])
    assert len(leaks.broken) == 1
    assert leaks.has_pair(["TARO@example.jp"], "kumo", on_outage=Posture.OPEN)
    assert not leaks.has_pair(["taro@example.jp"], "other", on_outage=Posture.OPEN)
    assert leaks.has_pair(["taro@example.jp"], "other", on_outage=Posture.CLOSED)


def test_without_lists_nothing_has_leaked():
    assert not Leaks().has_pair(["a"], "b", on_outage=Posture.CLOSED)
    assert not Leaks().has_password("b", on_outage=Posture.CLOSED)


def test_a_password_found_to_have_leaked_opens_a_marked_session(tmp_path):
    """Login goes on, the guard hears of it, and the member is to choose another."""
    pairs = tmp_path / "pairs"
    write_list(pairs, LeakKind.PAIRS, [pair_digest("taro1@example.jp", PASSWORD)])

    async def play(house):
        opened = await house.open_account()
        leaks = Leaks(pairs=[pairs])
        parts, guard, hasher, codes = house.parts, house.guard, house.hasher, house.codes
        house.logins = LoginDesk(
            parts, guard, hasher, codes, leaks, leaks_down=Posture.OPEN, answer_floor_s=0.0
        )
        back = await house.logins.begin(LoginForm(house.name_of(opened), PASSWORD), returning(opened))
        assert isinstance(back, Welcome)
        assert back.session.password_leaked
        assert house.guard.asked[-1].leaked is True
        away = await house.log_in_away(house.name_of(opened))
        assert away.session.password_leaked
        with house.parts.store.read() as connection:
            kept = passwords.find(connection, opened.session.member_id)
        assert kept is not None
        assert kept.found_leaked_at_us == back.session.opened_at_us

    run(tmp_path, play)
