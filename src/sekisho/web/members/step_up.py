"""Where somebody is sent who has to confirm once more."""

from typing import Any
from urllib.parse import quote

from litestar import Response

from sekisho.identity.assurance import Granted, InsufficientAuthentication
from sekisho.web.members.visits import Visit
from sekisho.web.members.wishes import Wish, answer_to


def step_up_path(wish: Wish) -> str:
    """Return the path of the page that asks for the proof."""
    return f"/step-up?wish={quote(wish.text, safe=':')}"


def to_step_up(visit: Visit, wish: Wish) -> Response[Any]:
    """Answer with the way to the page that asks for the proof.

    Programs hear `insufficient_user_authentication` (RFC 9470) instead.
    """
    answer = answer_to(visit, wish)
    if visit.wants_json and not isinstance(answer, Granted):
        raise InsufficientAuthentication(answer, known=wish.text)
    return visit.go(step_up_path(wish))
