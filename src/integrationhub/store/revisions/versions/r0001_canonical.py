"""The canonical tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, words

revision = "0001"
down_revision = None


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


def _index_provenance(table: str) -> None:
    op.create_index(f"ix_{table}_delivery", table, ["delivery_id", "record_no"])


def _parties() -> None:
    op.create_table(
        "parties",
        sa.Column("party_id", Identifier(), primary_key=True),
        sa.Column("kind", words(), nullable=False),
        sa.Column("surname", words()),
        sa.Column("forenames", words()),
        sa.Column("birth_date", sa.Date()),
        sa.Column("birth_date_mark", words()),
        sa.Column("sex", words()),
        sa.Column("nino", words()),
        sa.Column("nino_status", words(), nullable=False),
        sa.Column("nino_usable", sa.Boolean(), nullable=False),
        *_provenance(),
    )
    op.create_index("ix_parties_source_ref", "parties", ["source_ref"])
    _index_provenance("parties")


def _addresses() -> None:
    op.create_table(
        "addresses",
        sa.Column("address_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("party_id", Identifier(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_from_mark", words()),
        sa.Column("postcode", words()),
        sa.Column("line_1", words()),
        sa.Column("line_2", words()),
        sa.Column("line_3", words()),
        sa.Column("line_4", words()),
        sa.Column("line_5", words()),
        *_provenance(),
    )
    op.create_index("ix_addresses_group", "addresses", ["group_id"])
    _index_provenance("addresses")


def _groups() -> None:
    op.create_table(
        "groups",
        sa.Column("group_id", Identifier(), primary_key=True),
        sa.Column("nrp_party_id", Identifier()),
        sa.Column("source_status", words(), nullable=False),
        sa.Column("payment_method", words()),
        sa.Column("potentially_violent", sa.Boolean(), nullable=False),
        sa.Column("case_count", sa.BigInteger(), nullable=False),
        sa.Column("state", words(), nullable=False),
        sa.Column("as_at", sa.Date(), nullable=False),
        *_provenance(),
    )
    op.create_index("ix_groups_source_ref", "groups", ["source_ref"])
    _index_provenance("groups")


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("scheme", words(), nullable=False),
        sa.Column("host_system", words(), nullable=False),
        sa.Column("status", words(), nullable=False),
        sa.Column("effective_date", sa.Date()),
        sa.Column("effective_date_mark", words()),
        sa.Column("liability_end", sa.Date()),
        sa.Column("liability_end_mark", words()),
        sa.Column("last_charged", sa.Date()),
        sa.Column("last_charged_mark", words()),
        sa.Column("ledger_complete", sa.Boolean(), nullable=False),
        sa.Column("benefit_known", sa.Boolean(), nullable=False),
        sa.Column("accuracy_query", sa.Boolean(), nullable=False),
        sa.Column("source_custodian_pence", sa.BigInteger(), nullable=False),
        sa.Column("note", words()),
        sa.Column("state", words(), nullable=False),
        sa.Column("as_at", sa.Date(), nullable=False),
        *_provenance(),
    )
    op.create_index("ix_cases_group", "cases", ["group_id"])
    op.create_index("ix_cases_source_ref", "cases", ["source_ref"])
    _index_provenance("cases")


def _roles() -> None:
    op.create_table(
        "roles",
        sa.Column("role_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("case_id", Identifier()),
        sa.Column("source_case_ref", words(), nullable=False),
        sa.Column("party_id", Identifier(), nullable=False),
        sa.Column("role", words(), nullable=False),
        sa.Column("from_date", sa.Date()),
        sa.Column("from_date_mark", words()),
        sa.Column("to_date", sa.Date()),
        sa.Column("to_date_mark", words()),
        sa.Column("is_payee", sa.Boolean(), nullable=False),
        *_provenance(),
    )
    op.create_index("ix_roles_case", "roles", ["case_id"])
    op.create_index("ix_roles_orphan", "roles", ["group_id"], **_where("case_id IS NULL"))
    _index_provenance("roles")


def _benefit_periods() -> None:
    op.create_table(
        "benefit_periods",
        sa.Column("benefit_period_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("case_id", Identifier(), nullable=False),
        sa.Column("from_date", sa.Date()),
        sa.Column("from_date_mark", words()),
        sa.Column("to_date", sa.Date()),
        sa.Column("to_date_mark", words()),
        sa.Column("benefit", words(), nullable=False),
        *_provenance(),
    )
    op.create_index("ix_benefit_periods_case", "benefit_periods", ["case_id"])
    _index_provenance("benefit_periods")


def _liability_periods() -> None:
    op.create_table(
        "liability_periods",
        sa.Column("liability_period_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("case_id", Identifier()),
        sa.Column("source_case_ref", words(), nullable=False),
        sa.Column("row_no", sa.BigInteger(), nullable=False),
        sa.Column("from_date", sa.Date()),
        sa.Column("from_date_mark", words()),
        sa.Column("to_date", sa.Date()),
        sa.Column("to_date_mark", words()),
        sa.Column("basis", words(), nullable=False),
        sa.Column("weekly_pence", sa.BigInteger(), nullable=False),
        sa.Column("inputs_held", sa.Boolean(), nullable=False),
        sa.Column("net_weekly_pence", sa.BigInteger()),
        sa.Column("exempt_weekly_pence", sa.BigInteger()),
        sa.Column("children", sa.BigInteger()),
        sa.Column("nights_1", sa.BigInteger()),
        sa.Column("nights_2", sa.BigInteger()),
        sa.Column("nights_3", sa.BigInteger()),
        sa.Column("nights_4", sa.BigInteger()),
        *_provenance(),
    )
    op.create_index("ix_liability_periods_case", "liability_periods", ["case_id"])
    op.create_index("ix_liability_periods_orphan", "liability_periods", ["group_id"], **_where("case_id IS NULL"))
    _index_provenance("liability_periods")


def _debts() -> None:
    op.create_table(
        "debts",
        sa.Column("debt_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("case_id", Identifier(), nullable=False),
        sa.Column("scheme", words(), nullable=False),
        sa.Column("host_system", words(), nullable=False),
        sa.Column("application_ref", words(), nullable=False),
        sa.Column("payee_role", words()),
        sa.Column("legal_owner", words(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("cause", words(), nullable=False),
        sa.Column("status", words(), nullable=False),
        sa.Column("opened", sa.Date()),
        sa.Column("as_at", sa.Date(), nullable=False),
        *_provenance(),
    )
    op.create_index("ix_debts_case", "debts", ["case_id"])
    op.create_index("ix_debts_source_ref", "debts", ["source_ref"])
    _index_provenance("debts")


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("entry_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("debt_id", Identifier()),
        sa.Column("case_id", Identifier()),
        sa.Column("source_case_ref", words(), nullable=False),
        sa.Column("line_no", sa.BigInteger(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("owner", words(), nullable=False),
        sa.Column("reason", words()),
        sa.Column("pence", sa.BigInteger(), nullable=False),
        sa.Column("suspended_pence", sa.BigInteger(), nullable=False),
        sa.Column("stored_pence", sa.BigInteger(), nullable=False),
        sa.Column("posted", sa.Date()),
        sa.Column("posted_mark", words()),
        sa.Column("effective", sa.Date()),
        sa.Column("effective_mark", words()),
        sa.Column("from_date", sa.Date()),
        sa.Column("from_date_mark", words()),
        sa.Column("to_date", sa.Date()),
        sa.Column("to_date_mark", words()),
        sa.Column("weekly_pence", sa.BigInteger()),
        sa.Column("assessment_row", sa.BigInteger()),
        sa.Column("reverses_line", sa.BigInteger()),
        sa.Column("authority", words()),
        sa.Column("text", words()),
        sa.Column("cancels_entry_id", Identifier()),
        sa.Column("digest", words(), nullable=False),
        *_provenance(),
    )
    op.create_index("ix_ledger_case", "ledger", ["case_id"])
    op.create_index("ix_ledger_orphan", "ledger", ["group_id"], **_where("case_id IS NULL"))
    op.create_index(
        "ux_ledger_cancels", "ledger", ["cancels_entry_id"], unique=True, **_where("cancels_entry_id IS NOT NULL")
    )
    _index_provenance("ledger")


def _receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("receipt_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("case_id", Identifier()),
        sa.Column("source_case_ref", words(), nullable=False),
        sa.Column("line_no", sa.BigInteger(), nullable=False),
        sa.Column("payer_party_id", Identifier()),
        sa.Column("pence", sa.BigInteger(), nullable=False),
        sa.Column("owner", words(), nullable=False),
        sa.Column("method", words()),
        sa.Column("value_date", sa.Date()),
        sa.Column("value_date_mark", words()),
        sa.Column("bank_reference", words()),
        sa.Column("quoted_reference", words()),
        sa.Column("bank_status", words(), nullable=False),
        sa.Column("custody", words(), nullable=False),
        *_provenance(),
    )
    op.create_index("ix_receipts_case", "receipts", ["case_id"])
    op.create_index("ix_receipts_orphan", "receipts", ["group_id"], **_where("case_id IS NULL"))
    _index_provenance("receipts")


def _allocations() -> None:
    op.create_table(
        "allocations",
        sa.Column("allocation_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("receipt_id", Identifier(), nullable=False),
        sa.Column("debt_id", Identifier(), nullable=False),
        sa.Column("pence", sa.BigInteger(), nullable=False),
        *_provenance(),
    )
    op.create_index("ix_allocations_receipt", "allocations", ["receipt_id"])
    _index_provenance("allocations")


def _balances() -> None:
    op.create_table(
        "balances",
        sa.Column("balance_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("debt_id", Identifier(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("pence", sa.BigInteger(), nullable=False),
        sa.Column("suspended_pence", sa.BigInteger(), nullable=False),
        sa.Column("as_at", sa.Date(), nullable=False),
        sa.Column("evidence", words(), nullable=False),
        *_provenance(),
    )
    op.create_index("ix_balances_debt", "balances", ["debt_id"])
    _index_provenance("balances")


def _history() -> None:
    op.create_table(
        "history",
        sa.Column("history_id", Identifier(), primary_key=True),
        sa.Column("group_id", Identifier(), nullable=False),
        sa.Column("case_id", Identifier()),
        sa.Column("source_case_ref", words()),
        sa.Column("class", words(), nullable=False),
        sa.Column("code", words(), nullable=False),
        sa.Column("from_date", sa.Date()),
        sa.Column("from_date_mark", words()),
        sa.Column("to_date", sa.Date()),
        sa.Column("to_date_mark", words()),
        sa.Column("outcome", words(), nullable=False),
        sa.Column("party_id", Identifier()),
        *_provenance(),
    )
    op.create_index("ix_history_case", "history", ["case_id"])
    op.create_index("ix_history_orphan", "history", ["group_id"], **_where("case_id IS NULL"))
    _index_provenance("history")


def upgrade() -> None:
    """Create the tables."""
    _parties()
    _addresses()
    _groups()
    _cases()
    _roles()
    _benefit_periods()
    _liability_periods()
    _debts()
    _ledger()
    _receipts()
    _allocations()
    _balances()
    _history()
