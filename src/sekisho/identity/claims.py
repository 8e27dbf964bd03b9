"""A login form, looked up: who is claimed, on which device, with which password, and what the guard hears."""

from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from sekisho.guard.attempts import Attempt
from sekisho.identity import devices, members, passwords
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Standing
from sekisho.identity.contacts import EmailUnusable, read_email
from sekisho.identity.devices import WRONG_PASSWORDS_MAX, Device
from sekisho.identity.institution import Parts
from sekisho.identity.leaked_lists import Leaks
from sekisho.identity.member_numbers import read as read_number
from sekisho.identity.members import Member
from sekisho.identity.password_rules import is_common
from sekisho.identity.passwords import Kept, Peppered
from sekisho.identity.personal_data import Item, read_for_use
from sekisho.identity.relay import Asked
from sekisho.kernel.posture import Posture
from sekisho.storage.keyring import Unsealable

log = structlog.get_logger(__name__)

NAME_MAX = 320
"""Longer names are nobody's, and are cut before anything is looked up."""


class LoginForm(NamedTuple):
    """What somebody typed: a member number or an e-mail address, and a password."""

    name: str
    password: str


class Claim(NamedTuple):
    """A login form as far as it is known before the password is hashed.

    `device` is the claimed member's own device where the browser is one. `leaked` says that the pair stands
    on a list, `weak` that the password does so alone, or is a common one.
    """

    member: Member | None
    kept: Kept | None
    peppered: Peppered
    device: Device | None
    device_id: str
    leaked: bool
    weak: bool

    @property
    def is_on_trusted_device(self) -> bool:
        """Whether the browser is one that the claimed member is known on."""
        return (
            self.device is not None
            and self.device.standing is Standing.TRUSTED
            and self.device.wrong_passwords < WRONG_PASSWORDS_MAX
        )


def look_up(parts: Parts, form: LoginForm, arrival: Arrival, leaks: Leaks, *, on_outage: Posture) -> Claim:
    """Look a form up. `on_outage` says what a list of leaks means that cannot be read.

    Raises OperationalError.
    """
    name = form.name[:NAME_MAX]
    with parts.store.read() as connection:
        member = members.find_by_name(connection, parts.keyring, name)
        member_id = "" if member is None else member.id
        kept = passwords.find(connection, member_id)
        here = devices.of_browser(connection, arrival.device_token)
        email = _email_of(connection, parts, member) if leaks.asks_for_names else ""
    names = {name, email}
    kept, peppered = _peppered(parts, form.password, kept)
    return Claim(
        member=member,
        kept=kept,
        peppered=peppered,
        device=next((each for each in here if each.member_id == member_id), None),
        device_id=here[0].id if here else devices.claimed_id(arrival.device_token),
        leaked=leaks.has_pair(names, form.password, on_outage=on_outage),
        weak=leaks.has_password(form.password, on_outage=on_outage) or is_common(form.password),
    )


def attempt_of(parts: Parts, form: LoginForm, arrival: Arrival, claim: Claim) -> Attempt:
    """Put the guard's question. Nobody's name goes keyed, so that no typed text stays in the record.

    A device speaks for the member where it is a trusted one, and against whoever brings it where it was
    revoked. One that a code alone has opened says nothing yet.
    """
    now_us = parts.clock.now_us()
    return Attempt(
        time_us=now_us,
        member=claimed_name(parts, form.name) if claim.member is None else claim.member.id,
        known=claim.member is not None,
        ip=arrival.ip,
        asn=arrival.asn,
        country=arrival.country,
        user_agent=arrival.user_agent,
        tls=arrival.tls,
        device="" if _says_nothing(claim.device) else claim.device_id,
        device_valid=_vouches(claim),
        secret=passwords.secret_token(parts.keyring, form.password, now_us),
        leaked=claim.leaked,
    )


def claimed_name(parts: Parts, typed: str) -> str:
    """Return what an unknown name is counted by: the same for each spelling of it."""
    name = typed[:NAME_MAX]
    try:
        written = read_number(name) or read_email(name)
    except EmailUnusable:
        written = " ".join(name.casefold().encode("utf-8", "replace").decode().split())
    return "name:" + parts.keyring.digest(written, context="guard:name")[:16].hex()


def asked_of(
    arrival: Arrival, device_id: str = "", *, session_id: str = "", filled_in_ms: int | None = None
) -> Asked:
    """Return an arrival as the relay test compares it; with a session, it is a member's own asking."""
    return Asked(
        ip=arrival.ip,
        user_agent=arrival.user_agent,
        tls=arrival.tls,
        device_id=device_id,
        session_id=session_id,
        referrer=arrival.referrer,
        asn=arrival.asn,
        country=arrival.country,
        filled_in_ms=filled_in_ms,
    )


def _email_of(connection: Connection, parts: Parts, member: Member | None) -> str:
    if member is None:
        return ""
    try:
        found = read_for_use(connection, parts.keyring, member.id, (Item.EMAIL,))
    except Unsealable as unsealable:
        log.warning("login:email:unsealable", member=member.id, detail=unsealable.detail)
        return ""
    return found.get(Item.EMAIL, "")


def _peppered(parts: Parts, typed: str, kept: Kept | None) -> tuple[Kept | None, Peppered]:
    """Key a typed password. Without its pepper, the member has none: an error would tell who is a member."""
    try:
        return kept, passwords.pepper(parts.keyring, typed, kept)
    except Unsealable as unsealable:
        # Without the exception: rendered by the logger it may show local variables, and so the password.
        log.error("login:pepper:missing", detail=unsealable.detail)  # noqa: TRY400 - see above
        return None, passwords.pepper(parts.keyring, typed, None)


def _says_nothing(device: Device | None) -> bool:
    return device is not None and device.standing is Standing.UNCONFIRMED


def _vouches(claim: Claim) -> bool | None:
    if claim.is_on_trusted_device:
        return True
    revoked = claim.device is not None and claim.device.standing is Standing.REVOKED
    return False if revoked else None
