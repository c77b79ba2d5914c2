"""How right the hub is on a generated estate: the source, what was accepted, and every code found, missed or false.

The truth was written by the generator, which knows what it put in; the verdicts come from the files alone.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ARREARS = ("rp", "sos", "unk", "susp_rp", "susp_sos")
"""The figures by which a case is right or wrong (arrears-errors.md)."""

BALANCES = ("rp", "sos", "unk")
"""The figures that are compared in pence: what is owed, suspended or not."""

JUDGED = ("outcome", "causes", "flags", "accepted", "segment", "uncollectable", "debts", "duplicate_of")
"""What of a case must equal the truth."""

BOOKS = {"93": "1993 scheme", "03": "2003 scheme", "CL": "clerical"}


@dataclass(slots=True, kw_only=True)
class Differences:
    """Pence by which figures lie over and under the truth, balance by balance: nothing is netted."""

    over: int = 0
    under: int = 0

    def add(self, figures: Mapping[str, int], true: Mapping[str, int]) -> None:
        """Take the balances of one case into account."""
        for name in BALANCES:
            self.over += max(0, figures[name] - true[name])
            self.under += max(0, true[name] - figures[name])

    @property
    def net(self) -> int:
        """What is left when over and under are set off, and what hides both."""
        return self.over - self.under


@dataclass(slots=True, kw_only=True)
class Book:
    """Counts over the cases of one book. `silently_wrong`: accepted, and not what the evidence in the files gives.

    `before` compares the source with what is really owed, over the whole book; `after` what was accepted; `held` the
    source figures of cases that wait for a person.
    """

    cases: int = 0
    source_right: int = 0
    accepted_as_sent: int = 0
    recomputed: int = 0
    recomputed_right: int = 0
    accepted_right: int = 0
    held: int = 0
    silently_wrong: int = 0
    without_evidence: int = 0
    differing: int = 0
    held_for: Counter[str] = field(default_factory=Counter)
    before: Differences = field(default_factory=Differences)
    after: Differences = field(default_factory=Differences)
    waiting: Differences = field(default_factory=Differences)

    @property
    def accepted(self) -> int:
        """Cases whose figures were accepted."""
        return self.accepted_as_sent + self.recomputed

    def add(self, truth: Mapping[str, Any], row: Mapping[str, Any], *, differs: bool) -> None:
        """Count one case: its truth, and the row that was exported for it."""
        self.cases += 1
        self.source_right += bool(truth["source_right"])
        self.differing += differs
        self.before.add(truth["source"], truth["true"])
        accepted = row.get("accepted")
        if accepted is None:
            self.held += 1
            self.held_for.update(row.get("causes") or ())
            self.waiting.add(truth["source"], truth["true"])
            return
        right = all(accepted[name] == truth["true"][name] for name in ARREARS)
        recomputed = row.get("outcome") == "RECOMPUTED"
        self.accepted_as_sent += not recomputed
        self.recomputed += recomputed
        self.recomputed_right += recomputed and right
        self.accepted_right += right
        self.silently_wrong += accepted != truth["accepted"]
        self.without_evidence += not right and accepted == truth["accepted"]
        self.after.add(accepted, truth["true"])


AFTER_EVENTS = ("outcome", "causes", "accepted", "segment", "uncollectable", "debts")
"""What of a case must equal the truth after its change events."""


@dataclass(slots=True, kw_only=True)
class Events:
    """Cases with change events behind their extract, by what the events have come to."""

    cases: Counter[str] = field(default_factory=Counter)
    silently_wrong: int = 0
    differing: list[str] = field(default_factory=list)

    def add(self, key: str, truth: Mapping[str, Any], row: Mapping[str, Any] | None) -> None:
        """Count one case: its truth after the events, and the row that was exported for it then."""
        row = row or {}
        self.cases[truth["state"]] += 1
        accepted = row.get("accepted")
        self.silently_wrong += accepted is not None and accepted != truth["accepted"]
        stand = (row.get("event_state"), row.get("applied_to_seq"))
        same = all(row.get(name) == truth[name] for name in AFTER_EVENTS)
        if not same or stand != (truth["state"], truth["applied_to_seq"]):
            self.differing.append(key)


@dataclass(slots=True, kw_only=True)
class Accuracy:
    """An estate's books, and the codes over all of them: given rightly, not given, given without reason."""

    events: Events = field(default_factory=Events)
    books: dict[str, Book] = field(default_factory=dict)
    differing: list[str] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)

    def add(self, key: str, truth: Mapping[str, Any], row: Mapping[str, Any] | None) -> None:
        """Count one case: its truth, and the row that was exported for it."""
        row = row or {}
        differs = any(row.get(name) != truth.get(name) for name in JUDGED)
        if differs:
            self.differing.append(key)
        self.books.setdefault(key[:2], Book()).add(truth, row, differs=differs)
        expected, got = set(truth["causes"]), set(row.get("causes") or ())
        self.found.update(expected & got)
        self.missed.update(expected - got)
        self.false.update(got - expected)

    @property
    def cases(self) -> int:
        """All cases."""
        return sum(book.cases for book in self.books.values())

    @property
    def codes(self) -> list[str]:
        """All codes that were expected or given."""
        return sorted({*self.found, *self.missed, *self.false})


def measure(truth: Path, rows: Iterable[Mapping[str, Any]]) -> Accuracy:
    """The accuracy of exported rows (`export arrears`) against an estate's truth."""
    exported = {row["case"]: row for row in rows}
    accuracy = Accuracy()
    for key, expected in json.loads(truth.read_text(encoding="utf-8"))["cases"].items():
        accuracy.add(key, expected, exported.get(key))
    accuracy.books = {key: accuracy.books[key] for key in BOOKS if key in accuracy.books}
    return accuracy


def measure_events(truth: Path, rows: Iterable[Mapping[str, Any]]) -> Events:
    """The accuracy of exported rows after the night's change events against an estate's truth."""
    exported = {row["case"]: row for row in rows}
    found = Events()
    for key, expected in json.loads(truth.read_text(encoding="utf-8"))["events"]["cases"].items():
        found.add(key, expected, exported.get(key))
    return found


def percent(part: int, whole: int) -> str:
    """A share for people."""
    return f"{100 * part / whole:.2f} %" if whole else "–"


def _pounds(pence: int) -> str:
    return f"{'−' if pence < 0 else ''}£{abs(pence) // 100:,}.{abs(pence) % 100:02d}"


def as_table(accuracy: Accuracy) -> str:
    """The report as Markdown."""
    return "\n".join(
        (
            "# Accuracy on a generated estate", "",
            *_shares(accuracy.books), "",
            "## Pence over and under what is really owed", "",
            *_money(accuracy.books), "",
            "## Held, by code", "",
            *_held(accuracy.books), "",
            "## After the change events of the 2003 book", "",
            *_after_events(accuracy.events), "",
            "## Codes", "",
            "| code | found | missed | false |", "|---|---:|---:|---:|",
            *(
                f"| {code} | {accuracy.found[code]:,} | {accuracy.missed[code]:,} | {accuracy.false[code]:,} |"
                for code in accuracy.codes
            ),
            "",
        )
    )  # fmt: skip


def _shares(books: Mapping[str, Book]) -> Iterator[str]:
    names = [BOOKS[key] for key in books]
    yield "| cases | " + " | ".join(f"{name} | share" for name in names) + " |"
    yield "|---|" + "---:|---:|" * len(names)
    measures = (
        ("all", lambda it: (it.cases, 0)),
        ("right in the source", lambda it: (it.source_right, it.cases)),
        ("accepted as sent", lambda it: (it.accepted_as_sent, it.cases)),
        ("recomputed", lambda it: (it.recomputed, it.cases)),
        ("recomputed and right, of those", lambda it: (it.recomputed_right, it.recomputed)),
        ("held as exceptions", lambda it: (it.held, it.cases)),
        ("accepted and right, of accepted", lambda it: (it.accepted_right, it.accepted)),
        ("wrong without evidence, of accepted", lambda it: (it.without_evidence, it.accepted)),
        ("silently wrong", lambda it: (it.silently_wrong, it.accepted)),
        ("differing from the truth in anything", lambda it: (it.differing, it.cases)),
    )
    for name, measured in measures:
        cells = [f"{part:,} | {percent(part, whole)}" for part, whole in map(measured, books.values())]
        yield f"| {name} | {' | '.join(cells)} |"


def _money(books: Mapping[str, Book]) -> Iterator[str]:
    yield "| book | figures | gross over | gross under | net |"
    yield "|---|---|---:|---:|---:|"
    for key, book in books.items():
        for name, pence in (
            ("before: the source, all cases", book.before),
            ("the source, held cases", book.waiting),
            ("after: accepted", book.after),
        ):
            cells = " | ".join(map(_pounds, (pence.over, pence.under, pence.net)))
            yield f"| {BOOKS[key]} | {name} | {cells} |"


def _after_events(events: Events) -> Iterator[str]:
    yield "| cases with events | number |"
    yield "|---|---:|"
    names = {"APPLIED": "all applied", "WAITING": "waiting for a missing number", "CONFLICT": "contested, held (EV)"}
    yield from (f"| {name} | {events.cases[state]:,} |" for state, name in names.items())
    yield f"| silently wrong | {events.silently_wrong:,} |"
    yield f"| differing from the truth in anything | {len(events.differing):,} |"


def _held(books: Mapping[str, Book]) -> Iterator[str]:
    yield "| code | " + " | ".join(BOOKS[key] for key in books) + " |"
    yield "|---|" + "---:|" * len(books)
    for code in sorted({code for book in books.values() for code in book.held_for}):
        yield f"| {code} | " + " | ".join(f"{book.held_for[code]:,}" for book in books.values()) + " |"
