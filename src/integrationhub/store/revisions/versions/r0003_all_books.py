"""What the 2003 scheme and the clerical cases bring: monthly amounts, references of lines, schedules, keyed totals."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, words

revision = "0003"
down_revision = "0002"

_NEW_COLUMNS: tuple[tuple[str, str, Any], ...] = (
    ("cases", "last_event_seq", sa.BigInteger()),
    ("liability_periods", "monthly_pence", sa.BigInteger()),
    ("liability_periods", "net_monthly_pence", sa.BigInteger()),
    ("ledger", "monthly_pence", sa.BigInteger()),
    ("ledger", "assessment_ref", words()),
    ("ledger", "source_id", words()),
    ("ledger", "schedule_ref", words()),
    ("ledger", "reverses_ref", words()),
)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _provenance() -> list[sa.Column[Any]]:
    return [
        sa.Column("source_system", words(), nullable=False),
        sa.Column("source_ref", words(), nullable=False),
        sa.Column("delivery_id", Identifier(), nullable=False),
        sa.Column("record_no", sa.BigInteger(), nullable=False),
        sa.Column("byte_offset", sa.BigInteger(), nullable=False),
        sa.Column("mapping_id", words(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
    ]


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("schedule_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("case_id", Identifier()),
        sa.Column("debt_id", Identifier()),
        sa.Column("source_case_ref", words(), nullable=False),
        sa.Column("source_id", words(), nullable=False),
        sa.Column("owner", words(), nullable=False),
        sa.Column("pence", sa.BigInteger(), nullable=False),
        sa.Column("suspended_pence", sa.BigInteger(), nullable=False),
        *_provenance(),
    )
    op.create_index("ix_schedules_orphan", "schedules", ["group_id"], **_where("case_id IS NULL"))


def _clerical_totals() -> None:
    dates = ("effective_date", "liability_end", "last_payment", "last_contact", "keyed_as_at")
    marked: dict[str, list[sa.Column[Any]]] = {
        name: [sa.Column(name, sa.Date()), sa.Column(f"{name}_mark", words())] for name in dates
    }
    op.create_table(
        "clerical_totals",
        sa.Column("clerical_total_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("case_id", Identifier(), nullable=False),
        sa.Column("key_no", sa.BigInteger(), nullable=False),
        sa.Column("keyings_agree", sa.Boolean(), nullable=False),
        sa.Column("former_case_ref", words()),
        sa.Column("pwc_address_confidential", sa.Boolean()),
        sa.Column("children", sa.BigInteger()),
        *marked["effective_date"],
        *marked["liability_end"],
        sa.Column("weekly_pence", sa.BigInteger()),
        sa.Column("charged_rp_pence", sa.BigInteger()),
        sa.Column("charged_sos_pence", sa.BigInteger()),
        sa.Column("received_rp_pence", sa.BigInteger()),
        sa.Column("received_sos_pence", sa.BigInteger()),
        sa.Column("balance_rp_pence", sa.BigInteger()),
        sa.Column("balance_sos_pence", sa.BigInteger()),
        sa.Column("custodian_pence", sa.BigInteger()),
        *marked["last_payment"],
        *marked["last_contact"],
        *marked["keyed_as_at"],
        sa.Column("notes", words()),
        *_provenance(),
    )


def upgrade() -> None:
    """Add the columns and tables; what is stored stays as it is."""
    for table, column, kind in _NEW_COLUMNS:
        op.add_column(table, sa.Column(column, kind))
    _schedules()
    _clerical_totals()
    for table in ("schedules", "clerical_totals"):
        op.create_index(f"ix_{table}_case", table, ["case_id"])
        op.create_index(f"ix_{table}_delivery", table, ["delivery_id", "record_no"])
