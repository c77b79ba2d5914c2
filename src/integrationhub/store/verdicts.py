"""Writes links, the judging queue, verdicts and corrections."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Connection, RowMapping, Table, delete, select

from integrationhub.store import staging
from integrationhub.store.bulk import insert_rows
from integrationhub.store.dialect import insert_into
from integrationhub.store.judged import CASE_PERSONS, CORRECTIONS, JUDGING_QUEUE, LINKED_GROUPS, VERDICTS

_IDS_PER_STATEMENT = 500


class Verdicts:
    """What judging writes, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _delete(self, table: Table, column: ColumnElement[Any], identifiers: Collection[str]) -> None:
        ordered = sorted(identifiers)
        for start in range(0, len(ordered), _IDS_PER_STATEMENT):
            part = ordered[start : start + _IDS_PER_STATEMENT]
            self._connection.execute(delete(table).where(column.in_(part)))

    def link(self, case_ids: Collection[str], rows: Sequence[tuple[str, ...]]) -> None:
        """Replace who is in these cases; `rows` as the columns of case_persons."""
        self._delete(CASE_PERSONS, CASE_PERSONS.c.case_id, case_ids)
        frame = pl.DataFrame(rows, schema=dict.fromkeys(CASE_PERSONS.c.keys(), pl.String), orient="row")
        staging.fill(self._connection, CASE_PERSONS, frame)

    def mark_linked(self, groups: Iterable[tuple[str, int, str, str | None]], *, rules: str) -> None:
        """Note source groups as linked in this version, state and content, their cases to be judged by these rules."""
        rows = [(*row, rules) for row in groups]
        self._delete(LINKED_GROUPS, LINKED_GROUPS.c.group_id, [row[0] for row in rows])
        schema = {name: pl.Int64() if name == "version" else pl.String() for name in LINKED_GROUPS.c.keys()}  # noqa: SIM118
        staging.fill(self._connection, LINKED_GROUPS, pl.DataFrame(rows, schema=schema, orient="row"))

    def forget_links(self) -> None:
        """Let everything be linked and judged anew."""
        self._connection.execute(delete(LINKED_GROUPS))

    def enqueue(self, case_ids: Collection[str]) -> None:
        """Let cases be judged."""
        ordered = sorted(case_ids)
        statement = insert_into(self._connection.dialect.name, JUDGING_QUEUE)
        for start in range(0, len(ordered), _IDS_PER_STATEMENT):
            part = [{"case_id": case_id} for case_id in ordered[start : start + _IDS_PER_STATEMENT]]
            self._connection.execute(statement.values(part).on_conflict_do_nothing())

    def dequeue(self, case_ids: Collection[str]) -> None:
        """These cases are judged."""
        self._delete(JUDGING_QUEUE, JUDGING_QUEUE.c.case_id, case_ids)

    def replace(
        self,
        case_ids: Collection[str],
        verdicts: Sequence[Mapping[str, Any]],
        corrections: Sequence[Mapping[str, Any]],
    ) -> None:
        """Replace verdicts and corrections of these cases; cases without a new verdict lose their old one."""
        self._delete(VERDICTS, VERDICTS.c.case_id, case_ids)
        self._delete(CORRECTIONS, CORRECTIONS.c.case_id, case_ids)
        for table, rows in ((VERDICTS, verdicts), (CORRECTIONS, corrections)):
            names = table.c.keys() if rows else ()
            insert_rows(self._connection, table, {name: [row[name] for row in rows] for name in names})


def of_case(connection: Connection, case_id: str) -> tuple[RowMapping | None, list[RowMapping]]:
    """The verdict of a case, if it was judged, and its corrections in order."""
    found = connection.execute(select(VERDICTS).where(VERDICTS.c.case_id == case_id)).mappings().one_or_none()
    statement = select(CORRECTIONS).where(CORRECTIONS.c.case_id == case_id).order_by(CORRECTIONS.c.position)
    return found, list(connection.execute(statement).mappings())
