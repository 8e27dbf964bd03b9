"""The lender's partners as an operator names them in a file: bureau, incomes, bank, network of machines."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import httpx
import msgspec

from sekisho.cli.bank_ties import BankSettings
from sekisho.cli.lender_ties import Beside, LenderTies, StandingMachine
from sekisho.cli.partner_files import read_partner_file, unreadable
from sekisho.identity.person_checks import Trust
from sekisho.lender.atm_machines import AtmSettings
from sekisho.lender.atm_network import Certificates, HttpsAtmNetwork
from sekisho.lender.credit_bureau import HttpCreditBureau
from sekisho.lender.income_checks import HttpIncomeSource
from sekisho.lender.json_ports import Partner
from sekisho.lender.outside import Outside
from sekisho.web.atm_network.app import AtmNetworkApp
from sekisho.web.lender.desks import LenderDesks
from sekisho.web.mutual_tls import serving_peers
from sekisho.web.server import listening_socket

if TYPE_CHECKING:
    from sekisho.web.asgi import App

SECURE = "https://"


class AskedSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A partner that is asked over HTTPS: its address, and the file that holds our bearer key to it."""

    url: str
    key_file: Path


class MachineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine for cash: its id, and where it stands, in words for members."""

    id: str
    place: str


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network of machines: its name in its certificate, where it answers, and where it finds us.

    `authority`, `certificate` and `key` are files in PEM. Limits and the company number are those of the
    smartphone ATM.
    """

    name: str
    url: str
    authority: Path
    certificate: Path
    key: Path
    listen_host: str = "127.0.0.1"
    listen_port: int = 8472
    machines: tuple[MachineSettings, ...] = ()
    limits: AtmSettings = AtmSettings()


class PartnerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everybody whom a lender works with. Who is not named is not there, and what needs them waits."""

    bureau: AskedSettings | None = None
    incomes: AskedSettings | None = None
    bank: BankSettings | None = None
    network: NetworkSettings | None = None


def read_partners(path: Path) -> PartnerSettings:
    """Read the file. Raises PartnersUnreadable and OSError."""
    read = read_partner_file(path, PartnerSettings)
    for url in (each.url for each in (read.bureau, read.incomes, read.network) if each is not None):
        # What is asked there is personal, and what is told there pays cash.
        if not url.startswith(SECURE):
            raise unreadable(f"not over HTTPS: {url[:100]}")
    return read


def connected(path: Path, trust: Trust) -> LenderTies:
    """Return a lender's ties to the partners of a file.

    Raises PartnersUnreadable, and OSError where a certificate, a folder or a port can't be used.
    """
    named = read_partners(path)
    clients: list[httpx.AsyncClient] = []
    outside = Outside(
        bureau=None if named.bureau is None else HttpCreditBureau(_partner("bureau", named.bureau, clients)),
        incomes=None
        if named.incomes is None
        else HttpIncomeSource(_partner("incomes", named.incomes, clients)),
        trust=trust,
    )
    bank = None if named.bank is None else named.bank.tied()
    if named.network is None:
        return LenderTies(outside, bank, (), lambda _: Beside(living=partial(_closing, clients)))
    return _with_network(LenderTies(outside, bank), named.network, clients)


def _with_network(ties: LenderTies, network: NetworkSettings, clients: list[httpx.AsyncClient]) -> LenderTies:
    files = Certificates(network.authority, network.certificate, network.key)
    client = httpx.AsyncClient(verify=files.for_client())
    clients.append(client)
    listener = listening_socket(network.listen_host, network.listen_port)
    context = files.for_server()

    def beside(desks: LenderDesks) -> Beside:
        door = cast("App", AtmNetworkApp(desks.machines))

        @asynccontextmanager
        async def living() -> AsyncIterator[None]:
            async with _closing(clients), serving_peers(door, listener, context):
                yield

        return Beside(living=living)

    return ties._replace(
        outside=ties.outside._replace(network=HttpsAtmNetwork(client, network.url), atm=network.limits),
        machines=tuple(StandingMachine(each.id, network.name, each.place) for each in network.machines),
        open=beside,
    )


@asynccontextmanager
async def _closing(clients: list[httpx.AsyncClient]) -> AsyncIterator[None]:
    async with AsyncExitStack() as closing:
        for client in clients:
            closing.push_async_callback(client.aclose)
        yield


def _partner(name: str, asked: AskedSettings, clients: list[httpx.AsyncClient]) -> Partner:
    client = httpx.AsyncClient()
    clients.append(client)
    return Partner(name, client, asked.url, asked.key_file.read_text(encoding="utf-8").strip())
