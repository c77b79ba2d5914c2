"""Digests of what source groups say, so that a book that repeats them has nothing judged again."""

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, words

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the table and the columns; groups without a digest are judged again with their next file."""
    op.add_column("linked_groups", sa.Column("digest", words()))
    op.add_column("linked_groups", sa.Column("rules", words()))
    op.create_table(
        "group_contents",
        sa.Column("group_id", Identifier(), primary_key=True),
        sa.Column("digest", words(), nullable=False),
    )
