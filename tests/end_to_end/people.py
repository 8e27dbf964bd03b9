"""People in real browsers: a handset on which messages arrive, devices with a passkey manager, a sign-up."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect
from tests.end_to_end.running_sekisho import Running
from tests.web.served_members import AUTHENTICATOR

PASSWORD = "kumo-to-niwatori 37"  # noqa: S105 - an example's
ADDRESS = "〒100-0001 東京都千代田区千代田1-1"
SPELLED = {"name": "山田 花子", "name_kana": "やまだ はなこ", "birth_date": "1990-04-01"}
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
ARRIVED = """
async ({ to, from, seen, until_ms }) => {
  for (const begun = performance.now(); performance.now() - begun < until_ms; ) {
    const page = new DOMParser().parseFromString(await (await fetch("/messages")).text(), "text/html");
    const found = [...page.querySelectorAll(`[data-to="${to}"][data-from="${from}"]`)]
      .filter((one) => !seen.includes(one.dataset.message))
      .map((one) => [one.dataset.message, one.querySelector("pre").textContent]);
    if (found.length) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return [];
}
"""
ARRIVES_MS_MAX = 15_000
WAIT_MS_MAX = 15_000


class Handset:
    """A member's handset and mailbox: the page of the demo that shows what was sent."""

    def __init__(self, chromium: Browser, running: Running) -> None:
        self._page = chromium.new_context(locale="ja").new_page()
        self._page.goto(running.origin("post"))
        self._seen: list[str] = []

    def arrive(self, to: str, words: str, *, sender: str = "lender") -> str:
        """Wait for a message to a number or an address that has such words (a pattern), and return its text.

        Each is returned once.
        """
        while True:
            asked = {"to": to, "from": sender, "seen": self._seen, "until_ms": ARRIVES_MS_MAX}
            found: list[tuple[str, str]] = self._page.evaluate(ARRIVED, asked)
            assert found, f"nothing came to {to} that says {words}"
            for name, text in found:
                self._seen.append(name)
                if re.search(words, text):
                    return text

    def code_to(self, to: str, *, sender: str = "lender") -> str:
        """Wait for a code that nobody has read yet."""
        found = re.search(
            r"#(\d{6})\b|(?<!\d)(\d{6})(?!\d)", self.arrive(to, r"(?<!\d)\d{6}(?!\d)", sender=sender)
        )
        assert found
        return found[1] or found[2]


class Device:
    """A browser on a device of its own, at one address, with a passkey manager if it has one."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WAIT_MS_MAX)
        self.origin = origin
        self._manager: CDPSession | None = None
        self._authenticator = ""

    def open(self, path: str) -> Page:
        """Open a path of the site."""
        self.page.goto(self.origin + path)
        return self.page

    def add_passkey_manager(self, *passkeys: dict[str, Any]) -> None:
        """Give the device a passkey manager that says yes to all, with passkeys from elsewhere."""
        self._manager = self.context.new_cdp_session(self.page)
        self._manager.send("WebAuthn.enable")
        added = self._manager.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        self._authenticator = added["authenticatorId"]
        for passkey in passkeys:
            self._manager.send(
                "WebAuthn.addCredential",
                {"authenticatorId": self._authenticator, "credential": passkey},
            )

    def lose_passkey_manager(self) -> None:
        """Take the passkey manager away again, so that nothing is offered any more."""
        assert self._manager is not None
        self._manager.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self._authenticator})

    def passkeys(self) -> list[dict[str, Any]]:
        """Return the passkeys that the device's manager holds."""
        assert self._manager is not None
        held = self._manager.send("WebAuthn.getCredentials", {"authenticatorId": self._authenticator})
        return list(held["credentials"])

    def make_passkey(self) -> None:
        """Press the one main button of the page that offers a passkey."""
        self.page.click("form[data-passkey=create] button")
        self.page.wait_for_url("**/security?done=passkey_added")

    def log_in_by_passkey(self) -> None:
        """Open the login page: the manager offers its passkey by itself, and this one is taken at once."""
        self.open("/login")
        expect(self.page).to_have_url(self.origin + "/")

    def log_out(self) -> None:
        """Leave by the button that every page has."""
        self.page.click("header form button")
        self.page.wait_for_url("**/logout")

    def session_id(self) -> str:
        """Return the id of the session on this device, from the page that lists them."""
        own = self.open("/security").locator("[data-session]:has(.badge.here)")
        return own.get_attribute("data-session") or ""


class Member:
    """Somebody with an e-mail address, a mobile number, a password, and after the sign-up a number."""

    def __init__(self, number: int) -> None:
        self.email = f"hanako{number}@example.jp"
        self.mobile = f"0901234{number:04d}"
        self.number = ""

    @property
    def sms(self) -> str:
        """The number as text messages are addressed."""
        return "+81" + self.mobile[1:]

    def open_account(self, device: Device, handset: Handset, *, sender: str = "lender") -> None:
        """Open an account as people do; the page offers a passkey then."""
        page = device.open("/signup")
        page.fill("#email", self.email)
        page.fill("#mobile", self.mobile)
        page.click("button.main")
        page.wait_for_url("**/signup/codes")
        page.fill("#mobile_code", handset.code_to(self.sms, sender=sender))
        page.fill("#email_code", handset.code_to(self.email, sender=sender))
        page.click("button.main")
        page.wait_for_url("**/signup/details")
        for name, value in SPELLED.items():
            page.fill(f"#{name}", value)
        page.fill("#postal_code", "100-0001")
        page.fill("#home_address", "東京都千代田区千代田1-1")
        page.fill("#password", PASSWORD)
        page.click("button.main")
        page.wait_for_url("**/passkey/new?welcome")
        self.number = page.locator("[data-member-number]").get_attribute("data-member-number") or ""
        assert re.fullmatch(r"\d{12}", self.number)

    def give_password(self, device: Device) -> None:
        """Type the member number and the password."""
        page = device.open("/login")
        page.fill("#name", self.number)
        page.fill("#password", PASSWORD)
        page.click("section.other button")
        page.wait_for_url(re.compile("/login/code|/$"))

    def log_in_with_code(self, device: Device, handset: Handset, *, sender: str = "lender") -> None:
        """Log in on a device that is not known, with the code that comes."""
        self.give_password(device)
        device.page.fill("#code", handset.code_to(self.sms, sender=sender))
        device.page.click("button.main")
        expect(device.page).to_have_url(device.origin + "/")


@contextmanager
def devices(chromium: Browser, running: Running, host: str = "lender") -> Iterator[Any]:
    """Give out new devices, each at an address of its own, and take them back at the end."""
    contexts: list[BrowserContext] = []

    def device(ip: str = "", **options: Any) -> Device:
        headers = {"X-Forwarded-For": ip or f"192.0.2.{10 + len(contexts)}"}
        context = chromium.new_context(**({"locale": "ja", "extra_http_headers": headers} | options))
        contexts.append(context)
        return Device(context, running.origin(host))

    yield device
    for context in contexts:
        context.close()
