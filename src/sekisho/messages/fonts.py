"""The font that every PDF is set in. It is the system's: Debian has it as fonts-noto-cjk."""

from functools import cache

import typst

FONT = "Noto Sans CJK JP"


@cache
def has_font(family: str) -> bool:
    """Say whether the system has a font. Without it typesetting goes through, and every page is empty."""
    return family in typst.Fonts().families()
