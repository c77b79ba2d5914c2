"""What judging adds: who is in which case, the queue, verdicts, corrections; and the birth date of a role record."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, document, words

revision = "0004"
down_revision = "0003"

_FIGURES = ("rp", "sos", "unk", "susp_rp", "susp_sos", "custodian")


def _pence(prefix: str, *, nullable: bool) -> list[sa.Column[Any]]:
    return [sa.Column(f"{prefix}_{name}", sa.BigInteger(), nullable=nullable) for name in _FIGURES]


def _links() -> None:
    op.create_table(
        "linked_groups",
        sa.Column("group_id", Identifier(), primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", words(), nullable=False),
    )
    op.create_table(
        "case_persons",
        sa.Column("case_id", Identifier(), primary_key=True),
        sa.Column("role", words(), primary_key=True),
        sa.Column("party_id", Identifier(), primary_key=True),
        sa.Column("person_id", Identifier(), nullable=False),
        sa.Column("source_system", words(), nullable=False),
        sa.Column("group_id", Identifier(), nullable=False),
    )
    for name in ("person", "party", "group"):
        op.create_index(f"ix_case_persons_{name}", "case_persons", [f"{name}_id"])
    op.create_table("judging_queue", sa.Column("case_id", Identifier(), primary_key=True))


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("case_id", Identifier(), primary_key=True),
        sa.Column("case_group_id", Identifier(), nullable=False),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("case_key", words(), nullable=False),
        sa.Column("outcome", words(), nullable=False),
        sa.Column("causes", document(), nullable=False),
        sa.Column("flags", document(), nullable=False),
        sa.Column("duplicate_of", words()),
        *_pence("source", nullable=False),
        *_pence("recomputed", nullable=False),
        *_pence("accepted", nullable=True),
        sa.Column("findings", document(), nullable=False),
        sa.Column("facts", document(), nullable=False),
    )
    op.create_index("ix_verdicts_case_group", "verdicts", ["case_group_id"])
    op.create_index("ix_verdicts_case_key", "verdicts", ["case_key"])


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("case_id", Identifier(), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("rule", words(), nullable=False),
        sa.Column("action", words(), nullable=False),
        sa.Column("entry_id", Identifier()),
        sa.Column("line_no", sa.BigInteger()),
        sa.Column("text", words(), nullable=False),
        sa.Column("line", document()),
        *_pence("delta", nullable=False),
    )


def upgrade() -> None:
    """Create the tables and columns; what is stored stays as it is and is judged by `arrears judge`."""
    op.add_column("roles", sa.Column("birth_date", sa.Date()))
    op.add_column("roles", sa.Column("birth_date_mark", words()))
    _links()
    _verdicts()
    _corrections()
