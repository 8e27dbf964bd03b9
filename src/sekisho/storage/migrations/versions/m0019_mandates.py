"""The bank's mandates, debits and credits, and files with other institutions."""

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Make the tables."""
