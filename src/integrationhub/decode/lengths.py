"""Whether records are as long as their type and counts say, judged for all records of a batch at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from integrationhub.decode.frames import FrameReader
from integrationhub.decode.numbers import Integers
from integrationhub.decode.rows import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthFault:
    """One record whose length is wrong: `field` names the count that can't be read or is out of range, if that is why.

    `record` is the record's place in the batch (from 0); `expected` is the length by type and counts, None when a count
    means nothing.
    """

    record: int
    field: str | None
    expected: int | None
    actual: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthCheck:
    """The records of a batch that fail, in order: parallel arrays, `fields` None where the length itself is wrong.

    `expected` is −1 where a count means nothing.
    """

    records: Integers
    expected: Integers
    actual: Integers
    fields: Sequence[str | None]

    @property
    def holds(self) -> bool:
        """Whether every record is as long as it should be."""
        return not len(self.records)

    def first(self) -> LengthFault | None:
        """The first record that fails."""
        if self.holds:
            return None
        expected = int(self.expected[0])
        return LengthFault(
            record=int(self.records[0]),
            field=self.fields[0],
            expected=None if expected < 0 else expected,
            actual=int(self.actual[0]),
        )


def check_frame(reader: FrameReader, rows: Rows) -> LengthCheck:
    """The records of one 01 level that fail."""
    actual = rows.ends - rows.starts
    expected = reader.size(rows)
    names: list[str | None] = [None, *rows.blame]
    blame = np.zeros(len(rows), np.int32)
    for code in range(len(rows.blame), 0, -1):
        blame[rows.blame[str(names[code])]] = code
    wrong = (blame > 0) | (expected != actual)
    where = np.flatnonzero(wrong)
    return LengthCheck(
        records=rows.records[where],
        expected=np.where(blame[where] > 0, -1, expected[where]),
        actual=actual[where],
        fields=[names[code] for code in blame[where].tolist()],
    )


def merged(checks: Sequence[LengthCheck]) -> LengthCheck:
    """The findings of several 01 levels, in record order."""
    records = np.concatenate([np.zeros(0, np.int64), *(check.records for check in checks)])
    order = np.argsort(records, kind="stable")
    fields = [field for check in checks for field in check.fields]
    none = np.zeros(0, np.int64)
    return LengthCheck(
        records=records[order],
        expected=np.concatenate([none, *(check.expected for check in checks)])[order],
        actual=np.concatenate([none, *(check.actual for check in checks)])[order],
        fields=[fields[place] for place in order.tolist()],
    )
