"""What speaks for and against an attempt that no device token vouches for, as a short list of codes.

Each code is an index into the risk model's weights: a class of one fact or of two or three facts together.
Source codes tell where the attempt comes from and hold for every name; member codes compare it with the
member's own past.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from sekisho.guard.memory import CountTable, Decay, Odds
from sekisho.guard.networks import Source
from sekisho.guard.profiles import Familiarity

Codes: TypeAlias = Sequence[int]
"""Indices into the weights of one side, source or member."""

PULL = 5.0  # usual successes that draw a fact's odds towards the usual
HOUR_S = 3_600
DAY_S = 86_400
_RATIO_STEPS = 10  # from 0.3 to 6.7 times the usual and beyond
HONEST_FAILURES = 0.3  # failures that an address may have for each success before they speak against it


_RATIO_EDGES = tuple(2.0 ** (step / 2.0 - 1.75) for step in range(_RATIO_STEPS))
_COUNT_EDGES = (0.4, 1.2, 2.5, 4.5, 8.5)
_EVER_EDGES = (1, 2, 5, 21)


def ratio_class(ratio: float) -> int:
    """Sort an excess (odds over the usual odds) into one of eleven classes, a half power of two wide; 4
    is the usual.
    """
    return bisect_right(_RATIO_EDGES, ratio)


def count_class(count: float) -> int:
    """Sort a decayed count into none, 1, 2, 3 to 4, 5 to 8, more: classes 0 to 5."""
    return bisect_right(_COUNT_EDGES, count)


def ever_class(successes: int) -> int:
    """Sort the successes that an address ever had: 0, 1, 2 to 4, 5 to 20, more: classes 0 to 4."""
    return bisect_right(_EVER_EDGES, successes)


def offsets(widths: tuple[int, ...]) -> tuple[int, ...]:
    """Return where each block of weights begins, and at the end their number."""
    starts = [0]
    for width in widths:
        starts.append(starts[-1] + width)
    return tuple(starts)


SOURCE_WIDTHS = (
    # what is known of the address when the attempt comes
    6 * 2,  # token class x browser or app
    5 * 6,  # address: successes ever x excess failures
    6 * 6 * 5,  # token x address state
    6 * 6,  # prefix: excess failures x successes
    5 * 11,  # address: successes ever x failures against successes
    # what the source itself is
    4_096,  # provider, IPv4 or IPv6
    4_096,  # program x token class
    4_096,  # client fingerprint
    6,  # how common the fingerprint is for the program
    8,  # actor's distinct accounts
    # its reputation of the moment
    11,  # region
    11,  # provider, 6 h
    11,  # provider, 30 min
    11,  # client fingerprint
    11 * 6,  # user agent x how common
    11,  # program
    11,  # country
    11,  # failures of the last 30 min
    11,  # failures of the last 6 h
    12,  # two hours of the day (UTC)
)
SOURCE = offsets(SOURCE_WIDTHS)

MEMBER_WIDTHS = (
    6 * 8,  # logins x silence
    6 * 5 * 4,  # network x client x logins
    6 * 6 * 5,  # token x network x client
    3,  # fingerprint known
    3,  # others' or own failures on the account in the last hour
    3 * 4 * 6,  # leaked pair x logins x network
    7 * 6,  # token habit x token
    7 * 6 * 5,  # token habit x network x client
    8,  # accounts the secret failed on
    6 * 6 * 5,  # network x address state
    6 * 11,  # logins x provider
)
MEMBER = offsets(MEMBER_WIDTHS)


class Tables:
    """The decaying counts of one gate, by fact."""

    def __init__(self) -> None:
        self.quick, self.slow, self.long = Decay(0.5 * HOUR_S), Decay(6 * HOUR_S), Decay(14 * DAY_S)
        self.provider_quick = Odds(self.quick, 1 << 16)
        self.provider = Odds(self.slow, 1 << 16)
        self.region = Odds(self.slow, 1 << 16)
        self.fingerprint = Odds(self.slow, 1 << 16)
        self.exact = Odds(self.slow, 1 << 16)
        self.family = Odds(self.slow, 1 << 16)
        self.country = Odds(self.slow, 1 << 12)
        self.pairing = Odds(self.long, 1 << 16)
        self.exact_long = Odds(self.long, 1 << 16)
        self.all_quick, self.all_slow, self.all_long = (
            Odds(self.quick, 1),
            Odds(self.slow, 1),
            Odds(self.long, 1),
        )

    def advance(self, now_s: float) -> None:
        """Move the three clocks of decay to this moment."""
        self.quick.advance(now_s)
        self.slow.advance(now_s)
        self.long.advance(now_s)

    def usual(self) -> float:
        """Return the long-run odds of failure of attempts without a vouching token."""
        pull = 20.0 * self.long.weight
        return (self.all_long.failures[0] + 0.2 * pull) / (self.all_long.successes[0] + pull)


class SourceFacts(msgspec.Struct, kw_only=True, gc=False):
    """The source side of one attempt: codes of its tables and the state of its address, kept until it is
    learnt.
    """

    provider: int
    region: int
    tls: int
    exact: int
    family: int
    country: int
    v6: bool
    pairing: int = 0
    address_state: int = 0
    codes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Tell which program came with which fingerprint."""
        self.pairing = (self.family * 31 + self.tls) & 0xFFFF


class Surroundings(msgspec.Struct, frozen=True, gc=False):
    """What is known of an address and its prefix.

    `ever` counts the address's successes. The others are decayed over a day: failures beyond what successes
    excuse, and successes, of the address and of its prefix.
    """

    ever: int = 0
    excess: float = 0.0
    successes: float = 0.0
    prefix_excess: float = 0.0
    prefix_successes: float = 0.0


def excess_failures(table: CountTable, slot: int, now_s: int) -> tuple[float, float]:
    """Return a slot's failures beyond what honest successes excuse, and its successes, both decayed to
    now.
    """
    kept = table.kept(slot, now_s)
    successes = table.successes[slot] * kept
    return max(0.0, table.failures[slot] * kept - HONEST_FAILURES * successes), successes


def source_codes(
    facts: SourceFacts, tables: Tables, kind: int, surroundings: Surroundings, now_s: int, actor: int
) -> tuple[int, ...]:
    """Return the source codes and keep them, and the state of the address, in the facts."""
    at = SOURCE
    usual = tables.usual()
    facts.codes = (
        *address_codes(facts, kind, surroundings, usual),
        at[5] + ((facts.provider * 2 + facts.v6) & 0xFFF),
        at[6] + ((facts.family * 7 + kind) & 0xFFF),
        at[7] + (facts.tls & 0xFFF),
        at[8] + count_class(tables.pairing.successes[facts.pairing] / tables.long.weight),
        at[9] + min(7, actor),
        *reputation_codes(facts, tables, usual, now_s),
    )
    return facts.codes


STANDING = 5  # where the codes of what the source itself is begin


def address_codes(facts: SourceFacts, kind: int, around: Surroundings, usual: float) -> tuple[int, ...]:
    """Return the codes that change with what happens at the address and in its prefix."""
    at = SOURCE
    ever = ever_class(around.ever)
    state = facts.address_state = ever * 6 + count_class(around.excess)
    ratio = (around.excess + 0.5 * usual) / ((around.successes + 0.5) * usual)
    return (
        at[0] + kind * 2 + (facts.family & 1),
        at[1] + state,
        at[2] + kind * 30 + state,
        at[3] + count_class(around.prefix_excess) * 6 + count_class(around.prefix_successes),
        at[4] + ever * 11 + ratio_class(ratio),
    )


PROVIDER = 11  # the code of the provider's standing over 6 h
REPUTATION = 10  # where the codes of the moment's reputation begin


def reputation_codes(facts: SourceFacts, tables: Tables, usual: float, now_s: int) -> tuple[int, ...]:
    """Return the codes that change with the traffic around the attempt: its standing now against the
    usual.
    """
    at, edges, sort = SOURCE, _RATIO_EDGES, bisect_right
    common = count_class(tables.exact_long.successes[facts.exact] / tables.long.weight)
    # Odds over the usual ones, drawn towards 1 by some usual successes: written out, as it is half the work.
    pull = PULL * tables.slow.weight
    bent = pull * usual
    quick = PULL * tables.quick.weight
    bent_quick = quick * usual
    provider, region, family = facts.provider, facts.region, facts.family
    by_region, by_provider, by_minute = tables.region, tables.provider, tables.provider_quick
    by_tls, by_text, by_family, by_country = tables.fingerprint, tables.exact, tables.family, tables.country
    everything, lately = tables.all_slow, tables.all_quick
    tls, exact, country = facts.tls, facts.exact, facts.country
    return (
        at[10]
        + sort(edges, (by_region.failures[region] + bent) / ((by_region.successes[region] + pull) * usual)),
        at[11]
        + sort(
            edges,
            (by_provider.failures[provider] + bent) / ((by_provider.successes[provider] + pull) * usual),
        ),
        at[12]
        + sort(
            edges,
            (by_minute.failures[provider] + bent_quick) / ((by_minute.successes[provider] + quick) * usual),
        ),
        at[13] + sort(edges, (by_tls.failures[tls] + bent) / ((by_tls.successes[tls] + pull) * usual)),
        at[14]
        + sort(edges, (by_text.failures[exact] + bent) / ((by_text.successes[exact] + pull) * usual)) * 6
        + common,
        at[15]
        + sort(edges, (by_family.failures[family] + bent) / ((by_family.successes[family] + pull) * usual)),
        at[16]
        + sort(
            edges, (by_country.failures[country] + bent) / ((by_country.successes[country] + pull) * usual)
        ),
        at[17] + sort(edges, (lately.failures[0] + bent_quick) / ((lately.successes[0] + quick) * usual)),
        at[18] + sort(edges, (everything.failures[0] + bent) / ((everything.successes[0] + pull) * usual)),
        at[19] + now_s // 7_200 % 12,
    )


_LOGIN_EDGES = (1, 2, 4, 9, 31)
_SILENCE_EDGES_S = tuple(int(days * DAY_S) for days in (0.2, 1, 3, 7, 14, 30))
_HABIT_EDGES = (0.06, 0.12, 0.25, 0.5, 0.8)
_SPRAY_EDGES = (0.4, 1.4, 2.5, 5.0, 10.0, 25.0, 80.0)


def logins_class(logins: int) -> int:
    """Sort past logins: none, 1, 2 to 3, 4 to 8, 9 to 30, more: classes 0 to 5."""
    return bisect_right(_LOGIN_EDGES, logins)


def silence_class(seconds: int) -> int:
    """Sort the time since the last login: under 5 h, 1 day, 3, 7, 14, 30 days, longer: classes 0 to 6."""
    return bisect_right(_SILENCE_EDGES_S, seconds)


def habit_class(known: Familiarity) -> int:
    """Sort how often the member's logins carried no token: no history 0, then 1 (always a token) to 6
    (never one).
    """
    if not known.logins:
        return 0
    return 1 + bisect_right(
        _HABIT_EDGES, ((1.0 - known.token_share) * known.logins + 0.3) / (known.logins + 1.0)
    )


def member_codes(
    known: Familiarity, facts: SourceFacts, kind: int, *, failing: int, leaked: int, sprayed: float
) -> tuple[int, ...]:
    """Return the member codes; `failing`: 0 none, 1 from elsewhere, 2 from here; `leaked`: 0 no, 1 yes,
    2 not recorded.
    """
    at = MEMBER
    network, client = known.network, known.client
    logins = logins_class(known.logins)
    few = min(3, logins)
    habit = habit_class(known)
    near = network * 5 + client
    return (
        at[0] + logins * 8 + (1 + silence_class(known.silent_s) if logins else 0),
        at[1] + near * 4 + few,
        at[2] + kind * 30 + near,
        at[3] + known.tls,
        at[4] + failing,
        at[5] + (leaked * 4 + few) * 6 + network,
        at[6] + habit * 6 + kind,
        at[7] + habit * 30 + near,
        at[8] + bisect_right(_SPRAY_EDGES, sprayed),
        at[9] + network * 30 + facts.address_state,
        at[10] + logins * 11 + (facts.codes[PROVIDER] - SOURCE[PROVIDER]),
    )


class Example(NamedTuple):
    """A success as the risk model sees it, kept to be judged again under later models.

    `ever` is how often its address had succeeded before: its own success must not speak for it.
    """

    kind: int
    leaked: int
    facts: SourceFacts
    member: Codes
    source: Source
    ever: int
