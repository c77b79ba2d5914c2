"""Frames as the mapping hands them over, made fit for staging."""

from functools import cache

import polars as pl

from integrationhub.canonical.frames import POLARS_TYPES
from integrationhub.canonical.model import SEALED, Entity, Type
from integrationhub.errors import InvariantBroken

VERSION_STEP = 2**32
"""Versions are sequence × VERSION_STEP + record number."""


def conform(entity: Entity, frame: pl.DataFrame, *, delivery_id: str, sequence: int) -> pl.DataFrame:
    """The frame with exactly the entity's columns, one row a key, in file order.

    Where a party comes several times, its last record counts. PostgreSQL's text holds no NUL, so NULs become U+FFFD on
    both databases. InvariantBroken: rows of another delivery, or two rows that claim one identifier.
    """
    if entity.append_only:
        frame = frame.with_columns(pl.lit("").alias(name) for name in SEALED if name not in frame.columns)
    fit = frame.select(_fit(entity))
    if not fit.is_empty():
        _require_delivery(entity, fit, delivery_id, sequence)
    fit = fit.sort("version")
    return fit if entity.append_only else _one_row_a_key(entity, fit)


@cache
def _fit(entity: Entity) -> tuple[pl.Expr, ...]:
    columns = []
    for item in entity.all_fields():
        column = pl.col(item.name).cast(POLARS_TYPES[item.type])
        columns.append(column.str.replace_all("\0", "\ufffd", literal=True) if item.type is Type.TEXT else column)
    return tuple(columns)


def _require_delivery(entity: Entity, frame: pl.DataFrame, delivery_id: str, sequence: int) -> None:
    versions = frame["version"]
    first, last = versions.min(), versions.max()
    ours = range(sequence * VERSION_STEP, (sequence + 1) * VERSION_STEP)
    if first not in ours or last not in ours or frame["delivery_id"].ne_missing(delivery_id).any():
        raise InvariantBroken(f"{entity.name}: rows of another delivery were handed over", code="FOREIGN_ROWS")


def _one_row_a_key(entity: Entity, frame: pl.DataFrame) -> pl.DataFrame:
    if frame[entity.key].n_unique() == frame.height:
        return frame
    if not entity.group_scoped:
        return frame.unique(entity.key, keep="last", maintain_order=True)
    double = frame.filter(pl.col(entity.key).is_duplicated())["record_no"]
    raise InvariantBroken(
        f"{entity.name}: records {double[0]} and {double[1]} claim the same identifier", code="DUPLICATE_KEY"
    )
