"""A keyring in an institution's folder, as the institution makes it when it is served first."""

from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.storage.keyring_files import open_keyring
from sekisho.storage.kms import key_wrapper


def keyring_in(folder):
    """Open the keyring of a folder, and make it where it is new."""
    clock, chance = SystemClock(), SystemChance()
    return open_keyring(folder, key_wrapper(folder, {}, chance), clock=clock, chance=chance)
