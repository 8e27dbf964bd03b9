"""The switch of the language."""

from typing import Any

from litestar import Response, get

from sekisho.identity import members
from sekisho.web.members import cookies
from sekisho.web.members.admission import own_path
from sekisho.web.members.form_tokens import OWN_SITES
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of
from sekisho.web.problems import NotFound
from sekisho.web.words import chosen


@get("/language/{to:str}", opt={ROLE: Role.ANYONE})
async def switch_language(request: AnyRequest) -> Response[Any]:
    """Remember a language and go back to the page where it was chosen.

    Where our own page was asked, a member is written to in it from now on.
    """
    visit, language = visit_of(request), chosen(request.path_params["to"])
    if language is None:
        raise NotFound
    visit.set(cookies.language(language))
    if visit.signed_in is not None and request.headers.get("sec-fetch-site", "") in OWN_SITES:
        member_id = visit.signed_in.session.member_id
        await visit.site.parts.written(lambda at: members.set_language(at, member_id, language))
    return visit.go(own_path(request.query_params.get("back", "")))


ROUTES = (switch_language,)
