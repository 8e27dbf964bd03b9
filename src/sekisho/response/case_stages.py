"""The stages of a case of damage, and the numbers that follow from them as of a time and on a basis.

What is declared is not yet suspected, what is suspected not yet confirmed, and some is withdrawn because it
was the owner after all. Each row says as of when it holds and on which ground. A later number may be lower
than an earlier one, and both are right: they are asked for with another time or another basis.
"""

from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, text


class Stage(StrEnum):
    """How sure we are of a case."""

    DECLARED = "declared"
    """Somebody says so."""

    SUSPECTED = "suspected"
    """Something of ours speaks for it."""

    CONFIRMED = "confirmed"
    """We are sure: of the damage and of its amount."""

    WITHDRAWN = "withdrawn"
    """It was no damage: the owner's own use, or counted in another case."""

    COMPENSATED = "compensated"
    """It was made good."""


ALLOWED: dict[Stage, frozenset[Stage]] = {
    Stage.DECLARED: frozenset({Stage.DECLARED, Stage.SUSPECTED, Stage.CONFIRMED, Stage.WITHDRAWN}),
    Stage.SUSPECTED: frozenset({Stage.SUSPECTED, Stage.CONFIRMED, Stage.WITHDRAWN}),
    Stage.CONFIRMED: frozenset({Stage.CONFIRMED, Stage.COMPENSATED, Stage.WITHDRAWN}),
    Stage.WITHDRAWN: frozenset({Stage.DECLARED, Stage.SUSPECTED}),
    Stage.COMPENSATED: frozenset({Stage.COMPENSATED}),
}
"""From which stage a case may go to which. To the same one goes who learns of another amount."""


class Basis(StrEnum):
    """What a number counts."""

    DECLARED = "declared"
    """Everything that anybody says, and that was not withdrawn."""

    SUSPECTED = "suspected"
    """What we suspect or know."""

    CONFIRMED = "confirmed"
    """What we know."""

    COMPENSATED = "compensated"
    """What was made good."""


_COUNTED = {
    Basis.DECLARED: ("declared", "suspected", "confirmed", "compensated"),
    Basis.SUSPECTED: ("suspected", "confirmed", "compensated"),
    Basis.CONFIRMED: ("confirmed", "compensated"),
    Basis.COMPENSATED: ("compensated",),
}


class Damage(NamedTuple):
    """How many cases, of how many yen, at how many partners; and the query that gives exactly that."""

    cases: int
    yen: int
    partners: int
    query: str


# The newest row of each case as of a time, out of what we had written down by another: that is how a number
# that was published then is computed again today.
_QUERY = """\
SELECT count(*) AS cases, coalesce(sum(amount_yen), 0) AS yen,
  count(DISTINCT CASE WHEN partner <> '' THEN partner END) AS partners
FROM (SELECT s.case_id, s.stage, s.amount_yen, f.partner,
        row_number() OVER (PARTITION BY s.case_id ORDER BY s.as_of_us DESC, s.position DESC) AS place
      FROM case_stage s JOIN case_file f ON f.id = s.case_id
      WHERE s.as_of_us <= {as_of_us} AND s.at_us <= {known_by_us} AND f.kind <> 'account_entered'{where}
     ) AS newest
WHERE place = 1 AND stage IN ({stages})"""


def damage(  # noqa: PLR0913 - as of when, on what, of whom
    connection: Connection,
    basis: Basis,
    *,
    as_of_us: int,
    known_by_us: int | None = None,
    campaign: str = "",
    partner: str = "",
) -> Damage:
    """Count the damage as of a time on a basis, out of all that was known by a time (as a rule: the same).

    With a campaign or a partner, only that one's cases are counted. An account that was entered is no damage
    by itself: what was lost in it is a case of its own.
    """
    values: dict[str, object] = {
        "as_of_us": as_of_us,
        "known_by_us": as_of_us if known_by_us is None else known_by_us,
    }
    where = ""
    for name, value in (("campaign", campaign), ("partner", partner)):
        if value:
            where += f" AND f.{name} = {{{name}}}"
            values[name] = value
    stages = ", ".join(f"'{stage}'" for stage in _COUNTED[basis])
    shape = _QUERY.replace("{where}", where).replace("{stages}", stages)
    bound = text(shape.format(**{name: f":{name}" for name in values}))
    row = connection.execute(bound, values).one()
    written = shape.format(**{name: _literal(value) for name, value in values.items()})
    return Damage(row.cases, int(row.yen), row.partners, written)


def _literal(value: object) -> str:
    quoted = str(value).replace("'", "''")
    return quoted if isinstance(value, int) else f"'{quoted}'"
