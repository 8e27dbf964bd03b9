"""The published risk score of a login against its member's past: a yardstick beside the guard, not its part.

Freeman, Jain, Dürmuth, Biggio, Giacinto: "Who Are You? A Statistical Approach to Measuring User Authenticity"
(NDSS 2016, doi.org/10.14722/ndss.2016.23240), without data about attacks on single members:

    S_u(x) = p(u|A) / p(u|L) * product over the features k of p(x_k) / p(x_k|u,L)

Every member is as likely to be attacked, so p(u|A) = 1/U for U members; p(u|L) is the member's share n/N of
all logins. How a feature's coarser values (an address's provider and country) come in is taken from the
program of Wiefling et al. (ACM TOPS 2022, github.com/das-group/rba-algorithm at 28fec46, MIT), read and
written anew. With the weights w_l of a feature's values, l = 0 being the exact one, and a value's counts c_l
among all logins and m_l among the member's:

    p(x|u,L) = sum of w_l * m_l/n
    p(x)     = w_0 * q * r + sum over l > 0 of w_l * c_l/N
    q        = c_0/N * (1 - v/(N+v)), or 1/(N+v) where the exact value is new
    r        = 1 - a/(t+a), or 1 where the exact value is new

v is one more than the number of distinct coarser values ever seen; a is the same among the t logins that
share the exact value. Where the member never showed any value of a feature, p(x) / p(x|u,L) is 4.

Above 1 speaks for an attacker. The score needs a past: it says nothing of a member's first login.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from typing import NamedTuple, TypeAlias


class Login(NamedTuple):
    """What the score compares: two features, each from its exact value to its coarsest."""

    address: Hashable
    provider: Hashable
    country: Hashable
    user_agent: Hashable
    browser: Hashable
    system: Hashable
    device_type: Hashable


Feature: TypeAlias = tuple[tuple[int, float], ...]
"""The places of a feature's values in a `Login`, the exact one first, each with its weight."""

# Both as published: the weights of the client were fitted by the authors to their own data set.
NETWORK: Feature = ((0, 0.6), (1, 0.3), (2, 0.1))
CLIENT: Feature = (
    (3, 0.5386653840551359),
    (4, 0.2680451498625666),
    (5, 0.18818295100109536),
    (6, 0.0051065150812021525),
)
FEATURES = (NETWORK, CLIENT)
NOTHING_SHARED = 4.0


class PastLogins:
    """Successful logins of all members, counted by value."""

    def __init__(self) -> None:
        self.logins = 0
        self.of_member: dict[Hashable, Counter[Login]] = {}
        self._counts: tuple[Counter[Hashable], ...] = tuple(Counter() for _ in Login._fields)
        self._coarser: dict[tuple[int, Hashable], set[tuple[int, Hashable]]] = defaultdict(set)

    def add(self, member: Hashable, login: Login) -> None:
        """Count a login that succeeded."""
        self.logins += 1
        self.of_member.setdefault(member, Counter())[login] += 1
        for count, value in zip(self._counts, login, strict=True):
            count[value] += 1
        for (exact, _), *coarser in FEATURES:
            self._coarser[exact, login[exact]].update((level, login[level]) for level, _ in coarser)

    def score(self, member: Hashable, login: Login, *, whole: "PastLogins | None" = None) -> float | None:
        """Return the risk score (0 or more), or None where the member never logged in before.

        Without `whole` the past alone is used. The authors' own run takes r over its whole log, later logins
        and the judged one included: give that log as `whole` to repeat it.
        """
        own = self.of_member.get(member)
        if not own:
            return None
        score = 1.0
        for feature in FEATURES:
            score *= self._ratio(feature, login, own, whole or self)
        # In the authors' order of operations, so that the last digit agrees.
        return score * ((1 / len(self.of_member)) / (own.total() / self.logins))

    def _ratio(self, feature: Feature, login: Login, own: Counter[Login], whole: "PastLogins") -> float:
        everybodys = self._everybodys(feature, login, whole)
        members = members_likelihood(feature, login, own)
        return everybodys / members if members else NOTHING_SHARED

    def _everybodys(self, feature: Feature, login: Login, whole: "PastLogins") -> float:
        (exact, weight), *coarser = feature
        count, logins = self._counts[exact][login[exact]], self.logins
        unseen = 1 + sum(len(self._counts[level]) for level, _ in coarser)
        likelihood = count / logins * (1 - unseen / (logins + unseen)) if count else 1 / (logins + unseen)
        total = weight * (whole.reliability(exact, login[exact]) * likelihood)
        for level, weight in coarser:
            total += weight * (self._counts[level][login[level]] / logins)
        return total

    def reliability(self, level: int, value: Hashable) -> float:
        """Return r: near 1 for a value that came often and always with the same coarser values."""
        count = self._counts[level][value]
        if not count:
            return 1.0
        distinct = 1 + len(self._coarser[level, value])
        return 1 - distinct / (count + distinct)


def members_likelihood(feature: Feature, login: Login, own: Mapping[Login, int]) -> float:
    """Return p(x|u,L), 0 to 1: how usual a login's feature is for a member with this past."""
    logins = sum(own.values())
    total = 0.0
    for level, weight in feature:
        total += weight * (sum(times for past, times in own.items() if past[level] == login[level]) / logins)
    return total
