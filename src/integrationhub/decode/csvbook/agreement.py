"""Double entry: two keyings of a case by two people, compared (clerical.md §3).

A case whose keyings disagree, or can't be read, still stands for itself: by its first keying, or the second where there
is no first. It is marked, and nobody takes its figures for agreed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from integrationhub.decode.csvbook.reading import Row
from integrationhub.decode.csvbook.values import UNREADABLE, Value, compared, normalised, read_value
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Keying

FIRST, SECOND = "1", "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """One row, read: `values` by column, UNREADABLE where a cell is not of its kind."""

    row: Row
    values: Mapping[str, Value]

    def number(self, column: str) -> int:
        """A figure; 0 where it can't be read."""
        value = self.values[column]
        return value if isinstance(value, int) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedCase:
    """A case and its keyings. `chosen` stands for it; `reasons` say why the keyings can't be relied on."""

    reference: str
    rows: tuple[Keyed, ...]
    chosen: Keyed
    reasons: tuple[Reason, ...]


class Comparison:
    """Reads and compares the rows of one connector's books."""

    def __init__(self, rules: Keying, columns: Sequence[str]) -> None:
        self._rules = rules
        self._columns = tuple(columns)

    def read(self, row: Row) -> Keyed:
        """A row's values by column."""
        cells = dict(zip(self._columns, row.cells, strict=True))
        codes = self._rules.values
        values = {name: read_value(self._kind(name), text, codes.get(name, ())) for name, text in cells.items()}
        references = {name: normalised(cells[name]) or None for name in (self._rules.case, self._rules.clerk)}
        return Keyed(row=row, values=values | references)

    def cases(self, rows: Sequence[Keyed]) -> Iterator[KeyedCase]:
        """The cases in the order of their first rows."""
        found: dict[str, list[Keyed]] = {}
        for keyed in rows:
            found.setdefault(str(keyed.values[self._rules.case] or ""), []).append(keyed)
        for reference, own in found.items():
            first = next((item for item in own if item.values[self._rules.key] == FIRST), None)
            second = next((item for item in own if item.values[self._rules.key] == SECOND), None)
            chosen = first or second or own[0]
            reasons = tuple(self._reasons(reference, own, chosen))
            yield KeyedCase(reference=reference, rows=tuple(own), chosen=chosen, reasons=reasons)

    def _kind(self, column: str) -> str:
        return self._rules.kinds.get(column, "text")

    def _reasons(self, reference: str, rows: Sequence[Keyed], chosen: Keyed) -> Iterator[Reason]:
        """Why the keyings don't hold: those of form first, then those of content."""
        if re.fullmatch(self._rules.case_pattern, reference) is None:
            yield self._reason(chosen, self._rules.codes.unreadable, self._rules.case, "is not of its form")
        form = self._fault_of_form(rows)
        if form is not None:
            yield self._reason(rows[-1], self._rules.codes.disagreement, form[0], form[1])
            return
        for column in self._columns:
            yield from self._of_column(column, rows)

    def _fault_of_form(self, rows: Sequence[Keyed]) -> tuple[str, str] | None:
        """The column and what is wrong when there are not two keyings by two people."""
        rules = self._rules
        if len(rows) != 2:  # noqa: PLR2004 - double entry
            return rules.key, f"the case has {len(rows)} rows, not one for each of two keyings"
        if {item.values[rules.key] for item in rows} != {FIRST, SECOND}:
            return rules.key, "the two rows are not keying 1 and keying 2"
        if len({item.values[rules.clerk] for item in rows}) == 1:
            return rules.clerk, "both keyings are by the same clerk"
        return None

    def _of_column(self, column: str, rows: Sequence[Keyed]) -> Iterator[Reason]:
        one, other = rows
        bad = [self._is_bad(column, item) for item in rows]
        if all(bad):
            yield self._reason(one, self._rules.codes.unreadable, column, "can't be read in either keying")
        elif column in self._rules.compared:
            kind = self._kind(column)
            if any(bad) or compared(kind, one.values[column]) != compared(kind, other.values[column]):
                yield self._reason(other, self._rules.codes.disagreement, column, "differs between the keyings")

    def _is_bad(self, column: str, keyed: Keyed) -> bool:
        value = keyed.values[column]
        return value is UNREADABLE or (value is None and column in self._rules.mandatory)

    def _reason(self, keyed: Keyed, code: str, column: str, what: str) -> Reason:
        """Names the column, never a value."""
        row = keyed.row
        return Reason(code=code, text=f"{column}: {what}", record=row.record, offset=row.offset, field=column)
