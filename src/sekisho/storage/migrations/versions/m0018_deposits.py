"""The bank's deposits, their holders, and the authorisation of links."""

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the tables."""
