"""What an operator says about links in the bank's folder: `links.toml`."""

from pathlib import Path

import msgspec

from sekisho.bank.authorisation.settings import LinkSettings

FILE_NAME = "links.toml"


class LinkSettingsUnreadable(ValueError):  # noqa: N818 - says what is wrong with the file
    """The file is no TOML, or sets what cannot be."""


def link_settings_in(folder: Path) -> LinkSettings:
    """Return what the folder's file says, the defaults where there is none. Raises LinkSettingsUnreadable."""
    file = folder / FILE_NAME
    try:
        return msgspec.toml.decode(file.read_bytes(), type=LinkSettings) if file.exists() else LinkSettings()
    except (msgspec.DecodeError, OSError) as failure:
        raise LinkSettingsUnreadable(f"{file}: {failure}") from failure
