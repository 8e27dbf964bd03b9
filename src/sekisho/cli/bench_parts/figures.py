"""What the measurements find, as it passes from their processes to the report."""

import msgspec


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds of CPU: the median and the 99th percentile, and the median of the last tenth."""

    median_us: float
    p99_us: float
    last_median_us: float
    count: int


class Shadowed(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds of CPU, at the median, of a decision by the score with so many policies in the shadow."""

    shadows: int
    assess_us: float
    both_us: float


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a server answered under load. `client` names the program that asked.

    `cpu_us` is the server's CPU time for each answer, on all its threads; 0 where the system does not tell.
    """

    requests_per_second: float
    p99_ms: float
    client: str
    cpu_us: float = 0.0


class Hashing(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds of CPU that a password verification takes."""

    median_ms: float
    p99_ms: float


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """A replay's closing line; the peak of memory is what the system says of the process."""

    attempts: int
    seconds: float
    attempts_per_second: float


class Hunted(msgspec.Struct, frozen=True, kw_only=True):
    """What a hunt over so many rows took, on all cores."""

    rows: int
    seconds: float
    cpu_seconds: float
    peak_memory_mib: float


class Bookings(msgspec.Struct, frozen=True, kw_only=True):
    """Transfers a second in the ledger, and by the smallest SQL that moves money."""

    ledger_per_second: float
    by_hand_per_second: float
    clients: int


class Debits(msgspec.Struct, frozen=True, kw_only=True):
    """Debits a second under mandates at a bank, and transfers a second in the bare ledger."""

    debits_per_second: float
    ledger_per_second: float
    clients: int


class Containments(msgspec.Struct, frozen=True, kw_only=True):
    """Members that a containment shuts in a second, what one costs in CPU time, and bare units of work."""

    members: int
    members_per_second: float
    cpu_ms_per_member: float
    units_per_second: float


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Links of accounts a second at a bank, and bare verifications of PINs a second."""

    links_per_second: float
    verifications_per_second: float
    clients: int


class Logins(msgspec.Struct, frozen=True, kw_only=True):
    """Logins a second on known devices, bare hash verifications a second on as many threads, and how many
    hostile attempts a second of CPU stops before the hash.

    `share` is the median, over rounds of both in turns, of what a verification took to what a login took, by
    the clock; `cpu_share` is the same in CPU time.
    """

    logins_per_second: float
    verifications_per_second: float
    share: float
    cpu_share: float
    hostile_per_cpu_second: float
