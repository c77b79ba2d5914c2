"""Write-off notices that were received, and their answers."""

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, Instant, words

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "representations",
        sa.Column("debt_id", Identifier(), primary_key=True),
        sa.Column("case_group_id", Identifier(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("recorded_by", words(), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("response", words()),
        sa.Column("responded_on", sa.Date()),
        sa.CheckConstraint("response IN ('AGREES', 'OBJECTS')", name="ck_representations_response"),
    )
