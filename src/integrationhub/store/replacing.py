"""Rows of replaced groups: what is new or newer comes in, what the new version no longer has goes out.

A row belongs to its case, and only a row without a case to its group. So a slice deletes rows of the cases and groups
that stand in it, never rows of a case that its group came without: that case may stand in another group of the same
file, and in a slice that was merged before, will be merged after, or is being merged right now. Cases that stand in
none are dealt with when the file is complete (`store.closing`).
"""

from functools import cache

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, or_, select, true
from sqlalchemy.dialects import postgresql, sqlite

from integrationhub.canonical.model import ENTITIES, Entity
from integrationhub.store.dialect import affected, insert_into
from integrationhub.store.schema import CANONICAL
from integrationhub.store.staging import ENTITY_STAGES

PRESENCE = ("parties", "groups", "cases", "debts")
"""Entities whose version moves with every delivery that has them, changed or not: it tells what a book contains, and
for parties, which several slices may bring at once, which record counts."""

_HOLDERS = {"groups": "group_id", "cases": "case_id"}
"""What every other row of a group belongs to. Both stay once they were stored."""

DETAILS_OF_CASES = (
    "roles", "benefit_periods", "liability_periods", "receipts", "history", "schedules", "clerical_totals",
)  # fmt: skip
DETAILS_WITHOUT_CASE = ("roles", "liability_periods", "receipts", "history", "schedules")


def upsert_entity(connection: Connection, name: str) -> int:
    """Bring in the staged rows that are new or newer; how many rows that were."""
    return affected(connection, _upsert(name, connection.dialect.name))


def any_stored(connection: Connection) -> bool:
    """Whether any staged group or case is in the store already; if not, nothing else of theirs is."""
    pairs = [(ENTITY_STAGES[name].c[key], CANONICAL[name].c[key]) for name, key in _HOLDERS.items()]
    found = [exists().where(staged == stored) for staged, stored in pairs]
    return bool(connection.execute(select(or_(*found))).scalar_one())


@cache
def _upsert(name: str, dialect: str) -> postgresql.Insert | sqlite.Insert:
    entity, table, stage = ENTITIES[name], CANONICAL[name], ENTITY_STAGES[name]
    columns = entity.names()
    # Parties are the only rows that two slices of a file share: everybody locks them in the order of their keys.
    order = stage.c.version if entity.group_scoped else stage.c[entity.key]
    rows = select(*(stage.c[column] for column in columns)).where(true()).order_by(order)
    statement = insert_into(dialect, table).from_select(columns, rows)
    incoming = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[entity.key],
        set_={column: incoming[column] for column in columns if column != entity.key},
        where=and_(incoming.version > table.c.version, _differs(entity, table, statement)),
    )


def _differs(entity: Entity, table: Table, statement: postgresql.Insert | sqlite.Insert) -> ColumnElement[bool]:
    if entity.name in PRESENCE:
        return true()
    return or_(*(statement.excluded[item.name].is_distinct_from(table.c[item.name]) for item in entity.fields))


def delete_left_out(connection: Connection, cases: Table, *, base: int) -> None:
    """Delete detail rows of these cases that are not staged (`cases`: any table with a column case_id).

    `base`: the first version of this delivery. Rows of this delivery stay, whatever another slice has done meanwhile.
    """
    chosen = select(cases.c.case_id)
    allocations, receipts = CANONICAL["allocations"], CANONICAL["receipts"]
    of_cases = select(receipts.c.receipt_id).where(receipts.c.case_id.in_(chosen))
    _delete_unstaged(connection, "allocations", allocations.c.receipt_id.in_(of_cases), base)
    for name in DETAILS_OF_CASES:
        _delete_unstaged(connection, name, CANONICAL[name].c.case_id.in_(chosen), base)


def delete_left_out_of_groups(connection: Connection, *, base: int) -> None:
    """Delete rows of the staged groups themselves that are not staged: addresses, and rows without a case."""
    groups = select(ENTITY_STAGES["groups"].c.group_id)
    _delete_unstaged(connection, "addresses", CANONICAL["addresses"].c.group_id.in_(groups), base)
    for name in DETAILS_WITHOUT_CASE:
        table = CANONICAL[name]
        _delete_unstaged(connection, name, and_(table.c.case_id.is_(None), table.c.group_id.in_(groups)), base)


def delete_left_out_of_parties(connection: Connection, *, base: int) -> None:
    """What a delivery of single cases replaces beside them: addresses of its parties, activities of its NRPs that
    belong to no case (csa2003.md §1).
    """
    parties = select(ENTITY_STAGES["parties"].c.party_id)
    _delete_unstaged(connection, "addresses", CANONICAL["addresses"].c.party_id.in_(parties), base)
    groups, history = select(ENTITY_STAGES["groups"].c.group_id), CANONICAL["history"]
    _delete_unstaged(connection, "history", and_(history.c.case_id.is_(None), history.c.group_id.in_(groups)), base)


def _delete_unstaged(connection: Connection, name: str, scope: ColumnElement[bool], base: int) -> None:
    table, stage, key = CANONICAL[name], ENTITY_STAGES[name], ENTITIES[name].key
    # EXCEPT is hashed or sorted whatever the planner believes; as NOT EXISTS it became a nested loop over millions of
    # pairs while a table had no statistics yet.
    unstaged = select(table.c[key]).where(scope).except_(select(stage.c[key]))
    connection.execute(delete(table).where(table.c.version < base, table.c[key].in_(unstaged)))
