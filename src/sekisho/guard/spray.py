"""One secret tried on many accounts: counters keyed by the secret, not by the account.

The log's or the caller's opaque token of a secret is hashed again under a key of its own for every
`period_s`, and the counts live in memory alone: never in a snapshot, never in a log. A keyed hash of a
four-digit PIN can be reversed by whoever holds the key, so nothing that carries it may outlive the process.
"""

from hashlib import blake2b

from sekisho.guard.memory import CountTable


class SecretUse:
    """How many different accounts a secret failed on lately (half-life one day)."""

    def __init__(self, *, slots: int, key: bytes, period_s: int = 7 * 86_400) -> None:
        self._root = key
        self._slots = slots
        self._period_s = period_s
        self._period = -1
        self._keyed = blake2b(digest_size=8)
        self._table = CountTable(slots=1, half_life_s=86_400.0, key=0)

    def key_of(self, gate: str, secret: str, now_s: int) -> int:
        """Return the secret's key of this period, 0 where no secret was recorded."""
        if not secret:
            return 0
        period = now_s // self._period_s
        if period > self._period:
            self._turn(period)
        keyed = self._keyed.copy()
        keyed.update(f"{gate}|{secret}".encode("utf-8", "surrogatepass"))
        return int.from_bytes(keyed.digest(), "big")

    def _turn(self, period: int) -> None:
        self._period = period
        key = blake2b(
            period.to_bytes(8, "big"), key=self._root, person=b"secret-use", digest_size=32
        ).digest()
        self._keyed = blake2b(key=key, digest_size=8)
        self._table = CountTable(slots=self._slots, half_life_s=86_400.0, key=int.from_bytes(key[:8], "big"))

    def failures(self, key: int, member: int, now_s: int) -> float:
        """Return the decayed count of accounts, this one apart where it was the last, on which the
        secret failed.
        """
        table = self._table
        slot = table.find(key) if key else -1
        if slot < 0:
            return 0.0
        count = table.failures[slot] * table.kept(slot, now_s)
        return count - 1.0 if count >= 1.0 and table.tag[slot] == member & 0xFFFF_FFFF else count

    def count(self, key: int, member: int, now_s: int) -> None:
        """Count a failure of the secret; the same account twice in a row counts once."""
        if not key:
            return
        slot = self._table.take(key, now_s)
        mark = member & 0xFFFF_FFFF
        if self._table.tag[slot] != mark:
            self._table.tag[slot] = mark
            self._table.failures[slot] += 1.0
