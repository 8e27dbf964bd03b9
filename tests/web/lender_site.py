"""A member with a credit line on the lender's pages, and what was borrowed and repaid under it."""

import asyncio
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, select
from tests.web.member_site import member_site

from sekisho.kernel.yen import Yen
from sekisho.lender.contracts import Agreement, contract_of, sign
from sekisho.lender.due_days import DueDay
from sekisho.lender.house import LenderParts
from sekisho.lender.loan_events import Movement
from sekisho.lender.rates import Rate
from sekisho.storage.tables.members import member
from sekisho.web.lender.app import create_lender_app
from sekisho.web.lender.desks import STATE


class OpenLine(NamedTuple):
    """A line of 500,000 yen at 17.8 %, due on the 5th, without interest-free days."""

    house: LenderParts
    member_id: str
    contract_id: str

    def borrow(self, key: str, yen: int, day: date | None = None):
        """Borrow by transfer, past the gate."""
        movement = self._movement(key, yen, day, self.house.accounts.transfer_clearing)
        return self._write(lambda at: self.house.loans.borrow(at, self.contract_id, movement))

    def repay(self, key: str, yen: int, day: date | None = None):
        """Repay by debit."""
        movement = self._movement(key, yen, day, self.house.accounts.bank, "web_debit")
        return self._write(lambda at: self.house.loans.repay(at, self.contract_id, movement))

    def _movement(self, key, yen, day, other, way="transfer"):
        return Movement(key, Yen(yen), day or self.house.today(), way, other)

    def _write(self, work):
        return self.house.store.write(work).result()


def line_of(house: LenderParts, number: str, *, limit_yen: int = 500_000) -> OpenLine:
    """Sign a contract for the member of a number."""
    book, today = house.book, house.today()

    def work(connection: Connection) -> OpenLine:
        member_id = connection.execute(select(member.c.id).where(member.c.number == number)).scalar_one()
        agreement = Agreement(
            member_id=member_id,
            terms=book.on(today),
            limit=Yen(limit_yen),
            rate=Rate.parse("17.8"),
            due_day=DueDay.FIFTH,
            interest_free=False,
        )
        contract = sign(connection, agreement, book, today=today, clock=house.clock, chance=house.chance)
        return OpenLine(house, member_id, contract.id)

    return house.store.write(work).result()


def open_line(house: LenderParts, number: str) -> OpenLine:
    """Return the line that the member of a number has signed."""
    its = select(member.c.id).where(member.c.number == number)
    with house.store.read() as connection:
        member_id = connection.execute(its).scalar_one()
        contract = contract_of(connection, member_id)
    assert contract is not None
    return OpenLine(house, member_id, contract.id)


def play(folder, scene, outside=None):
    """Play a scene on the lender's own pages; `outside` is whom the lender asks, nobody if not given."""

    async def opened():
        async with member_site(folder) as site:
            site.app = create_lender_app(site.site, outside)
            await scene(site)

    asyncio.run(opened())


def house_of(site):
    """Return the lender's house behind its pages."""
    return site.app.state[STATE].house
