"""Refusals: an expected no, with one text for the outside and another for the log."""

import re
from typing import ClassVar

_CODE = re.compile(r"[a-z][a-z0-9_]*")


class Refusal(Exception):  # noqa: N818 - a refusal is an answer that was foreseen, not an error
    """A request that is understood and not granted. Each refusal is a subclass with a code of its own.

    `code` is stable and callers program against it; `status` is the HTTP status that carries it. `told` goes
    out to whoever asked and gives nothing away; `known` is what we know beside it and stays in the log.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    told: str

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not _CODE.fullmatch(getattr(cls, "code", "")):
            raise TypeError(f"{cls.__name__} needs a code in small letters, digits and underscores")

    def __init__(self, *, known: str = "", told: str = "") -> None:
        self.known = known
        if told:
            self.told = told
        super().__init__(f"{self.code}: {known or self.told}")
