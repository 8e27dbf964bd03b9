"""Staff: who works at the desks, in which roles, and how they get in for the first time."""

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Table, Text

from sekisho.storage.tables import metadata

# A person at the desks is a member of the console's own institution, who has nothing but passkeys.
staff = Table(
    "staff",
    metadata,
    Column("member_id", Text, ForeignKey("member.id"), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("added_at_us", BigInteger, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("removed_at_us", BigInteger, nullable=True),
    Column("removed_by", Text, nullable=False),
)

# What somebody may do at which institution; a role that was taken away stays written down.
staff_role = Table(
    "staff_role",
    metadata,
    Column("id", Text, primary_key=True),
    Column("member_id", Text, ForeignKey("staff.member_id"), nullable=False, index=True),
    Column("institution", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("given_at_us", BigInteger, nullable=False),
    Column("given_by", Text, nullable=False),
    Column("taken_at_us", BigInteger, nullable=True),
    Column("taken_by", Text, nullable=False),
)

staff_enrolment = Table(
    "staff_enrolment",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("member_id", Text, ForeignKey("staff.member_id"), nullable=False, index=True),
    Column("made_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger, nullable=False),
    Column("ended_at_us", BigInteger, nullable=True),
)

# Which records at the institutions are somebody's own: they are not opened to them against their role.
staff_own_record = Table(
    "staff_own_record",
    metadata,
    Column("staff_id", Text, ForeignKey("staff.member_id"), primary_key=True),
    Column("institution", Text, primary_key=True),
    Column("member_id", Text, primary_key=True),
    Column("named_at_us", BigInteger, nullable=False),
    Column("named_by", Text, nullable=False),
)
