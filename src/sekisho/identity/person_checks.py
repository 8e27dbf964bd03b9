"""Establishing who somebody is, as lender and wallet both do: challenge, verdict, and the facts of each try.

What is being checked (an application, a wallet) and where tries are kept is the business of each room.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec
from cryptography import x509

from sekisho.identity.certificates import CertificateFault, Person, Presented, Verified, verify
from sekisho.identity.identity_methods import Method, require_allowed
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.ids import is_staff_id
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.refusals import Refusal

CHALLENGE_OCTETS = 32
CHALLENGE_US = 10 * MINUTE_US
TRIES_MAX = 10
REFERENCE_CHARS_MAX = 200
_LABEL = b"sekisho:identity-check:1:"


class IdentityCheckAway(Refusal):
    """Whether the certificate still holds can't be said now, and it is not guessed."""

    code = "identity_check_away"
    status = 503
    told = "We can't check certificates at the moment. Please try again in a few minutes."


class ChallengeOver(Refusal):
    """What was signed is no challenge of this check, or too old, or was answered before."""

    code = "identity_challenge_over"
    status = 409
    told = "This took too long. Please begin the identity check again."


class TooManyTries(Refusal):
    """The identity check failed so often that a person has to look at it."""

    code = "identity_check_too_many_tries"
    status = 429
    told = "We could not confirm who you are. Please call us."


class Trust(Protocol):
    """Whoever knows which authorities are trusted, and their revocation lists."""

    async def authorities(self) -> Sequence[x509.Certificate]:
        """Return the authorities. Raises OperationalError."""
        ...

    async def revocation_lists(self) -> Sequence[x509.CertificateRevocationList]:
        """Return the newest list of each authority and of those under them. Raises OperationalError."""
        ...


class NobodyTrusted:
    """No authority is trusted: whether a certificate holds nobody can say."""

    async def authorities(self) -> Sequence[x509.Certificate]:
        """Raise OperationalError."""
        raise OperationalError("identity_trust", "no authority is trusted")

    async def revocation_lists(self) -> Sequence[x509.CertificateRevocationList]:
        """Return no list."""
        return ()


class Challenge(NamedTuple):
    """What the holder of a card signs, and until when."""

    octets: bytes
    expires_at_us: int


class ManualCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a member of staff checked: how, on which day, with what result, and where the evidence lies."""

    method: Method
    staff_id: str
    checked_on: dt.date
    passed: bool
    evidence: tuple[str, ...]


class Try(NamedTuple):
    """A try before it is written down. `letter` is the ordinance's name of the way on that day."""

    key: str
    method: Method
    letter: str
    checked_on: dt.date
    staff_id: str
    passed: bool
    faults: tuple[str, ...]
    evidence: tuple[str, ...]


def new_challenge(chance: Chance, now_us: int) -> Challenge:
    """Draw what a card is to sign within ten minutes, once."""
    return Challenge(_LABEL + chance.octets(CHALLENGE_OCTETS), now_us + CHALLENGE_US)


def challenge_digest(octets: bytes) -> bytes:
    """Return what a challenge is found by."""
    return hashlib.sha256(octets).digest()


async def established(  # noqa: PLR0913 - what was shown, what it has to say, whom we trust, and what doubt means
    trust: Trust,
    presented: Presented,
    signed: bytes,
    claimed: Person,
    *,
    on_outage: Posture,
    now_us: int,
) -> Verified | CertificateFault:
    """Say whether a card's holder is who is claimed, and signed this challenge now.

    `on_outage` says what it means that nobody can tell whether the certificate was revoked: CLOSED raises
    IdentityCheckAway; OPEN lets it count as a fault, so that staff can check in another way.
    """
    try:
        trusted = await trust.authorities()
        lists = await trust.revocation_lists()
    except OperationalError as error:
        if on_outage is Posture.CLOSED:
            raise IdentityCheckAway(known=str(error)) from error
        return CertificateFault.REVOCATION_UNKNOWN
    result = verify(presented, signed, claimed, trusted=trusted, revocation_lists=lists, now_us=now_us)
    if result is CertificateFault.REVOCATION_UNKNOWN and on_outage is Posture.CLOSED:
        raise IdentityCheckAway(known=result.value)
    return result


def try_by_certificate(signed: bytes, result: Verified | CertificateFault, today: dt.date) -> Try:
    """Return a try by a card, of today. Raises MethodNotAllowed."""
    letter = require_allowed(Method.JPKI, today, by_certificate=True).letter_on(today)
    key = certificate_key(signed)
    if isinstance(result, Verified):
        evidence = (f"serial {result.serial}", f"issuer {result.issuer}", f"sha256 {result.sha256}")
        return Try(key, Method.JPKI, letter, today, "", passed=True, faults=(), evidence=evidence)
    return Try(key, Method.JPKI, letter, today, "", passed=False, faults=(result.value,), evidence=())


def try_by_staff(key: str, manual: ManualCheck, today: dt.date) -> Try:
    """Return a try that a member of staff made.

    Raises ValueError for a staff id, evidence or day that can't be, and MethodNotAllowed.
    """
    day = manual.checked_on
    if not is_staff_id(manual.staff_id):
        raise ValueError(f"not the id of a member of staff: {manual.staff_id[:40]!r}")
    if day > today:
        raise ValueError(f"checked on {day}, which is still to come")
    fit = all(ref.strip() and len(ref) <= REFERENCE_CHARS_MAX for ref in manual.evidence)
    if not manual.evidence or not fit:
        raise ValueError("a check without evidence is none")
    lawful = require_allowed(manual.method, day, by_certificate=False)
    # A check is made for what is asked for now; an old day must not bring an abolished way back.
    require_allowed(manual.method, today, by_certificate=False)
    return Try(
        key,
        manual.method,
        lawful.letter_on(day),
        day,
        manual.staff_id,
        manual.passed,
        () if manual.passed else ("not_established",),
        manual.evidence,
    )


def certificate_key(signed: bytes) -> str:
    """Return the key under which the answer to a challenge counts once."""
    return f"JPKI:{challenge_digest(signed).hex()}"
