"""What a member wants to do that needs a fresh proof: its purpose in words, and the page where it goes on.

A wish travels in addresses as text (`reveal:home_address`); what it means is looked up here each time, so
that nobody can be sent elsewhere or be shown other words than those that they approve.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

from sekisho.identity.assurance import Granted, Need, NotFromHere, StepUp, Way, demand
from sekisho.identity.details import change_of
from sekisho.identity.device_desk import approval_of, revocation_of
from sekisho.identity.devices import Device
from sekisho.identity.passkey_desk import ADDING, REMOVING
from sekisho.identity.password_desk import CHANGE
from sekisho.identity.personal_data import KEPT, Item
from sekisho.identity.purposes import Purpose
from sekisho.identity.reveals import reveal_purpose
from sekisho.kernel.refusals import Refusal
from sekisho.web.members.visits import Visit

SECURITY = "/security"
CREDENTIAL = re.compile(r"[A-Za-z0-9_-]{1,1400}")
DeviceDeed = Literal["approve", "revoke"]
DEEDS: dict[str, DeviceDeed] = {"approve": "approve", "revoke": "revoke"}


class UnknownWish(Refusal):
    """The address names nothing that could be approved."""

    code = "unknown_wish"
    status = 404
    told = "There is nothing to approve at this address."


class Wish(NamedTuple):
    """Something to approve: its text in addresses, its purpose, where it goes on, and where back.

    With `exact` a passkey counts only where it was used for this purpose, and not for another a moment ago;
    with `by_passkey` nothing but a passkey does.
    """

    text: str
    purpose: Purpose
    need: Need
    go_on: str
    back: str
    exact: bool = False
    by_passkey: bool = False


def reveal(item: Item) -> Wish:
    """Return the wish to see an item in full."""
    purpose = reveal_purpose(item)
    return Wish(f"reveal:{item}", purpose, Need.REVEAL, f"/profile/{item}", "/profile")


def change(item: Item) -> Wish:
    """Return the wish to change an item."""
    return Wish(f"change:{item}", change_of(item), Need.CHANGE, f"/profile/{item}/change", "/profile")


def of_passkey(credential: str) -> Wish:
    """Return the wish to remove a passkey, named as it is in addresses."""
    go_on = f"/security/passkeys/remove?passkey={credential}"
    return Wish(f"passkey_removed:{credential}", REMOVING, Need.CHANGE, go_on, SECURITY)


def of_device(device: Device, deed: DeviceDeed) -> Wish:
    """Return the wish to approve a device, or to throw one out."""
    purpose = approval_of(device) if deed == "approve" else revocation_of(device)
    go_on = f"/security/devices/{deed}?device={device.id}"
    return Wish(f"{deed}:{device.id}", purpose, Need.CHANGE, go_on, SECURITY)


PASSWORD_CHANGE = Wish("password_change", CHANGE, Need.CHANGE, "/security/password", SECURITY)
PASSKEY_ADDED = Wish("passkey_added", ADDING, Need.CHANGE, "/passkey/new", SECURITY)

_OF_ITEMS: dict[str, tuple[Callable[[Item], Wish], frozenset[Item]]] = {
    "reveal": (reveal, frozenset(Item)),
    "change": (change, KEPT),
}
_OF_ACCOUNT = {wish.text: wish for wish in (PASSWORD_CHANGE, PASSKEY_ADDED)}


async def read_wish(visit: Visit, text: str) -> Wish:
    """Return the wish of the visitor that a text names. Refuses with `unknown_wish`."""
    kind, _, name = text.partition(":")
    wish: Wish | None = _OF_ACCOUNT.get(text)
    if kind in _OF_ITEMS:
        make, items = _OF_ITEMS[kind]
        wish = next((make(item) for item in items if item == name), None)
    elif kind == "passkey_removed" and CREDENTIAL.fullmatch(name):
        wish = of_passkey(name)
    elif kind in DEEDS:
        devices = await visit.site.desks.devices.all_of(visit.who().present)
        wish = next((of_device(one, DEEDS[kind]) for one in devices if one.id == name), None)
    elif kind in visit.site.wishes:
        wish = await visit.site.wishes[kind](visit, name)
    if wish is None:
        raise UnknownWish(known=text[:80])
    return wish


def answer_to(visit: Visit, wish: Wish) -> Granted | StepUp | NotFromHere:
    """Say whether the visitor may do this now, or how to get there."""
    who, key = visit.who(), wish.purpose.key
    session = who.session
    if wish.exact:
        proofs = tuple(
            proof
            for proof in session.proofs
            if proof.purpose == key and (proof.way is Way.PASSKEY or not wish.by_passkey)
        )
        session = msgspec.structs.replace(session, proofs=proofs)
    return demand(session, who.device, wish.need, visit.now_us(), purpose="" if wish.by_passkey else key)


def is_granted(visit: Visit, wish: Wish) -> bool:
    """Say whether the visitor may do this now."""
    return isinstance(answer_to(visit, wish), Granted)
