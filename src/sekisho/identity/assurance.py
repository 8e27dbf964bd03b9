"""How sure we are of who is there, and what may be done with so much certainty.

The age of a proof is computed at each request from what the server wrote down when it was given; nothing that
a browser sends can make it younger. The words for callers over HTTP are those of RFC 9470.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sekisho.kernel.clock import MINUTE_US, SECOND_US
from sekisho.kernel.refusals import Refusal

if TYPE_CHECKING:
    from sekisho.identity.devices import Device
    from sekisho.identity.sessions import Session

FRESH_US = 5 * MINUTE_US


class Level(StrEnum):
    """How a session was proven, in order of strength."""

    PASSWORD = "password"  # noqa: S105 - a level's name, not a secret
    """ID and password, on a device that we know."""

    CODE = "code"
    """A password and a one-time code."""

    PASSKEY = "passkey"
    """A passkey: nothing that could be told to a stranger."""


LEVEL_ORDER = {level: rank for rank, level in enumerate(Level)}


class Standing(StrEnum):
    """What a device of a member is to us."""

    UNCONFIRMED = "unconfirmed"
    """Somebody passed on it, and nothing but a code says that it was the member."""

    TRUSTED = "trusted"
    """The account was opened on it, a passkey was used on it, or the member approved it."""

    REVOKED = "revoked"
    """The member, or we, threw it out."""


class Need(StrEnum):
    """What a request wants to do."""

    SEE_MASKED = "see_masked"
    """See the member's pages with all personal data masked."""

    REVEAL = "reveal"
    """See a personal item in full."""

    CHANGE = "change"
    """Change what protects the account: password, contact, passkeys, devices, a recovery."""

    PAY_OUT = "pay_out"
    """Send money out of the account."""


class Way(StrEnum):
    """A way to prove oneself again, or to get a device known."""

    PASSKEY = "passkey"
    """Use a passkey, here and now."""

    CODE = "code"
    """Enter a code that was sent for exactly this purpose."""

    APPROVAL = "approval"
    """Approve this device from another one that is trusted."""

    RECOVERY = "recovery"
    """Begin a recovery, which takes days and is told on every channel."""

    ID = "id"
    """Log in with the ID anew, for exactly this purpose."""


_FOR_ONE_PURPOSE = frozenset({Way.CODE, Way.ID})


class Proof(msgspec.Struct, frozen=True):
    """A proof given within a session: how, when, and for which purpose (its key; empty for any purpose)."""

    way: Way
    at_us: int
    purpose: str = ""


class Granted(NamedTuple):
    """Go ahead. `until_us` is when the proof that was found grows too old."""

    until_us: int


class StepUp(NamedTuple):
    """Prove yourself again, in one of these ways, the best first."""

    ways: tuple[Way, ...]


class NotFromHere(NamedTuple):
    """A code does not suffice on this device; these ways exist, the best first."""

    ways: tuple[Way, ...]


Answer = Granted | StepUp | NotFromHere


def demand(session: Session, device: Device | None, need: Need, now_us: int, *, purpose: str = "") -> Answer:
    """Say whether a session on its device may do what it wants, and how to get there where it may not.

    A code, and a new login with the ID, count for nothing but the purpose (its key) that they were asked for,
    and on a trusted device only.
    Without its own device beside it, a session is treated as one on an unconfirmed device.
    """
    standing = _standing(session, device)
    if not session.is_live(now_us) or standing is Standing.REVOKED:
        return NotFromHere(ways=())
    if need is Need.SEE_MASKED:
        return Granted(until_us=now_us)
    ends = [
        proof.at_us + FRESH_US
        for proof in session.proofs
        if is_fresh(proof.at_us, now_us) and _counts(proof, standing, purpose)
    ]
    if ends:
        return Granted(until_us=max(ends))
    if standing is Standing.TRUSTED:
        return StepUp(ways=(Way.PASSKEY, Way.CODE) if purpose else (Way.PASSKEY,))
    return NotFromHere(ways=(Way.PASSKEY, Way.APPROVAL, Way.RECOVERY))


def bound_to(session: Session, purpose: str) -> Session:
    """Return a session with no proofs but those of one purpose (its key).

    A passkey that was used for something else, and be it a minute ago, has approved something else.
    """
    bound = tuple(proof for proof in session.proofs if proof.purpose == purpose)
    return msgspec.structs.replace(session, proofs=bound)


def _standing(session: Session, device: Device | None) -> Standing:
    if device is None or (device.id, device.member_id) != (session.device_id, session.member_id):
        return Standing.UNCONFIRMED
    return device.standing


def _counts(proof: Proof, standing: Standing, purpose: str) -> bool:
    if proof.way is Way.PASSKEY:
        return True
    trusted = standing is Standing.TRUSTED
    return trusted and proof.way in _FOR_ONE_PURPOSE and purpose != "" and proof.purpose == purpose


def is_fresh(proven_at_us: int, now_us: int) -> bool:
    """Say whether a proof is young enough; one from the future, after the clock was set back, is not."""
    return 0 <= now_us - proven_at_us < FRESH_US


class InsufficientAuthentication(Refusal):
    """The session is live, and what it wants needs a fresher or a stronger proof (RFC 9470)."""

    code = "insufficient_user_authentication"
    status = 401
    told = "Please confirm once more that it is you."

    def __init__(self, answer: StepUp | NotFromHere, *, known: str = "") -> None:
        self.answer = answer
        super().__init__(known=known)

    @property
    def max_age_s(self) -> int:
        """How old a proof may be, in seconds: `max_age` in the challenge."""
        return FRESH_US // SECOND_US

    @property
    def acr_values(self) -> str:
        """The ways that would do, as the challenge's `acr_values`, the best first."""
        return " ".join(self.answer.ways)
