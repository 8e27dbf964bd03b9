"""Somebody who borrows, in a real browser: presses what stands on the pages, and reads what they say."""

import re

from playwright.sync_api import Page, expect
from tests.end_to_end.people import ADDRESS, SPELLED, Device

PIN = "5938"
APPLICATION = {
    "wanted": "50",
    "income": "400",
    "employer": "見本商事",
    "employed_years": "5",
    "owed": "0",
}
ACCOUNT = {"bank": "0005", "branch": "001", "number": "1234567", "holder": "ヤマダ ハナコ"}
HAPPENS_MS_MAX = 60_000
LOOK_EVERY_MS = 500


class Borrower:
    """A member on a device with a passkey, and what they do on the lender's pages."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.page = device.page

    def open(self, path: str) -> Page:
        """Open a page, with a passkey where it asks for one."""
        self.device.open(path)
        if "/step-up" in self.page.url:
            self.approve()
        return self.page

    def press(self) -> None:
        """Press the page's one main button."""
        with self.page.expect_navigation():
            self.page.click("main .main")

    def approve(self) -> str:
        """Give the approval that the page asks for, by passkey, and return what it says is approved."""
        said = self.page.inner_text("#approved")
        with self.page.expect_navigation():
            self.page.click("form[data-passkey] button")
        return said

    def approve_here(self) -> str:
        """Follow the page's main button to the approval, and give it."""
        self.press()
        return self.approve()

    def becomes(self, path: str, selector: str) -> None:
        """Look at a page until something stands on it: what goes on behind it needs real time."""
        for _ in range(HAPPENS_MS_MAX // LOOK_EVERY_MS):
            self.open(path)
            if self.page.locator(selector).count():
                return
            self.page.wait_for_timeout(LOOK_EVERY_MS)
        raise AssertionError(f"{selector} never came on {path}: {self.page.inner_text('main')}")

    def diagnose(self) -> None:
        """Ask the three-second diagnosis, and go on to the application."""
        self.open("/diagnosis")
        self.page.fill("#birth_date", SPELLED["birth_date"])
        self.page.fill("#income", "400")
        self.press()
        expect(self.page.locator("[data-diagnosis=yes]")).to_be_visible()
        self.press()
        if "/step-up" in self.page.url:
            self.approve()

    def apply(self) -> None:
        """Fill the application in, and send it off."""
        for name, value in APPLICATION.items():
            self.page.fill(f"#{name}", value)
        self.press()
        self.press()
        expect(self.page.locator("[data-state=submitted]")).to_be_visible()

    def prove_identity(self) -> None:
        """Let a card for trying out sign, in another tab, and paste what it gave."""
        self.press()
        with self.page.context.expect_page() as opened:
            self.page.click("a[target=_blank]")
        reader = opened.value
        reader.fill("[name=name]", SPELLED["name"])
        reader.fill("[name=born_on]", SPELLED["birth_date"])
        reader.fill("[name=address]", ADDRESS)
        reader.click("form button")
        given = reader.input_value("#answer")
        reader.close()
        self.page.fill("#answer", given)
        self.press()
        expect(self.page).to_have_url(self.device.origin + "/apply")

    def sign(self) -> str:
        """Wait for the offer, read the document before the contract, and sign; return what was approved."""
        self.becomes("/apply", "[data-state=granted]")
        self.page.check("[name=consent]")
        self.press()
        with self.page.expect_download() as saved:
            self.page.click("a[download]")
        assert saved.value.path().read_bytes().startswith(b"%PDF-")
        said = self.approve_here()
        self.press()
        expect(self.page.locator("[data-state=signed]")).to_be_visible()
        return said

    def register_account(self) -> None:
        """Register the account for payouts: a new member's first one can be used at once."""
        self.open("/payout-account/change")
        for name, value in ACCOUNT.items():
            self.page.fill(f"#{name}", value)
        self.press()
        self.approve_here()
        self.press()
        expect(self.page).to_have_url(self.device.origin + "/payout-account?done=registered")

    def borrow(self, yen: int) -> str:
        """Borrow by transfer; return the page of the order."""
        self.open("/borrow/transfer")
        self.page.fill("#amount", f"{yen:,}")
        self.press()
        self.approve_here()
        self.press()
        self._is_taken()
        return self.page.url.removeprefix(self.device.origin)

    def _is_taken(self) -> None:
        """See that an order is taken; it may be with the bank by the time that its page is there."""
        expect(self.page.locator("p.approved[data-state]")).to_be_visible()

    def repay(self, yen: int) -> str:
        """Repay by a debit; return the page of the order."""
        self.open("/repay")
        self.page.check("[name=choice][value=other]")
        self.page.fill("#amount", f"{yen:,}")
        self.press()
        self.approve_here()
        self.press()
        self._is_taken()
        return self.page.url.removeprefix(self.device.origin)

    def set_pin(self) -> None:
        """Set the PIN for machines."""
        self.open("/atm/pin")
        self.page.fill("#pin", PIN)
        self.page.fill("#again", PIN)
        self.press()
        expect(self.page).to_have_url(self.device.origin + "/atm?done=pin")

    def claim(self, machine: "AtTheMachine") -> str:
        """Type what the machine shows; return the transaction's page."""
        self.open("/atm")
        self.page.fill("#code", machine.begin())
        with self.page.expect_navigation():
            self.page.click("form[action='/atm/claim'] button")
        assert "/atm/sessions/" in self.page.url, self.page.inner_text("main")
        return self.page.url.removeprefix(self.device.origin)

    def company_number(self) -> str:
        """Read the number that is to be typed at the machine."""
        return self.page.inner_text("[data-company-number]")


class AtTheMachine:
    """Somebody before the machine: its screen in a browser of its own."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self._origin = origin

    def begin(self) -> str:
        """Touch the screen, see the code, and return what is typed where no camera is."""
        self.page.goto(self._origin)
        if self.page.locator("form[action='/leave']").count():
            self.page.click("form[action='/leave'] button")
        self.page.click("form[action='/begin'] button")
        expect(self.page.locator(".code svg")).to_be_visible()
        return self.page.inner_text("[data-typed]")

    def draw(self, number: str, pin: str = PIN) -> str:
        """Type the company number and the PIN once the screen asks; return what it says then."""
        self.page.wait_for_selector("[name=pin]")
        self.page.fill("[name=company_number]", number)
        self.page.fill("[name=pin]", pin)
        self.page.click("form[action='/entry'] button")
        return self.says()

    def insert(self, number: str, yen: int) -> str:
        """Put cash in once the screen asks; return what it says then."""
        self.page.wait_for_selector("[name=yen]")
        self.page.fill("[name=company_number]", number)
        self.page.fill("[name=yen]", str(yen))
        self.page.click("form[action='/cash'] button")
        return self.says()

    def says(self) -> str:
        """Return what the screen says."""
        return re.sub(r"\s+", " ", self.page.inner_text("main"))
