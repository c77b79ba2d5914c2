"""The book of accounts: benefit debts, money, notes; and files that are numbered within series."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, Instant, counter, document, words

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Create the tables."""
    _debts()
    _money()
    _notes()
    op.add_column("deliveries", sa.Column("series", words()))
    is_file = sa.text("kind = 'FILE'")
    op.create_index(
        "ix_deliveries_name", "deliveries", ["connector", "name"], sqlite_where=is_file, postgresql_where=is_file
    )
    op.create_table(
        "series",
        sa.Column("connector", words(), primary_key=True),
        sa.Column("series", words(), primary_key=True),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
    )


def _debts() -> None:
    needed = (
        "source_system", "source_id", "version", "content", "status", "kind", "benefit",
    )  # fmt: skip
    pence = ("original_pence", "adjusted_pence", "recovered_pence", "written_off_pence", "source_balance_pence")
    op.create_table(
        "accounts",
        sa.Column("ref", words(), primary_key=True),
        *(sa.Column(name, words(), nullable=False) for name in needed),
        sa.Column("cause", words()),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in pence),
        sa.Column("as_at", sa.Date(), nullable=False),
        *(sa.Column(name, words()) for name in ("nino", "nino_status", "surname")),
        sa.Column("dob", sa.Date()),
        sa.Column("postcode", words()),
        *(sa.Column(name, document()) for name in ("joint", "holds", "details")),
        *(sa.Column(name, words()) for name in ("nino_key", "surname_key")),
        *_origin(),
    )
    _index("ix_accounts_nino", "accounts", ["nino_key"], where="nino_key IS NOT NULL")
    _index("ix_accounts_person", "accounts", ["dob", "surname_key"], where="dob IS NOT NULL")
    _index("ix_accounts_source", "accounts", ["source_id"], where="source_id <> ref")
    op.create_index("ix_accounts_delivery", "accounts", ["delivery_id", "record_no"])
    op.create_table(
        "account_people",
        sa.Column("ref", words(), primary_key=True),
        sa.Column("nino_key", words(), primary_key=True),
    )
    op.create_index("ix_account_people_nino", "account_people", ["nino_key"])


def _money() -> None:
    op.create_table(
        "money",
        sa.Column("position", counter(), primary_key=True, autoincrement=True),
        sa.Column("receipt_id", Identifier(), nullable=False),
        sa.Column("source", words(), nullable=False),
        sa.Column("key", words(), nullable=False),
        sa.Column("amount_pence", sa.BigInteger(), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        *(sa.Column(name, words()) for name in ("debt_ref", "case_ref", "reason")),
        sa.Column("marks", document(), nullable=False),
        sa.Column("reversed_pence", sa.BigInteger(), nullable=False),
        *_origin(),
        sqlite_autoincrement=True,
    )
    op.create_index("ux_money_receipt", "money", ["receipt_id"], unique=True)
    _index("ix_money_debt", "money", ["debt_ref"], where="debt_ref IS NOT NULL")
    _index("ix_money_suspense", "money", ["position"], where="debt_ref IS NULL AND case_ref IS NULL")
    op.create_index("ix_money_delivery", "money", ["delivery_id", "record_no"])
    op.create_table(
        "money_marks",
        sa.Column("mark_id", Identifier(), primary_key=True),
        sa.Column("receipt_id", Identifier(), primary_key=True),
    )
    op.create_table(
        "money_back",
        sa.Column("position", counter(), primary_key=True, autoincrement=True),
        sa.Column("receipt_id", Identifier(), nullable=False),
        sa.Column("source", words(), nullable=False),
        sa.Column("key", words(), nullable=False),
        sa.Column("amount_pence", sa.BigInteger(), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("reason", words()),
        *_origin(),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_money_back_receipt", "money_back", ["receipt_id"])


def _notes() -> None:
    op.create_table(
        "notes",
        sa.Column("note_id", Identifier(), primary_key=True),
        *(sa.Column(name, words(), nullable=False) for name in ("feed", "kind", "key")),
        sa.Column("value", document(), nullable=False),
        sa.Column("about", words()),
        *_origin(),
    )
    _index("ix_notes_about", "notes", ["about"], where="about IS NOT NULL")
    op.create_index("ix_notes_feed", "notes", ["feed", "kind"])


def _origin() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("delivery_id", Identifier(), nullable=False),
        sa.Column("record_no", sa.BigInteger(), nullable=False),
        sa.Column("byte_offset", sa.BigInteger(), nullable=False),
        sa.Column("mapping_id", words(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
    )


def _index(name: str, table: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
