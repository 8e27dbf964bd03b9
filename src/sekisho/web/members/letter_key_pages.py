"""Setting a new password with the key from a letter, after we shut the account."""

from typing import Any

from litestar import Response, get, post

from sekisho.identity.password_rules import PasswordUnfit
from sekisho.identity.reenrolment import NoSuchKey
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of

OPEN = {ROLE: Role.ANYONE}
UNPROCESSABLE = 422


@get("/letter-key", opt=OPEN, sync_to_thread=False)
def key_page(request: AnyRequest) -> Response[Any]:
    """Ask for member number, key and a new password; or say that it is set."""
    visit = visit_of(request)
    return _page(visit, is_done="done" in request.query_params)


@post("/letter-key", opt=OPEN)
async def take_key(request: AnyRequest) -> Response[Any]:
    """Set the new password; a wrong number and a wrong key are one answer."""
    visit = visit_of(request)
    form = visit.form
    try:
        enrolled = await visit.site.desks.enrolments.enrol(
            form.trimmed("number"), form.trimmed("key"), form["password"], visit.arrival()
        )
    except PasswordUnfit as refusal:
        return _page(visit, error=f"password_{refusal.fault}", status=UNPROCESSABLE)
    if isinstance(enrolled, NoSuchKey):
        return _page(visit, trouble="letter_key_wrong", status=UNPROCESSABLE)
    return visit.go("/letter-key?done")


def _page(
    visit: Visit, *, is_done: bool = False, error: str = "", trouble: str = "", status: int = 200
) -> Response[Any]:
    # The key is not filled in again: it would stand in the page for whoever sits there next.
    return visit.page(
        "members/letter_key.html",
        status=status,
        is_done=is_done,
        filled=visit.form.only("number"),
        password_error=error,
        trouble_words=trouble,
        here="/letter-key",
    )


ROUTES = (key_page, take_key)
