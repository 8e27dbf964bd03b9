"""Passkeys: made where that is granted, named, renamed and removed by their owner alone."""

import asyncio
import json
from datetime import UTC, datetime

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.identity.member_at_hand import LENDER
from tests.identity.passkeys_at_hand import HERE, add, authenticator, log_in
from tests.identity.software_authenticator import (
    EDDSA,
    ES256,
    RS256,
    Authenticator,
    base64url,
    octets_of,
)

from sekisho.identity import sessions
from sekisho.identity.assurance import (
    InsufficientAuthentication,
    Standing,
    Way,
)
from sekisho.identity.ceremonies import CeremonyOver
from sekisho.identity.passkey_answers import PasskeyMalformed, PasskeyNotAccepted, PasskeyRefused
from sekisho.identity.passkey_desk import ADDING, REMOVING, SIGNING_UP
from sekisho.identity.passkey_signals import unknown_credential
from sekisho.identity.passkeys import (
    PASSKEYS_MAX,
    PasskeyNameUnusable,
    PasskeyUnknown,
    TooManyPasskeys,
    Used,
)
from sekisho.identity.sessions import Ended
from sekisho.kernel.clock import MINUTE_US


@pytest.mark.parametrize("algorithm", [EDDSA, ES256, RS256])
def test_a_passkey_is_made_and_opens_the_door(desk, proofs, member, algorithm):
    phone = authenticator(algorithm=algorithm)
    made = add(desk, member, phone)
    used = log_in(proofs, phone)
    assert isinstance(used, Used)
    assert used.passkey.member_id == member.session.member_id == made.member_id
    assert (made.sign_count, used.passkey.sign_count) == (0, 1)
    assert made.last_used_at_us is None
    assert used.passkey.last_used_at_us is not None


def test_the_browser_is_asked_for_a_discoverable_passkey_that_verifies_its_user(desk, member):
    first = authenticator()
    add(desk, member, first)
    options = asyncio.run(desk.begin_adding(member.session, member.device)).options
    assert options["rp"] == {"id": "lender.localhost", "name": "あさぎりローン"}
    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert options["attestation"] == "none"
    assert [each["alg"] for each in options["pubKeyCredParams"]] == [EDDSA, ES256, RS256]
    assert [each["id"] for each in options["excludeCredentials"]] == [base64url(first.credentials[0].id)]
    assert options["timeout"] == 300_000


def test_the_user_handle_is_random_the_members_own_and_stays(at_hand, desk, member):
    other = at_hand.prove(at_hand.log_in(at_hand.add_member()), Way.PASSKEY)
    handles = [
        octets_of(asyncio.run(desk.begin_adding(each.session, each.device)).options["user"]["id"])
        for each in (member, other, member)
    ]
    assert handles[0] == handles[2] != handles[1]
    assert len(handles[0]) == 32
    assert member.session.member_id.encode() not in handles[0]


@pytest.mark.parametrize(
    ("way", "purpose", "standing", "granted"),
    [
        (None, "", Standing.TRUSTED, False),
        (Way.CODE, ADDING.key, Standing.TRUSTED, True),
        (Way.CODE, SIGNING_UP.key, Standing.TRUSTED, True),
        (Way.CODE, REMOVING.key, Standing.TRUSTED, False),
        (Way.CODE, ADDING.key, Standing.UNCONFIRMED, False),
        (Way.CODE, SIGNING_UP.key, Standing.UNCONFIRMED, False),
        (Way.PASSKEY, "", Standing.UNCONFIRMED, True),
    ],
)
def test_who_may_add_a_passkey(at_hand, desk, way, purpose, standing, granted):
    entered = at_hand.log_in(at_hand.add_member(), standing=standing)
    if way:
        entered = at_hand.prove(entered, way, purpose)
    if granted:
        assert add(desk, entered, authenticator())
    else:
        with pytest.raises(InsufficientAuthentication):
            asyncio.run(desk.begin_adding(entered.session, entered.device))


def test_the_proof_may_grow_old_while_the_finger_is_on_the_sensor(at_hand, desk, member):
    at_hand.clock.advance(5 * MINUTE_US - 1)
    begun = asyncio.run(desk.begin_adding(member.session, member.device))
    at_hand.clock.advance(MINUTE_US)
    body = authenticator().make(begun.options)
    assert asyncio.run(desk.add(member.session, begun.token, body, HERE))


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://lender.localhost.evil.example"},
        {"origin": "https://lender.localhost:8470"},
        {"origin": "http://id.localhost:8470"},
        {"rp_id": "id.localhost"},
        {"user_verified": False},
        {"user_present": False},
        {"client_data": {"type": "webauthn.get"}},
        {"client_data": {"challenge": base64url(bytes(32))}},
        {"backup_eligible": False, "backed_up": True},
        {"attestation": ("tpm", {})},
        {"attestation": ("fido-u2f", {"sig": b"", "x5c": [b""]})},
        {"attestation": ("packed", {"alg": EDDSA, "sig": b"no"})},
        {"attestation": ("packed", {"alg": EDDSA, "sig": b"no", "x5c": [b"no"]})},
        {"attestation": ("none", {"alg": EDDSA})},
        {"algorithm": RS256, "rsa_bits": 1024},
    ],
)
def test_a_passkey_that_does_not_hold_up_is_not_kept(at_hand, desk, member, wrong):
    with pytest.raises(PasskeyNotAccepted) as refusal:
        add(desk, member, authenticator(**wrong))
    assert refusal.value.told == "This passkey could not be added. Please try again."
    assert asyncio.run(desk.held(member.session.member_id)) == []
    assert at_hand.notices() == []
    assert add(desk, member, authenticator())


def by_itself(credential, signed):
    """Vouch for oneself, as authenticators without a certificate do."""
    return "packed", {"alg": EDDSA, "sig": credential.sign(signed)}


def by_certificate(_credential, signed):
    """Vouch with the certificate of a maker that nobody knows, correct in every other way."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = {
        NameOID.COUNTRY_NAME: "JP",
        NameOID.ORGANIZATION_NAME: "Maker",
        NameOID.ORGANIZATIONAL_UNIT_NAME: "Authenticator Attestation",
        NameOID.COMMON_NAME: "Model 1",
    }
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in names.items()])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2090, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain = [certificate.public_bytes(serialization.Encoding.DER)]
    signature = key.sign(signed, ec.ECDSA(hashes.SHA256()))
    return "packed", {"alg": ES256, "sig": signature, "x5c": chain}


def test_an_authenticator_may_vouch_for_itself_and_certificates_are_not_read(desk, member):
    assert add(desk, member, authenticator(attest=by_itself))
    with pytest.raises(PasskeyNotAccepted, match="attested in the format 'packed'"):
        add(desk, member, authenticator(attest=by_certificate))


@pytest.mark.parametrize("client_data", [{"crossOrigin": True}, {"topOrigin": "https://evil.example"}])
def test_an_answer_from_inside_another_page_is_refused(desk, proofs, member, client_data):
    with pytest.raises(PasskeyMalformed):
        add(desk, member, authenticator(client_data=client_data))
    phone = authenticator()
    add(desk, member, phone)
    phone.client_data = client_data
    with pytest.raises(PasskeyMalformed):
        log_in(proofs, phone)


def test_a_ceremony_makes_one_passkey_and_only_for_who_began_it(at_hand, desk, member):
    begun = asyncio.run(desk.begin_adding(member.session, member.device))
    again = at_hand.prove(at_hand.log_in(member.session.member_id), Way.PASSKEY)
    stranger = at_hand.prove(at_hand.log_in(at_hand.add_member()), Way.PASSKEY)
    for other in (again, stranger):
        with pytest.raises(CeremonyOver):
            asyncio.run(desk.add(other.session, begun.token, authenticator().make(begun.options), HERE))
    assert asyncio.run(desk.add(member.session, begun.token, authenticator().make(begun.options), HERE))
    with pytest.raises(CeremonyOver):
        asyncio.run(desk.add(member.session, begun.token, authenticator().make(begun.options), HERE))


def test_a_credential_that_somebody_has_is_not_taken_twice(at_hand, desk, member):
    phone = authenticator()
    add(desk, member, phone)
    thief = at_hand.prove(at_hand.log_in(at_hand.add_member()), Way.PASSKEY)

    class Copying(Authenticator):
        def make(self, options, **changed):
            body = super().make(options, **changed)
            mine, theirs = self.credentials[-1].id, phone.credentials[0].id
            read = json.loads(body)
            attestation = cbor2.loads(octets_of(read["response"]["attestationObject"]))
            attestation["authData"] = attestation["authData"].replace(mine, theirs)
            read["response"]["attestationObject"] = base64url(cbor2.dumps(attestation))
            read["id"] = read["rawId"] = base64url(theirs)
            return json.dumps(read).encode()

    with pytest.raises(PasskeyNotAccepted, match="somebody has this credential"):
        add(desk, thief, Copying(LENDER.origin, LENDER.host))


def test_a_session_that_ended_meanwhile_adds_nothing(at_hand, desk, member):
    begun = asyncio.run(desk.begin_adding(member.session, member.device))
    at_hand.store.write(
        lambda connection: sessions.end(connection, at_hand.parts, member.session.id, Ended.FROZEN)
    ).result()
    with pytest.raises(PasskeyNotAccepted):
        asyncio.run(desk.add(member.session, begun.token, authenticator().make(begun.options), HERE))
    assert asyncio.run(desk.held(member.session.member_id)) == []


def test_a_member_has_at_most_twenty(desk, member):
    for _ in range(PASSKEYS_MAX):
        add(desk, member, authenticator())
    with pytest.raises(TooManyPasskeys):
        asyncio.run(desk.begin_adding(member.session, member.device))


def test_the_member_hears_of_a_new_passkey_on_every_channel(at_hand, desk, member):
    made = add(desk, member, authenticator())
    assert at_hand.notices() == ["passkey_added", "passkey_added"]
    event = next(event for event in at_hand.events() if event.kind == "member:passkey:added")
    assert json.loads(event.body) == {
        "member_id": member.session.member_id,
        "credential_id": made.credential_id.hex(),
    }


@pytest.mark.parametrize(
    ("aaguid", "name", "kept"),
    [
        ("fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "", "iCloud Keychain"),
        ("00000000-0000-0000-0000-000000000000", "", "Chrome (Windows)"),
        ("00000000-0000-0000-0000-000000000000", "  会社の  PC ", "会社の PC"),
    ],
)
def test_a_passkey_gets_a_name_that_its_owner_recognises(desk, member, aaguid, name, kept):
    phone = authenticator(aaguid=bytes.fromhex(aaguid.replace("-", "")))
    assert add(desk, member, phone, name=name).name == kept
    assert add(desk, member, phone, name=name).name == f"{kept} 2"


@pytest.mark.parametrize("name", [" ", "x" * 41, "a\x00b", "a\u202eb", "a\u200bb", "\ud800"])
def test_a_name_that_cannot_be_read_is_refused(desk, member, name):
    with pytest.raises(PasskeyNameUnusable):
        add(desk, member, authenticator(), name=name)
    made = add(desk, member, authenticator())
    with pytest.raises(PasskeyNameUnusable):
        asyncio.run(desk.rename(member.session, made.credential_id, name))


def test_a_member_renames_and_removes_own_passkeys_only(at_hand, desk, member):
    made = add(desk, member, authenticator())
    thief = at_hand.prove(at_hand.log_in(at_hand.add_member()), Way.PASSKEY)
    with pytest.raises(PasskeyUnknown):
        asyncio.run(desk.rename(thief.session, made.credential_id, "mine"))
    with pytest.raises(PasskeyUnknown):
        asyncio.run(desk.remove(thief.session, thief.device, made.credential_id, HERE))
    assert asyncio.run(desk.rename(member.session, made.credential_id, "会社の電話")).name == "会社の電話"
    assert [each.name for each in asyncio.run(desk.held(member.session.member_id))] == ["会社の電話"]


def test_removing_needs_a_proof_and_tells_the_passkey_manager(at_hand, desk, proofs, member):
    kept_by, lost_by = authenticator(), authenticator()
    kept, lost = add(desk, member, kept_by), add(desk, member, lost_by)
    with pytest.raises(InsufficientAuthentication):
        asyncio.run(desk.remove(member.session, member.device, lost.credential_id, HERE))
    proven = at_hand.prove(member, Way.CODE, REMOVING.key)
    signals = asyncio.run(desk.remove(proven.session, proven.device, lost.credential_id, HERE))
    assert signals.accepted["allAcceptedCredentialIds"] == [base64url(kept.credential_id)]
    assert signals.accepted["rpId"] == "lender.localhost"
    assert octets_of(signals.accepted["userId"]) == kept_by.credentials[0].user_handle
    assert signals.details["name"] == signals.details["displayName"] == "1234 5678 0001"
    assert at_hand.notices().count("passkey_removed") == 2
    with pytest.raises(PasskeyRefused) as refusal:
        log_in(proofs, lost_by)
    assert unknown_credential(LENDER, refusal.value.unknown_credential_id) == {
        "rpId": "lender.localhost",
        "credentialId": base64url(lost.credential_id),
    }
    assert log_in(proofs, kept_by)
    assert asyncio.run(desk.signals(member.session.member_id)) == signals
