"""The desks in process, and somebody who gets in at them as people do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import msgspec
from tests.guard.small_world import new_guard
from tests.identity.login_house import SaidGuard
from tests.identity.member_at_hand import LENDER, NOON_US
from tests.identity.software_authenticator import Authenticator
from tests.web.member_site import Browser, MemberSite, found, options

from sekisho.cli.desks_house import HUNTING, TRYING
from sekisho.console import staff
from sekisho.console.campaign_desk import CampaignDesk
from sekisho.console.containment_runs import ContainmentRuns
from sekisho.console.hunts import Hunts
from sekisho.console.live_tally import LiveTally
from sekisho.console.policy_desk import PolicyDesk
from sekisho.console.policy_trials import PolicyTrials
from sekisho.console.rights import StaffRole
from sekisho.console.staff import Enrolment
from sekisho.guard.guard import Guard
from sekisho.identity.institution import Parts
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.lender.atm_disputes import DisputeDesk
from sekisho.lender.house import open_house
from sekisho.lender.losses import LenderLosses
from sekisho.lender.reviews import ReviewDesk
from sekisho.response.claims import ClaimDesk
from sekisho.response.containment import ContainmentDesk
from sekisho.response.partner_receipts import ReceiptDesk
from sekisho.response.partner_recoveries import RecoveryDesk
from sekisho.response.past_uses import AttemptHistory
from sekisho.response.staff import Deed
from sekisho.response.switch_desk import SwitchDesk
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.web.console.staff_app import create_desks_app
from sekisho.web.console.staff_desks import InstitutionDesks
from sekisho.web.members.desks import open_desks
from sekisho.web.members.site import Site

Roles = Mapping[str, Iterable[StaffRole]]
OPERATOR = Deed("operator", "in a test")
DESKS = msgspec.structs.replace(LENDER, key="desks", telephone="")


@dataclass
class DesksSite(MemberSite):
    """The desks' pages on a clock that stands still, and the lender whose desks they are."""

    lender: Parts = field(kw_only=True)
    desks: InstitutionDesks = field(kw_only=True)
    chance: SeededChance = field(kw_only=True)
    file: Path = field(kw_only=True)
    entered: int = field(default=0, kw_only=True)

    @property
    def history(self) -> Path:
        """The folder of the lender's sealed record."""
        return self.desks.history

    def add(self, name: str, roles: Roles) -> Enrolment:
        """Let somebody in, as the operator does."""
        parts = self.site.parts
        return parts.store.write(lambda at: staff.add_staff(at, parts, name, roles, OPERATOR)).result()

    async def enrol(self, browser: Browser, code: str) -> Authenticator:
        """Use an enrolment code and make a passkey with it."""
        await browser.get("/enrol")
        await browser.submit("/enrol", code=code)
        assert browser.path == "/passkey/new", browser.page.text
        authenticator = Authenticator(origin=DESKS.origin, rp_id=DESKS.host)
        begun = await options(browser, "/passkey/new/options")
        await browser.get("/passkey/new")
        body = authenticator.make(begun["options"]).decode()
        await browser.submit("/passkey/new", ceremony=begun["ceremony"], credential=body)
        assert browser.path == "/login", browser.page.text
        return authenticator

    async def log_in_by_passkey(self, browser: Browser, authenticator: Authenticator) -> None:
        """Log in with a passkey."""
        await browser.get("/login")
        page = browser.page
        begun = await options(browser, "/login/passkey/options")
        browser.page = page
        body = authenticator.get(begun["options"]).decode()
        await browser.submit("/login/passkey", ceremony=begun["ceremony"], credential=body)

    async def at_work(self, name: str, roles: Roles) -> tuple[Browser, Authenticator]:
        """Return somebody's browser, logged in."""
        browser = self.browser()
        authenticator = await self.enrol(browser, self.add(name, roles).code)
        await self.log_in_by_passkey(browser, authenticator)
        assert browser.path == "/desks", browser.page.text
        return browser, authenticator

    async def approve_deed(
        self, browser: Browser, authenticator: Authenticator, action: str, **typed: str
    ) -> None:
        """Send the page's form for an action, approved by passkey as the page's script has it done."""
        page = browser.page
        digest = found(rf'action="{action}"[^>]*deed=([0-9a-f]{{64}})', page.text)
        begun = await options(browser, f"/deeds/options?deed={digest}")
        browser.page = page
        body = authenticator.get(begun["options"]).decode()
        await browser.submit(action, ceremony=begun["ceremony"], credential=body, **typed)


def at_the_desks(
    folder: Path,
    scene: Callable[[DesksSite], Awaitable[None]],
    lent: Parts | None = None,
    guard: Guard | None = None,
) -> None:
    """Play a scene at desks of its own, over a lender of its own or one where something was lent."""

    async def opened() -> None:
        async with desks_site(folder, lent, guard) as site:
            await scene(site)

    asyncio.run(opened())


@asynccontextmanager
async def desks_site(
    folder: Path,
    lent: Parts | None = None,
    of_lender: Guard | None = None,
    also: Mapping[str, InstitutionDesks] | None = None,
) -> AsyncIterator[DesksSite]:
    """Open the desks for the time of a test; the lender is a new one, or one where something was lent.

    Other institutions are served `also`; their stores stay open.
    """
    clock = SetClock(NOON_US) if lent is None else cast("SetClock", lent.clock)
    chance, guard = SeededChance(13), SaidGuard()
    store = open_store(f"sqlite:///{folder}/desks.db")
    parts = Parts(DESKS, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)
    desks = open_desks(parts, guard)
    site = Site(parts, desks)
    lender = new_lender(folder, clock, chance) if lent is None else lent
    desks_of_lender = lender_desks(lender, folder, of_lender)
    institutions = {"lender": desks_of_lender, **(also or {})}
    try:
        app = create_desks_app(site, institutions)
        yield DesksSite(
            site, app, clock, guard, lender=lender, desks=desks_of_lender, chance=chance, file=folder
        )
    finally:
        for each in institutions.values():
            await each.hunts.close()
            await each.runs.close()
            if each.trials is not None:
                await each.trials.close()
        lender.store.close()
        await desks.logins.close()
        desks.hasher.close()
        store.close()


def new_lender(folder: Path, clock: SetClock, chance: SeededChance) -> Parts:
    """Open a lender without members."""
    store = open_store(f"sqlite:///{folder}/lender.db")
    return Parts(LENDER, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)


def lender_desks(lender: Parts, folder: Path, guard: Guard | None = None) -> InstitutionDesks:
    """Return what the desks can do at a lender; what is hunted lies in the folder.

    Without a guard it is one that has seen nothing, under the policy that comes along.
    """
    house, containments = open_house(lender), ContainmentDesk(lender)
    watch = LiveTally()
    hunts = Hunts(folder / "history", folder / "hunt", HUNTING)
    books = LenderLosses(house)
    return InstitutionDesks(
        parts=lender,
        switches=SwitchDesk(lender),
        functions=("transfer_loan", "atm_withdrawal", "atm_repayment"),
        past_uses=(AttemptHistory(lender, None),),
        hunts=hunts,
        campaigns=CampaignDesk(lender, hunts, watch),
        containments=containments,
        runs=ContainmentRuns(containments),
        history=folder / "history",
        policies=PolicyDesk(guard or new_guard(), folder / "history", hunts, lender.clock),
        watch=watch,
        claims=ClaimDesk(lender, books),
        recoveries=RecoveryDesk(lender, books),
        receipts=ReceiptDesk(lender, books),
        applications=ReviewDesk(house),
        atm_orders=DisputeDesk(house),
        trials=PolicyTrials(lender, folder / "history", folder / "what-if", hunts, TRYING),
    )
