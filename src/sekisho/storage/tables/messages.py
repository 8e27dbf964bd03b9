"""Messages on their way to people: text messages, mails and letters."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from sekisho.storage.tables import metadata, sealed_column

message = Table(
    "message",
    metadata,
    Column("id", Text, primary_key=True),
    Column("dedupe", Text, nullable=False, unique=True),
    Column("member_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("urgency", Integer, nullable=False),
    sealed_column("sealed", "message:{id}"),
    Column("state", Text, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("not_before_us", BigInteger, nullable=False),
    Column("not_after_us", BigInteger, nullable=True),
    Column("tries", Integer, nullable=False),
    Column("next_try_us", BigInteger, nullable=False),
    Column("leased_by", Text, nullable=False),
    Column("leased_until_us", BigInteger, nullable=False),
    Column("sent_at_us", BigInteger, nullable=True),
    Column("reference", Text, nullable=False),
    Column("failure", Text, nullable=False),
    # The lane comes first, so that a code never waits behind a thousand notices.
    Index("ix_message_lane", "state", "channel", "urgency", "next_try_us"),
    Index("ix_message_member_id_made_at_us", "member_id", "made_at_us"),
)

# What the embedded handset, mailbox and letter box hold: where no gateway is set, a message ends here.
delivered = Table(
    "delivered",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("recipient", LargeBinary, nullable=False),
    sealed_column("sealed", "delivered:{message_id}"),
    Column("delivered_at_us", BigInteger, nullable=False),
    Index("ix_delivered_recipient", "recipient", "delivered_at_us"),
    Index("ix_delivered_delivered_at_us", "delivered_at_us"),
)
