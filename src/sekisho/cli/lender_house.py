"""The lender as a program runs it: its pages, whom it asks, and what goes on by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, cast

from sekisho.cli.around import Around, Made
from sekisho.cli.bank_ties import BankTie
from sekisho.cli.lender_partners import connected
from sekisho.cli.lender_ties import Beside, LenderTies, StandingMachine
from sekisho.cli.played_lender import played
from sekisho.identity.trust_folder import FolderTrust
from sekisho.ledger.transfers import expire_due
from sekisho.lender.atm_sessions import register_machine
from sekisho.lender.bank_exchange import BankExchange
from sekisho.lender.documents.missing_documents import MissingDocuments
from sekisho.lender.house import LenderParts
from sekisho.lender.outside import Outside
from sekisho.storage.rounds import Round, going_round
from sekisho.web.lender.app import create_lender_app
from sekisho.web.lender.desks import LenderDesks, desks_in
from sekisho.web.members.site import Site

if TYPE_CHECKING:
    from sekisho.web.asgi import App

SCREENING_EVERY_S = 3.0
DOCUMENTS_EVERY_S = 10.0
EXPIRING_EVERY_S = 600.0
ATM_DAYS_EVERY_S = 3600.0
LINE_CHECKS_EVERY_S = 3600.0
INCOMES_EVERY_S = 60.0


def make_lender(site: Site, around: Around, banks: Mapping[str, str] | None = None) -> Made:
    """Make the lender's application with all that lives beside it.

    `banks` are those institutions of this program that are banks, by their codes. Raises what opening the
    ties does: PartnersUnreadable, OSError and OperationalError.
    """
    ties = _ties(site, around, dict(banks or {}))
    application = create_lender_app(site, ties.outside)
    desks = desks_in(application)
    _stand(desks.house, ties.machines)
    beside = ties.open(desks)
    rounds = [*_rounds(desks), *_exchange(desks, ties.bank), *beside.rounds]
    return Made(cast("App", application), _living(desks, rounds, beside), beside.applications)


def _ties(site: Site, around: Around, banks: dict[str, str]) -> LenderTies:
    trust = FolderTrust(around.trust)
    if around.played is not None:
        around.played.trust_cards(around.trust)
        return played(site.parts, trust, around.played, banks)
    if around.partners is not None:
        return connected(around.partners, trust)
    return LenderTies(Outside(trust=trust))


def _stand(house: LenderParts, machines: Sequence[StandingMachine]) -> None:
    for machine in machines:
        registering = partial(
            register_machine,
            house=house,
            machine_id=machine.id,
            network=machine.network,
            place=machine.place,
        )
        house.store.write(registering).result()


def _rounds(desks: LenderDesks) -> list[Round]:
    """Return what goes on without anybody's asking."""
    house = desks.house
    missing = MissingDocuments(house, desks.documents)

    async def expire() -> None:
        await desks.applications.expire_due()
        await house.written(partial(expire_due, clock=house.clock))

    going = [
        Round("documents", DOCUMENTS_EVERY_S, missing.issue),
        Round("expiring", EXPIRING_EVERY_S, expire),
        Round("incomes", INCOMES_EVERY_S, desks.renewals.go_on),
        Round("atm_days", ATM_DAYS_EVERY_S, desks.machines.settlement.reconcile_yesterday),
    ]
    if desks.screening is not None:
        going.append(Round("screening", SCREENING_EVERY_S, desks.screening.screen_waiting))
    if desks.line_checks is not None:
        going.append(Round("line_checks", LINE_CHECKS_EVERY_S, desks.line_checks.check_due))
    return going


def _exchange(desks: LenderDesks, bank: BankTie | None) -> list[Round]:
    if bank is None:
        return []
    exchange = BankExchange(desks.house, bank.party, bank.out, bank.results)
    return [Round("bank_exchange", bank.every_s, exchange.go_round)]


def _living(
    desks: LenderDesks, rounds: Sequence[Round], beside: Beside
) -> Callable[[], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def living() -> AsyncIterator[None]:
        async with AsyncExitStack() as lives:
            lives.push_async_callback(asyncio.to_thread, desks.typesetter.close)
            await lives.enter_async_context(beside.living())
            await lives.enter_async_context(desks.machines.settlement.settling())
            await lives.enter_async_context(going_round(rounds))
            yield

    return living
