"""The truth of an estate as it is written beside its files: expected.json, in the shape of the samples' one.

Cases are written as they come, so that an estate of any size needs little memory; the other parts wait in a temporary
file or are small.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self, TextIO

from integrationhub.estate.book import CaseGroup
from integrationhub.estate.outcomes import Judged, group_segment
from integrationhub.estate.rules import SCHEME_2003

NOTE = "synthetic layout, realistic shape; not the real interface"
OUTCOMES = ("SOURCE", "RECOMPUTED", "EXCEPTION")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


class TruthWriter:
    """Writes expected.json while the estate is generated."""

    def __init__(self, path: Path, *, head: Mapping[str, object], books: Sequence[str]) -> None:
        self._path = path
        self._head = head
        self._orphans: list[dict[str, object]] = []
        self._tally: Counter[str] = Counter()
        self._books: dict[str, Counter[str]] = {book: Counter() for book in books}
        self._out: TextIO | None = None
        self._groups: TextIO | None = None
        self._events: TextIO | None = None
        self._event_counts: Mapping[str, int] | None = None
        self._tail: dict[str, object] = {}

    def __enter__(self) -> Self:
        self._out = self._path.open("w", encoding="utf-8", newline="\n")
        self._groups = TemporaryFile("w+", encoding="utf-8", newline="\n")
        self._events = TemporaryFile("w+", encoding="utf-8", newline="\n")
        self._out.write("{\n")
        self._out.writelines(f" {_json(key)}: {_json(value)},\n" for key, value in {"note": NOTE, **self._head}.items())
        self._out.write(' "cases": {')
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._out and self._groups and self._events:
            if kind is None:
                self._write_rest(self._out, self._groups, self._events)
            self._groups.close()
            self._events.close()
            self._out.close()

    def add(self, group: CaseGroup, judged: Sequence[Judged]) -> None:
        """Take in the cases of a case group; a group without cases says nothing."""
        if not judged or not self._out or not self._groups:
            return
        for case in judged:
            self._out.write(f"{',' if self._tally['cases'] else ''}\n  {_json(case.key)}: {_json(case.row)}")
            self._count(case)
        for members in _case_groups(judged):
            entry = {"cases": sorted(case.key for case in members), "segment": group_segment(members)}
            self._groups.write(f"{',' if self._tally['groups'] else ''}\n  {_json(entry)}")
            self._tally["groups"] += 1
        self._orphans += _orphan_receipts(group)
        self._tally["orphan roles"] += sum(
            len(source.orphan_roles) for source in group.source_groups if source.rules is SCHEME_2003
        )

    def add_events(self, key: str, row: Mapping[str, object]) -> None:
        """Take in what must come of the events of a case."""
        if self._events:
            self._events.write(f"{',' if self._tally['cases with events'] else ''}\n   {_json(key)}: {_json(row)}")
            self._tally["cases with events"] += 1

    def close_events_with(self, counts: Mapping[str, int]) -> None:
        """How many deliveries of events there were, by what becomes of them."""
        self._event_counts = counts

    def close_with(self, **parts: object) -> None:
        """Further parts that are known only at the end, e.g. `control`."""
        self._tail.update(parts)

    def _count(self, case: Judged) -> None:
        self._tally["cases"] += 1
        book = self._books.setdefault(case.key[:2], Counter())
        book["cases"] += 1
        book[case.outcome] += 1
        book["source_right"] += case.source_right
        book["accepted_right"] += case.accepted_right

    def accuracy(self) -> dict[str, dict[str, object]]:
        """By book: how many cases the source has right, and how many a right product accepts rightly."""
        return {book: self._accuracy(tally) for book, tally in self._books.items()}

    def _accuracy(self, tally: Counter[str]) -> dict[str, object]:
        accepted = tally["cases"] - tally["EXCEPTION"]
        return {
            "cases": tally["cases"], "source_right": tally["source_right"],
            "source_right_pct": _percent(tally["source_right"], tally["cases"]),
            "outcomes": {outcome: tally[outcome] for outcome in OUTCOMES},
            "accepted_right_pct": _percent(tally["accepted_right"], accepted),
        }  # fmt: skip

    def _write_rest(self, out: TextIO, groups: TextIO, events: TextIO) -> None:
        out.write('\n },\n "groups": [')
        groups.seek(0)
        out.writelines(groups)
        rest: dict[str, object] = {
            "orphan_receipts": self._orphans,
            "unmatched_orphan_roles": self._tally["orphan roles"],
        }
        rest["accuracy"] = self.accuracy()
        out.write("\n ]")
        if self._event_counts is not None:
            out.write(',\n "events": {"cases": {')
            events.seek(0)
            out.writelines(events)
            out.write(
                "\n  }" + "".join(f", {_json(name)}: {count}" for name, count in self._event_counts.items()) + "}"
            )
        out.writelines(f",\n {_json(key)}: {_json(value)}" for key, value in {**rest, **self._tail}.items())
        out.write("\n}\n")


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _case_groups(judged: Sequence[Judged]) -> Iterator[list[Judged]]:
    """The linked cases as one group, each of the others as its own."""
    linked = [case for case in judged if case.linked]
    if linked:
        yield linked
    yield from ([case] for case in judged if not case.linked)


def _orphan_receipts(group: CaseGroup) -> Iterable[dict[str, object]]:
    for source in group.source_groups:
        for case, (ref, line) in zip(source.orphaned_from, source.orphan_lines, strict=True):
            yield {
                "case_at_fault": case.key, "reference": ref,
                "bank_reference": getattr(line, "bank_ref", ""), "amount": line.pence,
            }  # fmt: skip
