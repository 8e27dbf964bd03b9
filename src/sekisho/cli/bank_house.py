"""The bank as a program runs it: its pages, files that come through the clearing, and a counter to try it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from sekisho.bank import file_partners, signals
from sekisho.bank.debits import DebitDesk
from sekisho.bank.file_desk import FileDesk
from sekisho.bank.file_exchange import BankFileExchange
from sekisho.bank.house import BankParts
from sekisho.bank.switch_book import BankSwitches
from sekisho.cli.around import Around, Made, Signals
from sekisho.cli.link_settings import link_settings_in
from sekisho.cli.partner_files import read_partner_file
from sekisho.cli.played_lender import PARTY
from sekisho.cli.played_outside import PlayedOutside
from sekisho.linking.exchange import FolderTray, InTray
from sekisho.linking.zengin import Party
from sekisho.range.clearing import NAME
from sekisho.range.counter.opening import Counter
from sekisho.range.counter.window import WindowSite
from sekisho.storage.rounds import Round, going_round
from sekisho.storage.unit_of_work import Connection
from sekisho.web.bank.app import create_bank_app
from sekisho.web.bank.desks import STATE, LinkDesks
from sekisho.web.members.site import Site

if TYPE_CHECKING:
    from sekisho.web.asgi import App

COUNTER_HOST = "counter.localhost"
BRANCH = "001"
FILES_EVERY_S = 2.0
SWEEPING_EVERY_S = 60.0


class BankFileSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The folders in which files come and results go out, through the clearing or straight from senders."""

    files_from: Path
    results_to: Path
    through_clearing: bool
    every_s: float = 60.0


def make_bank(site: Site, around: Around) -> Made:
    """Make the bank's application with all that lives beside it.

    Raises LinkSettingsUnreadable, PartnersUnreadable, OSError and OperationalError.
    """
    application = create_bank_app(site, link_settings_in(around.folder))
    links = cast("LinkDesks", application.state[STATE])
    bank, pages = links.bank, cast("App", application)
    heard = Signals(signals.handlers(bank), learners=signals.LEARNERS)
    sweeping = Round("bank_links", SWEEPING_EVERY_S, links.sweep)
    if around.played is None:
        files = [] if around.partners is None else [_named_files(bank, around.partners)]
        return Made(pages, partial(going_round, [sweeping, *files]), signals=heard)
    _know(bank, (PARTY,))
    counter = Counter(bank, site.desks.hasher, BRANCH)
    window = WindowSite(counter, bank_code=bank.profile.code, collector=PARTY.code)
    rounds = [sweeping, _files(bank, around.played)]
    return Made(pages, partial(going_round, rounds), {COUNTER_HOST: cast("App", window)}, heard)


def _know(bank: BankParts, senders: Sequence[Party]) -> None:
    """Register who sends files, where they are new."""

    def work(connection: Connection) -> None:
        for sender in senders:
            if file_partners.find(connection, sender.code) is None:
                file_partners.register(connection, bank, sender.code, sender.kana)

    bank.store.write(work).result()


def _files(bank: BankParts, outside: PlayedOutside) -> Round:
    key, folder = bank.institution.key, outside.exchange
    exchange = _exchange(bank, folder / NAME / key, folder / key / NAME, through_clearing=True)
    return Round("bank_files", FILES_EVERY_S, exchange.go_round)


def _named_files(bank: BankParts, path: Path) -> Round:
    named = read_partner_file(path, BankFileSettings)
    way = named.through_clearing
    exchange = _exchange(bank, named.files_from, named.results_to, through_clearing=way)
    return Round("bank_files", named.every_s, exchange.go_round)


def _exchange(bank: BankParts, files: Path, results: Path, *, through_clearing: bool) -> BankFileExchange:
    switches = BankSwitches(bank.parts)
    desk = FileDesk(bank, DebitDesk(bank, switches), switches, through_clearing=through_clearing)
    return BankFileExchange(desk, InTray(files), FolderTray(results))
