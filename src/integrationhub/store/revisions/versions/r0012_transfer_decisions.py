"""Decisions about transfers: plans, rehearsals, approvals, gates, sign-offs, printed notices.

What was decided is never changed or deleted, and nobody approves what they have rehearsed themselves, whichever
rehearsal the approval names: triggers see to it.
"""

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, Instant, document, words

revision = "0012"
down_revision = "0011"

_APPEND_ONLY = (
    "transfer_plans",
    "transfer_rehearsals",
    "rehearsed_groups",
    "transfer_approvals",
    "gate_verdicts",
    "gate_overrides",
    "transfer_sign_offs",
    "closure_notices",
)

_OWN_REHEARSAL = """
SELECT 1 FROM transfer_rehearsals AS r
WHERE r.run_id = NEW.run_id AND r.wave = NEW.wave AND r.plan_hash = NEW.plan_hash
    AND lower(trim(r.rehearsed_by)) = lower(trim(NEW.approved_by))
"""


def _transfer_plans() -> None:
    op.create_table(
        "transfer_plans",
        sa.Column("plan_hash", words(), primary_key=True),
        sa.Column("plan", words(), nullable=False),
        sa.Column("changed_by", words(), nullable=False),
        sa.Column("parts", document(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.UniqueConstraint("plan_hash", "changed_by", name="ux_transfer_plans_changed_by"),
    )


def _transfer_runs() -> None:
    op.create_table(
        "transfer_runs",
        sa.Column("run_id", Identifier(), primary_key=True),
        sa.Column("plan", words(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("phase", words(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("begun_by", words(), nullable=False),
        sa.UniqueConstraint("plan", "number", name="ux_transfer_runs_number"),
    )


def _transfer_rehearsals() -> None:
    op.create_table(
        "transfer_rehearsals",
        sa.Column("rehearsal_id", Identifier(), primary_key=True),
        sa.Column("run_id", Identifier(), sa.ForeignKey("transfer_runs.run_id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("wave", words(), nullable=False),
        sa.Column("plan_hash", words(), nullable=False),
        sa.Column("changed_by", words(), nullable=False),
        sa.Column("rehearsed_by", words(), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("as_at", sa.Date(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=False),
        sa.Column("verdict", words(), nullable=False),
        sa.Column("report", document(), nullable=False),
        sa.CheckConstraint("verdict IN ('PASSED', 'FAILED')", name="ck_transfer_rehearsals_verdict"),
        sa.ForeignKeyConstraint(
            ["plan_hash", "changed_by"],
            ["transfer_plans.plan_hash", "transfer_plans.changed_by"],
            name="fk_transfer_rehearsals_plan",
        ),
        sa.UniqueConstraint(
            "rehearsal_id",
            "run_id",
            "wave",
            "plan_hash",
            "changed_by",
            "rehearsed_by",
            "verdict",
            name="ux_transfer_rehearsals_what",
        ),
    )
    op.create_index("ix_transfer_rehearsals_wave", "transfer_rehearsals", ["run_id", "wave"])


def _rehearsed_groups() -> None:
    op.create_table(
        "rehearsed_groups",
        sa.Column("rehearsal_id", Identifier(), sa.ForeignKey("transfer_rehearsals.rehearsal_id"), primary_key=True),
        sa.Column("case_group_id", Identifier(), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("segment", words(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("members", Identifier(), nullable=False),
        sa.Column("digest", Identifier(), nullable=False),
        sa.Column("forecast", words(), nullable=False),
    )


def _transfer_approvals() -> None:
    op.create_table(
        "transfer_approvals",
        sa.Column("approval_id", Identifier(), primary_key=True),
        sa.Column("rehearsal_id", Identifier(), nullable=False),
        sa.Column("run_id", Identifier(), nullable=False),
        sa.Column("wave", words(), nullable=False),
        sa.Column("plan_hash", words(), nullable=False),
        sa.Column("changed_by", words(), nullable=False),
        sa.Column("rehearsed_by", words(), nullable=False),
        sa.Column("rehearsal_verdict", words(), nullable=False),
        sa.Column("approved_by", words(), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("reason", words(), nullable=False),
        sa.Column("approved_at", Instant(), nullable=False),
        sa.Column("first_serial", sa.BigInteger(), nullable=False),
        sa.Column("last_serial", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "lower(trim(approved_by)) <> lower(trim(changed_by))", name="ck_transfer_approvals_not_planner"
        ),
        sa.CheckConstraint("rehearsal_verdict = 'PASSED'", name="ck_transfer_approvals_passed"),
        sa.CheckConstraint("length(trim(reason)) > 0", name="ck_transfer_approvals_reason"),
        sa.CheckConstraint(
            "lower(trim(approved_by)) <> lower(trim(rehearsed_by))", name="ck_transfer_approvals_second_person"
        ),
        sa.ForeignKeyConstraint(
            ["rehearsal_id", "run_id", "wave", "plan_hash", "changed_by", "rehearsed_by", "rehearsal_verdict"],
            [
                "transfer_rehearsals.rehearsal_id",
                "transfer_rehearsals.run_id",
                "transfer_rehearsals.wave",
                "transfer_rehearsals.plan_hash",
                "transfer_rehearsals.changed_by",
                "transfer_rehearsals.rehearsed_by",
                "transfer_rehearsals.verdict",
            ],
            name="fk_transfer_approvals_rehearsal",
        ),
        sa.UniqueConstraint("approval_id", "rehearsed_by", name="ux_transfer_approvals_preparer"),
        sa.UniqueConstraint("rehearsal_id", name="ux_transfer_approvals_rehearsal"),
        sa.UniqueConstraint("first_serial", name="ux_transfer_approvals_serial"),
        sa.UniqueConstraint("approval_id", "run_id", "wave", "plan_hash", name="ux_transfer_approvals_what"),
    )


def _gate_verdicts() -> None:
    op.create_table(
        "gate_verdicts",
        sa.Column("verdict_id", Identifier(), primary_key=True),
        sa.Column("run_id", Identifier(), sa.ForeignKey("transfer_runs.run_id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("wave", words(), nullable=False),
        sa.Column("stage", words(), nullable=False),
        sa.Column("gate", words(), nullable=False),
        sa.Column("plan_hash", words(), nullable=False),
        sa.Column("measured", sa.Float(), nullable=False),
        sa.Column("compare", words(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("measured_by", words(), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("measured_at", Instant(), nullable=False),
        sa.UniqueConstraint("verdict_id", "measured_by", "holds", name="ux_gate_verdicts_what"),
    )
    op.create_index("ix_gate_verdicts_wave", "gate_verdicts", ["run_id", "wave", "gate"])


def _gate_overrides() -> None:
    op.create_table(
        "gate_overrides",
        sa.Column("verdict_id", Identifier(), primary_key=True),
        sa.Column("measured_by", words(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("overridden_by", words(), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("reason", words(), nullable=False),
        sa.Column("overridden_at", Instant(), nullable=False),
        sa.CheckConstraint("NOT holds", name="ck_gate_overrides_failed"),
        sa.CheckConstraint("length(trim(reason)) > 0", name="ck_gate_overrides_reason"),
        sa.CheckConstraint(
            "lower(trim(overridden_by)) <> lower(trim(measured_by))", name="ck_gate_overrides_second_person"
        ),
        sa.ForeignKeyConstraint(
            ["verdict_id", "measured_by", "holds"],
            ["gate_verdicts.verdict_id", "gate_verdicts.measured_by", "gate_verdicts.holds"],
            name="fk_gate_overrides_verdict",
        ),
    )


def _transfer_sign_offs() -> None:
    op.create_table(
        "transfer_sign_offs",
        sa.Column("run_id", Identifier(), sa.ForeignKey("transfer_runs.run_id"), primary_key=True),
        sa.Column("wave", words(), primary_key=True),
        sa.Column("approval_id", Identifier(), primary_key=True),
        sa.Column("rehearsed_by", words(), nullable=False),
        sa.Column("signed_by", words(), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("reason", words(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.Column("totals", document(), nullable=False),
        sa.CheckConstraint("length(trim(reason)) > 0", name="ck_transfer_sign_offs_reason"),
        sa.CheckConstraint(
            "lower(trim(signed_by)) <> lower(trim(rehearsed_by))", name="ck_transfer_sign_offs_second_person"
        ),
        sa.ForeignKeyConstraint(
            ["approval_id", "rehearsed_by"],
            ["transfer_approvals.approval_id", "transfer_approvals.rehearsed_by"],
            name="fk_transfer_sign_offs_approval",
        ),
    )


def _transfer_controls() -> None:
    op.create_table(
        "transfer_controls",
        sa.Column("run_id", Identifier(), sa.ForeignKey("transfer_runs.run_id"), primary_key=True),
        sa.Column("wave", words(), primary_key=True),
        sa.Column("paused_by", words()),
        sa.Column("paused_at", Instant()),
        sa.Column("started_at", Instant()),
        sa.Column("seen_at", Instant()),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("workers", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
    )


def _closure_notices() -> None:
    op.create_table(
        "closure_notices",
        sa.Column("case_id", Identifier(), primary_key=True),
        sa.Column("case_group_id", Identifier(), nullable=False),
        sa.Column("segment", words(), nullable=False),
        sa.Column("group_segment", words(), nullable=False),
        sa.Column("printed_on", sa.Date(), nullable=False),
        sa.Column("plan", words(), nullable=False),
        sa.Column("recorded_by", words(), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
    )
    op.create_index("ix_closure_notices_group", "closure_notices", ["case_group_id"])


def _parallel_days() -> None:
    op.create_table(
        "parallel_days",
        sa.Column("run_id", Identifier(), sa.ForeignKey("transfer_runs.run_id"), primary_key=True),
        sa.Column("wave", words(), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("debts", sa.Integer(), nullable=False),
        sa.Column("clean", sa.Boolean(), nullable=False),
        sa.Column("differences", document(), nullable=False),
        sa.Column("compared_by", words(), nullable=False),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("compared_at", Instant(), nullable=False),
    )


def _guards() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _guards_on_postgres()
        return
    for table in _APPEND_ONLY:
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    op.execute(
        "CREATE TRIGGER transfer_approvals_own BEFORE INSERT ON transfer_approvals "
        f"WHEN EXISTS ({_OWN_REHEARSAL}) BEGIN SELECT RAISE(ABORT, 'approver has rehearsed this'); END"
    )


def _guards_on_postgres() -> None:
    op.execute(
        "CREATE FUNCTION transfers_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION transfers_refuse()"
        )
    op.execute(
        "CREATE FUNCTION transfers_second_person() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF EXISTS ({_OWN_REHEARSAL}) THEN RAISE EXCEPTION 'approver has rehearsed this' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER transfer_approvals_own BEFORE INSERT ON transfer_approvals "
        "FOR EACH ROW EXECUTE FUNCTION transfers_second_person()"
    )


def upgrade() -> None:
    """Create the tables and their guards."""
    _transfer_plans()
    _transfer_runs()
    _transfer_rehearsals()
    _rehearsed_groups()
    _transfer_approvals()
    _gate_verdicts()
    _gate_overrides()
    _transfer_sign_offs()
    _transfer_controls()
    _closure_notices()
    _parallel_days()
    _guards()
