"""The ledger merge: append-only, and still always equal to the source's ledger.

An entry is live when no other entry takes it back. The staged lines of a case are compared with its live entries by
digest: a line that is there already stays, with its first provenance; a new one is entered; a live entry that the
source no longer shows as it was is taken back by an entry with the opposite amounts. So the sum over all entries of a
debt is at any time the sum over the source's current lines.
"""

from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, exists, func, insert, literal, select

from integrationhub.canonical.frames import POLARS_TYPES
from integrationhub.canonical.model import ENTITIES
from integrationhub.store import seal, staging
from integrationhub.store.dialect import affected, fetch_frame, present_in
from integrationhub.store.schema import CANONICAL
from integrationhub.store.slices import NOTHING, LedgerSums
from integrationhub.store.staging import CANCELLATIONS, ENTITY_STAGES, LIVE_LINES, ORIGIN

LEDGER = CANONICAL["ledger"]
_STAGED = ENTITY_STAGES["ledger"]
_AMOUNTS = ("pence", "suspended_pence", "stored_pence")
_ROWS_AT_ONCE = 50_000


def live() -> ColumnElement[bool]:
    """True for ledger entries that count by themselves: they take nothing back and nothing takes them back."""
    other = LEDGER.alias()
    return and_(LEDGER.c.cancels_entry_id.is_(None), ~exists().where(other.c.cancels_entry_id == LEDGER.c.entry_id))


def find_live_of_cases(connection: Connection, cases: Table) -> None:
    """Note the live entries of these cases (`cases`: case_id and ORIGIN)."""
    _note(connection, cases, LEDGER.c.case_id == cases.c.case_id)


def find_live_of_groups(connection: Connection) -> None:
    """Note the live entries without a case of the staged groups."""
    groups = ENTITY_STAGES["groups"]
    _note(connection, groups, and_(LEDGER.c.case_id.is_(None), LEDGER.c.group_id == groups.c.group_id))


def find_live_that_come_again(connection: Connection) -> None:
    """Note the live entries without a case whose source line is staged: as it was, or as a line of a case now."""
    groups = ENTITY_STAGES["groups"]
    here = and_(LEDGER.c.case_id.is_(None), LEDGER.c.group_id == groups.c.group_id)
    _note(connection, groups, and_(here, LEDGER.c.source_ref.in_(select(_STAGED.c.source_ref))))


def _note(connection: Connection, causes: Table, belongs: ColumnElement[bool]) -> None:
    # An entry that takes another back has the other's case, group and digest. So what is live is one set without
    # another, both read through the same index.
    origin = [causes.c[name] for name in ORIGIN]
    scope = LEDGER.join(causes, belongs)
    entered = select(LEDGER.c.entry_id, LEDGER.c.digest, *origin).select_from(scope)
    taken_back = select(LEDGER.c.cancels_entry_id, LEDGER.c.digest, *origin).select_from(scope)
    live = entered.where(LEDGER.c.cancels_entry_id.is_(None)).except_(
        taken_back.where(LEDGER.c.cancels_entry_id.is_not(None))
    )
    found = affected(connection, insert(LIVE_LINES).from_select(["entry_id", "digest", *ORIGIN], live))
    staging.analyze(connection, LIVE_LINES, found)


def merge_lines(connection: Connection) -> LedgerSums:
    """Enter staged lines that are not live, take back live ones that are not staged; sums of what was entered."""
    gone = ~present_in(connection, LIVE_LINES.c.digest, _STAGED.c.digest)
    cancelled = _cancel(connection, gone)
    known = present_in(connection, _STAGED.c.digest, LIVE_LINES.c.digest)
    connection.execute(delete(_STAGED).where(known))
    return enter_lines(connection) + cancelled


def enter_lines(connection: Connection) -> LedgerSums:
    """Enter all staged lines; their sums."""
    names = ENTITIES["ledger"].names()
    rows = select(*(_STAGED.c[name] for name in names)).order_by(_STAGED.c.version)
    connection.execute(insert(LEDGER).from_select(names, rows))
    return _sums(connection, select(_STAGED), sign=1)


def _sums(connection: Connection, rows: Select[Any], *, sign: int) -> LedgerSums:
    part = rows.subquery()
    total = select(func.count(), *(func.coalesce(func.sum(part.c[name]), 0) for name in _AMOUNTS))
    entries, *amounts = connection.execute(total).one()
    pence, suspended, stored = (sign * int(amount) for amount in amounts)
    return LedgerSums(entries=entries, pence=pence, suspended_pence=suspended, stored_pence=stored)


def _cancel(connection: Connection, gone: ColumnElement[bool]) -> LedgerSums:
    total, last = NOTHING, ""
    while True:
        part = _next_gone(connection, gone, last)
        if part.is_empty():
            return total
        last = part["cancels_entry_id"][-1]
        staging.clear(connection, [CANCELLATIONS])
        staging.fill(connection, CANCELLATIONS, part.with_columns(seal.cancelling_ids(part).alias("entry_id")))
        total += _enter_cancellations(connection)


def _next_gone(connection: Connection, gone: ColumnElement[bool], last: str) -> pl.DataFrame:
    statement = select(LIVE_LINES.c.entry_id, *(LIVE_LINES.c[name] for name in ORIGIN)).where(gone)
    if last:
        statement = statement.where(LIVE_LINES.c.entry_id > last)
    types = {name: POLARS_TYPES[ENTITIES["ledger"].field(name).type] for name in ORIGIN}
    ordered = statement.order_by(LIVE_LINES.c.entry_id).limit(_ROWS_AT_ONCE)
    return fetch_frame(connection, ordered, {"cancels_entry_id": pl.String(), **types})


def _enter_cancellations(connection: Connection) -> LedgerSums:
    names = ENTITIES["ledger"].names()
    replaced: dict[str, ColumnElement[object]] = {
        "entry_id": CANCELLATIONS.c.entry_id,
        "cancels_entry_id": LEDGER.c.entry_id,
        "kind": literal("REVERSAL"),
        **{name: -LEDGER.c[name] for name in _AMOUNTS},
        **{name: CANCELLATIONS.c[name] for name in ORIGIN},
    }
    joined = CANCELLATIONS.join(LEDGER, LEDGER.c.entry_id == CANCELLATIONS.c.cancels_entry_id)
    rows = select(*(replaced.get(name, LEDGER.c[name]) for name in names)).select_from(joined)
    sums = _sums(connection, select(*(LEDGER.c[name] for name in _AMOUNTS)).select_from(joined), sign=-1)
    connection.execute(insert(LEDGER).from_select(names, rows.order_by(LEDGER.c.version, LEDGER.c.entry_id)))
    return sums
