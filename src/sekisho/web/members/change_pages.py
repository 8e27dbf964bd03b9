"""Changing one item of the member's details; a contact is proven first, and the old one is told."""

from typing import Any

from litestar import Response, get, post

from sekisho.identity.assurance import InsufficientAuthentication
from sekisho.identity.code_limits import TooMany
from sekisho.identity.codes import Right, Wrong
from sekisho.identity.contact_desk import ContactChangeStopped
from sekisho.identity.contacts import ContactKind, EmailUnusable
from sekisho.identity.details import READERS, CompanyUnusable, TelephoneUnusable
from sekisho.identity.people import AddressUnusable
from sekisho.identity.personal_data import Item
from sekisho.identity.recipients import NumberNotServed
from sekisho.web.members import wishes
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.problems import NotFound

APPROVED = {ROLE: Role.APPROVED}
UNPROCESSABLE = 422
FORBIDDEN = 403
TOO_MANY = 429
CONTACTS = {Item(kind.value): kind for kind in ContactKind}
CHANGEABLE = frozenset(READERS) | frozenset(CONTACTS)
UNUSABLE = (AddressUnusable, CompanyUnusable, EmailUnusable, NumberNotServed, TelephoneUnusable)


def read_item(name: str) -> Item:
    """Return the item of a name. Refuses with `not_found`."""
    found = next((item for item in Item if item == name), None)
    if found is None:
        raise NotFound
    return found


def _changeable(name: str) -> Item:
    item = read_item(name)
    if item not in CHANGEABLE:
        raise NotFound(known=f"{item} is not changed by members")
    return item


@get("/profile/{name:str}/change", opt=APPROVED, sync_to_thread=False)
def change_page(request: AnyRequest) -> Response[Any]:
    """Ask for the new value of an item."""
    visit, item = visit_of(request), _changeable(request.path_params["name"])
    wish = wishes.change(item)
    return _ask(visit, item) if wishes.is_granted(visit, wish) else to_step_up(visit, wish)


@post("/profile/change", opt=APPROVED)
async def change_item(request: AnyRequest) -> Response[Any]:
    """Keep a new value; for a contact, send a code to it first."""
    visit = visit_of(request)
    item, typed, desks = _changeable(visit.form["item"]), visit.form.trimmed("value"), visit.site.desks
    try:
        if item not in CONTACTS:
            await desks.details.change(visit.who().present, item, typed)
            return visit.go(f"/profile?done={item}")
        asked = await desks.contacts.ask(visit.who().present, CONTACTS[item], typed, visit.arrival())
    except InsufficientAuthentication:
        return to_step_up(visit, wishes.change(item))
    except UNUSABLE as refusal:
        return _ask(visit, item, error=refusal.code, status=UNPROCESSABLE)
    except ContactChangeStopped:
        return _ask(visit, item, error="contact_change_stopped", status=FORBIDDEN)
    if isinstance(asked, TooMany):
        return _ask(visit, item, error="code_too_soon", status=TOO_MANY)
    return visit.go(f"/profile/{item}/confirm")


@get("/profile/{name:str}/confirm", opt=APPROVED, sync_to_thread=False)
def confirm_page(request: AnyRequest) -> Response[Any]:
    """Ask for the code that was sent to a new contact."""
    visit, item = visit_of(request), _changeable(request.path_params["name"])
    wish = wishes.change(item)
    return _confirm(visit, item) if wishes.is_granted(visit, wish) else to_step_up(visit, wish)


@post("/profile/confirm", opt=APPROVED)
async def confirm_contact(request: AnyRequest) -> Response[Any]:
    """Take the code that was sent to a new contact."""
    visit = visit_of(request)
    item = _changeable(visit.form["item"])
    if item not in CONTACTS:
        raise NotFound
    try:
        taken = await visit.site.desks.contacts.enter(
            visit.who().present, CONTACTS[item], visit.form["code"], visit.arrival()
        )
    except InsufficientAuthentication:
        return to_step_up(visit, wishes.change(item))
    match taken:
        case Right():
            return visit.go(f"/profile?done={item}")
        case Wrong():
            return _confirm(visit, item, error="code_wrong", status=UNPROCESSABLE)
        case _:
            return _ask(visit, item, error="code_over", status=UNPROCESSABLE)


def _ask(visit: Visit, item: Item, *, error: str = "", status: int = 200) -> Response[Any]:
    return visit.page(
        "members/item_change.html",
        status=status,
        item=item,
        is_contact=item in CONTACTS,
        typed=visit.form["value"],
        error=error,
        here=f"/profile/{item}/change",
    )


def _confirm(visit: Visit, item: Item, *, error: str = "", status: int = 200) -> Response[Any]:
    here = f"/profile/{item}/confirm"
    return visit.page("members/item_confirm.html", status=status, item=item, error=error, here=here)


ROUTES = (change_page, change_item, confirm_page, confirm_contact)
