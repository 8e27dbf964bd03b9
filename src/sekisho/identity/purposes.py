"""What a one-time code is for: one action with its amount, place and item, and the words that say so.

A code opens exactly the purpose that it was asked for. The person reads the same purpose in the message, so
that whoever is asked for the code by somebody else can see what it would be used for.
"""

import hashlib
import re
import tomllib
import unicodedata
from pathlib import Path

import msgspec

TEXT_CHARS_MAX = 24

_WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_ACTIONS: dict[str, dict[str, str]] = _WORDS["actions"]
_ITEMS: dict[str, dict[str, str]] = _WORDS["items"]
_DETAILS = ("payee", "bank", "account", "device", "rate", "due")

ACTIONS = frozenset(_ACTIONS)
"""What can be approved by a code."""

# What is left of a text that somebody chose can neither be a link nor look like the origin-bound last line.
_UNFIT = re.compile(r"[^\w \-()()・ー&]+")
_PERCENT = re.compile(r"[0-9]{1,2}\.[0-9]{1,3}%")


class Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """One action to be approved. Two purposes are the same only where every part of them is.

    `item` is the personal item that it concerns, `place` where it happens (an ATM, a shop), `details` what
    else binds it (payee, account, nonce of an ATM session). Raises ValueError for an action without words.
    """

    action: str
    amount_yen: int | None = None
    place: str = ""
    item: str = ""
    details: dict[str, str] = {}

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"no words for the action {self.action[:40]!r}")
        if self.item not in _ITEMS:
            raise ValueError(f"no words for the item {self.item[:40]!r}")

    @property
    def key(self) -> str:
        """Return a text that is equal for equal purposes alone, and tells nobody the details."""
        whole = msgspec.json.encode(self, order="deterministic")
        return f"{self.action}:{hashlib.sha256(whole).hexdigest()}"


def in_words(purpose: Purpose, language: str) -> str:
    """Say what a purpose approves, in one line, in `ja` or else in `en`."""
    language = "ja" if language == "ja" else "en"
    say: dict[str, str] = _WORDS[language]
    words = _ACTIONS[purpose.action][language].format(item=_ITEMS[purpose.item][language])
    told = [] if purpose.amount_yen is None else [say["amount"].format(yen=purpose.amount_yen)]
    chosen = {"place": purpose.place} | {name: purpose.details.get(name, "") for name in _DETAILS}
    told += [say[name].format(value=tidy) for name, text in chosen.items() if (tidy := _tidy(text))]
    return say["all"].format(words=words, told=say["between"].join(told)) if told else words


def item_in_words(item: str, language: str) -> str:
    """Return what a personal item is called towards its owner, in `ja` or else in `en`."""
    return _ITEMS[item]["ja" if language == "ja" else "en"]


def _tidy(text: str) -> str:
    if _PERCENT.fullmatch(text):
        return text
    plain = " ".join(_UNFIT.sub(" ", unicodedata.normalize("NFKC", text)).split())
    return plain if len(plain) <= TEXT_CHARS_MAX else plain[: TEXT_CHARS_MAX - 1] + "…"
