"""The truth of an estate as it is written beside its files: expected.json, in the shape of the samples' one.

Cases are written as they come, so that an estate of any size needs little memory; the other parts wait in a temporary
file or are small.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self, TextIO

from integrationhub.estate.book import CaseGroup
from integrationhub.estate.outcomes import SYSTEM, Judged, group_segment

NOTE = "synthetic layout, realistic shape; not the real interface"
OUTCOMES = ("SOURCE", "RECOMPUTED", "EXCEPTION")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


class TruthWriter:
    """Writes expected.json while the estate is generated."""

    def __init__(self, path: Path, *, head: Mapping[str, object]) -> None:
        self._path = path
        self._head = head
        self._orphans: list[dict[str, object]] = []
        self._tally: Counter[str] = Counter()
        self._out: TextIO | None = None
        self._groups: TextIO | None = None
        self._tail: dict[str, object] = {}

    def __enter__(self) -> Self:
        self._out = self._path.open("w", encoding="utf-8", newline="\n")
        self._groups = TemporaryFile("w+", encoding="utf-8", newline="\n")
        self._out.write("{\n")
        self._out.writelines(f" {_json(key)}: {_json(value)},\n" for key, value in {"note": NOTE, **self._head}.items())
        self._out.write(' "cases": {')
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._out and self._groups:
            if kind is None:
                self._write_rest(self._out, self._groups)
            self._groups.close()
            self._out.close()

    def add(self, group: CaseGroup, judged: Sequence[Judged]) -> None:
        """Take in the cases of a case group; a group without cases says nothing."""
        if not judged or not self._out or not self._groups:
            return
        for case in judged:
            self._out.write(f"{',' if self._tally['cases'] else ''}\n  {_json(case.key)}: {_json(case.row)}")
            self._count(case)
        entry = {"cases": sorted(case.key for case in judged), "segment": group_segment(judged)}
        self._groups.write(f"{',' if self._tally['groups'] else ''}\n  {_json(entry)}")
        self._tally["groups"] += 1
        self._orphans += _orphan_receipts(group)

    def close_with(self, **parts: object) -> None:
        """Further parts that are known only at the end, e.g. `control`."""
        self._tail.update(parts)

    def _count(self, case: Judged) -> None:
        self._tally["cases"] += 1
        self._tally[case.outcome] += 1
        self._tally["source_right"] += case.source_right
        self._tally["accepted_right"] += case.accepted_right

    def accuracy(self) -> dict[str, object]:
        """How many cases the source has right, and how many a right product accepts rightly."""
        tally = self._tally
        accepted = tally["cases"] - tally["EXCEPTION"]
        return {
            "cases": tally["cases"], "source_right": tally["source_right"],
            "source_right_pct": _percent(tally["source_right"], tally["cases"]),
            "outcomes": {outcome: tally[outcome] for outcome in OUTCOMES},
            "accepted_right_pct": _percent(tally["accepted_right"], accepted),
        }  # fmt: skip

    def _write_rest(self, out: TextIO, groups: TextIO) -> None:
        out.write('\n },\n "groups": [')
        groups.seek(0)
        out.writelines(groups)
        rest = {"orphan_receipts": self._orphans, "unmatched_orphan_roles": 0, "accuracy": {SYSTEM: self.accuracy()}}
        out.write("\n ]")
        out.writelines(f",\n {_json(key)}: {_json(value)}" for key, value in {**rest, **self._tail}.items())
        out.write("\n}\n")


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _orphan_receipts(group: CaseGroup) -> Iterable[dict[str, object]]:
    for source in group.source_groups:
        for case, (ref, line) in zip(source.orphaned_from, source.orphan_lines, strict=True):
            yield {
                "case_at_fault": f"{SYSTEM}:{case.ref}", "reference": ref,
                "bank_reference": getattr(line, "bank_ref", ""), "amount": line.pence,
            }  # fmt: skip
