"""Tables of transfers: what was planned, rehearsed, approved, moved, reversed, told to the source, and by whom.

What may never happen is forbidden here, by constraints that hold for every writer, and not only by the code above:

- An approval names a rehearsal that PASSED, of this wave and plan hash, and its approver is neither who rehearsed nor
  who last changed the plan (composite foreign keys carry the names along, CHECK compares them; a trigger looks at all
  other rehearsals of the same hash).
- A group in a run names an approval of its wave and plan hash. That foreign key is checked at commit. So a rehearsal
  can run the very same statements under an approval that does not exist: it can't be committed, even by accident.
- An override has a second person and a reason; a sign-off is not by who rehearsed any of the wave's groups.
- A group is in the hands of one run, a debt has one master, a case one live target reference, a reference is used once.
- What happened is never changed or deleted: triggers guard steps, entries, approvals, verdicts, printed notices.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    UniqueConstraint,
)

from integrationhub.store.columns import Identifier, Instant, document, words
from integrationhub.store.schema import METADATA


def _differ(one: str, other: str, name: str) -> CheckConstraint:
    return CheckConstraint(f"lower(trim({one})) <> lower(trim({other}))", name=name)


def _reasoned(name: str) -> CheckConstraint:
    return CheckConstraint("length(trim(reason)) > 0", name=name)


def who(prefix: str) -> list[Column[object]]:
    """Columns for who did it, and whether that name was proved."""
    return [Column(f"{prefix}_by", words(), nullable=False), Column("authenticated", Boolean(), nullable=False)]


TRANSFER_PLANS = Table(
    "transfer_plans",
    METADATA,
    Column("plan_hash", words(), primary_key=True),
    Column("plan", words(), nullable=False),
    Column("changed_by", words(), nullable=False),
    Column("parts", document(), nullable=False),
    Column("recorded_at", Instant(), nullable=False),
    UniqueConstraint("plan_hash", "changed_by", name="ux_transfer_plans_changed_by"),
)
"""Plans by the hash over everything that decides with them."""

TRANSFER_RUNS = Table(
    "transfer_runs",
    METADATA,
    Column("run_id", Identifier(), primary_key=True),
    Column("plan", words(), nullable=False),
    Column("number", Integer(), nullable=False),
    Column("phase", words(), nullable=False),
    Column("begun_at", Instant(), nullable=False),
    Column("begun_by", words(), nullable=False),
    UniqueConstraint("plan", "number", name="ux_transfer_runs_number"),
)
"""Runs of plans; the one with the highest number is the current one."""

TRANSFER_REHEARSALS = Table(
    "transfer_rehearsals",
    METADATA,
    Column("rehearsal_id", Identifier(), primary_key=True),
    Column("run_id", Identifier(), ForeignKey("transfer_runs.run_id"), nullable=False),
    Column("number", Integer(), nullable=False),  # within the run
    Column("wave", words(), nullable=False),
    Column("plan_hash", words(), nullable=False),
    Column("changed_by", words(), nullable=False),
    *who("rehearsed"),
    Column("as_at", Date(), nullable=False),
    Column("started_at", Instant(), nullable=False),
    Column("finished_at", Instant(), nullable=False),
    Column("verdict", words(), nullable=False),
    Column("report", document(), nullable=False),
    CheckConstraint("verdict IN ('PASSED', 'FAILED')", name="ck_transfer_rehearsals_verdict"),
    ForeignKeyConstraint(
        ["plan_hash", "changed_by"],
        ["transfer_plans.plan_hash", "transfer_plans.changed_by"],
        name="fk_transfer_rehearsals_plan",
    ),
    UniqueConstraint(
        "rehearsal_id", "run_id", "wave", "plan_hash", "changed_by", "rehearsed_by", "verdict",
        name="ux_transfer_rehearsals_what",
    ),
    Index("ix_transfer_rehearsals_wave", "run_id", "wave"),
)  # fmt: skip
"""Rehearsals of a wave, with what was measured and forecast."""

REHEARSED_GROUPS = Table(
    "rehearsed_groups",
    METADATA,
    Column("rehearsal_id", Identifier(), ForeignKey("transfer_rehearsals.rehearsal_id"), primary_key=True),
    Column("case_group_id", Identifier(), primary_key=True),
    Column("position", Integer(), nullable=False),
    Column("segment", words(), nullable=False),
    Column("cases", Integer(), nullable=False),
    Column("told", Integer(), nullable=False),  # cases that get a serial number
    Column("members", Identifier(), nullable=False),
    Column("digest", Identifier(), nullable=False),
    Column("forecast", words(), nullable=False),  # LOADED, or the code for which the group would be held
)
"""The groups of a rehearsal in the order in which they move: what an approval is for."""

TRANSFER_APPROVALS = Table(
    "transfer_approvals",
    METADATA,
    Column("approval_id", Identifier(), primary_key=True),
    Column("rehearsal_id", Identifier(), nullable=False),
    Column("run_id", Identifier(), nullable=False),
    Column("wave", words(), nullable=False),
    Column("plan_hash", words(), nullable=False),
    Column("changed_by", words(), nullable=False),
    Column("rehearsed_by", words(), nullable=False),
    Column("rehearsal_verdict", words(), nullable=False),
    *who("approved"),
    Column("reason", words(), nullable=False),
    Column("approved_at", Instant(), nullable=False),
    Column("first_serial", BigInteger(), nullable=False),
    Column("last_serial", BigInteger(), nullable=False),
    ForeignKeyConstraint(
        ["rehearsal_id", "run_id", "wave", "plan_hash", "changed_by", "rehearsed_by", "rehearsal_verdict"],
        [f"transfer_rehearsals.{name}" for name in ("rehearsal_id", "run_id", "wave", "plan_hash", "changed_by",
                                                    "rehearsed_by", "verdict")],
        name="fk_transfer_approvals_rehearsal",
    ),
    CheckConstraint("rehearsal_verdict = 'PASSED'", name="ck_transfer_approvals_passed"),
    _differ("approved_by", "rehearsed_by", "ck_transfer_approvals_second_person"),
    _differ("approved_by", "changed_by", "ck_transfer_approvals_not_planner"),
    _reasoned("ck_transfer_approvals_reason"),
    UniqueConstraint("rehearsal_id", name="ux_transfer_approvals_rehearsal"),
    UniqueConstraint("first_serial", name="ux_transfer_approvals_serial"),
    UniqueConstraint("approval_id", "run_id", "wave", "plan_hash", name="ux_transfer_approvals_what"),
    UniqueConstraint("approval_id", "rehearsed_by", name="ux_transfer_approvals_preparer"),
)  # fmt: skip
"""Approvals by a second person; the serial numbers of the approved cases are reserved with it."""

GATE_VERDICTS = Table(
    "gate_verdicts",
    METADATA,
    Column("verdict_id", Identifier(), primary_key=True),
    Column("run_id", Identifier(), ForeignKey("transfer_runs.run_id"), nullable=False),
    Column("number", Integer(), nullable=False),  # within the run
    Column("wave", words(), nullable=False),
    Column("stage", words(), nullable=False),
    Column("gate", words(), nullable=False),
    Column("plan_hash", words(), nullable=False),
    Column("measured", Float(), nullable=False),
    Column("compare", words(), nullable=False),
    Column("threshold", Float(), nullable=False),
    Column("holds", Boolean(), nullable=False),
    *who("measured"),
    Column("measured_at", Instant(), nullable=False),
    UniqueConstraint("verdict_id", "measured_by", "holds", name="ux_gate_verdicts_what"),
    Index("ix_gate_verdicts_wave", "run_id", "wave", "gate"),
)
"""Gates as they were measured."""

GATE_OVERRIDES = Table(
    "gate_overrides",
    METADATA,
    Column("verdict_id", Identifier(), primary_key=True),
    Column("measured_by", words(), nullable=False),
    Column("holds", Boolean(), nullable=False),
    *who("overridden"),
    Column("reason", words(), nullable=False),
    Column("overridden_at", Instant(), nullable=False),
    ForeignKeyConstraint(
        ["verdict_id", "measured_by", "holds"],
        [f"gate_verdicts.{name}" for name in ("verdict_id", "measured_by", "holds")],
        name="fk_gate_overrides_verdict",
    ),
    CheckConstraint("NOT holds", name="ck_gate_overrides_failed"),
    _differ("overridden_by", "measured_by", "ck_gate_overrides_second_person"),
    _reasoned("ck_gate_overrides_reason"),
)
"""Gates that did not hold and were passed all the same, by whom and why."""

TRANSFER_SIGN_OFFS = Table(
    "transfer_sign_offs",
    METADATA,
    Column("run_id", Identifier(), ForeignKey("transfer_runs.run_id"), primary_key=True),
    Column("wave", words(), primary_key=True),
    Column("approval_id", Identifier(), primary_key=True),
    Column("rehearsed_by", words(), nullable=False),
    *who("signed"),
    Column("reason", words(), nullable=False),
    Column("signed_at", Instant(), nullable=False),
    Column("totals", document(), nullable=False),
    ForeignKeyConstraint(
        ["approval_id", "rehearsed_by"],
        ["transfer_approvals.approval_id", "transfer_approvals.rehearsed_by"],
        name="fk_transfer_sign_offs_approval",
    ),
    _differ("signed_by", "rehearsed_by", "ck_transfer_sign_offs_second_person"),
    _reasoned("ck_transfer_sign_offs_reason"),
)
"""Waves that were signed off."""

TRANSFER_CONTROLS = Table(
    "transfer_controls",
    METADATA,
    Column("run_id", Identifier(), ForeignKey("transfer_runs.run_id"), primary_key=True),
    Column("wave", words(), primary_key=True),
    Column("paused_by", words()),
    Column("paused_at", Instant()),
    Column("started_at", Instant()),
    Column("seen_at", Instant()),  # the live run's last sign of life
    Column("done", Integer(), nullable=False),  # groups since it was started
    Column("total", Integer(), nullable=False),
    Column("workers", Integer(), nullable=False),
    Column("seconds", Float(), nullable=False),  # of work so far, over all starts
)
"""The live run as other terminals see it, and the wish to pause it."""

CLOSURE_NOTICES = Table(
    "closure_notices",
    METADATA,
    Column("case_id", Identifier(), primary_key=True),
    Column("case_group_id", Identifier(), nullable=False),
    Column("segment", words(), nullable=False),
    Column("group_segment", words(), nullable=False),
    Column("printed_on", Date(), nullable=False),
    Column("plan", words(), nullable=False),
    Column("wave", words()),
    *who("recorded"),
    Column("recorded_at", Instant(), nullable=False),
    Index("ix_closure_notices_group", "case_group_id"),
)
"""Closure notices as they were printed: from then on the segments stand."""

REPRESENTATIONS = Table(
    "representations",
    METADATA,
    Column("debt_id", Identifier(), primary_key=True),
    Column("case_group_id", Identifier(), nullable=False),
    Column("received_on", Date(), nullable=False),
    Column("deadline", Date(), nullable=False),
    *who("recorded"),
    Column("recorded_at", Instant(), nullable=False),
    Column("response", words()),
    Column("responded_on", Date()),
    Column("responded_by", words()),  # who recorded it
    CheckConstraint("response IN ('AGREES', 'OBJECTS')", name="ck_representations_response"),
)
"""Write-off notices that a person has received, and the answer; none by the deadline is no response, never consent."""

PARALLEL_DAYS = Table(
    "parallel_days",
    METADATA,
    Column("run_id", Identifier(), ForeignKey("transfer_runs.run_id"), primary_key=True),
    Column("wave", words(), primary_key=True),
    Column("day", Date(), primary_key=True),
    Column("debts", Integer(), nullable=False),
    Column("clean", Boolean(), nullable=False),
    Column("differences", document(), nullable=False),
    *who("compared"),
    Column("compared_at", Instant(), nullable=False),
)
"""Daily comparisons of old and new balances, differences by class."""

DECISIONS = (
    TRANSFER_PLANS, TRANSFER_RUNS, TRANSFER_REHEARSALS, REHEARSED_GROUPS, TRANSFER_APPROVALS, GATE_VERDICTS,
    GATE_OVERRIDES, TRANSFER_SIGN_OFFS, TRANSFER_CONTROLS, CLOSURE_NOTICES, PARALLEL_DAYS,
    REPRESENTATIONS,
)  # fmt: skip
"""All of them, parents before children."""
