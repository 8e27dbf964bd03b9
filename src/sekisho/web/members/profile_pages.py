"""The member's details: masked, and shown one by one after a fresh proof."""

from typing import Any, NamedTuple

from litestar import Response, get

from sekisho.identity.personal_data import Item
from sekisho.identity.reveals import Viewer
from sekisho.web.members import wishes
from sekisho.web.members.change_pages import CHANGEABLE, CONTACTS, read_item
from sekisho.web.members.form_tokens import OWN_SITES
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, Visit, visit_of

REASON = "member:profile"


class Group(NamedTuple):
    """Items that stand together on the page."""

    key: str
    items: tuple[Item, ...]


GROUPS = (
    Group("person", (Item.NAME, Item.NAME_KANA, Item.BIRTH_DATE, Item.MEMBER_NUMBER)),
    Group("reach", (Item.HOME_ADDRESS, Item.HOME_PHONE, Item.MOBILE_PHONE, Item.EMAIL)),
    Group("employer", (Item.EMPLOYER_NAME, Item.EMPLOYER_ADDRESS, Item.EMPLOYER_PHONE)),
    Group(
        "money",
        (Item.PAYOUT_ACCOUNT, Item.TRANSACTION_HISTORY, Item.LOAN_BALANCE, Item.PAYMENT_INFORMATION),
    ),
)


def viewer_of(visit: Visit) -> Viewer:
    """Return the visitor as somebody who looks at personal data."""
    who = visit.who()
    return Viewer(who.session, who.device)


@get("/profile", opt={ROLE: Role.MEMBER})
async def profile_page(request: AnyRequest) -> Response[Any]:
    """Show every item behind its mask."""
    visit = visit_of(request)
    masked = await visit.site.desks.personal_data.masked(viewer_of(visit), reason=REASON)
    done = request.query_params.get("done", "")
    return visit.page(
        "members/profile.html",
        groups=[group for group in GROUPS if group.key in visit.site.item_groups],
        masked=masked,
        changeable=CHANGEABLE,
        done_item=done if done in CHANGEABLE else "",
        told=done in CONTACTS,
    )


@get("/profile/{name:str}", opt={ROLE: Role.APPROVED})
async def item_page(request: AnyRequest) -> Response[Any]:
    """Show one item in full, and record that it was shown."""
    visit, item = visit_of(request), read_item(request.path_params["name"])
    if request.headers.get("sec-fetch-site", "none") not in OWN_SITES:
        return visit.go("/profile")
    wish = wishes.reveal(item)
    if not wishes.is_granted(visit, wish):
        return to_step_up(visit, wish)
    shown = await visit.site.desks.personal_data.reveal(viewer_of(visit), [item], reason=REASON)
    return visit.page("members/item.html", item=item, value=shown.get(item, ""), changeable=CHANGEABLE)


ROUTES = (profile_page, item_page)
