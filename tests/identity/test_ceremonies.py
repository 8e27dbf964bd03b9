"""Ceremonies: bound to who asks and for what, five minutes long, used once."""

import base64

import pytest

from sekisho.identity import ceremonies
from sekisho.identity.ceremonies import Binding, CeremonyKind, CeremonyOver
from sekisho.identity.purposes import Purpose
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.ids import MemberId, SessionId

ATM = Purpose(action="atm_withdrawal", amount_yen=30_000, place="ATM 0042")
MINE = Binding(CeremonyKind.APPROVAL, MemberId("mem_1"), SessionId("ses_1"), ATM.key)


@pytest.fixture
def token(at_hand):
    return ceremonies.token_of(at_hand.parts, ceremonies.begin(at_hand.parts, MINE))


def read(at_hand, token, binding=MINE):
    return ceremonies.read(at_hand.parts, token, binding)


def use(at_hand, ceremony):
    return at_hand.store.write(
        lambda connection: ceremonies.use(
            connection, at_hand.parts, ceremony, credential_id=b"credential", answer=b"{}"
        )
    ).result()


def test_a_ceremony_comes_back_from_its_token(at_hand):
    begun = ceremonies.begin(at_hand.parts, MINE)
    assert read(at_hand, ceremonies.token_of(at_hand.parts, begun)) == begun
    assert begun.binding == MINE


@pytest.mark.parametrize(
    "other",
    [
        MINE._replace(kind=CeremonyKind.LOGIN),
        MINE._replace(member_id=MemberId("mem_2")),
        MINE._replace(session_id=SessionId("ses_2")),
        MINE._replace(purpose=Purpose(action="atm_withdrawal", amount_yen=30_001, place="ATM 0042").key),
        MINE._replace(purpose=Purpose(action="atm_withdrawal", amount_yen=30_000, place="ATM 0043").key),
        MINE._replace(purpose=""),
    ],
)
def test_a_ceremony_for_anything_else_is_not_taken(at_hand, token, other):
    assert read(at_hand, token)
    with pytest.raises(CeremonyOver):
        read(at_hand, token, other)


def test_each_part_of_a_ceremony_is_in_its_challenge(at_hand):
    begun = ceremonies.begin(at_hand.parts, MINE)
    others = [
        type(begun)(**{**_fields(begun), name: value})
        for name, value in {
            "member_id": "mem_2",
            "session_id": "ses_2",
            "purpose": "",
            "nonce": bytes(32),
            "kind": CeremonyKind.LOGIN,
            "expires_at_us": 0,
        }.items()
    ]
    assert len({begun.challenge, *(other.challenge for other in others)}) == 7
    assert len(begun.challenge) == 32


def _fields(struct):
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


@pytest.mark.parametrize(
    ("later_us", "good"), [(0, True), (5 * MINUTE_US - 1, True), (5 * MINUTE_US, False), (-1, False)]
)
def test_a_ceremony_ends_within_five_minutes_and_does_not_begin_in_the_future(at_hand, token, later_us, good):
    at_hand.clock.advance(later_us)
    if good:
        assert read(at_hand, token)
    else:
        with pytest.raises(CeremonyOver):
            read(at_hand, token)


@pytest.mark.parametrize("made", ["", "x", "あ", "AQ", "=" * 10, "A" * 100_000, "..", "a" * 4096, "\ud800"])
def test_what_is_no_token_of_ours_is_refused(at_hand, made):
    with pytest.raises(CeremonyOver):
        read(at_hand, made)


def test_no_character_of_a_token_can_be_changed(at_hand, token):
    for place in range(0, len(token) - 1, 7):
        with pytest.raises(CeremonyOver):
            read(at_hand, token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :])


def test_a_token_shows_nothing_of_what_it_is_for(token):
    assert "mem_1" not in token
    assert b"mem_1" not in base64.urlsafe_b64decode(token + "==")


def test_a_ceremony_is_used_once_and_its_challenge_can_be_recomputed_from_the_record(at_hand, token):
    ceremony = read(at_hand, token)
    use(at_hand, ceremony)
    with pytest.raises(CeremonyOver, match="used before"):
        use(at_hand, ceremony)
    with at_hand.store.read() as connection:
        kept = ceremonies.recorded(connection, ceremony.id)
        assert ceremonies.recorded(connection, ceremonies.begin(at_hand.parts, MINE).id) is None
    assert kept is not None
    assert kept == ceremony
    assert kept.challenge == ceremony.challenge


def test_of_two_uses_at_once_one_wins(at_hand, token):
    ceremony = read(at_hand, token)

    def work(connection):
        ceremonies.use(connection, at_hand.parts, ceremony, credential_id=b"credential", answer=b"{}")

    futures = [at_hand.store.write(work) for _ in range(5)]
    assert sorted(type(future.exception()) is CeremonyOver for future in futures) == [
        False,
        True,
        True,
        True,
        True,
    ]


def test_a_use_that_was_rolled_back_with_its_unit_of_work_is_none(at_hand, token):
    ceremony = read(at_hand, token)

    def work(connection):
        ceremonies.use(connection, at_hand.parts, ceremony, credential_id=b"credential", answer=b"{}")
        raise LookupError

    with pytest.raises(LookupError):
        at_hand.store.write(work).result()
    use(at_hand, ceremony)
