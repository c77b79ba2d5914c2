"""What waits for a person: records and groups that could not be loaded, and why."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Connection, RowMapping, select, update

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import NotFound
from integrationhub.store.bulk import among, insert_rows
from integrationhub.store.dialect import affected, insert_into
from integrationhub.store.schema import CANONICAL, DELIVERIES, WORKLIST

_ROWS_PER_STATEMENT = 500
_SAID_BY_FILE = ("code", "source_ref", "text", "connector", "delivery_id", "record_no", "byte_offset", "field")


class ItemState(StrEnum):
    """How far an item has come."""

    OPEN = "OPEN"
    ASSIGNED = "ASSIGNED"
    RESOLVED = "RESOLVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistItem:
    """One exception. `source_ref` and `text` hold nothing personal; `group_id` is set where a whole group waits."""

    exception_id: str
    code: str
    entity: str
    source_ref: str | None = None
    owner: str | None = None
    opened_at: datetime
    due: date | None = None
    state: ItemState = ItemState.OPEN
    text: str
    connector: str
    delivery_id: str
    record_no: int | None = None
    byte_offset: int | None = None
    field: str | None = None
    group_id: str | None = None
    resolved_at: datetime | None = None
    resolution: str | None = None


class Worklist:
    """Exceptions by identifier, state and group."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, items: Iterable[WorklistItem]) -> int:
        """Put items on the list; one that is there already stays as it is. How many are new."""
        rows = list(items)
        columns = {name: [getattr(item, name) for item in rows] for name in WorklistItem.__dataclass_fields__}
        return insert_rows(self._connection, WORKLIST, columns, conflict="ON CONFLICT DO NOTHING")

    def known(self, exception_ids: Sequence[str]) -> frozenset[str]:
        """Those of these items that were put on the list before, whatever became of them."""
        chosen = among(self._connection, WORKLIST.c.exception_id, exception_ids)
        return frozenset(self._connection.execute(select(WORKLIST.c.exception_id).where(chosen)).scalars())

    def reopen(self, items: Iterable[WorklistItem]) -> None:
        """Put items on the list; one that was resolved opens again with the new text, one that is open stays."""
        rows = [asdict(item) for item in items]
        again = ("opened_at", "text", "delivery_id", "record_no", "state", "owner")
        for start in range(0, len(rows), _ROWS_PER_STATEMENT):
            part = rows[start : start + _ROWS_PER_STATEMENT]
            statement = insert_into(self._connection.dialect.name, WORKLIST).values(part)
            values = {name: statement.excluded[name] for name in again} | {"resolved_at": None, "resolution": None}
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["exception_id"], set_=values, where=WORKLIST.c.state == ItemState.RESOLVED
                )
            )

    def set_aside(self, items: Sequence[WorklistItem]) -> list[WorklistItem]:
        """Put groups that a file has set aside on the list; the items that are new.

        A group that waits already goes on waiting as the item that it has, with its age and owner and what this file
        says of it. What the file before said is kept as a closed item: it is known of every file what it set aside.
        """
        waiting = self._groups_waiting([item.group_id for item in items if item.group_id])
        known = [(item, waiting[item.group_id]) for item in items if item.group_id and item.group_id in waiting]
        self.open(_earlier(before, at=item.opened_at) for item, before in known)
        for item, before in known:
            said = {name: getattr(item, name) for name in _SAID_BY_FILE}
            self._connection.execute(
                update(WORKLIST).where(WORKLIST.c.exception_id == before.exception_id).values(**said)
            )
        fresh = [item for item in items if item.group_id not in waiting]
        self.open(fresh)
        return fresh

    def _groups_waiting(self, group_ids: Sequence[str]) -> dict[str, WorklistItem]:
        """Group → the oldest item under which it waits since a file has set it aside."""
        chosen = (
            among(self._connection, WORKLIST.c.group_id, group_ids),
            WORKLIST.c.entity == "groups",
            WORKLIST.c.state != ItemState.RESOLVED,
        )
        rows = self._connection.execute(select(WORKLIST).where(*chosen).order_by(WORKLIST.c.opened_at.desc()))
        return {row["group_id"]: _item_of(row) for row in rows.mappings()}

    def groups_set_aside(self, connector: str) -> list[tuple[str, str]]:
        """Delivery and reference of every source group that was left out of a file, whatever became of the item."""
        statement = select(WORKLIST.c.delivery_id, WORKLIST.c.source_ref).where(
            WORKLIST.c.connector == connector, WORKLIST.c.entity == "groups", WORKLIST.c.source_ref.is_not(None)
        )
        return [(row.delivery_id, row.source_ref) for row in self._connection.execute(statement)]

    def places(self, case_ids: Collection[str]) -> Mapping[str, tuple[str, str, int]]:
        """case_id → connector, delivery and record number of the case's newest record."""
        cases = CANONICAL["cases"]
        found: dict[str, tuple[str, str, int]] = {}
        statement = select(cases.c.case_id, DELIVERIES.c.connector, cases.c.delivery_id, cases.c.record_no).join(
            DELIVERIES, DELIVERIES.c.delivery_id == cases.c.delivery_id
        )
        ordered = sorted(case_ids)
        for start in range(0, len(ordered), _ROWS_PER_STATEMENT):
            part = statement.where(cases.c.case_id.in_(ordered[start : start + _ROWS_PER_STATEMENT]))
            for row in self._connection.execute(part):
                found[row.case_id] = (row.connector, row.delivery_id, row.record_no)
        return found

    def assign(self, exception_id: str, owner: str) -> None:
        """Give an open item to somebody; NotFound when there is no such open item."""
        chosen = (WORKLIST.c.exception_id == exception_id) & (WORKLIST.c.state != ItemState.RESOLVED)
        statement = update(WORKLIST).where(chosen).values(owner=owner, state=ItemState.ASSIGNED)
        if affected(self._connection, statement) != 1:
            raise NotFound(f"no open worklist item {exception_id}")

    def resolve(self, exception_ids: Sequence[str], *, at: datetime, resolution: str) -> int:
        """Close items; those that are closed already stay as they are. How many were closed."""
        closed = 0
        for start in range(0, len(exception_ids), _ROWS_PER_STATEMENT):
            part = exception_ids[start : start + _ROWS_PER_STATEMENT]
            chosen = WORKLIST.c.exception_id.in_(part) & (WORKLIST.c.state != ItemState.RESOLVED)
            values = {"state": ItemState.RESOLVED, "resolved_at": at, "resolution": resolution}
            closed += affected(self._connection, update(WORKLIST).where(chosen).values(**values))
        return closed

    def resolve_groups(self, group_ids: Collection[str], *, at: datetime, resolution: str) -> int:
        """Close whatever waits for one of these groups: they came again, and in good order."""
        present = set(group_ids)
        waiting = select(WORKLIST.c.exception_id, WORKLIST.c.group_id).where(
            WORKLIST.c.state != ItemState.RESOLVED, WORKLIST.c.group_id.is_not(None)
        )
        found = [row.exception_id for row in self._connection.execute(waiting) if row.group_id in present]
        return self.resolve(sorted(found), at=at, resolution=resolution)

    def of_codes(self, codes: Sequence[str]) -> list[WorklistItem]:
        """Items under one of these codes that wait still."""
        chosen = (WORKLIST.c.code.in_(codes), WORKLIST.c.state != ItemState.RESOLVED)
        rows = self._connection.execute(select(WORKLIST).where(*chosen)).mappings()
        return [_item_of(row) for row in rows]

    def resolve_about(self, group_ids: Sequence[str], *, at: datetime, resolution: str) -> None:
        """The same for a few groups, or other things that messages are about."""
        chosen = among(self._connection, WORKLIST.c.group_id, group_ids) & (WORKLIST.c.state != ItemState.RESOLVED)
        values = {"state": ItemState.RESOLVED, "resolved_at": at, "resolution": resolution}
        self._connection.execute(update(WORKLIST).where(chosen).values(**values))

    def items(self, *, state: ItemState | None = None, delivery_id: str | None = None) -> list[WorklistItem]:
        """Items, oldest first."""
        statement = select(WORKLIST).order_by(WORKLIST.c.opened_at, WORKLIST.c.exception_id)
        if state is not None:
            statement = statement.where(WORKLIST.c.state == state)
        if delivery_id is not None:
            statement = statement.where(WORKLIST.c.delivery_id == delivery_id)
        rows = self._connection.execute(statement).mappings()
        return [_item_of(row) for row in rows]


def _item_of(row: RowMapping) -> WorklistItem:
    return WorklistItem(**{**row, "state": ItemState(row["state"])})


def _earlier(item: WorklistItem, *, at: datetime) -> WorklistItem:
    """What the file before said of a group that waits on."""
    return replace(
        item,
        exception_id=derive("worklist", "earlier", item.delivery_id, item.group_id),
        state=ItemState.RESOLVED,
        resolved_at=at,
        resolution=f"came again at fault: waits on as {item.exception_id}",
    )
