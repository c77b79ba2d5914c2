"""Frames as the mapping hands them over, made fit for staging."""

from collections.abc import Mapping

import polars as pl

from integrationhub.canonical.model import Entity, Type
from integrationhub.errors import InvariantBroken

VERSION_STEP = 2**32
"""Versions are sequence × VERSION_STEP + record number."""

SEALED = ("entry_id", "digest")
"""Ledger columns that the store computes itself (`store.seal`); a frame may come without them."""

POLARS_TYPES: Mapping[Type, pl.DataType] = {
    Type.ID: pl.String(),
    Type.TEXT: pl.String(),
    Type.CODE: pl.String(),
    Type.INT: pl.Int64(),
    Type.PENCE: pl.Int64(),
    Type.DATE: pl.Date(),
    Type.BOOL: pl.Boolean(),
}


def schema(entity: Entity) -> dict[str, pl.DataType]:
    """Columns and types of a frame of the entity."""
    return {item.name: POLARS_TYPES[item.type] for item in entity.all_fields()}


def conform(entity: Entity, frame: pl.DataFrame, *, delivery_id: str, sequence: int) -> pl.DataFrame:
    """The frame with exactly the entity's columns, one row a key, in file order.

    Where a party comes several times, its last record counts. PostgreSQL's text holds no NUL, so NULs become U+FFFD on
    both databases. InvariantBroken: rows of another delivery, or two rows that claim one identifier.
    """
    wanted = schema(entity)
    if entity.append_only:
        frame = frame.with_columns(pl.lit("").alias(name) for name in SEALED if name not in frame.columns)
    frame = frame.select(pl.col(name).cast(kind) for name, kind in wanted.items())
    _require_delivery(entity, frame, delivery_id, sequence)
    texts = [item.name for item in entity.all_fields() if item.type is Type.TEXT]
    frame = frame.with_columns(pl.col(texts).str.replace_all("\0", "\ufffd", literal=True)).sort("version")
    return frame if entity.append_only else _one_row_a_key(entity, frame)


def _require_delivery(entity: Entity, frame: pl.DataFrame, delivery_id: str, sequence: int) -> None:
    strange = (pl.col("delivery_id") != delivery_id) | (pl.col("version") // VERSION_STEP != sequence)
    if frame.select(strange.fill_null(value=True).any()).item():
        raise InvariantBroken(f"{entity.name}: rows of another delivery were handed over", code="FOREIGN_ROWS")


def _one_row_a_key(entity: Entity, frame: pl.DataFrame) -> pl.DataFrame:
    unique = frame.unique(entity.key, keep="last", maintain_order=True)
    if unique.height == frame.height or not entity.group_scoped:
        return unique
    double = frame.filter(pl.col(entity.key).is_duplicated())["record_no"]
    raise InvariantBroken(
        f"{entity.name}: records {double[0]} and {double[1]} claim the same identifier", code="DUPLICATE_KEY"
    )
