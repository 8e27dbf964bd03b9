"""What is done after an attack: containments, cases of damage with their stages, claims, recovery."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from sekisho.storage.tables import metadata, sealed_column
from sekisho.storage.tables.outbox import POSITION

# `policy` is what the lines were when it began: a policy that changes later changes nothing of it.
containment = Table(
    "containment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("campaign", Text, nullable=False, unique=True),
    Column("policy", LargeBinary, nullable=False),
    Column("begun_by", Text, nullable=False),
    Column("begun_at_us", BigInteger, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at_us", BigInteger, nullable=True),
)

# `named` is how the cohort names somebody; `member_id` is empty where nobody has that name.
contained_member = Table(
    "contained_member",
    metadata,
    Column("containment_id", Text, ForeignKey("containment.id"), primary_key=True),
    Column("named", Text, primary_key=True),
    Column("member_id", Text, nullable=False, index=True),
    Column("probability", Float, nullable=False),
    Column("entered_at_us", BigInteger, nullable=False),
    Column("standing", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("hold_id", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
    Index("ix_contained_member_rank", "containment_id", "standing", "probability", "named"),
)

# Who reported and what they said is sealed; what is counted is not. The stage is that of the newest row of
# `case_stage`, kept here for queues.
case_file = Table(
    "case_file",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reporter", Text, nullable=False),
    Column("member_id", Text, nullable=False, index=True),
    Column("campaign", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("occasion", Text, nullable=False, unique=True),
    sealed_column("sealed", "case:{id}"),
    Column("stage", Text, nullable=False),
    Column("loss_yen", BigInteger, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("opened_at_us", BigInteger, nullable=False),
    Column("due_at_us", BigInteger, nullable=False),
    Column("assigned_to", Text, nullable=False),
    Column("closed_at_us", BigInteger, nullable=True),
    Index("ix_case_file_queue", "closed_at_us", "due_at_us"),
    Index("ix_case_file_assigned_to", "closed_at_us", "assigned_to", "due_at_us"),
    Index("ix_case_file_campaign_kind", "campaign", "kind", "opened_at_us"),
)

# Never changed and never deleted: a later row may say less, and both are right as of their times.
case_stage = Table(
    "case_stage",
    metadata,
    Column("position", POSITION, Identity(always=True), primary_key=True),
    Column("case_id", Text, ForeignKey("case_file.id"), nullable=False, index=True),
    Column("stage", Text, nullable=False),
    Column("amount_yen", BigInteger, nullable=False),
    Column("basis", Text, nullable=False),
    Column("as_of_us", BigInteger, nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_autoincrement=True,
)

case_entry = Table(
    "case_entry",
    metadata,
    Column("position", POSITION, Identity(always=True), primary_key=True),
    Column("case_id", Text, ForeignKey("case_file.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    sealed_column("sealed", "case:{case_id}"),
    sqlite_autoincrement=True,
)

# `loss` names the booking that is made good; one loss is claimed once.
claim = Table(
    "claim",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("case_file.id"), nullable=False, index=True),
    Column("loss", Text, nullable=False),
    Column("loss_yen", BigInteger, nullable=False),
    Column("lost_at_us", BigInteger, nullable=False),
    Column("claimed_yen", BigInteger, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("made_by", Text, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("awarded_yen", BigInteger, nullable=True),
    Column("policy", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("assessed_by", Text, nullable=False),
    Column("assessed_at_us", BigInteger, nullable=True),
    Column("decided_by", Text, nullable=False),
    Column("decided_at_us", BigInteger, nullable=True),
    Column("posting", Text, nullable=False),
    Column("posted_at_us", BigInteger, nullable=True),
    UniqueConstraint("loss"),
)

# What of a paid claim a partner may bear: nothing is changed but from "not asked" to asked, and from asked to
# given up, each with its time, so that every sum can be counted again as of any time.
partner_recovery = Table(
    "partner_recovery",
    metadata,
    Column("id", Text, primary_key=True),
    Column("claim_id", Text, ForeignKey("claim.id"), nullable=False, unique=True),
    Column("partner", Text, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("paid_yen", BigInteger, nullable=False),
    Column("paid_at_us", BigInteger, nullable=False),
    Column("asked_yen", BigInteger, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at_us", BigInteger, nullable=True),
    Column("ground", Text, nullable=False),
    Column("given_up_yen", BigInteger, nullable=False),
    Column("given_up_by", Text, nullable=False),
    Column("given_up_at_us", BigInteger, nullable=True),
    Column("given_up_why", Text, nullable=False),
    Index("ix_partner_recovery_partner_campaign", "partner", "campaign"),
)

# Money of a partner: one person enters it by the number that it has outside, another one books it.
partner_receipt = Table(
    "partner_receipt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("partner", Text, nullable=False, index=True),
    Column("way", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("yen", BigInteger, nullable=False),
    Column("came_on", Text, nullable=False),
    Column("entered_by", Text, nullable=False),
    Column("entered_at_us", BigInteger, nullable=False),
    Column("booked_by", Text, nullable=False),
    Column("booked_at_us", BigInteger, nullable=True),
    Column("posting", Text, nullable=False),
    Column("turned_down_by", Text, nullable=False),
    Column("turned_down_at_us", BigInteger, nullable=True),
    Column("turned_down_why", Text, nullable=False),
)

# One number stands for one receipt; what was typed wrongly and turned down does not keep it.
Index(
    "uq_partner_receipt_number",
    partner_receipt.c.way,
    partner_receipt.c.number,
    unique=True,
    sqlite_where=text("turned_down_at_us IS NULL"),
    postgresql_where=text("turned_down_at_us IS NULL"),
)

partner_receipt_part = Table(
    "partner_receipt_part",
    metadata,
    Column("receipt_id", Text, ForeignKey("partner_receipt.id"), primary_key=True),
    Column("recovery_id", Text, ForeignKey("partner_recovery.id"), primary_key=True),
    Column("yen", BigInteger, nullable=False),
    Index("ix_partner_receipt_part_recovery_id", "recovery_id"),
)

# A report as it was made at a time, with the figures it was made from; what was sent stays what it was.
report_version = Table(
    "report_version",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("about", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    sealed_column("sheet", "report:{kind}:{about}:{version}"),
    Column("sha256", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("sent_by", Text, nullable=False),
    Column("sent_at_us", BigInteger, nullable=True),
)
