"""Somebody with an ID, a wallet and a bank account, in a real browser across the three sites.

Each part goes on where the one before ended, and names the pages of the wallet that it comes past.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from playwright.sync_api import Page, expect
from tests.end_to_end.people import Device, Handset, Member
from tests.end_to_end.running_sekisho import Running

NAME, KANA, BORN = "七十七 太郎", "しちじゅうしち たろう", "1980-01-01"
ADDRESS = "宮城県架空市港町一丁目1番1号"
PIN = "3817"
COOLING_US = 3_600_000_000


class WalletUser:
    """A person on a device with a passkey manager; names and birth dates differ from person to person."""

    def __init__(self, running: Running, device: Device, handset: Handset, member: Member) -> None:
        self.running = running
        self.device = device
        self.page: Page = device.page
        self.handset = handset
        self.member = member
        number = int(member.mobile[-4:])
        self.born = f"{1950 + number % 50}-01-{1 + number // 50 % 28:02d}"
        self.bank_number = ""

    def press(self) -> None:
        """Press the page's one main button."""
        with self.page.expect_navigation():
            self.page.click("main .main")

    def open(self, path: str) -> None:
        """Open a path of the wallet."""
        self.page.goto(self.running.origin("wallet") + path)

    def at(self, path: str) -> None:
        """Wait until the wallet shows a path."""
        expect(self.page).to_have_url(self.running.origin("wallet") + path)

    def join_id(self) -> None:
        """Open an account at the ID, with a passkey."""
        self.device.origin = self.running.origin("id")
        self.device.add_passkey_manager()
        self.member.open_account(self.device, self.handset, sender="id")
        self.device.make_passkey()

    def opening(self) -> Iterator[str]:
        """Log in to the wallet for the first time and open it."""
        self.open("/")
        yield "front"
        self.open("/login")
        yield "login"
        self.page.click("main .main")
        self.page.get_by_role("button", name="許可してログインする").or_(
            self.page.get_by_role("button", name="Allow and log in")
        ).click()
        self.at("/open")
        yield "open"
        self.page.click("main .main")
        self._allow_if_asked()
        self.at("/")
        yield "overview-none"
        self.open("/identity")
        yield "identity-none"

    def phone(self) -> Iterator[str]:
        """Prove the mobile number, confirmed with the ID."""
        self.open("/profile/mobile_phone/change")
        yield "step-up-by-id"
        self.page.click("form[action='/login/id/confirm'] button")
        self._prove_at_id()
        self.at("/profile/mobile_phone/change")
        self.page.fill("#value", self.member.mobile)
        self.press()
        self.page.fill("#code", self.handset.code_to(self.member.sms, sender="wallet"))
        self.press()
        self.open("/")
        yield "overview-phone"
        self.open("/banks")
        yield "banks-too-early"

    def identity(self) -> Iterator[str]:
        """Say who one is, and let a card for trying out sign."""
        self.open("/identity")
        yield "identity-phone"
        self.press()
        yield "identity-person"
        for name, value in (
            ("name", NAME),
            ("kana", KANA),
            ("birth_date", self.born),
            ("home_address", ADDRESS),
        ):
            self.page.fill(f"#{name}", value)
        self.press()
        yield "identity-card"
        with self.page.context.expect_page() as opened:
            self.page.click("#card")
        reader = opened.value
        for name, value in (("name", NAME), ("born_on", self.born), ("address", ADDRESS)):
            reader.fill(f"[name={name}]", value)
        reader.click("form button")
        given = reader.input_value("#answer")
        reader.close()
        self.page.fill("#answer", given)
        self.press()
        self.at("/identity?done")
        yield "identity-verified"

    def passkey(self) -> Iterator[str]:
        """Make a passkey of the wallet's own, with which money is approved."""
        self.open("/security")
        yield "security"
        self.open("/passkey/new")
        self.page.click("form[action='/login/id/confirm'] button")
        self._prove_at_id()
        self.at("/passkey/new")
        self.device.make_passkey()

    def open_bank_account(self) -> None:
        """Get a bank account at the played counter."""
        counter = self.page.context.new_page()
        counter.goto(self.running.origin("counter"))
        for name, value in (
            ("name_kana", KANA),
            ("born_on", self.born),
            ("phone", self.member.mobile),
            ("pin", PIN),
        ):
            counter.fill(f"[name={name}]", value)
        counter.click("form button")
        self.bank_number = counter.inner_text("[data-number]")
        counter.close()

    def link(self) -> Iterator[str]:
        """Link the account: approved by passkey here, agreed to at the bank."""
        self.open("/banks")
        yield "banks-empty"
        self.press()
        yield "bank-choice"
        self.press()
        yield "bank-confirm"
        self._approve()
        yield "bank-approved"
        self.page.click("main .main")
        self._agree_at_bank()
        self.at("/banks?done=linked")
        yield "banks-linked"
        self.page.click("[data-link] h3 a")
        self.page.wait_for_url("**/banks/lnk_*")
        yield "bank-link"
        self.open("/charge")
        yield "charge-cooling"

    def charge(self, yen: int) -> Iterator[str]:
        """Charge the wallet, when the first hour is over."""
        self._let_an_hour_pass()
        self.open("/charge")
        self.page.fill("#amount", f"{yen:,}")
        yield "charge"
        self.press()
        yield "charge-confirm"
        self._approve()
        self.press()
        self._done()
        yield "charged"

    def pay_out(self, yen: int) -> Iterator[str]:
        """Pay out to the linked account."""
        self.open("/payout")
        self.page.fill("#amount", "nonsense")
        self.press()
        yield "payout-wrong"
        self.page.fill("#amount", f"{yen:,}")
        self.press()
        yield "payout-confirm"
        self._approve()
        self.press()
        self._done()
        yield "paid-out"

    def pay_by_scan(self, yen: int) -> Iterator[str]:
        """Pay at the played shop by its code."""
        till = self.page.context.new_page()
        till.goto(self.running.origin("shop"))
        till.fill("form[action='/ask'] [name=yen]", str(yen))
        till.click("form[action='/ask'] button")
        payload = till.input_value("#payload")
        till.close()
        self.open("/pay")
        self.page.fill("#code", payload)
        self.press()
        yield "pay-confirm"
        self._approve()
        self.press()
        yield "paid"

    def pay(self, by_scan: int, by_showing: int) -> Iterator[str]:
        """Pay at the played shop: by its code, and by one that its till reads."""
        self.open("/pay")
        self.page.fill("#code", "nonsense")
        self.press()
        yield "pay-wrong"
        yield from self.pay_by_scan(by_scan)
        till = self.page.context.new_page()
        till.goto(self.running.origin("shop"))
        self.open("/pay/code")
        yield "pay-code"
        self._approve()
        self.press()
        yield "pay-code-shown"
        till.fill("form[action='/take'] [name=yen]", str(by_showing))
        till.fill("form[action='/take'] [name=code]", self.page.inner_text("[data-code]"))
        till.click("form[action='/take'] button")
        till.wait_for_selector(f"li:has-text('{by_showing:,}')")
        till.close()

    def send(self, phone: str, yen: int) -> Iterator[str]:
        """Send to a number, which somebody may accept."""
        self.open("/send")
        self.page.fill("#phone", "12")
        self.page.fill("#amount", str(yen))
        self.press()
        yield "send-wrong"
        self.page.fill("#phone", phone)
        self.press()
        yield "send-confirm"
        self._approve()
        self.press()
        yield "sent"
        self.open("/offers")
        yield "offers"

    def accept(self) -> None:
        """Take what was sent to the own number."""
        self.open("/offers")
        with self.page.expect_navigation():
            self.page.click("[data-offer] form[action='/offers/accept'] button")

    def afterwards(self) -> Iterator[str]:
        """Look at what there is then, and end the link."""
        for name, path in (("overview", "/"), ("history", "/history"), ("banks", "/banks")):
            self.open(path)
            yield name
        self.page.click("[data-link] .buttons a")
        self.page.wait_for_url("**/end")
        yield "bank-end"
        self.press()
        self.at("/banks?done=ended")
        yield "banks-ended"

    def closing(self, left: int) -> Iterator[str]:
        """Settle what is in the way, spend what is left, and close the wallet."""
        self.open("/close")
        yield "close-not-yet"
        self.page.click("a[href^='/send/snd_']")
        with self.page.expect_navigation():
            self.page.click("form[action='/send/back'] button")
        list(self.pay_by_scan(left))
        self.open("/close")
        yield "close"
        self._approve()
        yield "close-approved"
        self.press()
        self.at("/")
        yield "overview-closed"
        self.open("/pay")
        yield "closed"
        self.open("/history")
        yield "history-closed"

    def balance(self) -> str:
        """Return the balance that the overview shows."""
        self.open("/")
        return self.page.inner_text("#balance")

    def _approve(self) -> None:
        """Follow the main button to the approval, and give it by passkey."""
        self.press()
        with self.page.expect_navigation():
            self.page.click("form[data-passkey] button")

    def _prove_at_id(self) -> None:
        """Log in at the ID once more: its passkey manager answers by itself."""
        self.page.wait_for_url(f"{self.running.origin('id')}/openid/authorize*")
        self.page.click("main .main")

    def _allow_if_asked(self) -> None:
        self.page.wait_for_url(
            lambda url: (
                "/openid/authorize" in url
                or url.startswith(self.running.origin("wallet") + "/?")
                or url == self.running.origin("wallet") + "/"
            )
        )
        if "/openid/authorize" in self.page.url:
            self.page.get_by_role("button", name="許可してログインする").or_(
                self.page.get_by_role("button", name="Allow and log in")
            ).click()

    def _agree_at_bank(self) -> None:
        """Type what the bank asks for on its own page, with the code that it sends, and agree."""
        self.page.wait_for_selector("#branch")
        assert self.page.url.startswith(self.running.origin("bank"))
        typed = {"branch": "001", "number": self.bank_number, "name_kana": KANA, "birth_date": self.born}
        for name, value in (typed | {"pin": PIN}).items():
            self.page.fill(f"#{name}", value)
        self.press()
        self.page.fill("#code", self.handset.code_to(self.member.sms, sender="bank"))
        self.press()
        self.page.click("main .main")

    def _done(self) -> None:
        """Wait until the bank has said its word."""
        for _ in range(40):
            if self.page.locator("main .button.main").count():
                return
            self.page.wait_for_timeout(500)
            self.page.reload()
        raise AssertionError(self.page.inner_text("main"))

    def _let_an_hour_pass(self) -> None:
        """Let the link have been made an hour and a bit earlier."""
        path = self.running.data / "wallet" / "sekisho.db"
        with closing(sqlite3.connect(path, timeout=10)) as connection:
            connection.execute("UPDATE bank_link SET usable_from_us = usable_from_us - ?", (COOLING_US,))
            connection.commit()
