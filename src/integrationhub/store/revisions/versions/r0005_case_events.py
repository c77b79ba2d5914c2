"""Change events of cases that follow a book."""

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, words

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "case_events",
        sa.Column("case_id", Identifier(), primary_key=True),
        sa.Column("case_seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("delivery_id", Identifier(), sa.ForeignKey("deliveries.delivery_id"), nullable=False),
        sa.Column("digest", words(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("source_id", words()),
        sa.Column("schedule_ref", words()),
        sa.Column("reverses_ref", words()),
        sa.Column("pence", sa.BigInteger(), nullable=False),
        sa.Column("reason", words()),
        sa.Column("charged_to", sa.Date()),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("conflicts", sa.Integer(), nullable=False),
    )
    op.create_index("ix_case_events_source_id", "case_events", ["source_id"])
