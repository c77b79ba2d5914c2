"""The quarantine: items, bodies, labels, actions and rules."""

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, Instant, counter, document, words

revision = "0006"
down_revision = "0005"


def _items() -> None:
    op.create_table(
        "quarantine",
        sa.Column("quarantine_id", Identifier(), primary_key=True),
        sa.Column("kind", words(), nullable=False),
        sa.Column("connector", words(), nullable=False),
        sa.Column("delivery_id", Identifier()),
        sa.Column("code", words(), nullable=False),
        sa.Column("text", words(), nullable=False),
        sa.Column("queue", words()),
        sa.Column("exchange", words()),
        sa.Column("routing_key", words()),
        sa.Column("message_id", words()),
        sa.Column("path", words()),
        sa.Column("headers", document(), nullable=False),
        sa.Column("content_type", words()),
        sa.Column("sha256", words(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("resubmits", sa.Integer(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("quarantined_at", Instant(), nullable=False),
        sa.Column("state", words(), nullable=False),
        sa.Column("owner", words()),
        sa.Column("settled_at", Instant()),
    )
    op.create_index("ix_quarantine_state", "quarantine", ["state", "code", "connector"])
    op.create_index("ix_quarantine_delivery", "quarantine", ["delivery_id"])
    op.create_table(
        "quarantine_bodies",
        sa.Column("quarantine_id", Identifier(), sa.ForeignKey("quarantine.quarantine_id"), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("corrects", sa.Integer()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("sha256", words(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("made_by", words()),
    )
    op.create_table(
        "quarantine_labels",
        sa.Column("quarantine_id", Identifier(), sa.ForeignKey("quarantine.quarantine_id"), primary_key=True),
        sa.Column("label", words(), primary_key=True),
    )


def _actions() -> None:
    op.create_table(
        "quarantine_actions",
        sa.Column("action_id", counter(), primary_key=True, autoincrement=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("who", words(), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("what", words(), nullable=False),
        sa.Column("reason", words()),
        sa.Column("details", document(), nullable=False),
        sa.Column("rule", words()),
        sa.Column("answers", sa.BigInteger()),
        sa.UniqueConstraint("answers", name="ux_quarantine_actions_answers"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "quarantine_affected",
        sa.Column("action_id", sa.BigInteger(), sa.ForeignKey("quarantine_actions.action_id"), primary_key=True),
        sa.Column("item_id", Identifier(), primary_key=True),
    )
    op.create_index("ix_quarantine_affected_item", "quarantine_affected", ["item_id"])
    op.create_table(
        "quarantine_rules",
        sa.Column("name", words(), primary_key=True),
        sa.Column("predicate", words(), nullable=False),
        sa.Column("action", words(), nullable=False),
        sa.Column("label", words()),
        sa.Column("reason", words(), nullable=False),
        sa.Column("added_by", words(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
    )


def upgrade() -> None:
    """Create the tables."""
    _items()
    _actions()
