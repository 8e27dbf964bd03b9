"""`sekisho serve lender` and `sekisho serve id`: one institution's member site alone, behind a proxy."""

import signal
import tomllib
from pathlib import Path
from socket import socket
from typing import NamedTuple

import msgspec

from sekisho.cli.around import Around
from sekisho.cli.guard_options import GuardOptions
from sekisho.cli.institutions import KINDS, Machine, OpenInstitution, open_institution
from sekisho.identity.institution import Institution
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.posture import Posture
from sekisho.kernel.refusals import Refusal
from sekisho.web.proxies import ProxyTrust
from sekisho.web.server import run, serve


class InstitutionUnreadable(Refusal):
    """The file that says who the institution is cannot be used."""

    code = "institution_unreadable"
    status = 500
    told = "The institution's file holds key, host, origin, telephone, names and desk_hours (by ja and en)."


def read_institution(path: Path) -> Institution:
    """Read who an institution is from a TOML file. Raises InstitutionUnreadable and OSError."""
    try:
        read = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Institution)
    except (ValueError, msgspec.ValidationError) as error:
        raise InstitutionUnreadable(known=str(error)) from error
    languages = {"ja", "en"}
    if not (languages <= set(read.names) and languages <= set(read.desk_hours)):
        raise InstitutionUnreadable(known="names or desk_hours lack a language")
    if read.origin.rpartition("://")[2].partition(":")[0] != read.host:
        raise InstitutionUnreadable(known="the origin is not on the host")
    return read


class Operating(NamedTuple):
    """What the operator says: the files of institution and partners, the store's URL, and the rest."""

    file: Path | None
    partners: Path | None
    store_url: str
    on_outage: Posture
    proxies: ProxyTrust
    tls_header: str
    adding: GuardOptions


def serve_institution(what: str, data: Path, listener: socket, operating: Operating) -> None:
    """Serve an institution until SIGINT or SIGTERM; without a file it is the demo's, at `*.localhost`.

    Raises what opening its folder does, and InstitutionUnreadable.
    """
    kind, file = KINDS[what], operating.file
    own = kind.on_port(listener.getsockname()[1]) if file is None else read_institution(file)
    machine = Machine(
        clock=SystemClock(),
        chance=SystemChance(),
        adding=operating.adding,
        on_outage=operating.on_outage,
        proxies=operating.proxies,
        tls_header=operating.tls_header,
        store_url=operating.store_url,
    )
    opened = open_institution(own, kind.make, Around(data, partners=operating.partners), machine)
    try:
        run(lambda: _live(opened, listener))
    finally:
        opened.close()


async def _live(opened: OpenInstitution, listener: socket) -> None:
    # The server hands the signal that ended it on, to us who are ending already.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: None)
    async with opened.living():
        await serve(opened.application, listener)
