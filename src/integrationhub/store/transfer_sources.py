"""Reads what a transfer decides on: case groups whole, with verdicts, debts, and what change events add."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, select

from integrationhub.store.judged import VERDICTS
from integrationhub.store.schema import CANONICAL, CASE_EVENTS

CASES, DEBTS, BALANCES = CANONICAL["cases"], CANONICAL["debts"], CANONICAL["balances"]
_IDS_PER_STATEMENT = 500
_NOT_ASKED = ("findings", "flags")  # of verdicts: long, and nothing of a transfer hangs on them
_OF_CASE = ("source_ref", "scheme", "host_system", "source_system", "effective_date")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSources:
    """The rows of some case groups: `cases` with their verdicts by case group, `debts` with their source balance by
    case.
    """

    cases: dict[str, list[Row[Any]]]
    debts: dict[str, list[Row[Any]]]


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
    columns = [column for column in VERDICTS.c if column.name not in _NOT_ASKED]
    statement = select(*columns, *(CASES.c[name] for name in _OF_CASE)).join(
        CASES, CASES.c.case_id == VERDICTS.c.case_id
    )
    for row in _of(connection, statement, VERDICTS.c.case_group_id, case_group_ids):
        cases.setdefault(row.case_group_id, []).append(row)
    case_ids = {row.case_id for rows in cases.values() for row in rows}
    debts: dict[str, list[Row[Any]]] = {}
    for row in _of(connection, _debts(), DEBTS.c.case_id, case_ids):
        debts.setdefault(row.case_id, []).append(row)
    return GroupSources(cases=cases, debts=debts)


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


def case_ids_of(connection: Connection, case_group_id: str) -> dict[str, str]:
    """Case → source group, of a case group."""
    statement = select(VERDICTS.c.case_id, VERDICTS.c.group_id).where(VERDICTS.c.case_group_id == case_group_id)
    return {row.case_id: row.group_id for row in connection.execute(statement)}


def source_group_of(connection: Connection, case_ids: Collection[str]) -> dict[str, str]:
    """Case → source group, of cases that may be in no case group any more."""
    rows = _of(connection, select(CASES.c.case_id, CASES.c.group_id), CASES.c.case_id, case_ids)
    return {row.case_id: row.group_id for row in rows}


def cases_with_events(connection: Connection) -> set[str]:
    """Cases that have change events which their book does not contain."""
    behind = (CASES.c.case_id == CASE_EVENTS.c.case_id) & (
        CASE_EVENTS.c.case_seq > func.coalesce(CASES.c.last_event_seq, 0)
    )
    statement = select(CASE_EVENTS.c.case_id).distinct().select_from(CASE_EVENTS.join(CASES, behind))
    return set(connection.execute(statement).scalars())


def source_groups(connection: Connection, kinds: Collection[str]) -> dict[str, str | None]:
    """Source group → case group, of groups with a case of these schemes as plans call them; None: not judged."""
    kind = case((CASES.c.host_system == "CLERICAL", "CLERICAL"), else_=CASES.c.scheme)
    joined = CASES.outerjoin(VERDICTS, VERDICTS.c.case_id == CASES.c.case_id)
    statement = select(CASES.c.group_id, VERDICTS.c.case_group_id).distinct().select_from(joined)
    rows = connection.execute(statement.where(kind.in_(sorted(kinds))))
    return {row.group_id: row.case_group_id for row in rows}
