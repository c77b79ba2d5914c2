"""Faults of mapped rows: rules that say where one is, and tables of those that were found.

A batch is nearly always clean, so rules are first silenced by counting nulls, which costs nothing; those that are left
are asked in one pass whether they hold anywhere; only for these are rows picked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from integrationhub.mapping.scope import Place
from integrationhub.mapping.spec import Severity
from integrationhub.records import FAULT_SCHEMA

MISSING = "VALUE_MISSING"
REPEATED = "KEY_REPEATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A fault: where it is, what it is called, and which source field it is told of.

    Both hints only save time. Where one of the columns `unless_null` has no null, the rule can't hold. With `balance`
    (source, value, mark), it can't hold when every value that is null has a source that is null, or a mark.
    """

    condition: pl.Expr
    code: str
    place: Place
    severity: Severity = "exception"
    unless_null: tuple[str, ...] = ()
    balance: tuple[str, str, str | None] | None = None

    def can_hold(self, nulls: Mapping[str, int], height: int) -> bool:
        """False if null counts alone prove that no row breaks the rule."""
        for column in self.unless_null:
            if nulls[column] == 0:
                return False
        if self.balance is None:
            return True
        source, value, mark = self.balance
        marks = 0 if mark is None else height - nulls[mark]
        return nulls[value] != nulls[source] + marks


def find(frame: pl.DataFrame, rules: Sequence[Rule]) -> list[tuple[Rule, pl.DataFrame]]:
    """The rules that hold somewhere in a working frame, each with its fault table."""
    nulls = {column.name: column.null_count() for column in frame.get_columns()}
    asked = [rule for rule in rules if rule.can_hold(nulls, frame.height)]
    if not asked:
        return []
    answers = frame.select_seq([rule.condition.any().alias(str(number)) for number, rule in enumerate(asked)]).row(0)
    return [(rule, _rows(frame, rule)) for rule, holds in zip(asked, answers, strict=True) if holds]


def _rows(frame: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    return frame.filter(rule.condition).select(
        *fault_columns(rule.code, rule.place, record=pl.col("_record"), offset=pl.col("_offset"))
    )


def fault_columns(code: str, place: Place, *, record: pl.Expr, offset: pl.Expr) -> list[pl.Expr]:
    """The columns of a fault table for rows that have the same fault. The field's bytes are not known here."""
    given = {
        "record": record,
        "offset": offset,
        "table": pl.lit(place.table),
        "field": pl.lit(place.field),
        "code": pl.lit(code),
        "hex": pl.lit(None),
    }
    return [given[name].cast(dtype).alias(name) for name, dtype in FAULT_SCHEMA.items()]


def together(tables: Iterable[pl.DataFrame], decoded: pl.DataFrame) -> pl.DataFrame:
    """The decoder's faults and the mapping's, in the order of the file, each once.

    A value that the decoder couldn't read is null, so the mapping misses it: where another fault tells of the same
    field of the same record, VALUE_MISSING adds nothing.
    """
    found = list(tables)
    if not found:
        return decoded
    rows = pl.concat(found).unique(maintain_order=True)
    missing = rows.filter(pl.col("code") == MISSING)
    others = rows.filter(pl.col("code") != MISSING)
    known = pl.concat([decoded, others]).select("record", "field").unique()
    rows = pl.concat([decoded, others, missing.join(known, on=["record", "field"], how="anti")])
    return rows.sort("record", "offset", maintain_order=True)
