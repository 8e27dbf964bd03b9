"""Handlers for those alone who have just proven who they are."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from litestar import Response

from sekisho.web.lender import loan_wishes
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, visit_of
from sekisho.web.members.wishes import is_granted

Handler = Callable[[AnyRequest], Awaitable[Response[Any]]]


def with_figures(page: str) -> Callable[[Handler], Handler]:
    """Let a handler run where a loan's figures may be shown; everybody else is asked for the proof first.

    `page` names where the proof goes on, as in `loan_wishes.PAGES`.
    """

    def around(handler: Handler) -> Handler:
        @wraps(handler)
        async def asked(request: AnyRequest) -> Response[Any]:
            visit, wish = visit_of(request), loan_wishes.figures(page)
            return await handler(request) if is_granted(visit, wish) else to_step_up(visit, wish)

        return asked

    return around
