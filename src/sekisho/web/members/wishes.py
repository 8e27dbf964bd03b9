"""What a member wants to do that needs a fresh proof: its purpose in words, and the page where it goes on.

A wish travels in addresses as text (`reveal:home_address`); what it means is looked up here each time, so
that nobody can be sent elsewhere or be shown other words than those that they approve.
"""

from collections.abc import Callable
from typing import NamedTuple

from sekisho.identity.assurance import Granted, Need, NotFromHere, StepUp, demand
from sekisho.identity.personal_data import KEPT, Item
from sekisho.identity.purposes import Purpose
from sekisho.identity.reveals import reveal_purpose
from sekisho.kernel.refusals import Refusal
from sekisho.web.members.visits import Visit


class UnknownWish(Refusal):
    """The address names nothing that could be approved."""

    code = "unknown_wish"
    status = 404
    told = "There is nothing to approve at this address."


class Wish(NamedTuple):
    """Something to approve: its text in addresses, its purpose, where it goes on, and where back."""

    text: str
    purpose: Purpose
    need: Need
    go_on: str
    back: str


def reveal(item: Item) -> Wish:
    """Return the wish to see an item in full."""
    purpose = reveal_purpose(item)
    return Wish(f"reveal:{item}", purpose, Need.REVEAL, f"/profile/{item}", "/profile")


def change(item: Item) -> Wish:
    """Return the wish to change an item."""
    purpose = Purpose(action="contact_change", item=item)
    return Wish(f"change:{item}", purpose, Need.CHANGE, f"/profile/{item}/change", "/profile")


def of_account(action: str, go_on: str, back: str = "/security") -> Wish:
    """Return a wish that concerns the account as a whole."""
    return Wish(action, Purpose(action=action), Need.CHANGE, go_on, back)


PASSWORD_CHANGE = of_account("password_change", "/security/password")
PASSKEY_ADDED = of_account("passkey_added", "/passkey/new")

_OF_ITEMS: dict[str, tuple[Callable[[Item], Wish], frozenset[Item]]] = {
    "reveal": (reveal, frozenset(Item)),
    "change": (change, KEPT),
}
_OF_ACCOUNT = {wish.text: wish for wish in (PASSWORD_CHANGE, PASSKEY_ADDED)}


def read_wish(text: str) -> Wish:
    """Return the wish that a text names. Refuses with `unknown_wish`."""
    if text in _OF_ACCOUNT:
        return _OF_ACCOUNT[text]
    kind, _, name = text.partition(":")
    make, items = _OF_ITEMS.get(kind, (None, frozenset()))
    item = next((item for item in items if item == name), None)
    if make is None or item is None:
        raise UnknownWish(known=text[:80])
    return make(item)


def answer_to(visit: Visit, wish: Wish) -> Granted | StepUp | NotFromHere:
    """Say whether the visitor may do this now, or how to get there."""
    who = visit.who()
    return demand(who.session, who.device, wish.need, visit.now_us(), purpose=wish.purpose.key)


def is_granted(visit: Visit, wish: Wish) -> bool:
    """Say whether the visitor may do this now."""
    return isinstance(answer_to(visit, wish), Granted)
