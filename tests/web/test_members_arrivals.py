"""Where somebody comes from: what trusted proxies say is believed, what anybody else says is not."""

import msgspec
from tests.web.member_site import play

from sekisho.guard.attempts import Attempt
from sekisho.web.proxies import ProxyTrust

PROXY, CLIENT, STRANGER = "10.0.0.1", "203.0.113.7", "198.51.100.9"
BEHIND_A_PROXY = {"proxies": ProxyTrust.parse([PROXY]), "tls_header": "x-client-tls"}
TOLD = {"X-Forwarded-For": f"192.0.2.66, {CLIENT}", "X-Client-TLS": "t13d1516h2"}


class Atlas:
    """Knows where one address is."""

    def locate(self, attempt: Attempt, /) -> Attempt:
        return msgspec.structs.replace(attempt, asn=64_500, country="JP") if attempt.ip == CLIENT else attempt


async def attempt_of(site, peer):
    """Return what the guard was asked about a login that came from a peer with these headers."""
    browser = site.browser(peer)
    browser.client.headers.update(TOLD)
    await browser.get("/login")
    await browser.submit("/login", name="123456789012", password="anything at all")  # noqa: S106 - an example
    return site.guard.asked[-1]


def test_a_trusted_proxy_is_believed(tmp_path):
    """The nearest address that is no proxy of ours, and the fingerprint that the proxy saw."""

    async def scene(site):
        attempt = await attempt_of(site, PROXY)
        assert (attempt.ip, attempt.tls) == (CLIENT, "t13d1516h2")

    play(tmp_path, scene, **BEHIND_A_PROXY)


def test_anybody_else_is_not(tmp_path):
    """Whoever sends such headers by themselves is taken for what they are."""

    async def scene(site):
        attempt = await attempt_of(site, STRANGER)
        assert (attempt.ip, attempt.tls) == (STRANGER, "")

    play(tmp_path, scene, **BEHIND_A_PROXY)


def test_without_a_proxy_nobody_is(tmp_path):
    """Headers mean nothing where no proxy is named."""

    async def scene(site):
        attempt = await attempt_of(site, PROXY)
        assert (attempt.ip, attempt.tls) == (PROXY, "")

    play(tmp_path, scene)


def test_where_an_address_is_goes_with_the_login(tmp_path):
    """So that the guard and the notice know the country."""

    async def scene(site):
        attempt = await attempt_of(site, PROXY)
        assert (attempt.asn, attempt.country) == (64_500, "JP")

    play(tmp_path, scene, **BEHIND_A_PROXY, geography=Atlas())
