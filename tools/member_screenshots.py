"""Photograph the member pages as a member meets them: sign-up, passkey, details, security, a second device.

Run by `make screenshots`; the pictures are written to var/screenshots, for a person to look at.
"""  # noqa: INP001 - a script, not a package

import asyncio
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, async_playwright

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "var" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
SIZES = {"wide": (1_440, 900), "phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LANGUAGES = ("en", "ja")
PORT = 8_478
LENDER = f"http://lender.localhost:{PORT}"
POST = f"http://post.localhost:{PORT}"
TRIES, PAUSE_MS = 40, 250
EMAIL, MOBILE = "hanako@example.jp", "09012345678"
PERSON = {
    "#name": "山田 花子",
    "#name_kana": "やまだ はなこ",
    "#birth_date": "1990-04-01",
    "#postal_code": "100-0001",
    "#home_address": "東京都千代田区千代田1-1",
    "#password": "kumo-to-niwatori 37",
}
AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
OPEN_PAGES = ("/", "/login", "/signup", "/recovery", "/nothing")
MEMBER_PAGES = (
    "/",
    "/profile",
    "/step-up?wish=reveal:home_address",
    "/security",
    "/security/logins",
    "/security/calls",
    "/security/freeze",
    "/notices",
)


class Album:
    """Takes pages in every look, and remembers which codes were read already."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self._read: set[str] = set()

    async def new_page(self) -> Page:
        """Open a fresh browser with an authenticator that always says yes."""
        page = await (await self.browser.new_context(locale="ja")).new_page()
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("WebAuthn.enable")
        await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        return page

    async def take(self, page: Page, path: str, name: str = "") -> None:
        """Take one page in both sizes, both colour schemes and both languages."""
        name = name or re.sub(r"\W+", "-", path.partition("?")[0]).strip("-") or "front"
        for (size, (width, height)), scheme, language in product(SIZES.items(), SCHEMES, LANGUAGES):
            await page.set_viewport_size({"width": width, "height": height})
            await page.emulate_media(color_scheme=scheme)
            await page.context.add_cookies([{"name": "lang", "value": language, "url": LENDER}])
            await page.goto(f"{LENDER}{path}", wait_until="networkidle")
            file = TARGET / f"member-{name}-{size}-{scheme}-{language}.png"
            await page.screenshot(path=file, full_page=True)
            if await page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
                sys.stdout.write(f"{file.name} is too wide\n")

    async def code(self, tray: str) -> str:
        """Read the newest code that lies in a tray of the post."""
        page = await self.browser.new_page()
        for _ in range(TRIES):
            await page.goto(POST)
            for text in await page.locator(f'section[data-tray="{tray}"] pre').all_inner_texts():
                code = re.search(r"(?<![0-9])[0-9]{6}(?![0-9])", text)
                if code and text not in self._read:
                    self._read.add(text)
                    await page.close()
                    return code[0]
            await page.wait_for_timeout(PAUSE_MS)
        raise SystemExit(f"no code came by {tray}")


async def sign_up(album: Album, page: Page) -> str:
    """Open an account, photograph each step, and return the member number."""
    await page.goto(f"{LENDER}/signup")
    await page.fill("#email", EMAIL)
    await page.fill("#mobile", MOBILE)
    await page.click("button.main")
    await album.take(page, "/signup/codes")
    await page.fill("#mobile_code", await album.code("sms"))
    await page.fill("#email_code", await album.code("email"))
    await page.click("button.main")
    await album.take(page, "/signup/details")
    for field, text in PERSON.items():
        await page.fill(field, text)
    await page.click("button.main")
    await page.wait_for_url("**/passkey/new?welcome")
    number = await page.locator("[data-member-number]").get_attribute("data-member-number")
    await album.take(page, "/passkey/new?welcome")
    await page.click("form[data-passkey] button")
    await page.wait_for_url("**/security?done=*")
    return number or ""


async def second_device(album: Album, number: str) -> None:
    """Log in elsewhere with password and code, and photograph what that is not enough for."""
    page = await album.new_page()
    await page.goto(f"{LENDER}/login")
    await page.fill("#name", number)
    await page.fill("#password", PERSON["#password"])
    await page.click("section.other button")
    await album.take(page, "/login/code")
    await page.fill("#code", await album.code("sms"))
    await page.click("button.main")
    await page.wait_for_url(f"{LENDER}/")
    await album.take(page, "/step-up?wish=reveal:home_address", "step-up-unknown-device")
    await album.take(page, "/recovery", "recovery-offered")


@asynccontextmanager
async def serving() -> AsyncIterator[None]:
    """Run Sekisho while the block runs, from when it says that it is up."""
    data = TARGET / "member-data"
    shutil.rmtree(data, ignore_errors=True)
    command = (Path(sys.executable).with_name("sekisho"), "up", "--port", str(PORT), "--data", str(data))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None  # noqa: S101 - it was asked for
    while b"is up" not in (line := await process.stdout.readline()):
        if not line:
            raise SystemExit("Sekisho did not start")
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()


async def main() -> None:
    """Go through the pages once."""
    TARGET.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright, serving():
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        album = Album(browser)
        page = await album.new_page()
        for path in OPEN_PAGES:
            await album.take(page, path)
        number = await sign_up(album, page)
        await second_device(album, number)
        for path in MEMBER_PAGES:
            await album.take(page, path, "overview" if path == "/" else "")
        await browser.close()
    sys.stdout.write(f"The pictures are in {TARGET.relative_to(ROOT)}\n")


if __name__ == "__main__":
    asyncio.run(main())
