"""How amounts, days and months are written on the lender's pages: as on every page about money."""

from sekisho.web.members.writing import in_month, in_yen, on_day, show

__all__ = ["in_month", "in_yen", "on_day", "show"]
