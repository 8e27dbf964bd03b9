"""Questions to the credit bureau on record: written before they are asked, answered once."""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select, update

from sekisho.kernel.clock import HOUR_US, MINUTE_US
from sekisho.kernel.ids import BUREAU_QUERY, ApplicationId
from sekisho.lender.credit_bureau import BureauAnswer
from sekisho.lender.house import LenderParts
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.applications import bureau_query

PAUSE_US_MIN = MINUTE_US
PAUSE_US_MAX = HOUR_US
_DOUBLINGS_MAX = 10


class Query(NamedTuple):
    """A question: when it was asked last and how often, what went wrong then (empty: nothing is known)."""

    id: str
    application_id: str
    asked_at_us: int
    tries: int
    trouble: str
    answered_at_us: int | None

    @property
    def not_before_us(self) -> int:
        """When it may be asked again: after a minute, and twice as long after each try, an hour at most."""
        return self.asked_at_us + min(PAUSE_US_MIN << min(self.tries - 1, _DOUBLINGS_MAX), PAUSE_US_MAX)


def open_query(connection: Connection, house: LenderParts, application_id: ApplicationId) -> Query:
    """Return the question to ask now: the one whose answer did not come, or a new one."""
    now_us = house.clock.now_us()
    before = last_query(connection, application_id)
    if before is None or before.answered_at_us is not None:
        query = Query(BUREAU_QUERY.new(house.clock, house.chance), application_id, now_us, 1, "", None)
        connection.execute(insert(bureau_query), query._asdict())
        return query
    again = before._replace(asked_at_us=now_us, tries=before.tries + 1)
    _change(connection, again.id, asked_at_us=again.asked_at_us, tries=again.tries)
    return again


def last_query(connection: Connection, application_id: str) -> Query | None:
    """Return an application's newest question."""
    columns = [bureau_query.c[name] for name in Query._fields]
    own = (
        select(*columns)
        .where(bureau_query.c.application_id == application_id)
        .order_by(bureau_query.c.id.desc())
        .limit(1)
    )
    row = connection.execute(own).one_or_none()
    return None if row is None else Query(*row)


def note_trouble(connection: Connection, query: Query, trouble: str) -> None:
    """Write down why there is no answer yet."""
    _change(connection, query.id, trouble=trouble)


def keep_answer(
    connection: Connection, house: LenderParts, query: Query, answer: BureauAnswer, *, trouble: str = ""
) -> None:
    """Keep an answer sealed. With a trouble it can't be used, and the next question is a new one."""
    sealed = house.keyring.seal(msgspec.json.encode(answer), context=_context(query.id))
    now_us = house.clock.now_us()
    _change(connection, query.id, answer=sealed, answered_at_us=now_us, trouble=trouble)


def answer_of(connection: Connection, house: LenderParts, query_id: str) -> BureauAnswer | None:
    """Return what was answered to a question, None where nothing was. Raises Unsealable."""
    own = select(bureau_query.c.answer).where(bureau_query.c.id == query_id)
    sealed = connection.execute(own).scalar_one_or_none()
    if sealed is None:
        return None
    plain = house.keyring.open(sealed, context=_context(query_id))
    return msgspec.json.decode(plain, type=BureauAnswer)


def _change(connection: Connection, query_id: str, **values: bytes | int | str) -> None:
    connection.execute(update(bureau_query).where(bureau_query.c.id == query_id).values(**values))


def _context(query_id: str) -> str:
    return context_of(bureau_query.c.answer, id=query_id)
