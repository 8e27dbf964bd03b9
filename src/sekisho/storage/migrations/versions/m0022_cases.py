"""Containments, cases of damage, claims and reports."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Make the tables."""
    _make_containment()
    _make_contained_member()
    _make_case_file()
    _make_case_stage()
    _make_case_entry()
    _make_claim()
    _make_report_version()


def _make_containment() -> None:
    op.create_table(
        "containment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("policy", sa.LargeBinary(), nullable=False),
        sa.Column("begun_by", sa.Text(), nullable=False),
        sa.Column("begun_at_us", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_containment")),
        sa.UniqueConstraint("campaign", name=op.f("uq_containment_campaign")),
    )


def _make_contained_member() -> None:
    op.create_table(
        "contained_member",
        sa.Column("containment_id", sa.Text(), nullable=False),
        sa.Column("named", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("entered_at_us", sa.BigInteger(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["containment_id"], ["containment.id"]),
        sa.PrimaryKeyConstraint("containment_id", "named", name=op.f("pk_contained_member")),
    )
    op.create_index(op.f("ix_contained_member_member_id"), "contained_member", ["member_id"], unique=False)
    op.create_index(
        "ix_contained_member_standing",
        "contained_member",
        ["containment_id", "standing", "probability"],
        unique=False,
    )


def _make_case_file() -> None:
    op.create_table(
        "case_file",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reporter", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("loss_yen", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.Column("due_at_us", sa.BigInteger(), nullable=False),
        sa.Column("assigned_to", sa.Text(), nullable=False),
        sa.Column("closed_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
        sa.UniqueConstraint("occasion", name=op.f("uq_case_file_occasion")),
    )
    op.create_index(op.f("ix_case_file_campaign"), "case_file", ["campaign"], unique=False)
    op.create_index(op.f("ix_case_file_member_id"), "case_file", ["member_id"], unique=False)
    op.create_index("ix_case_file_queue", "case_file", ["closed_at_us", "due_at_us"], unique=False)


def _make_case_stage() -> None:
    op.create_table(
        "case_stage",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=True),
            nullable=False,
        ),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("amount_yen", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("as_of_us", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_case_stage")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_case_stage_as_of_us"), "case_stage", ["as_of_us"], unique=False)
    op.create_index(op.f("ix_case_stage_case_id"), "case_stage", ["case_id"], unique=False)


def _make_case_entry() -> None:
    op.create_table(
        "case_entry",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=True),
            nullable=False,
        ),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_case_entry")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_case_entry_case_id"), "case_entry", ["case_id"], unique=False)


def _make_claim() -> None:
    op.create_table(
        "claim",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("loss", sa.Text(), nullable=False),
        sa.Column("loss_yen", sa.BigInteger(), nullable=False),
        sa.Column("lost_at_us", sa.BigInteger(), nullable=False),
        sa.Column("claimed_yen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("awarded_yen", sa.BigInteger(), nullable=True),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("assessed_by", sa.Text(), nullable=False),
        sa.Column("assessed_at_us", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at_us", sa.BigInteger(), nullable=True),
        sa.Column("posting", sa.Text(), nullable=False),
        sa.Column("posted_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
        sa.UniqueConstraint("loss", name=op.f("uq_claim_loss")),
    )
    op.create_index(op.f("ix_claim_case_id"), "claim", ["case_id"], unique=False)
    op.create_index(op.f("ix_claim_state"), "claim", ["state"], unique=False)


def _make_report_version() -> None:
    op.create_table(
        "report_version",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sheet", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("sent_at_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "about", "version", name=op.f("pk_report_version")),
    )
