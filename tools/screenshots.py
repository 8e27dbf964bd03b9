"""Photograph the live page while the demo is played: empty, calm, under attack and after, in every look.

Run by `make screenshots`; the pictures are written to var/screenshots, for a person to look at.
"""  # noqa: INP001 - a script, not a package

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, async_playwright

from sekisho.range.play import SCALES

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "var" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
SIZES = {"wide": (1_440, 900), "phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LANGUAGES = ("en", "ja")
PORT = 8_479
SETTLE_MS = 1_300
WAIT_MS = 360_000


async def photograph(browser: Browser, state: str) -> None:
    """Take the page in both sizes, both colour schemes and both languages."""
    for (size, (width, height)), scheme, language in product(SIZES.items(), SCHEMES, LANGUAGES):
        context = await browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=language
        )
        page = await context.new_page()
        await page.goto(f"http://console.localhost:{PORT}/")
        await page.wait_for_selector("#link.connected")
        await page.wait_for_timeout(SETTLE_MS)
        await page.screenshot(path=TARGET / f"{state}-{size}-{scheme}-{language}.png", full_page=True)
        wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wider > 0:
            sys.stdout.write(f"{state}-{size}-{language} is {wider} pixels too wide\n")
        await context.close()


async def follow(browser: Browser) -> None:
    """Wait for each state of the demo and photograph it."""
    watching = await browser.new_page()
    await watching.goto(f"http://console.localhost:{PORT}/")
    for state, selector, later_s in (
        ("calm", "html[data-state=calm]", 8),
        ("attack", "html[data-state^=attack]", SCALES["laptop"].attack_s // 2),
        ("after", "html[data-state=after]", 0),
    ):
        await watching.wait_for_selector(selector, timeout=WAIT_MS)
        await watching.wait_for_timeout(later_s * 1_000)
        await photograph(browser, state)
        sys.stdout.write(f"{state}: done\n")


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[None]:
    """Run Sekisho while the block runs, from when it says that it is up."""
    sekisho = Path(sys.executable).with_name("sekisho")
    process = await asyncio.create_subprocess_exec(
        sekisho, "up", "--port", str(PORT), *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
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
    """Play the demo once and take every picture on the way."""
    TARGET.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        async with serving("--data", str(TARGET / "data")):
            await photograph(browser, "empty")
        async with serving("--data", str(TARGET / "data"), "--demo"):
            await follow(browser)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
