"""Runs the golden cases of a mapping, without a file or a store, and tells every difference field by field."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from pydantic import ValidationError

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import ConfigurationError
from integrationhub.mapping.cases import ROW, TABLE, CasesFile, CaseSpec, Derived, ExpectedFault, RowSpec
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.mapping.nearby import did_you_mean
from integrationhub.mapping.plan import MappingContext
from integrationhub.mapping.scope import POSITION
from integrationhub.mapping.tables import Layout
from integrationhub.records import DecodedBatch

SEQUENCE = 1
_EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where a case went another way: canonical row (from 1, 0: none in particular), field, expected, found."""

    row: int
    field: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """One case, run. It holds where there is no difference."""

    origin: str
    name: str
    entity: str
    differences: tuple[Difference, ...]

    @property
    def holds(self) -> bool:
        """Whether the rows became what they must."""
        return not self.differences


@dataclass(slots=True)
class Trials:
    """The cases of a mapping: those of its specs and those of the files beside them."""

    rows: dict[str, RowSpec] = field(default_factory=dict)
    cases: list[tuple[str, str, date, CaseSpec]] = field(default_factory=list)  # origin, entity, as-at, case

    @classmethod
    def of(cls, mapping: CompiledMapping, folder: Path | None = None) -> "Trials":
        """The cases in the specs, and in `folder`/tests/*.toml. ConfigurationError lists the faults of all files."""
        trials, faults = cls(), list[str]()
        for entity, cases in mapping.cases.items():
            trials.cases += [(f"{entity}.toml", entity, CasesFile.model_fields["as_at"].default, one) for one in cases]
        for path in sorted((folder / "tests").glob("*.toml")) if folder is not None else ():
            try:
                trials.add(path.name, path.read_text(encoding="utf-8"))
            except ConfigurationError as exc:
                faults += [f"tests/{path.name}: {fault}" for fault in exc.faults]
        if faults:
            raise ConfigurationError(
                f"the cases of {mapping.connector} have {len(faults)} faults", faults=faults, code="CASES_FAULTY"
            )
        return trials

    def add(self, origin: str, text: str) -> None:
        """Take the cases of one file. ConfigurationError lists what is wrong with it."""
        try:
            content = CasesFile.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as exc:
            raise ConfigurationError(str(exc), code="CASES_FAULTY") from exc
        except ValidationError as exc:
            faults = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in exc.errors(include_input=False)]
            raise ConfigurationError("the file is faulty", faults=faults, code="CASES_FAULTY") from exc
        lacking = [case.name for case in content.cases if not (case.entity or content.entity)]
        if lacking:
            raise ConfigurationError("", faults=[f"{name}: says no entity" for name in lacking], code="CASES_FAULTY")
        self.rows.update(content.rows)
        self.cases += [
            (f"tests/{origin}", case.entity or content.entity or "", content.as_at, case) for case in content.cases
        ]

    def run(self, mapping: CompiledMapping) -> Iterator[TrialResult]:
        """Every case in order, run through the mapping."""
        for origin, entity, as_at, case in self.cases:
            differences = tuple(_differences(self, mapping, entity, case.as_at or as_at, case))
            yield TrialResult(origin=origin, name=case.name, entity=entity, differences=differences)


def _differences(
    trials: Trials, mapping: CompiledMapping, entity: str, as_at: date, case: CaseSpec
) -> Iterator[Difference]:
    layout = mapping.layout
    try:
        decoded = _decoded(_placed(case, trials.rows), layout)
        context = MappingContext(
            delivery_id="0" * 32,
            sequence=SEQUENCE,
            as_at=as_at,
            source_system=mapping.connector.upper(),
            synthetic_identities=True,
            layout_version=case.layout_version,
        )
        batch = mapping.apply(decoded, context, entities=[entity])
    except ConfigurationError as exc:
        yield Difference(row=0, field="given", expected="rows that the mapping can read", found=exc.text)
        return
    if entity not in batch.rows:
        yield Difference(row=0, field="entity", expected=entity, found="no spec fills it")
        return
    yield from _rows(case.expect, batch.rows[entity])
    yield from _faults("faults", case.faults, batch.faults)
    yield from _faults("notes", case.notes, batch.notes)


def _placed(case: CaseSpec, rows: Mapping[str, RowSpec]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The given rows as (table, values), each a record of its own at its number unless it says otherwise."""
    for number, given in enumerate(case.given, start=1):
        values: dict[str, Any] = {"_record": number, "_offset": 100 * number, "_index": 1}
        own = {name: value for name, value in given.items() if name not in (ROW, TABLE)}
        if ROW in given:
            name = str(given[ROW])
            if name not in rows:
                raise ConfigurationError(f"given row {number}: there is no row {name}{did_you_mean(name, rows)}")
            yield rows[name].table, {**values, **rows[name].values, **own}
        else:
            yield str(given[TABLE]), {**values, **own}


def _decoded(placed: Iterator[tuple[str, dict[str, Any]]], layout: Layout) -> DecodedBatch:
    by_table: dict[str, list[dict[str, Any]]] = {}
    for table, values in placed:
        if table not in layout:
            raise ConfigurationError(f"there is no source table {table}{did_you_mean(table, layout)}")
        unknown = sorted(values.keys() - layout[table].keys() - set(POSITION))
        if unknown:
            raise ConfigurationError(f"{table} has no field {unknown[0]}{did_you_mean(unknown[0], layout[table])}")
        by_table.setdefault(table, []).append(values)
    return DecodedBatch(tables={name: _table(name, rows, layout) for name, rows in by_table.items()})


def _table(name: str, rows: Sequence[dict[str, Any]], layout: Layout) -> pa.Table:
    columns = {column: [row.get(column) for row in rows] for column in layout[name]}
    try:
        frame = pl.DataFrame(columns, schema=dict(layout[name]), strict=True)
    except (TypeError, pl.exceptions.PolarsError):
        raise ConfigurationError(f"a value given for {name} is not of its field's type") from None
    return frame.to_arrow()


def _rows(expected: Sequence[Mapping[str, Any]], found: pl.DataFrame) -> Iterator[Difference]:
    if len(expected) != found.height:
        yield Difference(row=0, field="rows", expected=str(len(expected)), found=str(found.height))
    for number, (wanted, row) in enumerate(zip(expected, found.iter_rows(named=True), strict=False), start=1):
        cells = {**wanted, **dict.fromkeys(wanted.get(_EMPTY, ()))}
        for name, value in cells.items():
            if name == _EMPTY:
                continue
            if name not in row:
                yield Difference(
                    row=number, field=name, expected=_shown(value), found=f"no such field{_near(name, row)}"
                )
            elif row[name] != _plain(value):
                yield Difference(row=number, field=name, expected=_shown(value), found=_shown(row[name]))


def _near(name: str, row: Mapping[str, Any]) -> str:
    return did_you_mean(name, row)


def _plain(value: object) -> object:
    return derive(*value.id) if isinstance(value, Derived) else value


def _shown(value: object) -> str:
    if isinstance(value, Derived):
        return f"identifier({', '.join(value.id)})"
    return "empty" if value is None else str(value)


def _faults(kind: str, expected: Sequence[ExpectedFault], found: pl.DataFrame) -> Iterator[Difference]:
    left = list(found.select("record", "field", "code").iter_rows())
    for wanted in expected:
        match = next((fault for fault in left if _is(wanted, fault)), None)
        if match is None:
            yield Difference(row=0, field=kind, expected=_fault(wanted.record, wanted.field, wanted.code), found="none")
        else:
            left.remove(match)
    for fault in left:
        yield Difference(row=0, field=kind, expected="none", found=_fault(*fault))


def _is(wanted: ExpectedFault, fault: tuple[int, str, str]) -> bool:
    record, field_name, code = fault
    return wanted.code == code and wanted.field in (None, field_name) and wanted.record in (None, record)


def _fault(record: int | None, field_name: str | None, code: str) -> str:
    return " ".join(filter(None, (code, field_name, f"row {record}" if record else "")))
