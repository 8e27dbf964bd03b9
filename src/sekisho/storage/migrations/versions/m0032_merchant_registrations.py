"""By which key a merchant was registered."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "merchant_registration",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_merchant_registration")),
        sa.UniqueConstraint("merchant_id", name=op.f("uq_merchant_registration_merchant_id")),
    )
