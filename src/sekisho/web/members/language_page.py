"""The switch of the language."""

from typing import Any

from litestar import Response, get

from sekisho.web.members import cookies
from sekisho.web.members.admission import own_path
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of
from sekisho.web.problems import NotFound
from sekisho.web.words import chosen


@get("/language/{to:str}", opt={ROLE: Role.ANYONE}, sync_to_thread=False)
def switch_language(request: AnyRequest) -> Response[Any]:
    """Remember a language and go back to the page where it was chosen."""
    visit, language = visit_of(request), chosen(request.path_params["to"])
    if language is None:
        raise NotFound
    visit.set(cookies.language(language))
    return visit.go(own_path(request.query_params.get("back", "")))


ROUTES = (switch_language,)
