"""A keyring in a file: its keys wrapped under a master key, new ones made, old ones retired.

The file may be copied into a backup; without the master key it opens nothing. Whoever changes it holds a lock
beside it, and processes that have it open follow when they first meet a key that they do not know.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.refusals import Refusal
from sekisho.storage.files import OWNER_ONLY, replace_file
from sekisho.storage.keyring import HeldKeyring, Key, KeyUse, new_key, new_keys
from sekisho.storage.keys import KeyUnusable
from sekisho.storage.master_keys import KeyWrapper, Wrapped

KEYRING_FILE = "keyring.json"


class KeyInUse(Refusal):
    """A key that is needed is not taken away, and one that must never change is not replaced."""

    code = "key_in_use"
    status = 409
    told = "This key is still needed."


class KeyEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One key as it stands in the file. `wrapped` opens under the master key that `wrapped_by` names."""

    name: str
    use: KeyUse
    made_at_us: int
    wrapped_by: str
    wrapped: bytes


class _Contents(msgspec.Struct, frozen=True):
    version: int
    keys: tuple[KeyEntry, ...]


class KeyringFile:
    """The keys in one file. Reading asks the wrapper only for what was not read before."""

    def __init__(self, folder: Path, wrapper: KeyWrapper) -> None:
        self._path = folder / KEYRING_FILE
        self._wrapper = wrapper
        self._unwrapped: dict[KeyEntry, Key] = {}

    def make(self, clock: Clock, chance: Chance) -> None:
        """Make the file with one key for each use, where there is none. Raises OperationalError, OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._held():
            if not self._path.exists():
                self._write([self._entry(key) for key in new_keys(clock, chance)])

    def entries(self) -> tuple[KeyEntry, ...]:
        """Return what the file says of its keys, without opening any. Raises KeyUnusable and OSError."""
        with self._path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            text = file.read()
        if mode & ~OWNER_ONLY:
            raise KeyUnusable(known=f"{self._path} has mode {mode:o}, not {OWNER_ONLY:o}")
        try:
            contents = msgspec.json.decode(text, type=_Contents)
        except msgspec.DecodeError as error:
            raise KeyUnusable(known=f"{self._path}: {error}") from error
        if contents.version != 1:
            raise KeyUnusable(known=f"{self._path} has version {contents.version}")
        return contents.keys

    def read(self) -> tuple[Key, ...]:
        """Return all keys. Raises KeyUnusable, Unsealable, OperationalError of the wrapper, and OSError."""
        entries = self.entries()
        for entry in entries:
            if entry not in self._unwrapped:
                self._unwrapped[entry] = self._key(entry)
        return tuple(self._unwrapped[entry] for entry in entries)

    def rotate(self, use: KeyUse, clock: Clock, chance: Chance) -> Key:
        """Make a key that is used from now on; the older ones stay. Raises KeyInUse for the digest key."""
        if use is KeyUse.DIGEST:
            raise KeyInUse(told="The digest key cannot change: what it made could not be found again.")
        with self._held():
            entries = self.entries()
            made = new_key(use, clock, chance)
            # The newest is the one with the latest time, also where the clock was set back.
            newest_us = max(entry.made_at_us for entry in entries)
            made = replace(made, made_at_us=max(made.made_at_us, newest_us + 1))
            self._write([*entries, self._entry(made)])
        return made

    def retire(self, name: str) -> None:
        """Take an old key away for good: what is still under it never opens again.

        Raises KeyInUse for the newest key of a use, and for a name that is not there.
        """
        with self._held():
            entries = self.entries()
            newest = {entry.use: entry.name for entry in sorted(entries, key=lambda entry: entry.made_at_us)}
            kept = [entry for entry in entries if entry.name != name]
            if name in newest.values():
                raise KeyInUse(
                    told="This is the newest key of its use.", known=f"{name} is the newest of its use"
                )
            if len(kept) == len(entries):
                raise KeyInUse(told="There is no key of this name.", known=f"no key of this name: {name}")
            self._write(kept)

    def rewrap(self, wrapper: KeyWrapper) -> None:
        """Wrap all keys under another master key. Raises what `read` raises, and then changes nothing."""
        with self._held():
            keys = self.read()
            self._wrapper = wrapper
            self._write([self._entry(key) for key in keys])

    def _entry(self, key: Key) -> KeyEntry:
        wrapped = self._wrapper.wrap(key.octets, context=_context(key.use, key.name))
        return KeyEntry(
            name=key.name,
            use=key.use,
            made_at_us=key.made_at_us,
            wrapped_by=wrapped.by,
            wrapped=wrapped.octets,
        )

    def _key(self, entry: KeyEntry) -> Key:
        wrapped = Wrapped(entry.wrapped_by, entry.wrapped)
        octets = self._wrapper.unwrap(wrapped, context=_context(entry.use, entry.name))
        return Key(name=entry.name, use=entry.use, made_at_us=entry.made_at_us, octets=octets)

    def _write(self, entries: list[KeyEntry]) -> None:
        replace_file(self._path, msgspec.json.format(msgspec.json.encode(_Contents(1, tuple(entries)))))

    @contextmanager
    def _held(self) -> Iterator[None]:
        lock = os.open(self._path.with_name(KEYRING_FILE + ".lock"), os.O_CREAT | os.O_RDWR, OWNER_ONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def open_keyring(folder: Path, wrapper: KeyWrapper, *, clock: Clock, chance: Chance) -> HeldKeyring:
    """Open the keyring in a folder, and make it where there is none.

    Raises KeyUnusable, Unsealable where the master key is another one, OperationalError of the wrapper, and
    OSError.
    """
    file = KeyringFile(folder, wrapper)
    file.make(clock, chance)
    return HeldKeyring(file.read, chance)


def _context(use: KeyUse, name: str) -> str:
    return f"sekisho:{use}:{name}"
