"""Photograph every page of the lender's, state by state, as tests/web/lender_walk.py walks over them.

Run by `make screenshots`; the pictures are written to var/screenshots/lender, for a person to look at.
"""  # noqa: INP001 - a script, not a package

import sys
from itertools import chain, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.web.lender_walk import LenderServed, Walk, lender_served  # noqa: E402 - found through the line above

TARGET = ROOT / "var" / "screenshots" / "lender"
CHROMIUM = "/usr/bin/chromium"
SIZES = {"wide": (1_440, 900), "phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LANGUAGES = ("en", "ja")
Look = tuple[str, Literal["light", "dark"], str]


def photograph(browser: Browser, lender: LenderServed, number: int, look: Look) -> int:
    """Walk once in one look, and return how many pages there were."""
    size, scheme, language = look
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    context.add_cookies([{"name": "lang", "value": language, "url": lender.site.url}])
    page = context.new_page()
    walk = Walk(lender, page, number)
    parts = (
        walk.before_the_login,
        walk.application,
        walk.signature,
        walk.loan,
        walk.income,
        walk.transfer,
        walk.machine,
        walk.end,
    )
    pages = 0
    for pages, name in enumerate(chain.from_iterable(part() for part in parts), start=1):
        page.screenshot(path=TARGET / f"{pages:02d}-{name}-{size}-{scheme}-{language}.png", full_page=True)
    context.close()
    return pages


def main() -> None:
    """Photograph in every look."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        lender_served(Path(folder)) as lender,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for number, look in enumerate(product(SIZES, SCHEMES, LANGUAGES), start=1):
            pages = photograph(browser, lender, number, look)
            print(f"{pages} pages of the lender's: {' '.join(look)}")  # noqa: T201 - what the command says
        browser.close()


if __name__ == "__main__":
    main()
