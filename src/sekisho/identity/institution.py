"""An institution as identity sees it: its names, where it lives, and the parts that its desks stand on."""

from typing import NamedTuple

import msgspec

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.storage.engine import Store
from sekisho.storage.keyring import Keyring


class Institution(msgspec.Struct, frozen=True, kw_only=True):
    """A company that has members. Texts for people are given by language, `ja` and `en`.

    `host` is the relying party of its passkeys and the host in the last line of a text message; `origin` is
    scheme, host and port, as a browser names it.
    """

    key: str
    names: dict[str, str]
    host: str
    origin: str
    telephone: str
    desk_hours: dict[str, str]

    def name(self, language: str) -> str:
        """Return the name in a language, the Japanese one where there is no other."""
        return self.names.get(language) or self.names["ja"]


class Parts(NamedTuple):
    """What every desk of identity stands on: one institution's store, keys, time and chance."""

    institution: Institution
    store: Store
    keyring: Keyring
    clock: Clock
    chance: Chance
