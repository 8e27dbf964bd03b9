"""Where addresses are, from MMDB files that an operator brings: the provider's number and the country.

Both common layouts are read: `autonomous_system_number` of an ASN file, `country.iso_code` of a country or
city file. A look-up is a help and not a condition: where a file fails while the guard runs, the attempt is
judged without the fact, and `failed_count` says so.
"""

from collections.abc import Sequence
from pathlib import Path

import maxminddb
import msgspec

from sekisho.guard.attempts import Attempt

_ASN_MAX = (1 << 32) - 1
_COUNTRY_CHARS = 2


class BadGeography(ValueError):  # noqa: N818 - named like a refusal, for it is one to the operator
    """The file is no MMDB, or is damaged; the text says which."""


class Geography:
    """Fills in an attempt's `asn` and `country` where they are not known."""

    def __init__(self, files: Sequence[Path]) -> None:
        """Open the files; where two know a fact, the first speaks. Raises BadGeography, and OSError.

        A file is mapped into memory: put a newer one in its place by renaming, never by writing into it.
        """
        self.failed_count = 0
        self._readers = [_opened(path) for path in files]

    def locate(self, attempt: Attempt) -> Attempt:
        """Return the attempt with what the files know and the attempt does not."""
        if attempt.asn and attempt.country:
            return attempt
        asn, country = attempt.asn, attempt.country
        for reader in self._readers:
            try:
                record = reader.get(attempt.ip)
            except (maxminddb.InvalidDatabaseError, OSError, ValueError):
                self.failed_count += 1
                continue
            if isinstance(record, dict):
                asn = asn or _asn(record)
                country = country or _country(record)
        if (asn, country) == (attempt.asn, attempt.country):
            return attempt
        return msgspec.structs.replace(attempt, asn=asn, country=country)

    def close(self) -> None:
        """Let the files go."""
        for reader in self._readers:
            reader.close()


def _opened(path: Path) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(path)
    except maxminddb.InvalidDatabaseError as error:
        raise BadGeography(f"{path} is no MMDB file, or is damaged") from error


def _asn(record: dict[str, object]) -> int:
    number = record.get("autonomous_system_number")
    return number if isinstance(number, int) and 0 < number <= _ASN_MAX else 0


def _country(record: dict[str, object]) -> str:
    country = record.get("country")
    code = country.get("iso_code") if isinstance(country, dict) else None
    return code if isinstance(code, str) and len(code) == _COUNTRY_CHARS else ""
