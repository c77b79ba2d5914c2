"""The ledger mapping of the 1993 feed twice more, by hand: as a function over dictionaries, as Polars expressions.

Both follow mappings/csa1993/ledger.toml. They are given what a caller could keep ready: rows as dictionaries, lookups
as dictionaries, code lists; so that the comparison favours them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
import pyarrow as pa

from integrationhub.canonical.identifier_columns import derive_column
from integrationhub.canonical.identifiers import derive
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.mapping.plan import MappingContext
from integrationhub.records import LOW_VALUES

_PACKED_NONE = {0, 9_999_999, 1, 80_001, LOW_VALUES}
_DISPLAY_NONE = {0, 99_999_999, 19_000_101, 19_800_101, LOW_VALUES}
_STEP = 2**32
_CENTURIES, _LEAP = 200_000, 366
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A batch as both peers want it."""

    rows: list[Row]
    lines: Mapping[tuple[int, int, int], Row]  # by group, case, number: what reversals undo
    cases: frozenset[tuple[int, int]]
    frame: pl.DataFrame
    case_frame: pl.DataFrame
    codes: Mapping[str, Mapping[str, str]]
    context: MappingContext
    mapping_id: str

    @classmethod
    def of(cls, tables: Mapping[str, pa.Table], mapping: CompiledMapping, context: MappingContext) -> "Rows":
        """The tables as dictionaries and frames, with the code lists of the as-at day."""
        rows = tables["CSX-LEDGER"].to_pylist()
        lines: dict[tuple[int, int, int], Row] = {}
        for row in rows:
            lines.setdefault((row["L-SRC-GROUP"], row["L-CASE-REF"], row["L-SEQ"]), row)
        cases = tables["CSX-CASE"].select(["C-SRC-GROUP", "C-CASE-REF"])
        return cls(
            rows=rows,
            lines=lines,
            cases=frozenset((row["C-SRC-GROUP"], row["C-CASE-REF"]) for row in cases.to_pylist()),
            frame=pl.DataFrame(pl.from_arrow(tables["CSX-LEDGER"])),
            case_frame=pl.DataFrame(pl.from_arrow(cases)).unique(maintain_order=True),
            codes={name: one.at(context.as_at) for name, one in mapping.documents.codes.items()},
            context=context,
            mapping_id=mapping.mapping_ids["ledger"],
        )


def row_by_row(batch: Rows) -> list[Row]:
    """The canonical rows, made one after the other."""
    return [_mapped(row, batch) for row in batch.rows]


def with_faults(batch: Rows) -> tuple[list[Row], list[tuple[int, str, str]]]:
    """The canonical rows, and every fault and note of every row: record, field, code."""
    rows, faults = [], list[tuple[int, str, str]]()
    for row in batch.rows:
        made = _mapped(row, batch)
        rows.append(made)
        faults += [(row["_record"], field, code) for field, code in _faults(row, made, batch)]
    return rows, faults


def _faults(row: Row, made: Row, batch: Rows) -> Iterator[tuple[str, str]]:
    kind = row["L-KIND"]
    for name, field in (("kind", "L-KIND"), ("owner", "L-OWNER")):
        if made[name] is None:
            yield field, "VALUE_MISSING" if row[field] is None else "CODE_UNKNOWN"
    if kind != "C" and row["L-OWNER"] not in batch.codes["csa1993-settled-owner"]:
        yield "L-OWNER", "CODE_UNKNOWN"
    if kind == "V" and row["LV-REASON"] not in batch.codes["csa1993-reversal-reason"]:
        yield "LV-REASON", "CODE_UNKNOWN"
    for field in ("L-SRC-GROUP", "L-CASE-REF", "L-SEQ", "L-AMOUNT", "L-POSTED", *_NEEDED.get(kind, ())):
        if row[field] is None:
            yield field, "VALUE_MISSING"
    for name, field in _DATED.items():
        if made[name] is None and made[f"{name}_mark"] is None and row[field] is not None:
            yield field, "DATE_INVALID"
    yield from _notes(kind, made)


def _notes(kind: str, made: Row) -> Iterator[tuple[str, str]]:
    if kind == "R" and made["stored_pence"] <= 0:
        yield "L-AMOUNT", "AMOUNT_SIGN"
    if kind == "C" and made["stored_pence"] < 0:
        yield "L-AMOUNT", "AMOUNT_SIGN"
    if made["from_date"] is not None and made["to_date"] is not None and made["to_date"] < made["from_date"]:
        yield "LC-TO", "PERIOD_REVERSED"


_NEEDED = {"C": ("LC-WEEKLY", "LC-ASM-ROW"), "R": ("LR-VALUE-DATE",), "A": ("LA-EFF",), "V": ("LV-DATE", "LV-OF-SEQ")}
_DATED = {"posted": "L-POSTED", "from_date": "LC-FROM", "to_date": "LC-TO"}


def _mapped(row: Row, batch: Rows) -> Row:
    kind, amount, group = row["L-KIND"], row["L-AMOUNT"], row["L-SRC-GROUP"]
    ref = f"{row['L-CASE-REF']:010d}"
    owner = batch.codes["csa1993-charge-owner"].get(row["L-OWNER"])
    number, reversed_line = row["LV-OF-SEQ"], None
    if number is not None:
        reversed_line = batch.lines.get((group, row["L-CASE-REF"], number))
    acted_on = owner
    if reversed_line is not None:
        acted_on = batch.codes["csa1993-charge-owner"].get(reversed_line["L-OWNER"], owner)
    known = (group, row["L-CASE-REF"]) in batch.cases
    debt_owner = "UNKNOWN" if acted_on == "MIXED" else acted_on
    posted, posted_mark = _display(row["L-POSTED"])
    effective = next((row[name] for name in _EFFECTIVE if row[name] is not None), None)
    effective_day, effective_mark = _packed(effective)
    is_charge = kind == "C"
    first, first_mark = _packed(row["LC-FROM"]) if is_charge else (None, None)
    last, last_mark = _packed(row["LC-TO"]) if is_charge else (None, None)
    kinds = batch.codes["csa1993-adjustment"] if kind == "A" else batch.codes["csa1993-ledger-kind"]
    return {
        "entry_id": None,
        "group_id": derive("group", "CSCS", group),
        "debt_id": derive("debt", "CSCS", ref, debt_owner) if known and debt_owner is not None else None,
        "case_id": derive("case", "CSCS", ref) if known else None,
        "source_case_ref": ref,
        "line_no": row["L-SEQ"],
        "kind": kinds.get(row["LA-REASON"] if kind == "A" else kind),
        "owner": owner,
        "reason": _text(row["LA-REASON"] if row["LA-REASON"] is not None else row["LV-REASON"]),
        "pence": _effect(row, reversed_line),
        "suspended_pence": {"SU": amount, "SL": -amount}.get(row["LA-REASON"], 0),
        "stored_pence": amount,
        "posted": posted,
        "posted_mark": posted_mark,
        "effective": effective_day,
        "effective_mark": effective_mark,
        "from_date": first,
        "from_date_mark": first_mark,
        "to_date": last,
        "to_date_mark": last_mark,
        "weekly_pence": row["LC-WEEKLY"] if is_charge else None,
        "assessment_row": row["LC-ASM-ROW"] if is_charge else None,
        "reverses_line": number if kind == "V" else None,
        "authority": _text(row["LA-AUTH"]),
        "text": _text(row["LA-TEXT"]),
        "cancels_entry_id": None,
        "digest": None,
        "source_system": "CSCS",
        "source_ref": f"{ref}/{row['L-SEQ']}",
        "delivery_id": batch.context.delivery_id,
        "record_no": row["_record"],
        "byte_offset": row["_offset"],
        "mapping_id": batch.mapping_id,
        "version": row["_record"] + batch.context.sequence * _STEP,
    }


_EFFECTIVE = ("LC-FROM", "LR-VALUE-DATE", "LA-EFF", "LV-DATE")


def _effect(row: Row, target: Row | None) -> int:
    kind, amount = row["L-KIND"], row["L-AMOUNT"]
    if kind == "R":
        return -int(amount)
    if kind == "A" and row["LA-REASON"] in ("SU", "SL"):
        return 0
    if kind == "V":
        return 0 if target is None or target["L-KIND"] == "V" else -_effect(target, None)
    return int(amount)


def _packed(number: int | None) -> tuple[date | None, str | None]:
    """A date written 0CYYDDD, or why there is none."""
    if number is None:
        return None, None
    if number in _PACKED_NONE:
        return None, "SENTINEL"
    year, day = 1900 + number // 1000, number % 1000
    if not 0 <= number < _CENTURIES or not 1 <= day <= _LEAP:
        return None, None
    found = date(year, 1, 1) + timedelta(days=day - 1)
    return (found, None) if found.year == year else (None, None)


def _display(number: int | None) -> tuple[date | None, str | None]:
    """A date written CCYYMMDD, or why there is none."""
    if number is None:
        return None, None
    if number in _DISPLAY_NONE:
        return None, "SENTINEL"
    try:
        return date(number // 10_000, number // 100 % 100, number % 100), None
    except ValueError:
        return None, None


def _text(value: str | None) -> str | None:
    return (value.replace("\0", "").strip(" ") or None) if value is not None else None


def expressions(batch: Rows, schema: pl.Schema) -> pl.DataFrame:
    """The canonical rows by Polars expressions, as somebody would write them for this one feed."""
    lines, cases = batch.frame, batch.case_frame
    undone = lines.select(
        "L-SRC-GROUP", "L-CASE-REF", pl.col("L-SEQ").alias("u-seq"), pl.col("L-KIND").alias("u-kind"),
        pl.col("L-OWNER").alias("u-owner"), pl.col("L-AMOUNT").alias("u-amount"), pl.col("LA-REASON").alias("u-reason"),
    ).unique(["L-SRC-GROUP", "L-CASE-REF", "u-seq"], keep="first")  # fmt: skip
    frame = lines.join(
        cases.with_columns(pl.lit(value=True).alias("known")),
        left_on=["L-SRC-GROUP", "L-CASE-REF"], right_on=["C-SRC-GROUP", "C-CASE-REF"],
        how="left", maintain_order="left",
    ).join(
        undone, left_on=["L-SRC-GROUP", "L-CASE-REF", "LV-OF-SEQ"], right_on=["L-SRC-GROUP", "L-CASE-REF", "u-seq"],
        how="left", maintain_order="left",
    )  # fmt: skip
    frame = frame.with_columns(_first(batch)).with_columns(_second())
    return frame.select(_last(batch, schema))


def _codes(column: str, codes: Mapping[str, str]) -> pl.Expr:
    return pl.col(column).replace_strict(codes, default=None, return_dtype=pl.String)


def _first(batch: Rows) -> list[pl.Expr]:
    owners = batch.codes["csa1993-charge-owner"]
    owner, kind = _codes("L-OWNER", owners), pl.col("L-KIND")
    moves = ~pl.col("LA-REASON").fill_null("").is_in(["SU", "SL"])
    undone = ~pl.col("u-reason").fill_null("").is_in(["SU", "SL"])
    amount, other = pl.col("L-AMOUNT"), pl.col("u-amount")
    back = pl.when(pl.col("u-kind") == "R").then(other).when(pl.col("u-kind").is_in(["C", "A"]) & undone).then(-other)
    plain = pl.when(kind == "C").then(amount).when(kind == "R").then(-amount)
    effect = plain.when((kind == "A") & moves).then(amount).when(kind == "V").then(back.otherwise(0)).otherwise(0)
    kinds = pl.when(kind == "A").then(_codes("LA-REASON", batch.codes["csa1993-adjustment"]))
    return [
        pl.col("L-CASE-REF").cast(pl.String).str.zfill(10).alias("ref"),
        owner.alias("x-owner"),
        pl.coalesce(_codes("u-owner", owners), owner).replace({"MIXED": "UNKNOWN"}).alias("x-debt-owner"),
        kinds.otherwise(_codes("L-KIND", batch.codes["csa1993-ledger-kind"])).alias("x-kind"),
        effect.alias("x-pence"),
        pl.coalesce(*_EFFECTIVE).alias("x-effective"),
    ]


def _second() -> list[pl.Expr]:
    charge = pl.col("L-KIND") == "C"
    return [
        _packed_expression(pl.col("x-effective")).alias("x-day"),
        _packed_expression(pl.when(charge).then(pl.col("LC-FROM"))).alias("x-from"),
        _packed_expression(pl.when(charge).then(pl.col("LC-TO"))).alias("x-to"),
        pl.col("L-POSTED").cast(pl.String).str.to_date("%Y%m%d", strict=False).alias("x-posted"),
    ]


def _packed_expression(number: pl.Expr) -> pl.Expr:
    year, day = 1900 + number // 1000, number % 1000
    usable = number.is_between(0, _CENTURIES - 1) & day.is_between(1, _LEAP) & ~number.is_in(list(_PACKED_NONE))
    start = pl.date(pl.when(usable).then(year), 1, 1)
    found = start + pl.duration(days=day - 1)
    return pl.when(found.dt.year() == year).then(found)


def _last(batch: Rows, schema: pl.Schema) -> list[pl.Expr]:
    known, charge = pl.col("known").fill_null(value=False), pl.col("L-KIND") == "C"
    reason, amount, none = pl.col("LA-REASON"), pl.col("L-AMOUNT"), pl.lit(None)
    packed, display = list(_PACKED_NONE), list(_DISPLAY_NONE)

    def key(kind: str, system: str, *parts: pl.Expr) -> pl.Expr:
        return derive_column([kind, system], parts)

    def mark(number: pl.Expr, placeholders: list[int]) -> pl.Expr:
        return pl.when(number.is_in(placeholders)).then(pl.lit("SENTINEL"))

    ref, seq = pl.col("ref"), pl.col("L-SEQ")
    made = {
        "group_id": key("group", "CSCS", pl.col("L-SRC-GROUP")),
        "debt_id": pl.when(known).then(key("debt", "CSCS", ref, pl.col("x-debt-owner"))),
        "case_id": pl.when(known).then(key("case", "CSCS", ref)),
        "source_case_ref": ref,
        "line_no": seq,
        "kind": pl.col("x-kind"),
        "owner": pl.col("x-owner"),
        "reason": _stripped(pl.coalesce("LA-REASON", "LV-REASON")),
        "pence": pl.col("x-pence"),
        "suspended_pence": pl.when(reason == "SU").then(amount).when(reason == "SL").then(-amount).otherwise(0),
        "stored_pence": amount,
        "posted": pl.when(~pl.col("L-POSTED").is_in(display)).then(pl.col("x-posted")),
        "posted_mark": mark(pl.col("L-POSTED"), display),
        "effective": pl.col("x-day"),
        "effective_mark": mark(pl.col("x-effective"), packed),
        "from_date": pl.col("x-from"),
        "from_date_mark": pl.when(charge).then(mark(pl.col("LC-FROM"), packed)),
        "to_date": pl.col("x-to"),
        "to_date_mark": pl.when(charge).then(mark(pl.col("LC-TO"), packed)),
        "weekly_pence": pl.when(charge).then(pl.col("LC-WEEKLY")),
        "assessment_row": pl.when(charge).then(pl.col("LC-ASM-ROW")),
        "reverses_line": pl.when(pl.col("L-KIND") == "V").then(pl.col("LV-OF-SEQ")),
        "authority": _stripped(pl.col("LA-AUTH")),
        "text": _stripped(pl.col("LA-TEXT")),
        "source_system": pl.lit("CSCS"),
        "source_ref": pl.concat_str(ref, pl.lit("/"), seq.cast(pl.String)),
        "delivery_id": pl.lit(batch.context.delivery_id),
        "record_no": pl.col("_record"),
        "byte_offset": pl.col("_offset"),
        "mapping_id": pl.lit(batch.mapping_id),
        "version": pl.col("_record") + batch.context.sequence * _STEP,
    }
    return [made.get(name, none).cast(dtype).alias(name) for name, dtype in schema.items()]  # what 1993 has not is null


def _stripped(text: pl.Expr) -> pl.Expr:
    plain = text.str.replace_all("\0", "", literal=True).str.strip_chars(" ")
    return pl.when(plain != "").then(plain)
