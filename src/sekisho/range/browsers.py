"""What the world's people browse with, and what a server can see of it."""

from hashlib import sha256

import msgspec

from sekisho.kernel.chance import Chance

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_ANDROID = "Mozilla/5.0 (Linux; Android 10; K)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS {} like Mac OS X)"
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0"


class Browser(msgspec.Struct, frozen=True, kw_only=True):
    """A browser on a system: its user agent and the fingerprint of its TLS handshake."""

    user_agent: str
    tls: str
    phone: bool
    weight: int


def handshake(stack: str) -> str:
    """Return the fingerprint of a TLS stack, in the shape of a JA4."""
    digest = sha256(stack.encode()).hexdigest()
    return f"t13d1516h2_{digest[:12]}_{digest[12:24]}"


def _browser(user_agent: str, stack: str, weight: int, *, phone: bool) -> Browser:
    return Browser(user_agent=user_agent, tls=handshake(stack), phone=phone, weight=weight)


BROWSERS = (
    *(
        _browser(f"{_IPHONE.format(system)} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version} "
                 "Mobile/15E148 Safari/604.1", "safari", weight, phone=True)
        for system, version, weight in (("18_6", "18.6", 12), ("26_0", "26.0", 14), ("26_1", "26.1", 16))
    ),
    *(
        _browser(f"{_ANDROID} {_CHROME.format(version)} Mobile Safari/537.36", "chrome", weight, phone=True)
        for version, weight in ((141, 6), (142, 10), (143, 12))
    ),
    *(
        _browser(f"{_WINDOWS} {_CHROME.format(version)} Safari/537.36", "chrome", weight, phone=False)
        for version, weight in ((141, 3), (142, 6), (143, 9))
    ),
    _browser(f"{_WINDOWS} {_CHROME.format(142)} Safari/537.36 Edg/142.0.0.0", "chrome", 7, phone=False),
    _browser(f"{_WINDOWS[:-1]}; rv:145.0) Gecko/20100101 Firefox/145.0", "firefox", 3, phone=False),
    _browser("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
             "Version/26.1 Safari/605.1.15", "safari", 2, phone=False),
)  # fmt: skip
PHONES = tuple(browser for browser in BROWSERS if browser.phone)
DESKS = tuple(browser for browser in BROWSERS if not browser.phone)


def drawn(among: tuple[Browser, ...], chance: Chance) -> Browser:
    """Draw a browser by its share."""
    at = chance.below(sum(browser.weight for browser in among))
    for browser in among:
        at -= browser.weight
        if at < 0:
            return browser
    return among[-1]
