"""Figures of a report: each with the query that gives it again from the institution's record."""

from typing import NamedTuple

from sqlalchemy import Connection, text

from sekisho.identity.personal_data import Item
from sekisho.response.case_stages import Basis, damage
from sekisho.response.claims import compensated
from sekisho.response.recovery_rows import summed

ACTED_ON = "('done', 'proposed', 'waiting', 'failed')"
"""Where somebody stands who may have been entered: neither turned down, nor unknown, nor the member."""

QUERIES = {
    "members": (
        "SELECT count(DISTINCT CASE WHEN m.member_id <> '' THEN m.member_id ELSE m.named END) FROM"
        " contained_member m JOIN containment c ON c.id = m.containment_id"
        " WHERE c.campaign = {campaign} AND m.standing IN {acted_on}"
    ),
    "contained": (
        "SELECT count(*) FROM contained_member m JOIN containment c ON c.id = m.containment_id"
        " WHERE c.campaign = {campaign} AND m.standing = 'done'"
    ),
    "undone": (
        "SELECT count(*) FROM contained_member m JOIN containment c ON c.id = m.containment_id"
        " WHERE c.campaign = {campaign} AND m.standing = 'undone'"
    ),
    "seen": (
        "SELECT count(DISTINCT r.member_id) FROM reveal r JOIN session s ON s.id = r.session_id"
        " JOIN contained_member m ON m.member_id = s.member_id"
        " JOIN containment c ON c.id = m.containment_id"
        " WHERE c.campaign = {campaign} AND m.standing IN {acted_on}"
        " AND s.opened_at_us BETWEEN m.entered_at_us AND m.at_us AND r.form <> 'masked'"
    ),
    "told": (
        "SELECT count(DISTINCT g.member_id) FROM message g JOIN contained_member m"
        " ON m.member_id = g.member_id JOIN containment c ON c.id = m.containment_id"
        " WHERE c.campaign = {campaign} AND g.kind LIKE 'notice:account_contained:%' AND g.state = 'sent'"
    ),
    "queued": (
        "SELECT count(DISTINCT g.member_id) FROM message g JOIN contained_member m"
        " ON m.member_id = g.member_id JOIN containment c ON c.id = m.containment_id"
        " WHERE c.campaign = {campaign} AND g.kind LIKE 'notice:account_contained:%'"
    ),
}

ITEMS = (
    "SELECT r.item, count(DISTINCT r.member_id) FROM reveal r JOIN session s ON s.id = r.session_id"
    " JOIN contained_member m ON m.member_id = s.member_id JOIN containment c ON c.id = m.containment_id"
    " WHERE c.campaign = {campaign} AND m.standing IN {acted_on}"
    " AND s.opened_at_us BETWEEN m.entered_at_us AND m.at_us AND r.form {form} 'masked'"
    " GROUP BY r.item ORDER BY r.item"
)


class Figure(NamedTuple):
    """A number, the query that gives it, and (where it gives several) in which column."""

    number: int
    value: int
    query: str
    column: str = ""


class Figures:
    """Collects the figures of one report. Each is named in the text by its number in the appendix."""

    def __init__(self, connection: Connection, campaign: str, as_of_us: int) -> None:
        self._connection = connection
        self._campaign = campaign
        self._as_of_us = as_of_us
        self.kept: list[Figure] = []

    def count(self, name: str) -> Figure:
        """Count by one of `QUERIES`."""
        bound, written = self._both(QUERIES[name])
        value = self._connection.execute(text(bound), {"campaign": self._campaign}).scalar_one()
        return self.keep(int(value or 0), written)

    def items(self, *, masked: bool) -> list[tuple[str, Figure]]:
        """Return for each kind of personal datum how many members' may have been seen, in full or masked."""
        shape = ITEMS.replace("{form}", "=" if masked else "<>")
        bound, written = self._both(shape)
        rows = self._connection.execute(text(bound), {"campaign": self._campaign}).all()
        counts = {row[0]: row[1] for row in rows}
        # In the order in which members see them.
        return [(item, self.keep(counts[item], written, item)) for item in Item if item in counts]

    def damage(self, basis: Basis, *, partner: str = "") -> tuple[Figure, Figure]:
        """Count cases and yen on a basis, as of the report's time."""
        found = damage(
            self._connection, basis, as_of_us=self._as_of_us, campaign=self._campaign, partner=partner
        )
        return self.keep(found.cases, found.query, "cases"), self.keep(found.yen, found.query, "yen")

    def compensated(self) -> tuple[Figure, Figure]:
        """Count the claims that were paid, and their yen."""
        found = compensated(self._connection, as_of_us=self._as_of_us, campaign=self._campaign)
        return self.keep(found.claims, found.query, "claims"), self.keep(found.yen, found.query, "yen")

    def recovered(self, partner: str) -> dict[str, Figure]:
        """Sum up what a partner was asked to bear, what came of it and what is open, as of the report."""
        found = summed(self._connection, as_of_us=self._as_of_us, campaign=self._campaign, partner=partner)
        sums = {"asked": found.total.asked_yen, "came": found.total.came_yen, "open": found.total.open_yen}
        return {name: self.keep(yen, found.total_query, f"{name}_yen") for name, yen in sums.items()}

    def keep(self, value: int, query: str, column: str = "") -> Figure:
        """Keep a figure with its query, and return it. The same one again keeps its number."""
        for before in self.kept:
            if before[1:] == (value, query, column):
                return before
        figure = Figure(len(self.kept) + 1, value, query, column)
        self.kept.append(figure)
        return figure

    def _both(self, shape: str) -> tuple[str, str]:
        """Return a query to run, and the same as it is written down."""
        quoted = "'" + self._campaign.replace("'", "''") + "'"
        bound = shape.replace("{acted_on}", ACTED_ON).replace("{campaign}", ":campaign")
        return bound, shape.replace("{acted_on}", ACTED_ON).replace("{campaign}", quoted)
