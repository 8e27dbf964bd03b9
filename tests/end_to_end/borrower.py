"""Somebody who borrows, over HTTP alone: opens an account, applies, proves who they are, signs, borrows."""

import html
import re
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import httpx
import msgspec
from tests.end_to_end.http_browser import HttpBrowser
from tests.end_to_end.people import PASSWORD, SPELLED
from tests.end_to_end.running_sekisho import Running
from tests.identity.software_authenticator import Authenticator
from tests.web.member_site import Forms, found

ADDRESS = "東京都架空区見本町1-2-3"
EMAIL, MOBILE = "kari@example.jp", "09012340001"
PIN = "5938"
ACCOUNT = {"bank": "9901", "branch": "001", "kind": "1", "holder": "ヤマダ ハナコ"}
HAPPENS_S_MAX = 40
UNDER_WAY = re.compile(r'data-state="(approved|sent|paid|done)"')
"""The bank may have been quicker than the page."""

LOOK_EVERY_S = 0.2


def until(look: Callable[[], Any]) -> Any:
    """Look until there is something to see, and return it. What runs beside us needs real time."""
    ends = monotonic() + HAPPENS_S_MAX
    while True:
        seen = look()
        if seen:
            return seen
        assert monotonic() < ends, f"never: {look.__doc__ or look}"
        sleep(LOOK_EVERY_S)


class Borrower:
    """One person with one browser, a passkey, a handset, and a card for trying out."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.browser = HttpBrowser(running)
        self._authenticator = Authenticator(origin=self.browser.origin, rp_id="lender.localhost")
        self._codes: set[str] = set()

    def go_on_at(self, running: Running) -> None:
        """Find the program again after it was started anew: the same cookies and passkey, another port."""
        cookies = self.browser.cookies
        self.browser.close()
        self.running = running
        self.browser = HttpBrowser(running)
        self.browser.cookies = cookies
        self._authenticator.origin = self.browser.origin

    def close(self) -> None:
        """Close the browser."""
        self.browser.close()

    def open_account(self) -> None:
        """Open an account and make a passkey."""
        browser = self.browser
        browser.get("/signup")
        browser.submit("/signup", email=EMAIL, mobile=MOBILE)
        codes = {"mobile_code": self._code("+81" + MOBILE[1:]), "email_code": self._code(EMAIL)}
        browser.submit("/signup/codes", **codes)
        details = {**SPELLED, "postal_code": "100-0001", "home_address": ADDRESS, "password": PASSWORD}
        browser.submit("/signup/details", **details)
        begun = self._options("/passkey/new/options")
        browser.get("/passkey/new")
        made = self._authenticator.make(begun["options"]).decode()
        browser.submit("/passkey/new", ceremony=begun["ceremony"], credential=made)
        assert browser.path == "/security?done=passkey_added", browser.page.text

    def apply(self) -> None:
        """Apply for a line of 500,000 yen, and prove with a card who it is."""
        browser = self.browser
        self.see("/apply")
        typed = {"wanted": "50", "income": "400", "employer": "見本商事", "employed_years": "5"}
        browser.submit("/apply", **typed, owed="", due_day="5")
        browser.submit("/apply/submit")
        browser.get("/apply/identity")
        challenge = Forms(browser.page.text).fields["/apply/identity"][0]["challenge"]
        browser.submit("/apply/identity", answer=self._signed_by_card(challenge))
        assert browser.path == "/apply", browser.page.text

    def sign(self) -> None:
        """Read the document before the contract, once a line is offered, and sign exactly it."""
        browser = self.browser
        until(self._is_offered)
        browser.submit("/apply/documents", consent="yes")
        self.approve_here()
        browser.submit("/apply/sign")
        assert 'data-state="signed"' in browser.page.text, browser.page.text

    def open_deposit(self) -> str:
        """Open an account at the bank's counter, sign the paper for debits there, and return its number."""
        counter = HttpBrowser(self.running, host="counter")
        try:
            counter.get("/")
            person = {"name_kana": SPELLED["name_kana"], "born_on": SPELLED["birth_date"], "phone": MOBILE}
            counter.submit("/", **person, pin=PIN, paper="yes")
            return found(r"data-number>(\d{7})<", counter.page.text)
        finally:
            counter.close()

    def register_account(self, number: str) -> None:
        """Register an account at the bank of this program for payouts."""
        browser = self.browser
        browser.get("/payout-account/change")
        browser.submit("/payout-account/change", **ACCOUNT, number=number)
        self.approve_here()
        browser.submit("/payout-account/confirm")
        assert browser.path == "/payout-account?done=registered", browser.page.text

    def borrow(self, yen: int) -> None:
        """Borrow by transfer."""
        self.see("/borrow/transfer")
        self.browser.submit("/borrow/transfer", amount=str(yen))
        self.approve_here()
        self.browser.submit("/borrow/confirm")
        assert UNDER_WAY.search(self.browser.page.text), self.browser.page.text

    def repay(self, yen: int) -> None:
        """Repay by a debit of the registered account."""
        self.see("/repay")
        self.browser.submit("/repay", amount=str(yen), choice="")
        if "/repay/confirm" not in Forms(self.browser.page.text).fields:
            self.approve_here()
        self.browser.submit("/repay/confirm")
        assert UNDER_WAY.search(self.browser.page.text), self.browser.page.text

    def set_pin(self) -> None:
        """Set the PIN for machines."""
        self.see("/atm/pin")
        self.browser.submit("/atm/pin", pin=PIN, again=PIN)
        assert self.browser.path == "/atm?done=pin", self.browser.page.text

    def begin_at(self, machine: HttpBrowser) -> str:
        """Touch the machine's screen, and claim what it shows; return the transaction's page."""
        machine.get("/")
        if "/begin" not in Forms(machine.page.text).fields:
            machine.submit("/leave")
        machine.submit("/begin")
        typed = found(r"<code data-typed>([^<]+)</code>", machine.page.text)
        self.browser.get("/atm")
        self.browser.submit("/atm/claim", code=typed)
        assert self.browser.path.startswith("/atm/sessions/"), self.browser.page.text
        return self.browser.path

    def approve_withdrawal(self, yen: int) -> str:
        """Choose an amount at the claimed machine and approve it; return the company number."""
        self.browser.submit("/atm/choose", amount=str(yen))
        if "/atm/approve" not in Forms(self.browser.page.text).fields:
            self.approve_here()
        self.browser.submit("/atm/approve")
        return found(r"data-company-number>(\d+)<", self.browser.page.text)

    def see(self, path: str) -> None:
        """Open a page, with a passkey where it asks for one."""
        self.browser.get(path)
        if self.browser.path.startswith("/step-up"):
            self._approve()

    def approve_here(self) -> None:
        """Follow the page's main button to the approval, and give it."""
        self.browser.get(html.unescape(found(r'href="(/step-up\?wish=[^"]+)"', self.browser.page.text)))
        self._approve()

    def _approve(self) -> None:
        wish = self.browser.fields("/step-up")["wish"]
        page = self.browser.page
        begun = self._options(f"/step-up/options?wish={wish}")
        self.browser.page = page
        given = self._authenticator.get(begun["options"]).decode()
        self.browser.submit("/step-up", ceremony=begun["ceremony"], credential=given)

    def _is_offered(self) -> bool:
        """Say whether a line is offered."""
        self.see("/apply")
        return "/apply/documents" in Forms(self.browser.page.text).fields

    def _options(self, path: str) -> dict[str, Any]:
        answer = self.browser.get(path, Accept="application/json")
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=dict[str, Any])

    def _signed_by_card(self, challenge: str) -> str:
        card = HttpBrowser(self.running, host="card")
        try:
            card.get(f"/?challenge={challenge}")
            person = {name: SPELLED[name] for name in ("name",)} | {"born_on": SPELLED["birth_date"]}
            card.submit("/", **person, address=f"〒100-0001 {ADDRESS}")
            return html.unescape(found(r'<textarea id="answer"[^>]*>([^<]+)</textarea>', card.page.text))
        finally:
            card.close()

    def _code(self, to: str) -> str:
        """Wait for a code to a number or an address that was not read yet."""

        def arrived() -> str:
            page = httpx.get(
                f"http://127.0.0.1:{self.running.port}/messages",
                headers={"Host": self.running.origin("post").removeprefix("http://")},
            ).text
            for message in re.findall(rf'data-to="{re.escape(to)}".*?</article>', page, re.DOTALL):
                for code in re.findall(r"(?<!\d)\d{6}(?!\d)", message):
                    if code not in self._codes:
                        self._codes.add(code)
                        return str(code)
            return ""

        return str(until(arrived))
