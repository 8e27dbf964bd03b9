"""The ID as an application: the member pages, and OpenID Connect for the services that rely on it."""

from litestar import Litestar

from sekisho.web.id import endpoints, logout_pages, openid_pages, overview, service_pages
from sekisho.web.id.desks import STATE, OpenIdDesks
from sekisho.web.members.app import create_member_app
from sekisho.web.members.site import Site

ROUTES = (
    *overview.ROUTES,
    *endpoints.ROUTES,
    *openid_pages.ROUTES,
    *logout_pages.ROUTES,
    *service_pages.ROUTES,
)


def create_id_app(site: Site, desks: OpenIdDesks) -> Litestar:
    """Make the ID's application. Raises LookupError where a route names no role."""
    site.places = (*site.places, "/services")
    # An ID knows who somebody is, and nothing of their work or their money.
    site.item_groups = ("person", "reach")
    application = create_member_app(site, ROUTES)
    application.state[STATE] = desks
    return application
