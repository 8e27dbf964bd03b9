"""What every request passes before its page: the language, the role, the form.

A route is asked for its role here and nowhere else, so that a page cannot forget it.
"""

from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from litestar import Request, Response
from litestar.response import Redirect

from sekisho.kernel.refusals import Refusal
from sekisho.web.members import cookies
from sekisho.web.members.form_tokens import TOKEN_FIELD, require_own_origin, require_token
from sekisho.web.members.forms import read_form
from sekisho.web.members.roles import BY_THEMSELVES, FILE, OF_MEMBERS, role_of
from sekisho.web.members.site import site_of
from sekisho.web.members.visits import Visit
from sekisho.web.problems import Malformed, NotFound

SAFE = {"GET", "HEAD"}
NUL = "\0"
NAME_OCTETS_MAX = 255
NEXT_LENGTH_MAX = 2_000


class NotSignedIn(Refusal):
    """The route is for members, and nobody is logged in, or no longer."""

    code = "not_signed_in"
    status = 401
    told = "Please log in first."


async def admit(request: Request[Any, Any, Any]) -> Response[Any] | None:
    """Let a request through to its route, or answer in its place. Raises what the refusals are."""
    role = role_of(request.route_handler, f"{request.method} {request.url.path}")
    visit = Visit(site_of(request), request)
    request.scope["state"]["visit"] = visit
    path: str = request.scope["path"]
    # No text of ours holds one, and neither a file system nor every store can be asked for it.
    if NUL in path or len(path.rpartition("/")[2].encode()) > NAME_OCTETS_MAX:
        raise NotFound
    if NUL.encode() in unquote_to_bytes(request.scope["query_string"]):
        raise Malformed(known="a zero octet in the address")
    if role in BY_THEMSELVES or request.route_handler.opt.get(FILE):
        return None
    await visit.site.sign_in(visit)
    if role in OF_MEMBERS and visit.signed_in is None:
        return _to_login(visit)
    if request.method not in SAFE:
        visit.form = await read_form(request)
        require_own_origin(request, visit.site.parts.institution.origin)
        require_token(visit.expected_token(request.url.path), visit.form[TOKEN_FIELD])
    return None


def _to_login(visit: Visit) -> Redirect:
    if visit.wants_json:
        raise NotSignedIn
    # A browser that has not renewed its proof in time still can, and goes on with the same session then.
    if cookies.read(visit.request, cookies.SESSION) and not visit.lacks_device_proof:
        visit.set(cookies.gone(cookies.SESSION))
    here = own_path(_page_of(visit))
    return visit.go("/login" if here == "/" else f"/login?next={quote(here, safe='')}")


def _page_of(visit: Visit) -> str:
    """Return the path of the page that was asked for; of a form, that of the page on which it stood."""
    url = str(visit.request.url)
    if visit.request.method not in SAFE:
        url = visit.request.headers.get("referer", "")
        if not url.startswith(f"{visit.site.parts.institution.origin}/"):
            return "/"
    split = urlsplit(url)
    return split.path + (f"?{split.query}" if split.query else "")


def own_path(text: str) -> str:
    """Return a path to go on to after the login; `/` for whatever is not plainly a path of this host."""
    plain = text.isascii() and text.isprintable() and "\\" not in text and len(text) <= NEXT_LENGTH_MAX
    return text if plain and text.startswith("/") and not text.startswith("//") else "/"
