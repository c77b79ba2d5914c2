"""Canonical types as Polars has them, and the frames that canonical rows travel in."""

from collections.abc import Mapping

import polars as pl

from integrationhub.canonical.model import Entity, Type

POLARS_TYPES: Mapping[Type, pl.DataType] = {
    Type.ID: pl.String(),
    Type.TEXT: pl.String(),
    Type.CODE: pl.String(),
    Type.INT: pl.Int64(),
    Type.PENCE: pl.Int64(),
    Type.DATE: pl.Date(),
    Type.BOOL: pl.Boolean(),
}
"""Each canonical type as a column of a frame."""


def schema(entity: Entity) -> dict[str, pl.DataType]:
    """Columns and types of a frame of the entity, in table order."""
    return {item.name: POLARS_TYPES[item.type] for item in entity.all_fields()}
