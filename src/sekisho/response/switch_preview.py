"""What a switch would have done in the last days: how many honest members it met, how much of a cohort."""

from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import Connection

from sekisho.kernel.clock import DAY_US
from sekisho.response.past_uses import PastUse, PastUses
from sekisho.response.switches import Scope, Usage, meets

DAYS = 7


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a switch would have met since `from_us`.

    `honest_met` counts the members who are not in the cohort, `cohort_met` those who are; `honest_users` and
    `cohort_users` count who used the function at all, so that the two can be compared. `cohort` is its size.
    Members who used nothing meet nothing. `unknown_facts` counts uses of whose session nothing is known:
    they count as met where the switch asks for it.
    """

    from_us: int
    until_us: int
    uses: int
    uses_met: int
    yen_met: int
    honest_users: int
    honest_met: int
    cohort: int
    cohort_users: int
    cohort_met: int
    unknown_facts: int

    def in_words(self) -> str:
        """Return it in one sentence."""
        days = (self.until_us - self.from_us) // DAY_US
        return (
            f"In the last {days} days it would have met {self.honest_met:,} of {self.honest_users:,} honest"
            f" members who used this, and {self.cohort_met:,} of {self.cohort_users:,} of the cohort"
            f" ({self.cohort:,} members): {self.uses_met:,} of {self.uses:,} uses, {self.yen_met:,} yen."
        )


def preview(  # noqa: PLR0913 - what would be off, for whom, over which time, from which sources
    connection: Connection,
    sources: Iterable[PastUses],
    scope: Scope,
    *,
    members: Collection[str],
    cohort: Collection[str],
    from_us: int,
    until_us: int,
) -> Preview:
    """Go through what was done and count whom a switch would have met. `members` are those it names.

    What several sources know of is counted once, as the last of them gives it.
    """
    named = frozenset(members)
    asked = msgspec.structs.replace(scope, names_members=len(named))
    known = {use.key: use for source in sources for use in source.since(connection, from_us)}
    uses = [use for use in known.values() if use.at_us < until_us]
    meant = [use for use in uses if any(_is_meant(asked, name) for name in use.names)]
    met = [use for use in meant if _is_met(asked, use, named)]
    users, met_users = ({use.usage.member_id for use in some} for some in (meant, met))
    suspects = frozenset(cohort)
    return Preview(
        from_us=from_us,
        until_us=until_us,
        uses=len(meant),
        uses_met=len(met),
        yen_met=sum(use.amount_yen for use in met),
        honest_users=len(users - suspects),
        honest_met=len(met_users - suspects),
        cohort=len(suspects),
        cohort_users=len(users & suspects),
        cohort_met=len(met_users & suspects),
        unknown_facts=sum(use.usage.risk is None for use in meant),
    )


def _is_meant(scope: Scope, name: str) -> bool:
    """Say whether a switch is about a function at all, whoever uses it."""
    about = Scope(function=scope.function, direction=scope.direction)
    return meets(about, Usage(name), 0, is_named=True)


def _is_met(scope: Scope, use: PastUse, named: frozenset[str]) -> bool:
    return any(
        meets(scope, use.usage._replace(function=name), use.at_us, is_named=use.usage.member_id in named)
        for name in use.names
    )
