"""The wallet's member service: those of the shared member pages that it needs, and its own."""

from litestar import Litestar

from sekisho.identity.contact_desk import ContactDesk
from sekisho.identity.contacts import ContactKind
from sekisho.kernel.ids import MemberId
from sekisho.storage.unit_of_work import Connection
from sekisho.wallet.outside import Outside
from sekisho.wallet.wallets import WalletState, prove_phone, wallet_of
from sekisho.web.members import (
    account_pages,
    binding_pages,
    call_pages,
    change_pages,
    device_pages,
    language_page,
    notice_pages,
    passkey_pages,
    profile_pages,
    security_page,
    staff_calls,
    step_up_pages,
)
from sekisho.web.members.app import create_member_app
from sekisho.web.members.site import Site
from sekisho.web.wallet import (
    closing_pages,
    identity_pages,
    link_pages,
    move_pages,
    overview_pages,
    pay_pages,
    send_pages,
    sign_in,
    till_api,
)
from sekisho.web.wallet.closed_wallets import admit_to_wallet
from sekisho.web.wallet.desks import STATE, open_desks

# Nobody has a password here: who logs in, and who gets in again, is the ID's business.
OF_PASSWORDS = (account_pages.password_page, account_pages.change_password)
PAGES = (
    passkey_pages,
    step_up_pages,
    profile_pages,
    change_pages,
    security_page,
    device_pages,
    account_pages,
    call_pages,
    notice_pages,
    language_page,
    binding_pages,
    staff_calls,
)
SHARED = tuple(route for pages in PAGES for route in pages.ROUTES if route not in OF_PASSWORDS)
OWN_PAGES = (
    sign_in,
    overview_pages,
    identity_pages,
    link_pages,
    move_pages,
    pay_pages,
    send_pages,
    closing_pages,
    till_api,
)
ROUTES = tuple(route for pages in OWN_PAGES for route in pages.ROUTES)
WISHES = {
    **link_pages.WISHES,
    **move_pages.WISHES,
    **pay_pages.WISHES,
    **send_pages.WISHES,
    **closing_pages.WISHES,
}
PLACES = ("/", "/banks", "/identity", "/security", "/notices")


def create_wallet_app(site: Site, outside: Outside) -> Litestar:
    """Make the wallet's application. Raises LookupError where a route names no role, and OperationalError."""
    parts = site.parts
    desks = open_desks(parts, site.desks.guard, outside)

    def beside(connection: Connection, member_id: MemberId, kind: ContactKind) -> None:
        """Raise the level of a wallet whose phone was proven; a closed one has none any more."""
        its = wallet_of(connection, member_id, for_update=True)
        if kind is ContactKind.MOBILE and its is not None and its.state is not WalletState.CLOSED:
            prove_phone(connection, parts, its)

    contacts = ContactDesk(parts, site.desks.guard, site.desks.codes, beside=beside)
    site.desks = site.desks._replace(contacts=contacts)
    site.places = PLACES
    site.item_groups = ("reach",)
    site.has_passwords = False
    site.confirms_with = sign_in.CONFIRM_PATH
    site.wishes |= WISHES
    application = create_member_app(site, ROUTES, shared=SHARED, admits=admit_to_wallet)
    application.state[STATE] = desks
    return application
