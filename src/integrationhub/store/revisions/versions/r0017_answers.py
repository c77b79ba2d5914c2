"""Which delivery brought the answer to a notice."""

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the column."""
    op.add_column("handover_notices", sa.Column("answered_in", Identifier()))
