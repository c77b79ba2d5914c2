"""The wave for which a closure notice was printed: its groups stay in it."""

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import words

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the column."""
    op.add_column("closure_notices", sa.Column("wave", words()))
