"""Where a browser may be sent: exactly what a client registered, character for character.

The one exception is the port of a native app on the loopback address, which the system gives out anew each
time (RFC 8252 section 7.3). Comparing strings leaves no room for two parsers to disagree about a path, a
user name before an @, or a letter that looks like another.
"""

import re
from urllib.parse import urlencode

URI_CHARACTERS_MAX = 512
# RFC 3986's characters without the fragment, the brackets of IPv6 apart.
_HOST = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])"
_CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
_REST = rf"(?:/{_CHARACTER}*)?(?:\?(?:{_CHARACTER}|\?)*)?"
_WEB = re.compile(rf"(?P<scheme>https?)://(?P<host>{_HOST})(?P<port>:[1-9][0-9]{{0,4}})?(?P<rest>{_REST})")
# A scheme of an app's own is a domain name backwards (RFC 8252 section 7.1), which no other standard uses.
_OWN_SCHEME = re.compile(rf"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:{_REST}")
_LOOPBACK_ADDRESSES = frozenset({"127.0.0.1", "[::1]"})
_DOTS = re.compile(r"(?:^|/)(?:\.|%2[eE]){1,2}(?:/|$)")


class Unregistrable(ValueError):  # noqa: N818 - says which URI cannot be registered
    """A URI that no browser may be sent to."""


def check_redirect_uri(uri: str, *, native: bool) -> None:
    """Raise Unregistrable where a URI cannot be registered as a target of redirects.

    Web clients need https, or http on this machine (`localhost`, `*.localhost`, a loopback address). Native
    apps may also have a scheme of their own.
    """
    if len(uri) > URI_CHARACTERS_MAX:
        raise Unregistrable(f"longer than {URI_CHARACTERS_MAX} characters")
    if native and _OWN_SCHEME.fullmatch(uri):
        return
    check_web_uri(uri)


def check_web_uri(uri: str) -> None:
    """Raise Unregistrable where a URI is not https (or http on this machine), absolute and plain."""
    parts = _WEB.fullmatch(uri)
    if parts is None:
        raise Unregistrable(f"not an absolute, plain URI without user and fragment: {uri[:80]!r}")
    if parts["scheme"] == "http" and not _on_this_machine(parts["host"]):
        raise Unregistrable(f"http is for this machine alone: {uri[:80]!r}")
    if _DOTS.search(parts["rest"].partition("?")[0]):
        raise Unregistrable(f"the path has dots to be resolved: {uri[:80]!r}")


def fits(uri: str, registered: tuple[str, ...], *, native: bool) -> bool:
    """Say whether a redirect URI is one of those registered."""
    if uri in registered:
        return True
    if not native or len(uri) > URI_CHARACTERS_MAX:
        return False
    portless = _without_loopback_port(uri)
    return portless is not None and any(portless == _without_loopback_port(own) for own in registered)


def origin_of(uri: str) -> str:
    """Return scheme, host and port of a web URI; of another, its scheme with the colon."""
    parts = _WEB.fullmatch(uri)
    return (
        f"{parts['scheme']}://{parts['host']}{parts['port'] or ''}" if parts else uri.partition(":")[0] + ":"
    )


def host_of(uri: str) -> str:
    """Return the host of a web URI; of another, its scheme."""
    parts = _WEB.fullmatch(uri)
    return parts["host"] if parts else uri.partition(":")[0]


def with_parameters(uri: str, parameters: dict[str, str]) -> str:
    """Add parameters to the query of a registered URI, keeping the query that it has."""
    if not parameters:
        return uri
    joint = "" if uri.endswith(("?", "&")) else "&" if "?" in uri else "?"
    return uri + joint + urlencode(parameters)


def _on_this_machine(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or host in _LOOPBACK_ADDRESSES


def _without_loopback_port(uri: str) -> tuple[str, str] | None:
    parts = _WEB.fullmatch(uri)
    if parts is None or parts["scheme"] != "http" or parts["host"] not in _LOOPBACK_ADDRESSES:
        return None
    return parts["host"], parts["rest"]
