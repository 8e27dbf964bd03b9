"""The desks as a program runs them: who works there, and the institutions that they see."""

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from sekisho.bank.switches import Function as BankFunction
from sekisho.cli.around import Around, Made
from sekisho.cli.containments import containment_desk
from sekisho.cli.guard_options import LISTS
from sekisho.cli.losses import books_of
from sekisho.cli.past_uses import past_uses
from sekisho.console.campaign_desk import CampaignDesk
from sekisho.console.containment_runs import ContainmentRuns
from sekisho.console.hunts import Hunts
from sekisho.console.live_tally import LiveTally
from sekisho.console.policy_desk import PolicyDesk, RunsPolicies
from sekisho.console.policy_trials import PolicyTrials
from sekisho.console.rights import StaffRole
from sekisho.console.staff import FIRST_START, Enrolment, add_staff, all_staff
from sekisho.identity.institution import Institution, Parts
from sekisho.lender.atm_disputes import DisputeDesk
from sekisho.lender.house import open_house as open_lender
from sekisho.lender.reviews import ReviewDesk
from sekisho.lender.switches import Function as LenderFunction
from sekisho.response.claims import ClaimDesk
from sekisho.response.partner_receipts import ReceiptDesk
from sekisho.response.partner_recoveries import RecoveryDesk
from sekisho.response.switch_desk import SwitchDesk
from sekisho.storage.unit_of_work import Connection
from sekisho.wallet.house import open_house as open_wallet
from sekisho.wallet.link_reviews import LinkReviewDesk
from sekisho.wallet.link_sights import LinkSightDesk
from sekisho.wallet.link_stops import LinkStopDesk
from sekisho.wallet.lost_moves import LostMoveDesk
from sekisho.wallet.switches import Function as WalletFunction
from sekisho.web.console.staff_app import create_desks_app
from sekisho.web.console.staff_desks import InstitutionDesks, LinkDesks
from sekisho.web.members.site import Site

if TYPE_CHECKING:
    from sekisho.web.asgi import App

FOLDER = "desks"
HUNT = "hunt"
HUNTING = (sys.executable, "-c", "from sekisho.cli.main import main; main()", "hunt")
"""What hunts: this program, in a process of its own."""

WHAT_IF = "what-if"
TRYING = (*HUNTING[:-1], WHAT_IF)
"""What plays the last days again, likewise."""

FIRST, SECOND = "First person", "Second person"
FIRST_ROLES = (StaffRole.ANALYST, StaffRole.RESPONDER, StaffRole.DESK)
SECOND_ROLES = (StaffRole.APPROVER, StaffRole.AUDITOR)
_FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "lender": tuple(LenderFunction),
    "wallet": tuple(WalletFunction),
    "bank": tuple(BankFunction),
}


class Served(NamedTuple):
    """An institution that the desks see: its parts, the folder of its sealed history, and its guard.

    `watch` counts what that guard decides; `list_files` are its address lists, as the operator named them.
    """

    parts: Parts
    history: Path
    guard: RunsPolicies
    watch: LiveTally
    list_files: tuple[str, ...] = ()


def desks_on(host: str, port: int) -> Institution:
    """Return the desks as an institution: staff are its members, and it has no telephone of its own."""
    return Institution(
        key=FOLDER,
        names={"ja": "関所 業務画面", "en": "Sekisho desks"},
        host=host,
        origin=f"http://{host}:{port}",
        telephone="",
        desk_hours={"ja": "", "en": ""},
    )


def make_desks(site: Site, around: Around, served: Iterable[Served]) -> Made:
    """Make the application of the desks. Raises LookupError where a route names no role, or no right."""
    del around
    institutions = {one.parts.institution.key: institution_desks(one) for one in served}
    application = cast("App", create_desks_app(site, institutions))
    return Made(application, _living(institutions.values()), signals=None)


def first_people(parts: Parts, institutions: Iterable[str]) -> dict[str, Enrolment]:
    """Let two people in where nobody is at the desks yet, for one alone can approve nothing; by name.

    Return nothing where somebody is. Raises OperationalError.
    """
    keys = list(institutions)
    with parts.store.read() as connection:
        if all_staff(connection):
            return {}

    def letting_in(name: str, roles: Iterable[StaffRole]) -> Callable[[Connection], Enrolment]:
        given = {key: tuple(roles) for key in keys}
        return lambda at: add_staff(at, parts, name, given, FIRST_START)

    people = {FIRST: FIRST_ROLES, SECOND: SECOND_ROLES}
    return {name: parts.store.write(letting_in(name, roles)).result() for name, roles in people.items()}


def institution_desks(served: Served) -> InstitutionDesks:
    """Return what the desks see and do at an institution."""
    parts, key = served.parts, served.parts.institution.key
    lender = open_lender(parts) if key == "lender" else None
    hunts = Hunts(served.history, served.history.parent / HUNT, HUNTING)
    trying = (*TRYING, *(word for one in served.list_files for word in (LISTS, one)))
    containments, books = containment_desk(parts), books_of(parts)
    return InstitutionDesks(
        parts=parts,
        switches=SwitchDesk(parts),
        functions=_FUNCTIONS.get(key, ()),
        past_uses=past_uses(parts, served.history),
        hunts=hunts,
        campaigns=CampaignDesk(parts, hunts, served.watch),
        containments=containments,
        runs=ContainmentRuns(containments),
        history=served.history,
        policies=PolicyDesk(served.guard, served.history, hunts, parts.clock),
        watch=served.watch,
        claims=None if books is None else ClaimDesk(parts, books),
        recoveries=None if books is None else RecoveryDesk(parts, books),
        receipts=None if books is None else ReceiptDesk(parts, books),
        applications=None if lender is None else ReviewDesk(lender),
        atm_orders=None if lender is None else DisputeDesk(lender),
        links=_links(parts) if key == "wallet" else None,
        trials=PolicyTrials(parts, served.history, served.history.parent / WHAT_IF, hunts, trying),
    )


def _links(parts: Parts) -> LinkDesks:
    wallet = open_wallet(parts)
    return LinkDesks(
        LinkSightDesk(wallet), LinkReviewDesk(wallet), LinkStopDesk(wallet), LostMoveDesk(wallet)
    )


def _living(
    institutions: Iterable[InstitutionDesks],
) -> Callable[[], AbstractAsyncContextManager[None]]:
    kept = list(institutions)

    @asynccontextmanager
    async def living() -> AsyncIterator[None]:
        try:
            yield
        finally:
            for one in kept:
                await one.hunts.close()
                await one.runs.close()
                if one.trials is not None:
                    await one.trials.close()

    return living
