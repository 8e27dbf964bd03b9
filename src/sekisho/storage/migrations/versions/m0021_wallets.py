"""Wallets, sends, payments and merchants."""

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make the tables."""
