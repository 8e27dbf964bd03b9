"""The desks as an application: staff get in by passkey, and see and do what their roles let them."""

from collections.abc import Mapping

from litestar import Litestar

from sekisho.console.staff import StaffDesk
from sekisho.web.console import (
    application_pages,
    atm_order_pages,
    audit_pages,
    campaign_pages,
    case_pages,
    claim_pages,
    containment_pages,
    desk_metrics,
    glass_pages,
    link_pages,
    lost_move_pages,
    member_pages,
    overview_pages,
    policy_pages,
    receipt_pages,
    recovery_pages,
    report_pages,
    staff_deeds,
    staff_pages,
    switch_pages,
    trial_pages,
)
from sekisho.web.console.staff_admission import STAFF, admit_staff, require_rights
from sekisho.web.console.staff_desks import STATE, InstitutionDesks
from sekisho.web.members import account_pages, language_page, login_pages, passkey_pages, step_up_pages
from sekisho.web.members.app import create_member_app
from sekisho.web.members.site import Site

SHARED = (
    login_pages.login_page,
    login_pages.login_options,
    login_pages.log_in_by_passkey,
    passkey_pages.new_passkey_page,
    passkey_pages.new_passkey_options,
    passkey_pages.add_passkey,
    step_up_pages.step_up_page,
    step_up_pages.approval_options,
    step_up_pages.approve_by_passkey,
    account_pages.log_out,
    account_pages.logged_out_page,
    *language_page.ROUTES,
)
ROUTES = (
    *staff_pages.ROUTES,
    *overview_pages.ROUTES,
    *staff_deeds.ROUTES,
    *switch_pages.ROUTES,
    *campaign_pages.ROUTES,
    *containment_pages.ROUTES,
    *member_pages.ROUTES,
    *case_pages.ROUTES,
    *claim_pages.ROUTES,
    *recovery_pages.ROUTES,
    *receipt_pages.ROUTES,
    *link_pages.ROUTES,
    *lost_move_pages.ROUTES,
    *report_pages.ROUTES,
    *audit_pages.ROUTES,
    *glass_pages.ROUTES,
    *desk_metrics.ROUTES,
    *application_pages.ROUTES,
    *atm_order_pages.ROUTES,
    *policy_pages.ROUTES,
    *trial_pages.ROUTES,
)
FREE = frozenset(
    {
        "GET /deeds/options",
        "GET /desks",
        "GET /enrolled",
        "GET /passkey/new",
        "GET /passkey/new/options",
        "POST /passkey/new",
        "GET /step-up",
        "GET /step-up/options",
        "POST /step-up",
        "POST /logout",
    }
)
"""What everybody at the desks may ask for, whatever their roles."""


def create_desks_app(site: Site, institutions: Mapping[str, InstitutionDesks]) -> Litestar:
    """Make the application of the desks of institutions, by their keys.

    Raises LookupError where a route names no role, or no right.
    """
    site.places = ("/desks",)
    site.login_page = "desks/login.html"
    site.passkey_made = "/enrolled"
    site.passkey_later = ""
    application = create_member_app(site, ROUTES, shared=SHARED, admits=admit_staff)
    application.state[STAFF] = StaffDesk(site.parts)
    application.state[STATE] = dict(institutions)
    require_rights(application, site, FREE)
    return application
