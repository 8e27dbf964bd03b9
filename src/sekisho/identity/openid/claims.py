"""What a client is told about a member: a subject of its own, how the member logged in, and what was allowed.

A subject is made for a sector, so that two companies cannot find out that they have the same member by
comparing lists (OpenID Connect Core 8.1), and no member number ever leaves.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import NamedTuple

from sekisho.identity.assurance import Level, Standing, Way
from sekisho.identity.devices import Device
from sekisho.identity.openid.jose import Claims
from sekisho.identity.openid.scopes import Scope
from sekisho.identity.personal_data import Item
from sekisho.identity.sessions import Session
from sekisho.kernel.ids import MemberId, SessionId
from sekisho.storage.keyring import Keyring

# RFC 8176. A passkey is a key whose owner the authenticator verified: two factors in one.
METHODS: dict[Level, tuple[str, ...]] = {
    Level.PASSWORD: ("pwd",),
    Level.CODE: ("pwd", "sms", "mfa"),
    Level.PASSKEY: ("pop", "user", "mfa"),
}
ITEMS: dict[Scope, tuple[Item, ...]] = {
    Scope.OPENID: (),
    Scope.PROFILE: (Item.NAME, Item.NAME_KANA),
    Scope.EMAIL: (Item.EMAIL,),
    Scope.PHONE: (Item.MOBILE_PHONE,),
}


class Login(NamedTuple):
    """How and when a member proved to be there."""

    level: Level
    at_us: int


def login_of(session: Session) -> Login:
    """Return the strongest proof of a session and when it was given.

    A code that was entered after a passkey was used is no newer passkey: where that use is no longer on
    record, the session's beginning stands for it, which is never too young.
    """
    if session.level is not Level.PASSKEY:
        return Login(session.level, session.proven_at_us)
    uses = [proof.at_us for proof in session.proofs if proof.way is Way.PASSKEY]
    return Login(Level.PASSKEY, max(uses, default=session.opened_at_us))


def may_be_released(scopes: tuple[Scope, ...], login: Login, device: Device | None) -> bool:
    """Say whether personal data may leave for a client on the strength of this login.

    Data are masked on our own pages until more than a password was shown, and a code from a device that we
    do not know may have been phished. What is hidden there must not be had through a client.
    """
    if not any(ITEMS[scope] for scope in scopes):
        return True
    trusted = device is not None and device.standing is Standing.TRUSTED
    return login.level is Level.PASSKEY or (login.level is Level.CODE and trusted)


def subject(keyring: Keyring, sector: str, member_id: MemberId) -> str:
    """Return what a member is called towards a sector: the same each time, and elsewhere another."""
    return _text(keyring.digest(f"{sector}\n{member_id}", context="openid:sub"))


def session_name(keyring: Keyring, client_id: str, session_id: SessionId) -> str:
    """Return what a session is called towards a client: its `sid`."""
    return _text(keyring.digest(f"{client_id}\n{session_id}", context="openid:sid"))


def personal(scopes: tuple[Scope, ...], items: Mapping[Item, str], language: str) -> Claims:
    """Return the claims about a person that scopes open, out of those items that there are."""
    claims: Claims = {}
    if Scope.PROFILE in scopes:
        claims["locale"] = language
        claims["name"] = items.get(Item.NAME)
        claims["name#ja-Kana-JP"] = items.get(Item.NAME_KANA)
    # Both are verified before an account is opened, and again when they change.
    if Scope.EMAIL in scopes and Item.EMAIL in items:
        claims |= {"email": items[Item.EMAIL], "email_verified": True}
    if Scope.PHONE in scopes and Item.MOBILE_PHONE in items:
        claims |= {"phone_number": items[Item.MOBILE_PHONE], "phone_number_verified": True}
    return {name: value for name, value in claims.items() if value is not None}


def _text(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
