"""Trusted authorities and their revocation lists as files in a folder, which an operator keeps fresh.

Certificates end in `.pem`, `.crt` or `.cer`, lists in `.crl`; both may be PEM or DER.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from cryptography import x509

from sekisho.kernel.posture import OperationalError

PART = "identity_trust"
CERTIFICATES = frozenset({".pem", ".crt", ".cer"})
LISTS = frozenset({".crl"})
_PEM = b"-----BEGIN"

Read = TypeVar("Read")


class _Seen(NamedTuple):
    """A file as it was when it was read."""

    path: Path
    changed_ns: int
    octets: int


class FolderTrust:
    """Reads a folder when it is asked, and a file again only where it has changed: lists can be large."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._certificates: dict[_Seen, list[x509.Certificate]] = {}
        self._lists: dict[_Seen, list[x509.CertificateRevocationList]] = {}

    async def authorities(self) -> Sequence[x509.Certificate]:
        """Return the authorities. Raises OperationalError where there is none, or a file can't be read."""
        found = await asyncio.to_thread(self._read, CERTIFICATES, _certificates, self._certificates)
        if not found:
            raise OperationalError(PART, "no authority is trusted")
        return found

    async def revocation_lists(self) -> Sequence[x509.CertificateRevocationList]:
        """Return the lists. Raises OperationalError where a file can't be read."""
        return await asyncio.to_thread(self._read, LISTS, _lists, self._lists)

    def _read(
        self, endings: frozenset[str], read: Callable[[bytes], list[Read]], known: dict[_Seen, list[Read]]
    ) -> list[Read]:
        try:
            now = {_seen(path) for path in self._folder.iterdir() if path.suffix in endings}
            for gone in known.keys() - now:
                known.pop(gone, None)
            for new in now - known.keys():
                known[new] = read(new.path.read_bytes())
        except (OSError, ValueError) as error:
            raise OperationalError(PART, type(error).__name__) from error
        return [each for seen in sorted(now) for each in known[seen]]


def _seen(path: Path) -> _Seen:
    found = path.stat()
    return _Seen(path, found.st_mtime_ns, found.st_size)


def _certificates(octets: bytes) -> list[x509.Certificate]:
    if _PEM in octets:
        return x509.load_pem_x509_certificates(octets)
    return [x509.load_der_x509_certificate(octets)]


def _lists(octets: bytes) -> list[x509.CertificateRevocationList]:
    is_pem = octets.lstrip().startswith(_PEM)
    return [x509.load_pem_x509_crl(octets) if is_pem else x509.load_der_x509_crl(octets)]
