"""Who recorded the answer to a write-off notice."""

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import words

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the column."""
    op.add_column("representations", sa.Column("responded_by", words()))
