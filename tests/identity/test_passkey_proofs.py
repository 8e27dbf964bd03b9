"""Passkeys in use: once for one thing, by the member alone, and never after they were copied."""

import asyncio

import pytest
from tests.identity.passkeys_at_hand import ATM, HERE, add, approve, authenticator, log_in
from tests.identity.software_authenticator import (
    base64url,
)

from sekisho.identity import ceremonies, sessions
from sekisho.identity.assurance import (
    Granted,
    Level,
    Need,
    Standing,
    Way,
    demand,
)
from sekisho.identity.ceremonies import CeremonyOver
from sekisho.identity.passkey_answers import PasskeyRefused
from sekisho.identity.passkeys import (
    PasskeyUnknown,
    Used,
)
from sekisho.identity.purposes import Purpose
from sekisho.identity.sessions import Ended
from sekisho.kernel.clock import MINUTE_US


def test_a_login_names_nobody_and_writes_nothing(at_hand, proofs):
    before = len(at_hand.events())
    first, second = proofs.begin_login().options, proofs.begin_login().options
    assert first["allowCredentials"] == []
    assert first["userVerification"] == "required"
    assert first["rpId"] == "lender.localhost"
    assert first["challenge"] != second["challenge"]
    assert len(at_hand.events()) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://lender-login.example"},
        {"origin": "http://id.localhost:8470"},
        {"rp_id": "id.localhost"},
        {"user_verified": False},
        {"user_present": False},
        {"client_data": {"type": "webauthn.create"}},
        {"client_data": {"challenge": base64url(bytes(32))}},
        {"backup_eligible": True},
        {"backed_up": True},
    ],
)
def test_an_answer_that_does_not_hold_up_opens_nothing(desk, proofs, member, wrong):
    phone = authenticator()
    add(desk, member, phone)
    right = {name: getattr(phone, name) for name in wrong}
    vars(phone).update(wrong)
    with pytest.raises(PasskeyRefused) as refusal:
        log_in(proofs, phone)
    assert refusal.value.told == "This passkey cannot be used here."
    assert refusal.value.unknown_credential_id == b""
    vars(phone).update(right)
    assert log_in(proofs, phone)


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": base64url(bytes(64))},
        {"signature": ""},
        {"userHandle": base64url(bytes(32))},
        {"userHandle": None},
        {"userHandle": ""},
        {"authenticatorData": ""},
        {"authenticatorData": base64url(bytes(36))},
    ],
)
def test_a_changed_answer_opens_nothing(desk, proofs, member, changed):
    phone = authenticator()
    add(desk, member, phone)
    with pytest.raises(PasskeyRefused):
        log_in(proofs, phone, **changed)
    assert log_in(proofs, phone)


def test_a_passkey_that_we_never_saw_is_named_to_the_passkey_manager(desk, proofs, member):
    stranger = authenticator()
    stranger.make(asyncio.run(desk.begin_adding(member.session, member.device)).options)
    with pytest.raises(PasskeyRefused) as refusal:
        log_in(proofs, stranger)
    assert refusal.value.unknown_credential_id == stranger.credentials[0].id


def test_an_answer_counts_once(desk, proofs, member):
    phone = authenticator(counts=0)
    add(desk, member, phone)
    begun = proofs.begin_login()
    body = phone.get(begun.options)
    assert asyncio.run(proofs.login(begun.token, body, HERE))
    with pytest.raises(CeremonyOver):
        asyncio.run(proofs.login(begun.token, body, HERE))


def test_an_answer_to_another_challenge_opens_nothing(desk, proofs, member):
    phone = authenticator()
    add(desk, member, phone)
    first, second = proofs.begin_login(), proofs.begin_login()
    with pytest.raises(PasskeyRefused):
        asyncio.run(proofs.login(second.token, phone.get(first.options), HERE))


def test_an_answer_after_five_minutes_is_too_late(at_hand, desk, proofs, member):
    phone = authenticator()
    add(desk, member, phone)
    begun = proofs.begin_login()
    at_hand.clock.advance(5 * MINUTE_US)
    with pytest.raises(CeremonyOver):
        asyncio.run(proofs.login(begun.token, phone.get(begun.options), HERE))


@pytest.mark.parametrize(
    ("kept", "said", "good"),
    [(0, 0, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False), (0, 7, True)],
)
def test_a_counter_that_does_not_move_on_shows_a_copy(desk, proofs, member, kept, said, good):
    phone = authenticator(counts=0)
    add(desk, member, phone)
    if kept:
        phone.credentials[0].count = kept
        log_in(proofs, phone)
    phone.credentials[0].count = said
    if good:
        assert log_in(proofs, phone).passkey.sign_count == said
        return
    with pytest.raises(PasskeyRefused):
        log_in(proofs, phone)


def test_a_copied_passkey_is_stopped_for_good_and_its_member_hears_of_it(at_hand, desk, proofs, member):
    phone = authenticator()
    add(desk, member, phone)
    log_in(proofs, phone)
    phone.credentials[0].count = 0
    with pytest.raises(PasskeyRefused):
        log_in(proofs, phone)
    assert at_hand.notices().count("passkey_suspected") == 2
    assert [event.kind for event in at_hand.events() if event.kind.endswith("suspected")] == [
        "member:passkey:suspected"
    ]
    phone.credentials[0].count = 100
    with pytest.raises(PasskeyRefused):
        log_in(proofs, phone)
    assert at_hand.notices().count("passkey_suspected") == 2
    signals = asyncio.run(desk.signals(member.session.member_id))
    assert signals.accepted["allAcceptedCredentialIds"] == []
    with pytest.raises(PasskeyUnknown):
        asyncio.run(proofs.begin_approval(member.session))
    [held] = asyncio.run(desk.held(member.session.member_id))
    assert held.suspected_at_us == at_hand.clock.now_us()


def test_the_backup_flags_are_kept_and_the_state_follows(desk, proofs, member):
    phone = authenticator(backup_eligible=True)
    made = add(desk, member, phone)
    assert (made.backup_eligible, made.backed_up) == (True, False)
    phone.backed_up = True
    assert log_in(proofs, phone).passkey.backed_up
    assert made.transports == "hybrid,internal"


def test_an_approval_makes_the_session_fresh_and_its_device_trusted(at_hand, desk, proofs, member):
    phone = authenticator()
    add(desk, member, phone)
    elsewhere = at_hand.log_in(member.session.member_id, standing=Standing.UNCONFIRMED)
    opened = approve(proofs, elsewhere, phone, ATM)
    now = at_hand.now(elsewhere)
    assert now.device.standing is Standing.TRUSTED
    assert (opened.session.id, opened.session.level) == (elsewhere.session.id, Level.PASSKEY)
    answer = demand(opened.session, now.device, Need.PAY_OUT, at_hand.clock.now_us())
    assert isinstance(answer, Granted)


def test_an_approval_of_one_purpose_is_none_of_another(desk, proofs, member):
    phone = authenticator()
    add(desk, member, phone)
    for asked, meant in (
        (ATM, None),
        (None, ATM),
        (ATM, Purpose(action="atm_withdrawal", amount_yen=31_000)),
    ):
        begun = asyncio.run(proofs.begin_approval(member.session, asked))
        with pytest.raises(CeremonyOver):
            asyncio.run(
                proofs.approve(member.session, begun.token, phone.get(begun.options), HERE, purpose=meant)
            )


def test_an_approval_needs_the_members_own_passkey(at_hand, desk, proofs, member):
    mine, theirs = authenticator(), authenticator()
    add(desk, member, mine)
    thief = at_hand.prove(at_hand.log_in(at_hand.add_member()), Way.PASSKEY)
    add(desk, thief, theirs)
    begun = asyncio.run(proofs.begin_approval(member.session))
    assert [each["id"] for each in begun.options["allowCredentials"]] == [base64url(mine.credentials[0].id)]
    with pytest.raises(PasskeyRefused, match="another member's"):
        asyncio.run(proofs.approve(member.session, begun.token, theirs.get(begun.options), HERE))
    for which in (thief, at_hand.log_in(member.session.member_id)):
        with pytest.raises(CeremonyOver):
            asyncio.run(proofs.approve(which.session, begun.token, mine.get(begun.options), HERE))
    assert asyncio.run(
        proofs.approve(member.session, begun.token, mine.get(begun.options, userHandle=None), HERE)
    )


def test_a_login_is_no_approval_and_an_approval_no_login(desk, proofs, member):
    phone = authenticator()
    add(desk, member, phone)
    entry, approval = proofs.begin_login(), asyncio.run(proofs.begin_approval(member.session))
    with pytest.raises(CeremonyOver):
        asyncio.run(proofs.approve(member.session, entry.token, phone.get(entry.options), HERE))
    with pytest.raises(CeremonyOver):
        asyncio.run(proofs.login(approval.token, phone.get(approval.options), HERE))


def test_a_session_that_ended_meanwhile_is_not_made_fresh(at_hand, desk, proofs, member):
    phone = authenticator()
    add(desk, member, phone)
    begun = asyncio.run(proofs.begin_approval(member.session))
    at_hand.store.write(
        lambda connection: sessions.end(connection, at_hand.parts, member.session.id, Ended.CONTAINED)
    ).result()
    with pytest.raises(PasskeyRefused):
        asyncio.run(proofs.approve(member.session, begun.token, phone.get(begun.options), HERE))


def test_an_approval_can_be_used_in_the_unit_of_work_of_what_is_approved(at_hand, desk, proofs, member):
    """It counts once, and not at all where the rest of the unit of work fails."""
    phone = authenticator()
    add(desk, member, phone)
    begun = asyncio.run(proofs.begin_approval(member.session, ATM))
    proven = asyncio.run(proofs.prove_approval(member.session, begun.token, phone.get(begun.options), ATM))

    def paying(connection, *, fails):
        used = proofs.use_within(connection, proven, HERE)
        if fails:
            raise LookupError
        return used

    with pytest.raises(LookupError):
        at_hand.store.write(lambda connection: paying(connection, fails=True)).result()
    assert isinstance(at_hand.store.write(lambda connection: paying(connection, fails=False)).result(), Used)
    again = asyncio.run(proofs.prove_approval(member.session, begun.token, phone.get(begun.options), ATM))
    twice = at_hand.store.write(lambda connection: proofs.use_within(connection, again, HERE))
    assert isinstance(twice.exception(), CeremonyOver)
    with at_hand.store.read() as connection:
        kept = ceremonies.recorded(connection, proven.ceremony.id)
    assert kept is not None
    assert kept.purpose == ATM.key
    assert base64url(kept.challenge) == begun.options["challenge"]
