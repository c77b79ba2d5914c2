"""All tables: the canonical ones, derived from canonical.model, and the hub's own.

Canonical tables carry no foreign keys: a slice's rows arrive in bulk and in any order between slices, and a key check
per row would cost more than the rest of the merge. `store.invariants` proves every link instead. There are no code-list
constraints either, for the same reason: the mapping decides, the invariants prove.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from integrationhub.canonical.model import ENTITIES, Entity
from integrationhub.store.columns import SQL_TYPES, Identifier, Instant, counter, document, words

METADATA = MetaData()
"""Every table that the revisions make."""

BY_GROUP = ("cases", "addresses")
"""Tables looked up by source group whole."""

BY_CASE = (
    "roles", "benefit_periods", "liability_periods", "debts", "ledger", "receipts", "history", "schedules",
    "clerical_totals",
)  # fmt: skip
"""Tables looked up by case; of these, rows without a case are looked up by group."""

BY_SOURCE_REF = ("parties", "groups", "cases", "debts")
"""Tables that people look into by the source's own reference."""


def _where(condition: str) -> dict[str, Any]:
    """An index over the rows for which this holds."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _canonical_table(entity: Entity) -> Table:
    columns = [
        Column(item.name, SQL_TYPES[item.type](), primary_key=item.name == entity.key, nullable=not item.required)
        for item in entity.all_fields()
    ]
    table = Table(entity.name, METADATA, *columns)
    Index(f"ix_{entity.name}_delivery", table.c.delivery_id, table.c.record_no)
    if entity.name in BY_GROUP:
        Index(f"ix_{entity.name}_group", table.c.group_id)
    if entity.name in BY_CASE:
        Index(f"ix_{entity.name}_case", table.c.case_id)
    if entity.name in BY_CASE and not entity.field("case_id").required:
        orphan = text("case_id IS NULL")
        Index(f"ix_{entity.name}_orphan", table.c.group_id, sqlite_where=orphan, postgresql_where=orphan)
    if entity.name in BY_SOURCE_REF:
        Index(f"ix_{entity.name}_source_ref", table.c.source_ref)
    return table


CANONICAL: Mapping[str, Table] = {name: _canonical_table(entity) for name, entity in ENTITIES.items()}
"""The canonical tables by entity name."""

Index("ix_allocations_receipt", CANONICAL["allocations"].c.receipt_id)
Index("ix_balances_debt", CANONICAL["balances"].c.debt_id)
_cancels = text("cancels_entry_id IS NOT NULL")
Index(
    "ux_ledger_cancels",  # an entry is taken back at most once
    CANONICAL["ledger"].c.cancels_entry_id,
    unique=True,
    sqlite_where=_cancels,
    postgresql_where=_cancels,
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("delivery_id", Identifier(), primary_key=True),
    Column("connector", words(), nullable=False),
    Column("kind", words(), nullable=False),  # FILE, MESSAGE
    Column("name", words(), nullable=False),
    Column("sha256", words(), nullable=False),
    Column("trigger_sha256", words()),  # of a file's trigger file, kept as an original too
    Column("bytes", BigInteger(), nullable=False),
    Column("sequence", BigInteger()),
    Column("as_at", Date()),
    Column("book_kind", words()),  # F whole book, C corrections
    Column("state", words(), nullable=False),  # deliveries.State
    Column("reasons", document(), nullable=False),
    Column("report", document()),
    Column("records", BigInteger(), nullable=False, server_default="0"),
    Column("slices", Integer()),  # how many the file was cut into; null until it was staged
    Column("path", words(), nullable=False),  # as offered
    Column("original_uri", words()),
    Column("received_at", Instant(), nullable=False),
    Column("completed_at", Instant()),
    # of messages only
    Column("message_id", words()),  # the sender's; of a message without one the hash of its content
    Column("envelope", document()),  # exchange, routing_key, content_type, headers
    Column("body", LargeBinary()),  # byte for byte; null where the original is kept elsewhere
    Column("outcome", words()),  # sdk.messages.Fate
    Column("entity_id", Identifier()),  # what the message is about; `sequence` is its number of that
    Column("series", words()),  # of a file: within what `sequence` counts, where a feed has several
    Index("ix_deliveries_sequence", "connector", "sequence", **_where("kind = 'FILE'")),
    Index("ix_deliveries_sha256", "sha256", **_where("kind = 'FILE'")),
    Index("ix_deliveries_name", "connector", "name", **_where("kind = 'FILE'")),
    Index("ix_deliveries_state", "state", "connector"),
    Index("ix_deliveries_message", "message_id", **_where("message_id IS NOT NULL")),
    Index("ix_deliveries_held", "entity_id", "sequence", **_where("outcome = 'HELD'")),
)
"""The inbox: every file and message that was seen, and its outcome."""

ENTITY_VERSIONS = Table(
    "entity_versions",
    METADATA,
    Column("entity_id", Identifier(), primary_key=True),
    Column("connector", words(), nullable=False),
    Column("number", BigInteger(), nullable=False),
    Column("delivery_id", Identifier(), nullable=False),
    Column("sha256", words(), nullable=False),  # of that message
)
"""What messages are about, and the last of them that was applied: its number, the delivery, its content."""

FEEDS = Table(
    "feeds",
    METADATA,
    Column("connector", words(), primary_key=True),
    Column("last_sequence", BigInteger()),
    Column("stopped_sequence", BigInteger()),
    Column("stopped_code", words()),
    Column("stopped_at", Instant()),
    Column("paused", Boolean(), nullable=False),
    Column("paused_at", Instant()),
    Column("paused_by", words()),
    Column("paused_reason", words()),
)
"""How far each connector's sequence has come, and what holds it up."""

SKIPPED_NUMBERS = Table(
    "skipped_numbers",
    METADATA,
    Column("connector", words(), primary_key=True),
    Column("sequence", BigInteger(), primary_key=True, autoincrement=False),
    Column("reason", words(), nullable=False),
    Column("skipped_by", words(), nullable=False),
    Column("skipped_at", Instant(), nullable=False),
)
"""Sequence numbers that an operator passed over."""

SLICES = Table(
    "slices",
    METADATA,
    Column("delivery_id", Identifier(), ForeignKey("deliveries.delivery_id"), primary_key=True),
    Column("slice_no", Integer(), primary_key=True, autoincrement=False),
    Column("first_record", BigInteger(), nullable=False),
    Column("last_record", BigInteger(), nullable=False),
    Column("first_byte", BigInteger(), nullable=False),
    Column("last_byte", BigInteger(), nullable=False),
    Column("committed_at", Instant(), nullable=False),
    Column("counts", document(), nullable=False),
    Column("ledger_entries", BigInteger(), nullable=False),
    Column("ledger_pence", BigInteger(), nullable=False),
    Column("ledger_suspended_pence", BigInteger(), nullable=False),
    Column("ledger_stored_pence", BigInteger(), nullable=False),
)
"""Slices that were merged, with control sums of the ledger entries that each one added."""

WORKLIST = Table(
    "worklist",
    METADATA,
    Column("exception_id", Identifier(), primary_key=True),
    Column("code", words(), nullable=False),
    Column("entity", words(), nullable=False),
    Column("source_ref", words()),  # never a personal one
    Column("owner", words()),
    Column("opened_at", Instant(), nullable=False),
    Column("due", Date()),
    Column("state", words(), nullable=False),  # OPEN, ASSIGNED, RESOLVED
    Column("text", words(), nullable=False),
    Column("connector", words(), nullable=False),
    Column("delivery_id", Identifier(), ForeignKey("deliveries.delivery_id"), nullable=False),
    Column("record_no", BigInteger()),
    Column("byte_offset", BigInteger()),
    Column("field", words()),
    Column("group_id", Identifier()),
    Column("resolved_at", Instant()),
    Column("resolution", words()),
    Index("ix_worklist_state", "state", "connector"),
    Index("ix_worklist_delivery", "delivery_id"),
    Index("ix_worklist_group", "group_id"),
)
"""What waits for a person."""

CASE_EVENTS = Table(
    "case_events",
    METADATA,
    Column("case_id", Identifier(), primary_key=True),
    Column("case_seq", BigInteger(), primary_key=True, autoincrement=False),
    Column("delivery_id", Identifier(), ForeignKey("deliveries.delivery_id"), nullable=False),
    Column("digest", words(), nullable=False),
    Column("kind", words(), nullable=False),
    Column("occurred_on", Date(), nullable=False),
    Column("source_id", words()),  # the source's identifier of the transaction that the event adds
    Column("schedule_ref", words()),
    Column("reverses_ref", words()),
    Column("pence", BigInteger(), nullable=False),  # as stored: the sign is the effect
    Column("reason", words()),
    Column("charged_to", Date()),  # last day that a charge covers
    Column("is_held", Boolean(), nullable=False),  # a receipt that is kept as custodian
    Column("conflicts", Integer(), nullable=False),  # other events that claimed the same number
    Column("said", document()),  # all that the event says, address lines too: personal
    Index("ix_case_events_source_id", "source_id"),
)
"""Change events that were kept, in the order of their case. Which of them apply follows from the book: see
`store.case_events`."""

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("position", counter(), primary_key=True, autoincrement=True),
    Column("event_id", Identifier(), nullable=False),
    Column("type", words(), nullable=False),
    Column("source", words(), nullable=False),
    Column("subject", words(), nullable=False),
    Column("audience", words(), nullable=False),
    Column("sequence", BigInteger(), nullable=False),
    Column("correlation_id", Identifier(), nullable=False),
    Column("routing_key", words(), nullable=False),
    Column("data", words(), nullable=False),  # a JSON object, as it goes out
    Column("time", Instant(), nullable=False),
    Column("published_at", Instant()),
    UniqueConstraint("event_id", name="ux_outbox_event"),
    Index("ix_outbox_correlation", "correlation_id"),
    Index("ix_outbox_subject", "subject"),
    Index(
        "ix_outbox_waiting",
        "position",
        sqlite_where=text("published_at IS NULL"),
        postgresql_where=text("published_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)
"""Events that belong to committed changes, in the order in which a relay sends them."""

SUBJECT_SEQUENCES = Table(
    "subject_sequences",
    METADATA,
    Column("subject", words(), primary_key=True),
    Column("audience", words(), primary_key=True),
    Column("last", BigInteger(), nullable=False),
)
"""The last event number given to each subject and audience."""

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("connector", words(), primary_key=True),
    Column("message", Identifier(), primary_key=True),
    Column("begun", Integer(), nullable=False),
    Column("ended", Integer(), nullable=False),
    Column("code", words()),
    Column("begun_at", Instant(), nullable=False),
)
"""Tries of messages that may be what kills or fails; see `store.attempts`."""

INTAKES = Table(
    "intakes",
    METADATA,
    Column("connector", words(), primary_key=True),
    Column("host", words(), primary_key=True),
    Column("waits_for", words()),
    Column("since", Instant(), nullable=False),
)
"""How the intake of each connector's messages stands on each host."""
