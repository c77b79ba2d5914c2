"""What moves: case groups and their steps, references, accepted figures, the ledger of transfers, notices to sources.

Steps and entries are never changed or deleted, and a reference is retired once: triggers see to it.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, Instant, document, words

revision = "0013"
down_revision = "0012"

_APPEND_ONLY = (
    "transfer_steps",
    "transfer_entries",
)

_RETIRED_TWICE = (
    "OLD.retired_at IS NOT NULL OR NEW.retired_at IS NULL OR NEW.reference <> OLD.reference "
    "OR NEW.case_id <> OLD.case_id"
)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _transfer_groups() -> None:
    op.create_table(
        "transfer_groups",
        sa.Column("run_id", Identifier(), sa.ForeignKey("transfer_runs.run_id"), primary_key=True),
        sa.Column("case_group_id", Identifier(), primary_key=True),
        sa.Column("wave", words(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("plan_hash", words(), nullable=False),
        sa.Column("approval_id", Identifier(), nullable=False),
        sa.Column("first_serial", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("segment", words(), nullable=False),
        sa.Column("members", Identifier(), nullable=False),
        sa.Column("digest", Identifier(), nullable=False),
        sa.Column("state", words(), nullable=False),
        sa.Column("reason", words()),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "state IN ('APPROVED', 'FROZEN', 'LOADED', 'SIGNED_OFF', 'CLOSING', 'CLOSED', 'HELD', "
            "'RELEASED', 'BACKED_OUT')",
            name="ck_transfer_groups_state",
        ),
        sa.ForeignKeyConstraint(
            ["approval_id", "run_id", "wave", "plan_hash"],
            [
                "transfer_approvals.approval_id",
                "transfer_approvals.run_id",
                "transfer_approvals.wave",
                "transfer_approvals.plan_hash",
            ],
            name="fk_transfer_groups_approval",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_index("ix_transfer_groups_wave", "transfer_groups", ["run_id", "wave", "state"])
    op.create_index(
        "ux_transfer_groups_in_hand",
        "transfer_groups",
        ["case_group_id"],
        unique=True,
        **_where("state IN ('APPROVED', 'FROZEN', 'LOADED', 'SIGNED_OFF', 'CLOSING', 'CLOSED')"),
    )


def _transfer_steps() -> None:
    op.create_table(
        "transfer_steps",
        sa.Column("run_id", Identifier(), primary_key=True),
        sa.Column("case_group_id", Identifier(), primary_key=True),
        sa.Column("attempt", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("step", words(), primary_key=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("taken_by", words(), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("plan_hash", words(), nullable=False),
        sa.Column("digest", Identifier(), nullable=False),
        sa.Column("outcome", words(), nullable=False),
        sa.Column("reason", words()),
        sa.CheckConstraint(
            "step IN ('FREEZE', 'ALLOCATE', 'LOAD', 'RECONCILE', 'PARALLEL_RUN', 'SIGN_OFF', 'CLOSE', "
            "'CLOSED', 'HOLD', 'RELEASE', 'BACK_OUT')",
            name="ck_transfer_steps_step",
        ),
        sa.ForeignKeyConstraint(
            ["run_id", "case_group_id"],
            ["transfer_groups.run_id", "transfer_groups.case_group_id"],
            name="fk_transfer_steps_group",
        ),
    )


def _target_references() -> None:
    op.create_table(
        "target_references",
        sa.Column("reference", words(), primary_key=True),
        sa.Column("case_id", Identifier(), nullable=False),
        sa.Column("run_id", Identifier(), sa.ForeignKey("transfer_runs.run_id"), nullable=False),
        sa.Column("case_group_id", Identifier(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("allocated_at", Instant(), nullable=False),
        sa.Column("retired_at", Instant()),
        sa.CheckConstraint("length(reference) = 12 AND reference LIKE '121%'", name="ck_target_references_shape"),
    )
    op.create_index("ix_target_references_group", "target_references", ["run_id", "case_group_id"])
    op.create_index(
        "ux_target_references_live", "target_references", ["case_id"], unique=True, **_where("retired_at IS NULL")
    )


def _transferred_cases() -> None:
    op.create_table(
        "transferred_cases",
        sa.Column("run_id", Identifier(), primary_key=True),
        sa.Column("case_id", Identifier(), primary_key=True),
        sa.Column("attempt", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("case_group_id", Identifier(), nullable=False),
        sa.Column("serial", sa.BigInteger()),
        sa.Column("reference", words()),
        sa.Column("relation", words(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("host_system", words(), nullable=False),
        sa.Column("outcome", words(), nullable=False),
        sa.Column("causes", document(), nullable=False),
        sa.Column("segment", words(), nullable=False),
        sa.Column("uncollectable", sa.Boolean(), nullable=False),
        sa.Column("rp", sa.BigInteger(), nullable=False),
        sa.Column("sos", sa.BigInteger(), nullable=False),
        sa.Column("unk", sa.BigInteger(), nullable=False),
        sa.Column("susp_rp", sa.BigInteger(), nullable=False),
        sa.Column("susp_sos", sa.BigInteger(), nullable=False),
        sa.Column("custodian", sa.BigInteger(), nullable=False),
        sa.Column("accepted_on", sa.Date(), nullable=False),
        sa.CheckConstraint("relation IN ('MOVED', 'DUPLICATE_OF', 'STAYS')", name="ck_transferred_cases_relation"),
        sa.ForeignKeyConstraint(
            ["run_id", "case_group_id"],
            ["transfer_groups.run_id", "transfer_groups.case_group_id"],
            name="fk_transferred_cases_group",
        ),
    )
    op.create_index("ix_transferred_cases_group", "transferred_cases", ["run_id", "case_group_id"])


def _transferred_debts() -> None:
    op.create_table(
        "transferred_debts",
        sa.Column("run_id", Identifier(), primary_key=True),
        sa.Column("debt_id", Identifier(), primary_key=True),
        sa.Column("attempt", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("case_group_id", Identifier(), nullable=False),
        sa.Column("case_id", Identifier(), nullable=False),
        sa.Column("reference", words(), nullable=False),
        sa.Column("legal_owner", words(), nullable=False),
        sa.Column("scheme", words(), nullable=False),
        sa.Column("host_system", words(), nullable=False),
        sa.Column("pence", sa.BigInteger(), nullable=False),
        sa.Column("suspended_pence", sa.BigInteger(), nullable=False),
        sa.Column("uncollectable", sa.Boolean(), nullable=False),
        sa.Column("write_off_class", words(), nullable=False),
    )
    op.create_index("ix_transferred_debts_debt", "transferred_debts", ["debt_id"])
    op.create_index("ix_transferred_debts_group", "transferred_debts", ["run_id", "case_group_id"])


def _transfer_entries() -> None:
    op.create_table(
        "transfer_entries",
        sa.Column("entry_id", Identifier(), primary_key=True),
        sa.Column("run_id", Identifier(), nullable=False),
        sa.Column("case_group_id", Identifier(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("case_id", Identifier(), nullable=False),
        sa.Column("account", Identifier(), nullable=False),
        sa.Column("account_kind", words(), nullable=False),
        sa.Column("legal_owner", words()),
        sa.Column("host_system", words(), nullable=False),
        sa.Column("kind", words(), nullable=False),
        sa.Column("pence", sa.BigInteger(), nullable=False),
        sa.Column("suspended_pence", sa.BigInteger(), nullable=False),
        sa.Column("causes", document(), nullable=False),
        sa.Column("effective", sa.Date(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("reverses", Identifier(), sa.ForeignKey("transfer_entries.entry_id")),
        sa.CheckConstraint("account_kind IN ('DEBT', 'CUSTODIAN')", name="ck_transfer_entries_account"),
        sa.CheckConstraint(
            "kind IN ('OPENING', 'ADJUSTMENT', 'TRANSFER_OUT', 'TRANSFER_IN', 'REVERSAL')",
            name="ck_transfer_entries_kind",
        ),
        sa.CheckConstraint("(kind = 'REVERSAL') = (reverses IS NOT NULL)", name="ck_transfer_entries_reversal"),
        sa.ForeignKeyConstraint(
            ["run_id", "case_group_id"],
            ["transfer_groups.run_id", "transfer_groups.case_group_id"],
            name="fk_transfer_entries_group",
        ),
        sa.UniqueConstraint("reverses", name="ux_transfer_entries_reverses"),
    )
    op.create_index("ix_transfer_entries_account", "transfer_entries", ["account"])
    op.create_index("ix_transfer_entries_group", "transfer_entries", ["run_id", "case_group_id"])


def _debt_mastery() -> None:
    op.create_table(
        "debt_mastery",
        sa.Column("run_id", Identifier(), primary_key=True),
        sa.Column("debt_id", Identifier(), primary_key=True),
        sa.Column("attempt", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("case_group_id", Identifier(), nullable=False),
        sa.Column("master", words(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant()),
    )
    op.create_index("ix_debt_mastery_group", "debt_mastery", ["run_id", "case_group_id"])
    op.create_index("ux_debt_mastery_one", "debt_mastery", ["debt_id"], unique=True, **_where("until IS NULL"))


def _handover_notices() -> None:
    op.create_table(
        "handover_notices",
        sa.Column("notice_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("run_id", Identifier(), nullable=False),
        sa.Column("case_group_id", Identifier(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("case_id", Identifier(), nullable=False),
        sa.Column("system", words(), nullable=False),
        sa.Column("action", words(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("file_sequence", sa.BigInteger()),
        sa.Column("answer", words()),
        sa.Column("answer_reason", words()),
        sa.Column("answered_at", Instant()),
        sa.CheckConstraint("action IN ('FREEZE', 'RELEASE', 'CLOSE')", name="ck_handover_notices_action"),
        sa.CheckConstraint("answer IN ('A', 'J')", name="ck_handover_notices_answer"),
        sa.ForeignKeyConstraint(
            ["run_id", "case_group_id"],
            ["transfer_groups.run_id", "transfer_groups.case_group_id"],
            name="fk_handover_notices_group",
        ),
        sa.UniqueConstraint("run_id", "case_id", "attempt", "action", name="ux_handover_notices_once"),
    )
    op.create_index("ix_handover_notices_file", "handover_notices", ["system", "file_sequence"])
    op.create_index("ix_handover_notices_group", "handover_notices", ["run_id", "case_group_id"])


def _guards() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _guards_on_postgres()
        return
    for table in (*_APPEND_ONLY, "target_references"):
        for deed in ("UPDATE", "DELETE"):
            when = f"WHEN {_RETIRED_TWICE} " if (table, deed) == ("target_references", "UPDATE") else ""
            op.execute(
                f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} {when}"
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _guards_on_postgres() -> None:
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION transfers_refuse()"
        )
    op.execute(
        "CREATE TRIGGER target_references_no_delete BEFORE DELETE ON target_references "
        "FOR EACH ROW EXECUTE FUNCTION transfers_refuse()"
    )
    op.execute(
        "CREATE TRIGGER target_references_retire BEFORE UPDATE ON target_references "
        f"FOR EACH ROW WHEN ({_RETIRED_TWICE}) EXECUTE FUNCTION transfers_refuse()"
    )


def upgrade() -> None:
    """Create the tables and their guards."""
    _transfer_groups()
    _transfer_steps()
    _target_references()
    _transferred_cases()
    _transferred_debts()
    _transfer_entries()
    _debt_mastery()
    _handover_notices()
    _guards()
