"""Staff, what they do and what they see."""

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make the tables."""
