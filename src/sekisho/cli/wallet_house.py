"""The wallet as a program runs it: its pages, the ID that members log in with, and the banks it links to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, cast

from sekisho.bank.branches import MISAKI
from sekisho.cli.around import Around, Made, Signals
from sekisho.cli.bank_ties import BankTie
from sekisho.cli.played_outside import PlayedOutside
from sekisho.cli.played_shop import SHOP_HOST, PlayedShop, play_shop
from sekisho.cli.wallet_partners import WalletTies, wallet_ties
from sekisho.identity.trust_folder import FolderTrust
from sekisho.kernel.refusals import Refusal
from sekisho.linking.link_partners import LinkPartner, PartnerBook, Strength
from sekisho.storage.rounds import Round, going_round
from sekisho.wallet import signals
from sekisho.wallet.link_signals import LINK_HANDLERS, LINK_LEADS_TO
from sekisho.wallet.outside import Outside, client_at
from sekisho.wallet.settlements import Settlements
from sekisho.web.members.site import Site
from sekisho.web.wallet.app import create_wallet_app
from sekisho.web.wallet.desks import WalletDesks, desks_in

if TYPE_CHECKING:
    from sekisho.web.asgi import App

AT_ID = "kamome-wallet"
"""What the wallet is called at the ID."""

AT_BANK = "kamome-wallet"
"""What the wallet is called at the bank."""


class IdMissing(Refusal):
    """A wallet was to be opened without an ID: nobody could log in."""

    code = "wallet_without_id"
    status = 500
    told = "A wallet needs the ID that its members log in with: --partners FILE names it."


def make_wallet(site: Site, around: Around, banks: Mapping[str, str] | None = None) -> Made:
    """Make the wallet's application, and play a shop beside it where the outside is played.

    `banks` are those institutions of this program that are banks, by their codes. Raises IdMissing,
    PartnersUnreadable, OSError and OperationalError.
    """
    trust = FolderTrust(around.trust)
    origin = site.parts.institution.origin
    if around.played is not None:
        around.played.trust_cards(around.trust)
        ties = WalletTies(_played(around.played, trust, origin))
    elif around.partners is not None:
        ties = wallet_ties(around.partners, trust, origin)
    else:
        raise IdMissing
    application = create_wallet_app(site, ties.outside)
    desks = desks_in(application)
    shop = _shop(site, desks, around, banks or {})
    rounds = (*desks.rounds, *([shop.settling] if shop else []), *_settling(desks, ties.bank))

    @asynccontextmanager
    async def living() -> AsyncIterator[None]:
        async with AsyncExitStack() as lives:
            for part in (desks.living, *([shop.living] if shop else [])):
                await lives.enter_async_context(part())
            await lives.enter_async_context(going_round(rounds))
            yield

    learners = signals.learners(desks.house, ties.outside.partners)
    heard = Signals(LINK_HANDLERS, LINK_LEADS_TO, learners)
    pages = cast("App", application)
    return Made(pages, living, {SHOP_HOST: shop.application} if shop else {}, heard)


def _shop(site: Site, desks: WalletDesks, around: Around, banks: Mapping[str, str]) -> PlayedShop | None:
    if around.played is None or site.staff_keys is None:
        return None
    return play_shop(desks.house, site.staff_keys, around.played, banks)


def _settling(desks: WalletDesks, bank: BankTie | None) -> list[Round]:
    """Return the round in which merchants are paid out; without a bank they are owed."""
    if bank is None:
        return []
    settlements = Settlements(desks.house, bank.party, bank.out, bank.results)
    return [Round("settlements", bank.every_s, settlements.go_round)]


def _played(played: PlayedOutside, trust: FolderTrust, origin: str) -> Outside:
    bank = LinkPartner(
        bank=MISAKI.code, issuer=played.origin("bank"), client_id=AT_BANK, strength=Strength.POSSESSION
    )
    return Outside(
        id=client_at(played.origin("id"), AT_ID, origin),
        trust=trust,
        partners=PartnerBook((bank,)),
        card_page=played.card_page,
    )
