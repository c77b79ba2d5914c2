"""Faults of mapped rows: rules that say where one is, and tables of those that were found.

A batch is nearly always clean, so rules are first silenced by counting nulls, which costs nothing; those that are left
are asked in one pass whether they hold anywhere; only for these are rows picked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from integrationhub.mapping.scope import Place
from integrationhub.mapping.spec import Severity
from integrationhub.records import no_faults

MISSING = "VALUE_MISSING"
REPEATED = "KEY_REPEATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A fault: where it is, what it is called, and which source field it is told of.

    Both hints only save time. Where one of the columns `unless_null` has no null, the rule can't hold. With `balance`
    (source, value, mark), it can't hold when every value that is null has a source that is null, or a mark; without a
    source, when every one has a mark: what is absent is marked then, and may not be counted twice.
    """

    condition: pl.Expr
    code: str
    place: Place
    severity: Severity = "exception"
    unless_null: tuple[str, ...] = ()
    balance: tuple[str | None, str, str | None] | None = None

    def can_hold(self, nulls: Mapping[str, int], height: int) -> bool:
        """False if null counts alone prove that no row breaks the rule."""
        for column in self.unless_null:
            if nulls[column] == 0:
                return False
        if self.balance is None:
            return True
        source, value, mark = self.balance
        absent = 0 if source is None else nulls[source]
        marks = 0 if mark is None else height - nulls[mark]
        return nulls[value] != absent + marks


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A fault and the rows that have it: their record numbers and byte offsets."""

    code: str
    place: Place
    records: pl.Series
    offsets: pl.Series
    severity: Severity = "exception"

    def but(self, records: pl.Series) -> "Told":
        """The fault without the rows of these records."""
        others = ~self.records.is_in(records.implode())
        return replace(self, records=self.records.filter(others), offsets=self.offsets.filter(others))


def find(frame: pl.DataFrame, rules: Sequence[Rule]) -> list[Told]:
    """The rules that hold somewhere in a working frame, with the rows in which they do."""
    asked = list(_askable(frame, rules))
    if not asked:
        return []
    _, *answers = frame.select_seq(pl.col("_record"), *(rule.condition.alias(str(n)) for n, rule in enumerate(asked)))
    return [_told(frame, rule, answer.arg_true()) for rule, answer in zip(asked, answers, strict=True) if answer.any()]


def _askable(frame: pl.DataFrame, rules: Sequence[Rule]) -> Iterator[Rule]:
    """The rules that null counts do not prove to hold nowhere."""
    nulls = NullCounts(frame)
    yield from (rule for rule in rules if rule.can_hold(nulls, frame.height))


class NullCounts(dict[str, int]):
    """How many nulls each column of a frame has, counted when it is asked for."""

    def __init__(self, frame: pl.DataFrame) -> None:
        super().__init__()
        self._frame = frame

    def __missing__(self, column: str) -> int:
        """The count of a column that nobody has asked for yet."""
        count = self[column] = self._frame.get_column(column).null_count()
        return count


def _told(frame: pl.DataFrame, rule: Rule, rows: pl.Series) -> Told:
    records, offsets = frame.get_column("_record")[rows], frame.get_column("_offset")[rows]
    return Told(code=rule.code, place=rule.place, records=records, offsets=offsets, severity=rule.severity)


def together(told: Sequence[Told], decoded: pl.DataFrame) -> pl.DataFrame:
    """The decoder's faults and the mapping's as one fault table, in the order of the file, each once.

    A value that the decoder couldn't read is null, so the mapping misses it: where another fault tells of the same
    field of the same record, VALUE_MISSING adds nothing.
    """
    if not told:
        return decoded
    rows = _table([one for one in told if one.code != MISSING])
    missing = _table([one for one in told if one.code == MISSING])
    if missing.height:
        known = pl.concat([decoded, rows]).select("record", "field").unique()
        missing = missing.join(known, on=["record", "field"], how="anti")
    rows = pl.concat([decoded, rows, missing])
    return rows.sort("record", "offset", maintain_order=True) if rows.height > 1 else rows


def _table(told: Sequence[Told]) -> pl.DataFrame:
    """A fault table, each fault once. The fields' bytes are not known here."""
    if not told:
        return no_faults()
    which = pl.Series(np.repeat(np.arange(len(told), dtype=np.uint32), [len(one.records) for one in told]))
    columns = {
        "record": pl.concat([one.records for one in told]),
        "offset": pl.concat([one.offsets for one in told]),
        "table": pl.Series([one.place.table for one in told])[which],
        "field": pl.Series([one.place.field for one in told])[which],
        "code": pl.Series([one.code for one in told])[which],
        "hex": pl.Series([None], dtype=pl.String).new_from_index(0, len(which)),
    }
    rows = pl.DataFrame([column.alias(name) for name, column in columns.items()])
    return rows.unique(maintain_order=True) if len(told) > 1 and rows.height > 1 else rows
