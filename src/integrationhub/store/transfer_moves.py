"""Tables of what moves: case groups and their steps, references, accepted figures, the ledger of transfers, notices to
the sources. What they may not say is forbidden by constraints and triggers: see `store.transfer_decisions`.
"""

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    text,
)

from integrationhub.store.columns import Identifier, Instant, document, words
from integrationhub.store.judged import FIGURES
from integrationhub.store.schema import METADATA
from integrationhub.store.transfer_decisions import who

STATES = ("APPROVED", "FROZEN", "LOADED", "SIGNED_OFF", "CLOSING", "CLOSED", "HELD", "RELEASED", "BACKED_OUT")
IN_HAND = ("APPROVED", "FROZEN", "LOADED", "SIGNED_OFF", "CLOSING", "CLOSED")
"""States in which a group belongs to its run; in the others it may move again."""

MOVED = ("LOADED", "SIGNED_OFF", "CLOSING", "CLOSED")
"""States in which the target masters a group's debts."""

STEPS = (
    "FREEZE", "ALLOCATE", "LOAD", "RECONCILE", "PARALLEL_RUN", "SIGN_OFF", "CLOSE", "CLOSED", "HOLD", "RELEASE",
    "BACK_OUT",
)  # fmt: skip


def _listed(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


TRANSFER_GROUPS = Table(
    "transfer_groups",
    METADATA,
    Column("run_id", Identifier(), ForeignKey("transfer_runs.run_id"), primary_key=True),
    Column("case_group_id", Identifier(), primary_key=True),
    Column("wave", words(), nullable=False),
    Column("position", Integer(), nullable=False),
    Column("attempt", Integer(), nullable=False),
    Column("plan_hash", words(), nullable=False),
    Column("approval_id", Identifier(), nullable=False),
    Column("first_serial", BigInteger(), nullable=False),
    Column("told", Integer(), nullable=False),
    Column("cases", Integer(), nullable=False),
    Column("segment", words(), nullable=False),
    Column("members", Identifier(), nullable=False),
    Column("digest", Identifier(), nullable=False),
    Column("state", words(), nullable=False),
    Column("reason", words()),
    Column("changed_at", Instant(), nullable=False),
    CheckConstraint(f"state IN ({_listed(STATES)})", name="ck_transfer_groups_state"),
    ForeignKeyConstraint(
        ["approval_id", "run_id", "wave", "plan_hash"],
        [f"transfer_approvals.{name}" for name in ("approval_id", "run_id", "wave", "plan_hash")],
        name="fk_transfer_groups_approval",
        deferrable=True,
        initially="DEFERRED",
    ),
    Index("ix_transfer_groups_wave", "run_id", "wave", "state"),
    Index(
        "ux_transfer_groups_in_hand",  # a group is in the hands of one run
        "case_group_id",
        unique=True,
        sqlite_where=text(f"state IN ({_listed(IN_HAND)})"),
        postgresql_where=text(f"state IN ({_listed(IN_HAND)})"),
    ),
)
"""Case groups in a run and where they stand. `attempt` counts approvals; `digest` is that of the frozen position."""

TRANSFER_STEPS = Table(
    "transfer_steps",
    METADATA,
    Column("run_id", Identifier(), primary_key=True),
    Column("case_group_id", Identifier(), primary_key=True),
    Column("attempt", Integer(), primary_key=True, autoincrement=False),
    Column("step", words(), primary_key=True),
    Column("at", Instant(), nullable=False),
    *who("taken"),
    Column("plan_hash", words(), nullable=False),
    Column("digest", Identifier(), nullable=False),
    Column("outcome", words(), nullable=False),
    Column("reason", words()),
    CheckConstraint(f"step IN ({_listed(STEPS)})", name="ck_transfer_steps_step"),
    ForeignKeyConstraint(
        ["run_id", "case_group_id"],
        ["transfer_groups.run_id", "transfer_groups.case_group_id"],
        name="fk_transfer_steps_group",
    ),
)
"""The ledger of steps: each once an attempt."""

TARGET_REFERENCES = Table(
    "target_references",
    METADATA,
    Column("reference", words(), primary_key=True),
    Column("case_id", Identifier(), nullable=False),
    Column("run_id", Identifier(), ForeignKey("transfer_runs.run_id"), nullable=False),
    Column("case_group_id", Identifier(), nullable=False),
    Column("attempt", Integer(), nullable=False),
    Column("allocated_at", Instant(), nullable=False),
    Column("retired_at", Instant()),
    CheckConstraint("length(reference) = 12 AND reference LIKE '121%'", name="ck_target_references_shape"),
    Index("ix_target_references_group", "run_id", "case_group_id"),
    Index(
        "ux_target_references_live",  # a case has one live reference
        "case_id",
        unique=True,
        sqlite_where=text("retired_at IS NULL"),
        postgresql_where=text("retired_at IS NULL"),
    ),
)
"""Target case references, each for one case for ever; a retired one is never used again."""

TRANSFERRED_CASES = Table(
    "transferred_cases",
    METADATA,
    Column("run_id", Identifier(), primary_key=True),
    Column("case_id", Identifier(), primary_key=True),
    Column("attempt", Integer(), primary_key=True, autoincrement=False),
    Column("case_group_id", Identifier(), nullable=False),
    Column("serial", BigInteger()),  # null for a case that is on no system
    Column("reference", words()),  # own, or that of the case it duplicates
    Column("relation", words(), nullable=False),
    Column("kind", words(), nullable=False),
    Column("host_system", words(), nullable=False),
    Column("outcome", words(), nullable=False),
    Column("causes", document(), nullable=False),
    Column("segment", words(), nullable=False),
    Column("uncollectable", Boolean(), nullable=False),
    *(Column(name, BigInteger(), nullable=False) for name in FIGURES),
    Column("accepted_on", Date(), nullable=False),
    CheckConstraint("relation IN ('MOVED', 'DUPLICATE_OF', 'STAYS')", name="ck_transferred_cases_relation"),
    ForeignKeyConstraint(
        ["run_id", "case_group_id"],
        ["transfer_groups.run_id", "transfer_groups.case_group_id"],
        name="fk_transferred_cases_group",
    ),
    Index("ix_transferred_cases_group", "run_id", "case_group_id"),
)
"""Cases as they were accepted for transfer: figures in pence, labels, reference. Crosswalk and CLOSE notices say so."""

TRANSFERRED_DEBTS = Table(
    "transferred_debts",
    METADATA,
    Column("run_id", Identifier(), primary_key=True),
    Column("debt_id", Identifier(), primary_key=True),
    Column("attempt", Integer(), primary_key=True, autoincrement=False),
    Column("case_group_id", Identifier(), nullable=False),
    Column("case_id", Identifier(), nullable=False),
    Column("reference", words(), nullable=False),
    Column("legal_owner", words(), nullable=False),
    Column("scheme", words(), nullable=False),
    Column("host_system", words(), nullable=False),  # the target's
    Column("pence", BigInteger(), nullable=False),
    Column("suspended_pence", BigInteger(), nullable=False),
    Column("uncollectable", Boolean(), nullable=False),
    Column("write_off_class", words(), nullable=False),
    Index("ix_transferred_debts_debt", "debt_id"),
    Index("ix_transferred_debts_group", "run_id", "case_group_id"),
)
"""Debts as the target got them, labels as labels."""

TRANSFER_ENTRIES = Table(
    "transfer_entries",
    METADATA,
    Column("entry_id", Identifier(), primary_key=True),
    Column("run_id", Identifier(), nullable=False),
    Column("case_group_id", Identifier(), nullable=False),
    Column("attempt", Integer(), nullable=False),
    Column("case_id", Identifier(), nullable=False),
    Column("account", Identifier(), nullable=False),  # a debt_id; of custodian cash the case_id
    Column("account_kind", words(), nullable=False),
    Column("legal_owner", words()),
    Column("host_system", words(), nullable=False),
    Column("kind", words(), nullable=False),
    Column("pence", BigInteger(), nullable=False),
    Column("suspended_pence", BigInteger(), nullable=False),
    Column("causes", document(), nullable=False),
    Column("effective", Date(), nullable=False),
    Column("recorded_at", Instant(), nullable=False),
    Column("reverses", Identifier(), ForeignKey("transfer_entries.entry_id")),
    CheckConstraint(
        "kind IN ('OPENING', 'ADJUSTMENT', 'TRANSFER_OUT', 'TRANSFER_IN', 'REVERSAL')", name="ck_transfer_entries_kind"
    ),
    CheckConstraint("account_kind IN ('DEBT', 'CUSTODIAN')", name="ck_transfer_entries_account"),
    CheckConstraint("(kind = 'REVERSAL') = (reverses IS NOT NULL)", name="ck_transfer_entries_reversal"),
    ForeignKeyConstraint(
        ["run_id", "case_group_id"],
        ["transfer_groups.run_id", "transfer_groups.case_group_id"],
        name="fk_transfer_entries_group",
    ),
    UniqueConstraint("reverses", name="ux_transfer_entries_reverses"),
    Index("ix_transfer_entries_group", "run_id", "case_group_id"),
    Index("ix_transfer_entries_account", "account"),
)
"""The ledger of transfers, append-only: per account and host its entries sum to what is owed there."""

DEBT_MASTERY = Table(
    "debt_mastery",
    METADATA,
    Column("run_id", Identifier(), primary_key=True),
    Column("debt_id", Identifier(), primary_key=True),
    Column("attempt", Integer(), primary_key=True, autoincrement=False),
    Column("case_group_id", Identifier(), nullable=False),
    Column("master", words(), nullable=False),
    Column("since", Instant(), nullable=False),
    Column("until", Instant()),
    Index("ix_debt_mastery_group", "run_id", "case_group_id"),
    Index(
        "ux_debt_mastery_one",  # a debt has one master at a time
        "debt_id",
        unique=True,
        sqlite_where=text("until IS NULL"),
        postgresql_where=text("until IS NULL"),
    ),
)
"""Which debts another system than their source masters, since when and until when."""

HANDOVER_NOTICES = Table(
    "handover_notices",
    METADATA,
    Column("notice_id", BigInteger(), primary_key=True, autoincrement=False),
    Column("run_id", Identifier(), nullable=False),
    Column("case_group_id", Identifier(), nullable=False),
    Column("attempt", Integer(), nullable=False),
    Column("case_id", Identifier(), nullable=False),
    Column("system", words(), nullable=False),
    Column("action", words(), nullable=False),
    Column("made_on", Date(), nullable=False),
    Column("file_sequence", BigInteger()),  # the return file that carries it; null while it waits for one
    Column("answer", words()),
    Column("answer_reason", words()),
    Column("answered_at", Instant()),
    Column("answered_in", Identifier()),  # the delivery that brought the answer
    CheckConstraint("action IN ('FREEZE', 'RELEASE', 'CLOSE')", name="ck_handover_notices_action"),
    CheckConstraint("answer IN ('A', 'J')", name="ck_handover_notices_answer"),
    UniqueConstraint("run_id", "case_id", "attempt", "action", name="ux_handover_notices_once"),
    ForeignKeyConstraint(
        ["run_id", "case_group_id"],
        ["transfer_groups.run_id", "transfer_groups.case_group_id"],
        name="fk_handover_notices_group",
    ),
    Index("ix_handover_notices_group", "run_id", "case_group_id"),
    Index("ix_handover_notices_file", "system", "file_sequence"),
)
"""Notices to the sources, one a case and action, and their answers."""

MOVES = (
    TRANSFER_GROUPS, TRANSFER_STEPS, TARGET_REFERENCES, TRANSFERRED_CASES, TRANSFERRED_DEBTS, TRANSFER_ENTRIES,
    DEBT_MASTERY, HANDOVER_NOTICES,
)  # fmt: skip
"""All of them, parents before children."""
