"""The institutions of the demo: lender, ID, wallet and bank, each with its own database, keys and guard."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

from sekisho.bank.branches import MISAKI
from sekisho.cli.acquaintances import acquaint
from sekisho.cli.around import Around, Made
from sekisho.cli.bank_house import make_bank
from sekisho.cli.checkpoint import Checkpoint, open_checkpoint
from sekisho.cli.containments import containment_desk
from sekisho.cli.desks_house import FOLDER as DESKS
from sekisho.cli.desks_house import Served, desks_on, first_people, make_desks
from sekisho.cli.embedded import CONSOLE_HOST
from sekisho.cli.guard_options import GuardOptions
from sekisho.cli.keys import FILE_NAME
from sekisho.cli.lender_house import make_lender
from sekisho.cli.played_outside import PlayedOutside
from sekisho.cli.wallet_house import AT_BANK, AT_ID, make_wallet
from sekisho.console.live_tally import LiveTally
from sekisho.identity.institution import Institution, Parts
from sekisho.identity.leaked_lists import leaks_in
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.posture import Posture
from sekisho.ledger.journal import make_checkpoint
from sekisho.messages.channels import Carriers
from sekisho.messages.courier import Courier, CourierParts
from sekisho.messages.settings import MessageSettings
from sekisho.response.switch_desk import SwitchDesk
from sekisho.sharing.exchange import Exchange, open_exchange
from sekisho.sharing.introducing import Introduction, introduce_when_served
from sekisho.sharing.signalled_guard import SignalledGuard
from sekisho.storage.engine import open_store
from sekisho.storage.history.worker import moving_to_history
from sekisho.storage.keyring_files import open_keyring
from sekisho.storage.kms import key_wrapper
from sekisho.storage.rounds import Round, going_round
from sekisho.web.asgi import App
from sekisho.web.console.app import hear
from sekisho.web.guard_api.api_keys import ApiKeys
from sekisho.web.guard_api.desk import Listener
from sekisho.web.guard_client.local_guard import LocalGuard
from sekisho.web.id import desks as openid
from sekisho.web.id.app import create_id_app
from sekisho.web.members.desks import Desks, open_desks
from sekisho.web.members.site import Site
from sekisho.web.post.app import create_post_app
from sekisho.web.proxies import ProxyTrust
from sekisho.web.signals.app import Beside, create_signals_app

POST_HOST = "post.localhost"
OUTSIDE = "outside"
LEDGER_CHECKPOINTS_EVERY_S = 86_400.0
SWITCHES_EVERY_S = 60.0
CONTAINMENTS_EVERY_S = 600.0
"""What a dead process left unfinished is found at the start, and what died elsewhere within this time."""

HEARING = (("id", "wallet", AT_ID), ("bank", "wallet", AT_BANK), ("id", "lender", ""))
"""Whose exchanges of signals are introduced to each other, and what the second is called at the first."""

LEAKS_FOLDER = "SEKISHO_LEAKS_FOLDER"


def make_id(site: Site, around: Around) -> Made:
    """Make the ID's application, and let it tell services of logouts."""
    del around
    desks = openid.open_desks(site.parts, OpenIdSettings())
    return Made(cast("App", create_id_app(site, desks)), desks.courier.delivering)


class Kind(NamedTuple):
    """What an institution of the demo is called, and what makes its pages."""

    key: str
    japanese: str
    english: str
    telephone: str
    make: Callable[[Site, Around], Made]

    def on_port(self, port: int) -> Institution:
        """Return the institution as browsers reach it on this machine."""
        host = f"{self.key}.localhost"
        return Institution(
            key=self.key,
            names={"ja": self.japanese, "en": self.english},
            host=host,
            origin=f"http://{host}:{port}",
            telephone=self.telephone,
            desk_hours={"ja": "平日9:00〜18:00", "en": "weekdays 9:00 to 18:00"},
        )


PLAYED_BANKS = {MISAKI.code: "bank"}
LENDER = Kind(
    "lender", "あさぎりローン", "Asagiri Loan", "0120-000-111", partial(make_lender, banks=PLAYED_BANKS)
)
ID = Kind("id", "かささぎID", "Kasasagi ID", "0120-000-222", make_id)


WALLET = Kind(
    "wallet", "かもめウォレット", "Kamome Wallet", "0120-000-333", partial(make_wallet, banks=PLAYED_BANKS)
)
BANK = Kind("bank", "みさき銀行", "Misaki Bank", "0120-000-444", make_bank)


KINDS = {kind.key: kind for kind in (LENDER, ID, WALLET, BANK)}


class Machine(NamedTuple):
    """What an institution stands on in this process, and what an operator says of it.

    `on_outage` is what an attempt is worth that cannot be recorded. Without `store_url` the record is in the
    institution's folder. `tls_header` names the header in which a trusted proxy puts a TLS fingerprint.
    """

    clock: Clock
    chance: Chance
    adding: GuardOptions
    on_outage: Posture
    proxies: ProxyTrust
    tls_header: str = ""
    store_url: str = ""


class OpenInstitution(NamedTuple):
    """An institution whose folder is open: serve its application within `living`, then call `close`."""

    parts: Parts
    checkpoint: Checkpoint
    carriers: Carriers
    courier: Courier
    desks: Desks
    made: Made
    application: App
    exchange: Exchange | None
    close: Callable[[], None]

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Keep the guard's memory, and carry messages, for as long as the block runs."""
        async with AsyncExitStack() as lives:
            lives.push_async_callback(self.carriers.close)
            for part in (
                self.checkpoint.living,
                self.courier.delivering,
                self.desks.living,
                self.made.living,
            ):
                await lives.enter_async_context(part())
            if self.exchange is not None:
                await lives.enter_async_context(self.exchange.living())
            await lives.enter_async_context(going_round(self._rounds()))
            yield

    def _rounds(self) -> list[Round]:
        """Return what goes on by itself with switches, containments and the books."""

        async def seal_books() -> None:
            await self.parts.written(partial(make_checkpoint, clock=self.parts.clock))

        return [
            Round("ledger_checkpoint", LEDGER_CHECKPOINTS_EVERY_S, seal_books),
            Round("switches", SWITCHES_EVERY_S, SwitchDesk(self.parts).announce_ends),
            Round("containments", CONTAINMENTS_EVERY_S, containment_desk(self.parts).run_unfinished),
        ]


def open_institution(
    institution: Institution, make: Callable[[Site, Around], Made], around: Around, machine: Machine
) -> OpenInstitution:
    """Open an institution's folder, and make it where it is new.

    Raises StoreInUse where another process has the folder, and what else the store and `make` raise.
    """
    clock, chance, folder = machine.clock, machine.chance, around.folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as closing:
        store = open_store(machine.store_url or f"sqlite:///{folder / 'sekisho.db'}")
        closing.callback(store.close)
        checkpoint = open_checkpoint(
            store, folder, machine.on_outage, clock=clock, chance=chance, adding=machine.adding
        )
        closing.enter_context(moving_to_history(store, folder / "history", clock=clock))
        wrapper = key_wrapper(folder, os.environ, chance)
        keyring = open_keyring(folder, wrapper, clock=clock, chance=chance)
        parts = Parts(institution, store, keyring, clock, chance)
        courier_parts = CourierParts(store, keyring, clock, chance)
        settings = MessageSettings.from_environment(os.environ)
        carriers = Carriers(courier_parts, parts.institution.names, settings)
        courier = Courier(courier_parts, carriers.by_channel)
        leaks = leaks_in(Path(os.environ.get(LEAKS_FOLDER) or folder / "leaks"))
        guard = LocalGuard(checkpoint.desk, on_outage=machine.on_outage)
        # What partners know is beside what the guard knows itself: without it the guard goes on.
        desks = open_desks(parts, SignalledGuard(guard, parts, on_outage=Posture.OPEN), leaks=leaks)
        site = Site(
            parts,
            desks,
            proxies=machine.proxies,
            tls_header=machine.tls_header,
            geography=machine.adding.geography,
            staff_keys=ApiKeys(clock=clock, path=folder / FILE_NAME),
        )
        made = make(site, around)
        application, exchange = _signalling(parts, made)
        close = closing.pop_all().close
        return OpenInstitution(
            parts, checkpoint, carriers, courier, desks, made, application, exchange, close
        )


def _signalling(parts: Parts, made: Made) -> tuple[App, Exchange | None]:
    """Open an institution's exchange of signals, and put its paths beside the pages."""
    if made.signals is None:
        return made.application, None
    does = made.signals
    exchange = open_exchange(parts, handlers=does.handlers, leads_to=does.leads_to, learners=does.learners)
    return Beside(made.application, cast("App", create_signals_app(exchange))), exchange


class Institutions:
    """The demo's institutions, each in a folder of its own, their outside, and the page with their post.

    `listener` hears what their guards decide. `first_people` are those who were let in at the desks just now,
    by name: empty but at the first start.
    """

    def __init__(self, data: Path, port: int, machine: Machine, listener: Listener) -> None:
        with ExitStack() as closing:
            self.open: list[OpenInstitution] = []
            served: list[Served] = []
            self._outside = PlayedOutside(data / OUTSIDE, port, machine.clock)
            for kind in KINDS.values():
                around = Around(data / kind.key, played=self._outside)
                opened = open_institution(kind.on_port(port), kind.make, around, machine)
                closing.callback(opened.close)
                watch = LiveTally()
                opened.checkpoint.desk.listeners += [listener, hear(watch)]
                self.open.append(opened)
                guard, history = opened.checkpoint.memory.guard, around.folder / "history"
                served.append(Served(opened.parts, history, guard, watch, machine.adding.list_files))
            acquaint({one.parts.institution.key: one.parts for one in self.open})
            desks = open_institution(
                desks_on(CONSOLE_HOST, port),
                partial(make_desks, served=served),
                Around(data / DESKS, played=self._outside),
                machine,
            )
            closing.callback(desks.close)
            self.open.append(desks)
            self.first_people = first_people(desks.parts, [one.parts.institution.key for one in served])
            self.close = closing.pop_all().close

    def applications(self) -> dict[str, App]:
        """Return what answers, by host name."""
        pages = {one.parts.institution.host: one.application for one in self.open}
        for one in self.open:
            pages |= one.made.beside
        post = create_post_app([one.parts for one in self.open if one.parts.institution.key != DESKS])
        return {**pages, **self._outside.applications(), POST_HOST: post}

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Let all of them live for as long as the block runs."""
        async with AsyncExitStack() as lives:
            for one in self.open:
                await lives.enter_async_context(one.living())
            await lives.enter_async_context(self._outside.living())
            introducing = asyncio.create_task(introduce_when_served(self._introductions()))
            try:
                yield
            finally:
                introducing.cancel()
                await asyncio.wait({introducing})

    def _introductions(self) -> list[Introduction]:
        """Return who hears whom: the ID and whoever logs members in with it, the wallet and the bank."""
        opened = {one.parts.institution.key: one.exchange for one in self.open}
        return [
            Introduction(one, other, other_at_one=client)
            for first, second, client in HEARING
            if (one := opened.get(first)) is not None and (other := opened.get(second)) is not None
        ]
