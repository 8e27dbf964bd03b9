"""Whom the lender's own pages ask, and how a handler finds them."""

from typing import Any, NamedTuple, cast

from litestar import Request

from sekisho.identity.institution import Parts
from sekisho.lender.house import LenderParts, open_house
from sekisho.web.lender.statement_files import StatementPress

STATE = "lender"


class LenderDesks(NamedTuple):
    """The lender's house, and what its pages are answered by."""

    house: LenderParts
    press: StatementPress


def open_desks(parts: Parts) -> LenderDesks:
    """Put the lender's desks together, with its accounts in the books. Raises OperationalError."""
    return LenderDesks(house=open_house(parts), press=StatementPress())


def desks_of(request: Request[Any, Any, Any]) -> LenderDesks:
    """Return the desks of the application that a request came to."""
    return cast("LenderDesks", request.app.state[STATE])
