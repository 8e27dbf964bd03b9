"""What is on hold, and what waits for whom, is counted without a look at each."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Make the indexes."""
    op.create_index(
        "ix_hold_on",
        "hold",
        ["kind", "until_us", "member_id"],
        unique=False,
        sqlite_where=sa.text("lifted_at_us IS NULL"),
        postgresql_where=sa.text("lifted_at_us IS NULL"),
    )
    mine = ["closed_at_us", "assigned_to", "due_at_us"]
    op.create_index("ix_case_file_assigned_to", "case_file", mine, unique=False)
