"""What a change event says, beside the message that it came in."""

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import document

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; what earlier events say stands in their messages alone."""
    op.add_column("case_events", sa.Column("said", document()))
