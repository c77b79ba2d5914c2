"""The hub's own tables: inbox, feeds, slices, worklist, outbox."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, Instant, counter, document, words

revision = "0002"
down_revision = "0001"


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", Identifier(), primary_key=True),
        sa.Column("connector", words(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("name", words(), nullable=False),
        sa.Column("sha256", words(), nullable=False),
        sa.Column("trigger_sha256", words()),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger()),
        sa.Column("as_at", sa.Date()),
        sa.Column("book_kind", words()),
        sa.Column("state", words(), nullable=False),
        sa.Column("reasons", document(), nullable=False),
        sa.Column("report", document()),
        sa.Column("records", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("slices", sa.Integer()),
        sa.Column("path", words(), nullable=False),
        sa.Column("original_uri", words()),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("completed_at", Instant()),
    )
    op.create_index("ix_deliveries_sequence", "deliveries", ["connector", "sequence"])
    op.create_index("ix_deliveries_sha256", "deliveries", ["sha256"])
    op.create_index("ix_deliveries_state", "deliveries", ["state", "connector"])


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("connector", words(), primary_key=True),
        sa.Column("last_sequence", sa.BigInteger()),
        sa.Column("stopped_sequence", sa.BigInteger()),
        sa.Column("stopped_code", words()),
        sa.Column("stopped_at", Instant()),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("paused_at", Instant()),
        sa.Column("paused_by", words()),
        sa.Column("paused_reason", words()),
    )


def _skipped_numbers() -> None:
    op.create_table(
        "skipped_numbers",
        sa.Column("connector", words(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("reason", words(), nullable=False),
        sa.Column("skipped_by", words(), nullable=False),
        sa.Column("skipped_at", Instant(), nullable=False),
    )


def _slices() -> None:
    op.create_table(
        "slices",
        sa.Column("delivery_id", Identifier(), sa.ForeignKey("deliveries.delivery_id"), primary_key=True),
        sa.Column("slice_no", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("first_record", sa.BigInteger(), nullable=False),
        sa.Column("last_record", sa.BigInteger(), nullable=False),
        sa.Column("first_byte", sa.BigInteger(), nullable=False),
        sa.Column("last_byte", sa.BigInteger(), nullable=False),
        sa.Column("committed_at", Instant(), nullable=False),
        sa.Column("counts", document(), nullable=False),
        sa.Column("ledger_entries", sa.BigInteger(), nullable=False),
        sa.Column("ledger_pence", sa.BigInteger(), nullable=False),
        sa.Column("ledger_suspended_pence", sa.BigInteger(), nullable=False),
        sa.Column("ledger_stored_pence", sa.BigInteger(), nullable=False),
    )


def _worklist() -> None:
    op.create_table(
        "worklist",
        sa.Column("exception_id", Identifier(), primary_key=True),
        sa.Column("code", words(), nullable=False),
        sa.Column("entity", words(), nullable=False),
        sa.Column("source_ref", words()),
        sa.Column("owner", words()),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("due", sa.Date()),
        sa.Column("state", words(), nullable=False),
        sa.Column("text", words(), nullable=False),
        sa.Column("connector", words(), nullable=False),
        sa.Column("delivery_id", Identifier(), sa.ForeignKey("deliveries.delivery_id"), nullable=False),
        sa.Column("record_no", sa.BigInteger()),
        sa.Column("byte_offset", sa.BigInteger()),
        sa.Column("field", words()),
        sa.Column("group_id", Identifier()),
        sa.Column("resolved_at", Instant()),
        sa.Column("resolution", words()),
    )
    op.create_index("ix_worklist_delivery", "worklist", ["delivery_id"])
    op.create_index("ix_worklist_group", "worklist", ["group_id"])
    op.create_index("ix_worklist_state", "worklist", ["state", "connector"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("position", counter(), primary_key=True, autoincrement=True),
        sa.Column("event_id", Identifier(), nullable=False),
        sa.Column("type", words(), nullable=False),
        sa.Column("source", words(), nullable=False),
        sa.Column("subject", words(), nullable=False),
        sa.Column("audience", words(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("correlation_id", Identifier(), nullable=False),
        sa.Column("routing_key", words(), nullable=False),
        sa.Column("data", words(), nullable=False),
        sa.Column("time", Instant(), nullable=False),
        sa.Column("published_at", Instant()),
        sa.UniqueConstraint("event_id", name="ux_outbox_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_correlation", "outbox", ["correlation_id"])
    op.create_index("ix_outbox_subject", "outbox", ["subject"])
    op.create_index("ix_outbox_waiting", "outbox", ["position"], **_where("published_at IS NULL"))


def _subject_sequences() -> None:
    op.create_table(
        "subject_sequences",
        sa.Column("subject", words(), primary_key=True),
        sa.Column("audience", words(), primary_key=True),
        sa.Column("last", sa.BigInteger(), nullable=False),
    )


def upgrade() -> None:
    """Create the tables."""
    _deliveries()
    _feeds()
    _skipped_numbers()
    _slices()
    _worklist()
    _outbox()
    _subject_sequences()
