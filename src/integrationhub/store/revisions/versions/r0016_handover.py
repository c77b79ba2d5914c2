"""Files for source systems, and which cases stand in a crosswalk."""

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, Instant, words

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "handover_files",
        sa.Column("system", words(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("name", words(), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("sha256", words(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("handed_at", Instant()),
    )
    op.create_table(
        "crosswalk_cases",
        sa.Column("run_id", Identifier(), primary_key=True),
        sa.Column("case_id", Identifier(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id", "case_id", "attempt"],
            ["transferred_cases.run_id", "transferred_cases.case_id", "transferred_cases.attempt"],
            name="fk_crosswalk_cases_case",
        ),
    )
    op.create_index("ix_crosswalk_cases_sequence", "crosswalk_cases", ["sequence"])
