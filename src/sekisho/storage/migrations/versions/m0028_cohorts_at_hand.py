"""Cohorts of any size are listed by rank, their cases counted by kind, their sessions found by campaign."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Make the indexes."""
    op.drop_index("ix_contained_member_standing", table_name="contained_member")
    rank = ["containment_id", "standing", "probability", "named"]
    op.create_index("ix_contained_member_rank", "contained_member", rank, unique=False)
    op.drop_index("ix_case_file_campaign", table_name="case_file")
    kinds = ["campaign", "kind", "opened_at_us"]
    op.create_index("ix_case_file_campaign_kind", "case_file", kinds, unique=False)
    op.create_index(
        "ix_session_campaign",
        "session",
        ["campaign"],
        unique=False,
        sqlite_where=sa.text("campaign <> ''"),
        postgresql_where=sa.text("campaign <> ''"),
    )
