"""Exports: canonical rows as frames of a fixed shape, sorted, streamed, equal byte for byte on both databases.

What is personal (`Field.personal`) is masked unless the caller says otherwise; the rule stands here and nowhere else.
Exports of canonical rows hold no clock times.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

import polars as pl
from sqlalchemy import Connection, Executable, select, text
from sqlalchemy.sql.elements import ColumnElement

from integrationhub.canonical.frames import schema
from integrationhub.canonical.model import ENTITIES, Entity, Type
from integrationhub.errors import NotFound
from integrationhub.store.account_exports import debt_frames, money_frames, receipt_frames
from integrationhub.store.columns import SQL_TYPES
from integrationhub.store.schema import CANONICAL, OUTBOX, WORKLIST
from integrationhub.store.sql import queries

ROWS_AT_ONCE = 10_000
MASK = "***"

_PENCE = pl.Int64()
_LIST = pl.List(pl.String)
_SOURCE = pl.Struct(dict.fromkeys(("rp", "sos", "unk", "susp_rp", "susp_sos", "custodian"), _PENCE))
_DEBT = pl.Struct(
    {"owner": pl.String, "payee": pl.String, "outstanding": _PENCE, "suspended": _PENCE, "writeoff": pl.String}
)

DEBT_SCHEMA: Mapping[str, pl.DataType] = {
    **dict.fromkeys(
        ("debt_id", "scheme", "host_system", "source_system", "source_ref", "application_ref"), pl.String()
    ),
    **dict.fromkeys(("payee_role", "legal_owner", "kind", "cause", "status", "group_id"), pl.String()),
    **dict.fromkeys(("source_pence", "recomputed_pence", "accepted_pence"), _PENCE),
    "accepted_basis": pl.String(),
    "causes": _LIST,
    "exceptions": _LIST,
    **dict.fromkeys(("collectability", "segment"), pl.String()),
    "as_at": pl.Date(),
    "target_ref": pl.String(),
}
"""Columns of `export debts` (INTERFACE.md)."""

ARREARS_SCHEMA: Mapping[str, pl.DataType] = {
    "case": pl.String(),
    "group": pl.String(),
    "source": _SOURCE,
    "outcome": pl.String(),
    "causes": _LIST,
    "flags": _LIST,
    "accepted": _SOURCE,
    "segment": pl.String(),
    "uncollectable": pl.Boolean(),
    "debts": pl.List(_DEBT),
}
"""Columns of `export arrears`, in the shape of the samples' expected `cases`; what nobody has judged yet is null."""

_EXCEPTIONS = ("exception_id", "code", "entity", "source_ref", "owner", "opened_at", "due", "state", "text")
_EVENTS = (
    "event_id",
    "type",
    "source",
    "subject",
    "audience",
    "sequence",
    "correlation_id",
    "routing_key",
    "time",
    "data",
)


def export(connection: Connection, name: str, *, unmasked: bool = False) -> Iterator[pl.DataFrame]:
    """The rows of an entity, or of `debts`, `arrears`, `exceptions`, `events`, `money`; at most ROWS_AT_ONCE a frame.

    An export without rows gives one empty frame, so that a file can still be headed. NotFound: there is no such export.
    """
    if name in _SPECIAL:
        return _SPECIAL[name](connection)
    if name not in ENTITIES:
        raise NotFound(f"there is no export called {name}", remedy=f"choose one of: {', '.join(names())}")
    rows = _entity(connection, ENTITIES[name], unmasked=unmasked)
    return chain(rows, receipt_frames(connection)) if name == "receipts" else rows


def stored_rows(connection: Connection, entity: str) -> Iterator[pl.DataFrame]:
    """The rows of a canonical table with all its columns, unmasked: for whoever must prove what is stored."""
    return _entity(connection, ENTITIES[entity], unmasked=True)


def names() -> tuple[str, ...]:
    """Everything that can be exported."""
    return tuple(sorted({*ENTITIES, *_SPECIAL}))


def _frames(connection: Connection, statement: Executable, shape: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    result = connection.execute(statement, execution_options={"yield_per": ROWS_AT_ONCE})
    empty = True
    for part in result.partitions():
        empty = False
        yield pl.DataFrame([tuple(row) for row in part], schema=dict(shape), orient="row")
    if empty:
        yield pl.DataFrame(schema=dict(shape))


def _entity(connection: Connection, entity: Entity, *, unmasked: bool) -> Iterator[pl.DataFrame]:
    table = CANONICAL[entity.name]
    order = [_sorted(table.c[column]) for column in (*entity.order, entity.key)]
    for frame in _frames(connection, select(*table.columns).order_by(*order), schema(entity)):
        yield frame if unmasked else masked(entity, frame)


def _sorted(column: ColumnElement[object]) -> ColumnElement[object]:
    return column.nulls_first() if getattr(column, "nullable", False) else column


def masked(entity: Entity, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every personal value replaced by a mask; one can still see whether there is a value."""
    personal = [item.name for item in entity.fields if item.personal]
    return frame.with_columns(
        pl.when(pl.col(name).is_not_null()).then(pl.lit(MASK)).alias(name) for name in personal if name in frame.columns
    )


def _named_query(name: str, **columns: Type) -> Executable:
    return text(queries("exports")[name].text).columns(**{name: SQL_TYPES[kind]() for name, kind in columns.items()})


def _debts(connection: Connection) -> Iterator[pl.DataFrame]:
    waiting = _open_codes(connection)
    computed = ("accepted_pence", "accepted_basis", "causes", "exceptions", "collectability", "segment", "target_ref")
    stored = {name: kind for name, kind in DEBT_SCHEMA.items() if name not in computed}
    query = _named_query("debts", debt_id=Type.ID, group_id=Type.ID, as_at=Type.DATE)
    for frame in _frames(connection, query, stored):
        codes = pl.Series("exceptions", [waiting.get(group, []) for group in frame["group_id"]], dtype=_LIST)
        judged = [
            pl.lit(None, dtype=DEBT_SCHEMA[name]).alias(name)
            for name in computed
            if name not in ("causes", "exceptions")
        ]
        causes = pl.lit([], dtype=_LIST).alias("causes")
        yield frame.with_columns(codes, causes, *judged).select(*DEBT_SCHEMA)


def benefit_debts(connection: Connection) -> Iterator[pl.DataFrame]:
    """Benefit debts as `export debts` shows them; they stand behind those of child support."""
    return debt_frames(connection, DEBT_SCHEMA)


def _all_debts(connection: Connection) -> Iterator[pl.DataFrame]:
    yield from _debts(connection)
    yield from benefit_debts(connection)


def _open_codes(connection: Connection) -> Mapping[str, list[str]]:
    waiting = (WORKLIST.c.group_id.is_not(None), WORKLIST.c.state != "RESOLVED")
    open_items = select(WORKLIST.c.group_id, WORKLIST.c.code).distinct().where(*waiting)
    codes: dict[str, list[str]] = defaultdict(list)
    for group_id, code in connection.execute(open_items.order_by(WORKLIST.c.group_id, WORKLIST.c.code)):
        codes[group_id].append(code)
    return codes


def _arrears(connection: Connection) -> Iterator[pl.DataFrame]:
    figures = [item.name for item in _SOURCE.fields]
    shape = {"case": pl.String(), "group": pl.String(), **dict.fromkeys(figures, _PENCE)}
    query = _named_query("arrears", case_key=Type.TEXT, group_id=Type.ID)
    unjudged = [
        pl.lit(None, dtype=kind).alias(name)
        for name, kind in ARREARS_SCHEMA.items()
        if name not in ("case", "group", "source")
    ]
    for frame in _frames(connection, query, shape):
        yield frame.with_columns(pl.struct(figures).alias("source"), *unjudged).select(*ARREARS_SCHEMA)


def _exceptions(connection: Connection) -> Iterator[pl.DataFrame]:
    statement = select(*(WORKLIST.c[name] for name in _EXCEPTIONS)).order_by(WORKLIST.c.exception_id)
    shape = {**dict.fromkeys(_EXCEPTIONS, pl.String()), "opened_at": pl.Datetime("us", "UTC"), "due": pl.Date()}
    for frame in _frames(connection, statement, shape):
        yield frame.with_columns(_rfc3339("opened_at"))


def _events(connection: Connection) -> Iterator[pl.DataFrame]:
    statement = select(*(OUTBOX.c[name] for name in _EVENTS)).order_by(OUTBOX.c.position)
    shape = {**dict.fromkeys(_EVENTS, pl.String()), "sequence": pl.Int64(), "time": pl.Datetime("us", "UTC")}
    for frame in _frames(connection, statement, shape):
        yield frame.with_columns(_rfc3339("time"))


def _rfc3339(name: str) -> pl.Expr:
    return pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")


_SPECIAL: Mapping[str, Callable[[Connection], Iterator[pl.DataFrame]]] = {
    "debts": _all_debts,
    "arrears": _arrears,
    "exceptions": _exceptions,
    "events": _events,
    "money": money_frames,
}
