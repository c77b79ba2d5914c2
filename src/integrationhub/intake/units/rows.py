"""Rows of unit forms as units: a row of a form with its parts, its record's faults and its place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from integrationhub.accounts.unit import Unit
from integrationhub.canonical.model import PROVENANCE
from integrationhub.canonical.units import forms
from integrationhub.records import CanonicalBatch

_PLACE = frozenset({*(item.name for item in PROVENANCE), "content"})
FAULTS = "_faults"
"""The name of the faults among the frames of a batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What the units of one delivery have in common."""

    feed: str
    delivery_id: str
    at: datetime
    as_at: date | None


def frames_of(batch: CanonicalBatch) -> dict[str, pl.DataFrame]:
    """The forms' rows of a batch, and the codes of its faults by record."""
    faults = batch.faults.select("record", "code").unique(maintain_order=True)
    return {**{name: rows for name, rows in batch.rows.items() if not rows.is_empty()}, FAULTS: faults}


def units_of(frames: Mapping[str, pl.DataFrame], arrived: Arrived) -> list[Unit]:
    """The units in the frames of a batch, in file order; those of one record by the order of their forms."""
    faults: dict[int, set[str]] = {}
    for record, code in frames[FAULTS].iter_rows():
        faults.setdefault(record, set()).add(code)
    parts: dict[str, dict[str, dict[int, list[dict[str, Any]]]]] = {}
    for name, rows in frames.items():
        if name != FAULTS and (owner := forms()[name].part_of) is not None:
            parts.setdefault(owner, {})[name] = _by_record(rows)
    found: list[Unit] = []
    for name, rows in frames.items():
        if name != FAULTS and forms()[name].part_of is None:
            found += _units(name, rows, parts.get(name, {}), faults, arrived)
    return sorted(found, key=lambda unit: unit.record)


def _units(
    form: str,
    rows: pl.DataFrame,
    parts: Mapping[str, Mapping[int, list[dict[str, Any]]]],
    faults: Mapping[int, set[str]],
    arrived: Arrived,
) -> Iterator[Unit]:
    nothing = dict.fromkeys(one.name for one in forms().values() if one.part_of == form)
    names = [name for name in rows.columns if name not in _PLACE]
    values = rows.select(names).iter_rows(named=True)
    places = rows.select("record_no", "byte_offset", "source_ref", "content", "mapping_id").iter_rows()
    for own, (record, offset, key, content, mapping_id) in zip(values, places, strict=True):
        for part in nothing:
            own[part] = tuple(parts.get(part, {}).get(record, ()))
        yield Unit(
            feed=arrived.feed,
            key=key or "",
            kind=own["kind"] or form,
            values=own,
            faults=frozenset(faults.get(record, ())),
            content=content or "",
            delivery_id=arrived.delivery_id,
            record=record,
            offset=offset,
            at=arrived.at,
            as_at=arrived.as_at,
            mapping_id=mapping_id,
        )


def _by_record(rows: pl.DataFrame) -> dict[int, list[dict[str, Any]]]:
    names = [name for name in rows.columns if name not in _PLACE]
    found: dict[int, list[dict[str, Any]]] = {}
    for record, values in zip(rows["record_no"], rows.select(names).iter_rows(named=True), strict=True):
        found.setdefault(record, []).append(values)
    return found
