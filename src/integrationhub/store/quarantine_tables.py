"""Tables of the quarantine: items, the versions of their bodies, labels, what was done to them, and rules."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, UniqueConstraint

from integrationhub.store.columns import Identifier, Instant, counter, document, words
from integrationhub.store.schema import METADATA

QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("quarantine_id", Identifier(), primary_key=True),
    Column("kind", words(), nullable=False),  # MESSAGE, FILE
    Column("connector", words(), nullable=False),
    Column("delivery_id", Identifier()),  # none where the inbox never saw it
    Column("code", words(), nullable=False),
    Column("text", words(), nullable=False),
    Column("queue", words()),
    Column("exchange", words()),
    Column("routing_key", words()),
    Column("message_id", words()),
    Column("path", words()),
    Column("headers", document(), nullable=False),
    Column("content_type", words()),
    Column("sha256", words(), nullable=False),  # of the original
    Column("bytes", BigInteger(), nullable=False),
    Column("version", Integer(), nullable=False),  # of the body that a resubmission takes; 1 is the original
    Column("attempts", Integer(), nullable=False),  # tries in all, of every version
    Column("resubmits", Integer(), nullable=False),  # of this version
    Column("received_at", Instant(), nullable=False),
    Column("quarantined_at", Instant(), nullable=False),
    Column("state", words(), nullable=False),  # quarantine.QuarantineState
    Column("owner", words()),
    Column("settled_at", Instant()),
    Index("ix_quarantine_state", "state", "code", "connector"),
    Index("ix_quarantine_delivery", "delivery_id"),
)
"""Messages and files that could not be taken."""

QUARANTINE_BODIES = Table(
    "quarantine_bodies",
    METADATA,
    Column("quarantine_id", Identifier(), ForeignKey("quarantine.quarantine_id"), primary_key=True),
    Column("version", Integer(), primary_key=True, autoincrement=False),
    Column("corrects", Integer()),  # the version that this one was made from
    Column("body", LargeBinary()),  # null: kept among the originals under its hash
    Column("sha256", words(), nullable=False),
    Column("bytes", BigInteger(), nullable=False),
    Column("made_at", Instant(), nullable=False),
    Column("made_by", words()),  # null: it came so
)
"""Every version of an item's body; none is ever changed."""

QUARANTINE_LABELS = Table(
    "quarantine_labels",
    METADATA,
    Column("quarantine_id", Identifier(), ForeignKey("quarantine.quarantine_id"), primary_key=True),
    Column("label", words(), primary_key=True),
)
"""Words by which people sort items."""

QUARANTINE_ACTIONS = Table(
    "quarantine_actions",
    METADATA,
    Column("action_id", counter(), primary_key=True, autoincrement=True),
    Column("at", Instant(), nullable=False),
    Column("who", words(), nullable=False),
    Column("authenticated", Boolean(), nullable=False),
    Column("what", words(), nullable=False),  # quarantine_history.What
    Column("reason", words()),
    Column("details", document(), nullable=False),
    Column("rule", words()),
    Column("answers", BigInteger()),  # the request that this decides: each is decided once
    UniqueConstraint("answers", name="ux_quarantine_actions_answers"),
    sqlite_autoincrement=True,
)
"""Everything that was done to items, appended and never changed."""

QUARANTINE_AFFECTED = Table(
    "quarantine_affected",
    METADATA,
    Column("action_id", BigInteger(), ForeignKey("quarantine_actions.action_id"), primary_key=True),
    Column("item_id", Identifier(), primary_key=True),  # a quarantine_id, or an exception_id of the worklist
    Index("ix_quarantine_affected_item", "item_id"),
)
"""Which items an action was about."""

QUARANTINE_RULES = Table(
    "quarantine_rules",
    METADATA,
    Column("name", words(), primary_key=True),
    Column("predicate", words(), nullable=False),
    Column("action", words(), nullable=False),  # LABEL, RESUBMIT, DISCARD
    Column("label", words()),
    Column("reason", words(), nullable=False),
    Column("added_by", words(), nullable=False),
    Column("added_at", Instant(), nullable=False),
)
"""What the daemon does to items by itself."""
