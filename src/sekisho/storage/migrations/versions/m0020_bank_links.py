"""The wallet's links to banks."""

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the tables."""
