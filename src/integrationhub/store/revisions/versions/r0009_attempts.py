"""Tries of suspect messages, and how the intake of each connector stands."""

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, Instant, words

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "attempts",
        sa.Column("connector", words(), primary_key=True),
        sa.Column("message", Identifier(), primary_key=True),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("code", words()),
        sa.Column("begun_at", Instant(), nullable=False),
    )
    op.create_table(
        "intakes",
        sa.Column("connector", words(), primary_key=True),
        sa.Column("host", words(), primary_key=True),
        sa.Column("waits_for", words()),
        sa.Column("since", Instant(), nullable=False),
    )
