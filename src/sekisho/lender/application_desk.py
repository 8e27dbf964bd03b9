"""What members do with an application: begin it, change it, send it off, take it back."""

from sqlalchemy import Connection

from sekisho.identity.personal_data import Item, read_for_use
from sekisho.kernel.ids import MemberId
from sekisho.lender import application_rows as rows
from sekisho.lender.applications import (
    Application,
    ApplicationDetailsMissing,
    ApplicationUnusable,
    LineOpen,
    Said,
    State,
    Who,
    faults_of,
)
from sekisho.lender.contracts import ContractState, contract_of, find_contract
from sekisho.lender.house import LenderParts

_DETAILS = {
    Item.NAME: "name",
    Item.NAME_KANA: "name_kana",
    Item.BIRTH_DATE: "born_on",
    Item.HOME_ADDRESS: "home_address",
}


class ApplicationDesk:
    """Takes applications at any hour, for one lender."""

    def __init__(self, house: LenderParts) -> None:
        self._house = house

    async def current(self, member_id: MemberId) -> Application | None:
        """Return what the member goes on with, or what ended last. Raises OperationalError.

        An application whose contract has ended is over with it, and None is returned.
        """

        def look(connection: Connection) -> Application | None:
            newest = rows.newest_of(connection, self._house.keyring, member_id)
            its = find_contract(connection, newest.contract_id or "") if newest is not None else None
            return None if its is not None and its.state == ContractState.ENDED else newest

        return await self._house.read(look)

    async def begin(self, member_id: MemberId, key: str, said: Said) -> Application:
        """Begin an application; the same request again returns what it began.

        Raises ApplicationUnusable, ApplicationKeyReused, ApplicationUnderWay, LineOpen and OperationalError.
        """
        self._require_usable(said)

        def work(connection: Connection) -> Application:
            contract = contract_of(connection, member_id)
            if contract is not None and contract.state != ContractState.ENDED:
                raise LineOpen(known=contract.id)
            self._expire(connection, member_id)
            return rows.draft(connection, self._house.parts, member_id, key, said)

        return await self._house.written(work)

    async def change(self, member_id: MemberId, application_id: str, said: Said) -> Application:
        """Put other words into a draft.

        Raises ApplicationUnusable, ApplicationNotFound, NotAtThisStep and OperationalError.
        """
        self._require_usable(said)

        def work(connection: Connection) -> Application:
            application = rows.of_member(connection, self._house.keyring, member_id, application_id)
            return rows.change_said(connection, self._house.parts, application, said)

        return await self._house.written(work)

    async def submit(self, member_id: MemberId, application_id: str) -> Application:
        """Send an application off, with who the member is by now; again, it changes nothing.

        Raises ApplicationDetailsMissing, ApplicationNotFound, NotAtThisStep and OperationalError.
        """

        def work(connection: Connection) -> Application:
            application = rows.of_member(connection, self._house.keyring, member_id, application_id)
            if application.submitted_at_us is not None:
                return application
            return rows.move(
                connection,
                self._house.parts,
                application,
                State.SUBMITTED,
                who=self._who(connection, member_id),
                submitted_at_us=self._house.clock.now_us(),
            )

        return await self._house.written(work)

    async def withdraw(self, member_id: MemberId, application_id: str) -> Application:
        """Take an application back. Doing it again changes nothing.

        Raises ApplicationNotFound, NotAtThisStep where it has ended otherwise, and OperationalError.
        """

        def work(connection: Connection) -> Application:
            application = rows.of_member(connection, self._house.keyring, member_id, application_id)
            if application.state is State.WITHDRAWN:
                return application
            return rows.move(connection, self._house.parts, application, State.WITHDRAWN)

        return await self._house.written(work)

    async def expire_due(self) -> int:
        """End what waited too long, and return how many there were. Raises OperationalError."""
        return await self._house.written(lambda at: rows.expire_due(at, self._house.parts))

    def _expire(self, connection: Connection, member_id: MemberId) -> None:
        """End the member's own application where it waited too long: it must not stand in a new one's way."""
        before = rows.newest_of(connection, self._house.keyring, member_id)
        if before is not None and before.is_over(self._house.clock.now_us()):
            rows.move(connection, self._house.parts, before, State.EXPIRED)

    def _require_usable(self, said: Said) -> None:
        faults = faults_of(said, self._house.book.on(self._house.today()))
        if faults:
            raise ApplicationUnusable(faults)

    def _who(self, connection: Connection, member_id: MemberId) -> Who:
        found = read_for_use(connection, self._house.keyring, member_id, _DETAILS)
        missing = [item.value for item in _DETAILS if not found.get(item)]
        if missing:
            raise ApplicationDetailsMissing(known=" ".join(missing))
        return Who(**{field: found[item] for item, field in _DETAILS.items()})
