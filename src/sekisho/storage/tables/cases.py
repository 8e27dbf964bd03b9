"""What is done after an attack: containments, cases of damage with their stages, and claims."""

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
