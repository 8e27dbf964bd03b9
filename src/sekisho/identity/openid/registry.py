"""The operator's desk: register, list and remove clients, and change signing keys, in an open store."""

from sekisho.identity.openid import clients, signing_keys
from sekisho.identity.openid.clients import Client, ClientSettings
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.identity.openid.signing_keys import StoredKey
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.storage.engine import Store
from sekisho.storage.keyring import Keyring


class Registry:
    """What an operator does to a provider's clients. Each call returns when it is kept."""

    def __init__(self, store: Store, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._clock = clock
        self._chance = chance

    def add(self, client_id: str, settings: ClientSettings) -> str:
        """Register a client and return its secret, empty where it has none. Raises ClientUnfit."""
        now_us, chance = self._clock.now_us(), self._chance
        return self._store.write(
            lambda connection: clients.add(connection, client_id, settings, now_us=now_us, chance=chance)
        ).result()

    def all(self) -> list[Client]:
        """Return all clients by their id."""
        with self._store.read() as connection:
            return clients.all_clients(connection)

    def remove(self, client_id: str) -> bool:
        """Take a client away; say whether there was one."""
        now_us = self._clock.now_us()
        return self._store.write(
            lambda connection: clients.remove(connection, client_id, now_us=now_us)
        ).result()


class KeyChanges:
    """What an operator does to a provider's signing keys. Each call returns when it is kept."""

    def __init__(self, store: Store, keyring: Keyring, clock: Clock, settings: OpenIdSettings) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._settings = settings

    def shown(self) -> list[StoredKey]:
        """Return the keys that are shown now, in the order in which they sign."""
        with self._store.read() as connection:
            return signing_keys.stored_keys(connection, now_us=self._clock.now_us())

    def rotate(self) -> None:
        """Begin the change to new keys; see `signing_keys.rotate`."""
        now_us = self._clock.now_us()
        self._store.write(
            lambda connection: signing_keys.rotate(connection, self._keyring, self._settings, now_us=now_us)
        ).result()

    def replace(self) -> None:
        """Change to new keys at once; see `signing_keys.replace`."""
        now_us = self._clock.now_us()
        self._store.write(
            lambda connection: signing_keys.replace(connection, self._keyring, now_us=now_us)
        ).result()
