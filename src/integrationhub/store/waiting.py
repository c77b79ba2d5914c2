"""Records and groups that were set aside, as the one worklist shows them beside quarantined messages and files."""

from sqlalchemy import ColumnElement, Connection, func, select

from integrationhub.store.quarantine import QuarantineFilter, QuarantineGroup
from integrationhub.store.schema import WORKLIST
from integrationhub.store.worklist import ItemState, WorklistItem

RECORD = "RECORD"
"""The kind of what was set aside inside a file or message that was taken."""

_STATES = {"OPEN": (ItemState.OPEN, ItemState.ASSIGNED), "RESOLVED": (ItemState.RESOLVED,)}


def exceptions(connection: Connection, chosen: QuarantineFilter, *, limit: int) -> list[WorklistItem]:
    """Exceptions that a filter means, oldest first."""
    statement = select(WORKLIST).where(*_conditions(chosen)).order_by(WORKLIST.c.opened_at, WORKLIST.c.exception_id)
    rows = connection.execute(statement.limit(limit)).mappings()
    return [WorklistItem(**{**row, "state": ItemState(row["state"])}) for row in rows]


def exception_groups(connection: Connection, chosen: QuarantineFilter) -> list[QuarantineGroup]:
    """How many exceptions there are for each reason, most first."""
    key = (WORKLIST.c.connector, WORKLIST.c.code)
    oldest = func.min(WORKLIST.c.opened_at, type_=WORKLIST.c.opened_at.type).label("oldest")
    statement = select(*key, func.count().label("count"), oldest).where(*_conditions(chosen)).group_by(*key)
    rows = connection.execute(statement.order_by(func.count().desc(), *key)).mappings()
    return [QuarantineGroup(kind=RECORD, **row) for row in rows]


def _conditions(chosen: QuarantineFilter) -> list[ColumnElement[bool]]:
    """Nothing where the filter asks for what exceptions don't have."""
    if chosen.kind not in (None, RECORD) or chosen.label is not None or chosen.queue is not None:
        return [WORKLIST.c.exception_id.is_(None)]
    equal = {"connector": chosen.connector, "code": chosen.code, "owner": chosen.owner}
    conditions: list[ColumnElement[bool]] = [
        WORKLIST.c[name] == value for name, value in equal.items() if value is not None
    ]
    if chosen.ids is not None:
        conditions.append(WORKLIST.c.exception_id.in_(sorted(chosen.ids)))
    if chosen.state is not None:
        conditions.append(WORKLIST.c.state.in_(_STATES.get(chosen.state, ())))
    if chosen.since is not None:
        conditions.append(WORKLIST.c.opened_at >= chosen.since)
    if chosen.until is not None:
        conditions.append(WORKLIST.c.opened_at < chosen.until)
    return conditions
