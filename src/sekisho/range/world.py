"""A small world: its members, and their visits in the order in which they come."""

from sekisho.range.members import Member, Visit


class World:
    """So many members under one seed. Two worlds of one seed and size live the same lives."""

    def __init__(self, *, seed: int, size: int) -> None:
        self.seed = seed
        self.members = _members(seed, size)

    def visits(self, start_us: int, end_us: int) -> list[Visit]:
        """Return everybody's visits between two moments, in order of time. To be asked once."""
        visits = [visit for member in self.members.values() for visit in member.visits(start_us, end_us)]
        return sorted(visits, key=lambda visit: visit.at_us)


def _members(seed: int, size: int) -> dict[str, Member]:
    """Return members by login name; whoever asks for a name that is taken is sent away, as everywhere."""
    members: dict[str, Member] = {}
    number = 0
    while len(members) < size:
        member = Member(seed, number)
        members.setdefault(member.name, member)
        number += 1
    return members
