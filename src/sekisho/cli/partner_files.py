"""Files in which an operator names an institution's partners: TOML, read strictly."""

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from sekisho.kernel.refusals import Refusal

Settings = TypeVar("Settings")


class PartnersUnreadable(Refusal):
    """The file that names an institution's partners cannot be used."""

    code = "partners_unreadable"
    status = 500
    told = "The file of partners can't be used; docs/reference has its form."


def read_partner_file(path: Path, kind: type[Settings]) -> Settings:
    """Read a file. Raises PartnersUnreadable and OSError."""
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(text, kind, dec_hook=_read_path)
    except (ValueError, msgspec.ValidationError) as error:
        raise unreadable(str(error)) from error


def unreadable(why: str) -> PartnersUnreadable:
    """Return the refusal that says why a file can't be used."""
    return PartnersUnreadable(told=f"{PartnersUnreadable.told} It says: {why}")


def _read_path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind)
