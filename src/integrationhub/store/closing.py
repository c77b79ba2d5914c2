"""When every slice of a file has been merged: cases that are in no group any more, and groups that are gone.

1993 rules (csa1993.md §1.2): a group replaces its earlier version as a whole, so a case that stood in it and stands
nowhere in the new file has been taken out. A whole book (FULL) also shows which groups are gone from the source; these
are reported and marked, nothing of them is deleted.
"""

from collections.abc import Collection

import polars as pl
from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, not_, or_, select, update

from integrationhub.store import staging
from integrationhub.store.schema import CANONICAL
from integrationhub.store.staging import HELD_CASES, HELD_GROUPS, ORIGIN, VANISHED_CASES

CASES, GROUPS = CANONICAL["cases"], CANONICAL["groups"]


def count_cases(connection: Connection, *, delivery_id: str) -> None:
    """Count the cases of the delivery's groups anew: it came with some of them only."""
    counted = select(func.count()).where(CASES.c.group_id == GROUPS.c.group_id, CASES.c.state == "IN_BOOK")
    groups = update(GROUPS).where(GROUPS.c.delivery_id == delivery_id)
    connection.execute(groups.values(case_count=counted.scalar_subquery()))


def stage_held(connection: Connection, groups: Collection[str], cases: Collection[str]) -> None:
    """Note groups in quarantine and the cases they claim: neither counts as missing from the file."""
    for stage, identifiers in ((HELD_GROUPS, groups), (HELD_CASES, cases)):
        name = stage.columns[0].name
        frame = pl.DataFrame({name: sorted(set(identifiers))}, schema={name: pl.String()})
        staging.fill(connection, stage, frame)


def _in_replaced_group(delivery_id: str, base: int) -> ColumnElement[bool]:
    replaced = select(GROUPS.c.group_id).where(GROUPS.c.delivery_id == delivery_id)
    return and_(CASES.c.group_id.in_(replaced), CASES.c.version < base)


def find_vanished(connection: Connection, *, delivery_id: str, base: int, whole_book: bool) -> int:
    """Note the cases whose group came without them and that stand nowhere else in the file; how many.

    A case that a quarantined group claimed earlier (HELD) is only missing when a whole book is without it.
    """
    states = ("IN_BOOK", "GONE", "HELD") if whole_book else ("IN_BOOK", "GONE")
    columns = [CASES.c.case_id, GROUPS.c.group_id, *(GROUPS.c[name] for name in ORIGIN)]
    rows = (
        select(*columns)
        .select_from(CASES.join(GROUPS, GROUPS.c.group_id == CASES.c.group_id))
        .where(_in_replaced_group(delivery_id, base), CASES.c.state.in_(states), _not_held())
    )
    connection.execute(insert(VANISHED_CASES).from_select(["case_id", "group_id", *ORIGIN], rows))
    return connection.execute(select(func.count()).select_from(VANISHED_CASES)).scalar_one()


def _not_held() -> ColumnElement[bool]:
    return ~exists().where(HELD_CASES.c.case_id == CASES.c.case_id)


def mark_held(connection: Connection, *, delivery_id: str, base: int) -> None:
    """Mark cases whose group came without them because a quarantined group claims them."""
    claimed = and_(_in_replaced_group(delivery_id, base), CASES.c.state.in_(("IN_BOOK", "GONE")), not_(_not_held()))
    connection.execute(update(CASES).where(claimed).values(state="HELD"))


def mark_vanished(connection: Connection) -> None:
    """Mark the cases that `find_vanished` noted as withdrawn, by the record of their group."""
    values = {"state": "WITHDRAWN", **{name: VANISHED_CASES.c[name] for name in ORIGIN}}
    connection.execute(update(CASES).where(CASES.c.case_id == VANISHED_CASES.c.case_id).values(**values))


def mark_gone(connection: Connection, *, source_system: str, base: int) -> tuple[str, ...]:
    """Mark groups of the source that a whole book no longer has, and their cases; references of the groups."""
    held = exists().where(HELD_GROUPS.c.group_id == GROUPS.c.group_id)
    gone = and_(GROUPS.c.source_system == source_system, GROUPS.c.state == "IN_BOOK", GROUPS.c.version < base, ~held)
    references = select(GROUPS.c.source_ref).where(gone).order_by(GROUPS.c.source_ref)
    found = tuple(connection.execute(references).scalars())
    if found:
        connection.execute(update(GROUPS).where(gone).values(state="GONE"))
    # Also cases of groups that went before: one that a quarantined group claimed then may be claimed no more.
    groups = select(GROUPS.c.group_id).where(GROUPS.c.source_system == source_system, GROUPS.c.state == "GONE")
    missing = and_(CASES.c.group_id.in_(groups), or_(CASES.c.state == "IN_BOOK", CASES.c.state == "HELD"))
    connection.execute(update(CASES).where(missing, CASES.c.version < base, _not_held()).values(state="GONE"))
    return found
