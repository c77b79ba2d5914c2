"""Reads what a transfer decides on: case groups whole, with verdicts, debts, and what change events add."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from integrationhub.store.case_events import CaseEvents, Effect
from integrationhub.store.judged import VERDICTS
from integrationhub.store.schema import CANONICAL

CASES, DEBTS, BALANCES = CANONICAL["cases"], CANONICAL["debts"], CANONICAL["balances"]
_IDS_PER_STATEMENT = 500
_OF_CASE = ("source_ref", "scheme", "host_system", "source_system", "effective_date")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSources:
    """The rows of some case groups: `cases` with their verdicts by case group, `debts` with their source balance by
    case, `effects` of change events by case.
    """

    cases: dict[str, list[Row[Any]]]
    debts: dict[str, list[Row[Any]]]
    effects: dict[str, Effect]


def group_ids(connection: Connection, *, after: str, limit: int) -> list[str]:
    """The next case groups that were judged, in the order of their identifiers."""
    column = VERDICTS.c.case_group_id
    statement = select(column).distinct().order_by(column).limit(limit)
    if after:
        statement = statement.where(column > after)
    return list(connection.execute(statement).scalars())


def count_groups(connection: Connection) -> int:
    """How many case groups were judged."""
    return connection.execute(select(func.count(VERDICTS.c.case_group_id.distinct()))).scalar_one()


def of_groups(connection: Connection, case_group_ids: Collection[str]) -> GroupSources:
    """Everything of these case groups."""
    cases: dict[str, list[Row[Any]]] = {}
    statement = select(VERDICTS, *(CASES.c[name] for name in _OF_CASE)).join(CASES, CASES.c.case_id == VERDICTS.c.case_id)
    for row in _of(connection, statement, VERDICTS.c.case_group_id, case_group_ids):
        cases.setdefault(row.case_group_id, []).append(row)
    case_ids = {row.case_id for rows in cases.values() for row in rows}
    debts: dict[str, list[Row[Any]]] = {}
    for row in _of(connection, _debts(), DEBTS.c.case_id, case_ids):
        debts.setdefault(row.case_id, []).append(row)
    effects = {effect.case_id: effect for effect in CaseEvents(connection).effects() if effect.case_id in case_ids}
    return GroupSources(cases=cases, debts=debts, effects=effects)


def _debts() -> Select[Any]:
    source = (BALANCES.c.debt_id == DEBTS.c.debt_id) & (BALANCES.c.kind == "SOURCE")
    columns = (DEBTS.c.debt_id, DEBTS.c.case_id, DEBTS.c.legal_owner, BALANCES.c.pence, BALANCES.c.suspended_pence)
    return select(*columns).select_from(DEBTS.outerjoin(BALANCES, source)).where(DEBTS.c.status != "REMOVED")


def _of(
    connection: Connection, statement: Select[Any], column: ColumnElement[Any], identifiers: Collection[str]
) -> Iterator[Row[Any]]:
    ordered = sorted(identifiers)
    for start in range(0, len(ordered), _IDS_PER_STATEMENT):
        yield from connection.execute(statement.where(column.in_(ordered[start : start + _IDS_PER_STATEMENT]))).all()


def groups_called(connection: Connection, reference: str, case_ids: Collection[str]) -> list[str]:
    """Case groups with this identifier, or that hold one of these cases."""
    rows = _of(connection, select(VERDICTS.c.case_group_id), VERDICTS.c.case_id, case_ids)
    found = {row.case_group_id for row in rows}
    statement = select(VERDICTS.c.case_group_id).where(VERDICTS.c.case_group_id == reference).limit(1)
    return sorted(found | set(connection.execute(statement).scalars()))
