"""What messages are about, and the last of them that was applied."""

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, words

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "entity_versions",
        sa.Column("entity_id", Identifier(), primary_key=True),
        sa.Column("connector", words(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("delivery_id", Identifier(), nullable=False),
        sa.Column("sha256", words(), nullable=False),
    )
