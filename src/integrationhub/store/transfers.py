"""Writes what transfers decide and move, inside one transaction. What may not be, the tables' constraints refuse."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, insert, select, update

from integrationhub.store.dialect import affected, insert_into, insert_new, is_postgres, upsert
from integrationhub.store.transfer_decisions import (
    CLOSURE_NOTICES,
    GATE_OVERRIDES,
    GATE_VERDICTS,
    PARALLEL_DAYS,
    REHEARSED_GROUPS,
    REPRESENTATIONS,
    TRANSFER_APPROVALS,
    TRANSFER_CONTROLS,
    TRANSFER_PLANS,
    TRANSFER_REHEARSALS,
    TRANSFER_RUNS,
    TRANSFER_SIGN_OFFS,
)
from integrationhub.store.transfer_moves import (
    DEBT_MASTERY,
    HANDOVER_NOTICES,
    TARGET_REFERENCES,
    TRANSFER_ENTRIES,
    TRANSFER_GROUPS,
    TRANSFER_STEPS,
    TRANSFERRED_CASES,
    TRANSFERRED_DEBTS,
)

_ROWS_PER_STATEMENT = 1_000
_IDS_PER_STATEMENT = 500

Rows = Sequence[Mapping[str, Any]]

MOVE_TABLES: Mapping[str, Table] = {
    "steps": TRANSFER_STEPS,
    "references": TARGET_REFERENCES,
    "cases": TRANSFERRED_CASES,
    "debts": TRANSFERRED_DEBTS,
    "entries": TRANSFER_ENTRIES,
    "mastery": DEBT_MASTERY,
    "notices": HANDOVER_NOTICES,
}
"""What the steps of groups add to, parents before children."""


class Transfers:
    """Writes transfers by run, wave and group."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _add(self, table: Table, rows: Rows) -> None:
        for start in range(0, len(rows), _ROWS_PER_STATEMENT):
            self._connection.execute(insert(table), [dict(row) for row in rows[start : start + _ROWS_PER_STATEMENT]])

    def add_plan(self, row: Mapping[str, Any]) -> bool:
        """Note a plan by its hash, once; whether it is new."""
        return insert_new(self._connection, TRANSFER_PLANS, row)

    def add_run(self, row: Mapping[str, Any]) -> None:
        """Begin a run."""
        self._add(TRANSFER_RUNS, [row])

    def add_rehearsal(self, row: Mapping[str, Any], groups: Rows) -> None:
        """Keep a rehearsal with the groups that it moved for a try."""
        self._add(TRANSFER_REHEARSALS, [row])
        self._add(REHEARSED_GROUPS, groups)

    def add_approval(self, row: Mapping[str, Any]) -> None:
        """Keep an approval; refused by the database when it is by the wrong person or for the wrong rehearsal."""
        self._add(TRANSFER_APPROVALS, [row])

    def approve_groups(self, rows: Rows) -> None:
        """Put groups into their run as APPROVED, those that were in it and left it again included."""
        for row in rows:
            upsert(self._connection, TRANSFER_GROUPS, row)

    def put_groups(self, rows: Rows) -> None:
        """Put groups into a run that are in none: the quick way of rehearsals and of first approvals."""
        self._add(TRANSFER_GROUPS, rows)

    def lock(self, run_id: str, group_ids: Collection[str]) -> list[Any]:
        """These groups of the run in their order, locked until the transaction ends."""
        statement = select(TRANSFER_GROUPS).where(
            TRANSFER_GROUPS.c.run_id == run_id, TRANSFER_GROUPS.c.case_group_id.in_(sorted(group_ids))
        )
        ordered = statement.order_by(TRANSFER_GROUPS.c.case_group_id)
        if is_postgres(self._connection):
            ordered = ordered.with_for_update()
        return sorted(self._connection.execute(ordered), key=lambda row: row.position)

    def lock_wave(self, run_id: str, wave: str, state: str) -> list[Any]:
        """Groups of a wave that are in a state, locked until the transaction ends."""
        table = TRANSFER_GROUPS
        chosen = (table.c.run_id == run_id) & (table.c.wave == wave) & (table.c.state == state)
        statement = select(table).where(chosen).order_by(table.c.case_group_id)
        if is_postgres(self._connection):
            statement = statement.with_for_update()
        return list(self._connection.execute(statement))

    def set_state(
        self, run_id: str, group_ids: Collection[str], state: str, *, at: datetime, reason: str | None = None
    ) -> None:
        """Bring groups into a state."""
        ordered = sorted(group_ids)
        for start in range(0, len(ordered), _IDS_PER_STATEMENT):
            chosen = _of_run(TRANSFER_GROUPS, run_id, ordered[start : start + _IDS_PER_STATEMENT])
            values = {"state": state, "reason": reason, "changed_at": at}
            self._connection.execute(update(TRANSFER_GROUPS).where(chosen).values(**values))

    def set_digests(self, run_id: str, digests: Mapping[str, str]) -> None:
        """Note the positions in which groups were frozen."""
        for group_id, digest in digests.items():
            chosen = _of_run(TRANSFER_GROUPS, run_id, [group_id])
            self._connection.execute(update(TRANSFER_GROUPS).where(chosen).values(digest=digest))

    def add_moves(self, rows: Mapping[str, Rows]) -> None:
        """Add what steps of groups made, table by table (MOVE_TABLES)."""
        for name, table in MOVE_TABLES.items():
            self._add(table, rows.get(name, ()))

    def add_steps(self, rows: Rows) -> None:
        """Note steps that were taken."""
        self._add(TRANSFER_STEPS, rows)

    def note_steps(self, rows: Rows) -> None:
        """Note steps unless they were taken before: a step is taken once an attempt."""
        statement = insert_into(self._connection.dialect.name, TRANSFER_STEPS).on_conflict_do_nothing()
        for start in range(0, len(rows), _ROWS_PER_STATEMENT):
            self._connection.execute(statement, [dict(row) for row in rows[start : start + _ROWS_PER_STATEMENT]])

    def retire(self, run_id: str, group_ids: Collection[str], *, at: datetime) -> None:
        """Retire the live references of groups for good."""
        live = and_(_of_run(TARGET_REFERENCES, run_id, group_ids), TARGET_REFERENCES.c.retired_at.is_(None))
        self._connection.execute(update(TARGET_REFERENCES).where(live).values(retired_at=at))

    def give_mastery_back(self, run_id: str, group_ids: Collection[str], *, at: datetime) -> None:
        """Let the sources master the debts of groups again."""
        held = and_(_of_run(DEBT_MASTERY, run_id, group_ids), DEBT_MASTERY.c.until.is_(None))
        self._connection.execute(update(DEBT_MASTERY).where(held).values(until=at))

    def add_notices(self, rows: Rows) -> None:
        """Let notices wait for their return file."""
        self._add(HANDOVER_NOTICES, rows)

    def answer_notice(
        self, notice_id: int, answer: str, reason: str | None, *, at: datetime, delivery_id: str | None = None
    ) -> bool:
        """Keep the source's first answer to a notice, and the delivery that brought it; whether it was one."""
        chosen = (HANDOVER_NOTICES.c.notice_id == notice_id) & HANDOVER_NOTICES.c.answer.is_(None)
        values = {"answer": answer, "answer_reason": reason, "answered_at": at, "answered_in": delivery_id}
        return affected(self._connection, update(HANDOVER_NOTICES).where(chosen).values(**values)) == 1

    def add_gate(self, row: Mapping[str, Any]) -> None:
        """Keep a gate as it was measured."""
        self._add(GATE_VERDICTS, [row])

    def add_override(self, row: Mapping[str, Any]) -> None:
        """Keep an override; refused by the database when it is by who measured, or without a reason."""
        self._add(GATE_OVERRIDES, [row])

    def add_sign_off(self, row: Mapping[str, Any]) -> None:
        """Keep a sign-off; refused by the database when it is by who rehearsed."""
        self._add(TRANSFER_SIGN_OFFS, [row])

    def control(self, run_id: str, wave: str, **values: Any) -> None:
        """Change the control row of a wave; it is made where there is none."""
        first = {"run_id": run_id, "wave": wave, "done": 0, "total": 0, "workers": 0, "seconds": 0.0}
        insert_new(self._connection, TRANSFER_CONTROLS, first)
        chosen = (TRANSFER_CONTROLS.c.run_id == run_id) & (TRANSFER_CONTROLS.c.wave == wave)
        self._connection.execute(update(TRANSFER_CONTROLS).where(chosen).values(**values))

    def add_closure_notices(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Record printed notices; a case that has one keeps it. How many are new."""
        return sum(insert_new(self._connection, CLOSURE_NOTICES, row) for row in rows)

    def add_representation(self, row: Mapping[str, Any]) -> bool:
        """Record that a write-off notice was received; the first day stays. Whether it is new."""
        return insert_new(self._connection, REPRESENTATIONS, row)

    def answer_representation(self, debt_id: str, response: str, on: date, *, by: str) -> bool:
        """Record the answer to a write-off notice; the first one stays. Whether it is new."""
        chosen = (REPRESENTATIONS.c.debt_id == debt_id) & REPRESENTATIONS.c.response.is_(None)
        received = chosen & (REPRESENTATIONS.c.received_on <= on)
        statement = update(REPRESENTATIONS).where(received).values(response=response, responded_on=on, responded_by=by)
        return affected(self._connection, statement) == 1

    def put_parallel_day(self, row: Mapping[str, Any]) -> None:
        """Keep a day's comparison; comparing the same day again replaces it."""
        upsert(self._connection, PARALLEL_DAYS, row)


def _of_run(table: Table, run_id: str, group_ids: Collection[str]) -> ColumnElement[bool]:
    return and_(table.c.run_id == run_id, table.c.case_group_id.in_(sorted(group_ids)))
