"""How right the hub is on a generated estate: the source, what was accepted, and every code found, missed or false.

The truth was written by the generator, which knows what it put in; the verdicts come from the files alone.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

ARREARS = ("rp", "sos", "unk", "susp_rp", "susp_sos")
"""The figures by which a case is right or wrong (arrears-errors.md)."""

JUDGED = ("outcome", "causes", "flags", "accepted", "segment", "uncollectable", "debts", "duplicate_of")
"""What of a case must equal the truth."""


@dataclass(slots=True, kw_only=True)
class Accuracy:
    """Counts over all cases of an estate. `silently_wrong`: accepted, and not what the evidence in the files gives."""

    cases: int = 0
    source_right: int = 0
    accepted: int = 0
    accepted_right: int = 0
    held: int = 0
    silently_wrong: int = 0
    without_evidence: int = 0
    differing: list[str] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)

    def add(self, key: str, truth: Mapping[str, Any], row: Mapping[str, Any] | None) -> None:
        """Count one case: its truth, and the row that was exported for it."""
        row = row or {}
        self.cases += 1
        self.source_right += bool(truth["source_right"])
        if any(row.get(name) != truth.get(name) for name in JUDGED):
            self.differing.append(key)
        expected, got = set(truth["causes"]), set(row.get("causes") or ())
        self.found.update(expected & got)
        self.missed.update(expected - got)
        self.false.update(got - expected)
        accepted = row.get("accepted")
        if accepted is None:
            self.held += 1
            return
        self.accepted += 1
        right = all(accepted[name] == truth["true"][name] for name in ARREARS)
        self.accepted_right += right
        self.silently_wrong += accepted != truth["accepted"]
        self.without_evidence += not right and accepted == truth["accepted"]

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
    return accuracy


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "–"


def as_table(accuracy: Accuracy) -> str:
    """The report as Markdown."""
    it = accuracy
    lines = [
        "# Accuracy on a generated estate", "",
        "| measure | cases | share |", "|---|---:|---:|",
        f"| cases | {it.cases:,} | |",
        f"| right in the source | {it.source_right:,} | {_percent(it.source_right, it.cases)} |",
        f"| held as exceptions | {it.held:,} | {_percent(it.held, it.cases)} |",
        f"| accepted | {it.accepted:,} | {_percent(it.accepted, it.cases)} |",
        f"| accepted and right | {it.accepted_right:,} | {_percent(it.accepted_right, it.accepted)} |",
        f"| wrong without evidence | {it.without_evidence:,} | {_percent(it.without_evidence, it.accepted)} |",
        f"| silently wrong | {it.silently_wrong:,} | {_percent(it.silently_wrong, it.accepted)} |",
        f"| cases that differ from the truth in anything | {len(it.differing):,} | |", "",
        "| code | found | missed | false |", "|---|---:|---:|---:|",
    ]  # fmt: skip
    lines += [f"| {code} | {it.found[code]:,} | {it.missed[code]:,} | {it.false[code]:,} |" for code in it.codes]
    return "\n".join(lines) + "\n"


WIDTH, BAR, GAP, LEFT = 760, 22, 10, 260


def as_chart(accuracy: Accuracy) -> str:
    """The shares as an SVG bar chart, with a title for people who can't see it."""
    it = accuracy
    bars = [
        ("right in the source", it.source_right, it.cases, "#b58840"),
        ("accepted and right, of accepted", it.accepted_right, it.accepted, "#00703c"),
        ("held as exceptions", it.held, it.cases, "#1d70b8"),
        ("silently wrong, of accepted", it.silently_wrong, it.accepted, "#d4351c"),
    ]
    height = len(bars) * (BAR + GAP) + 50
    drawn = "".join(_bar(place, *bar) for place, bar in enumerate(bars))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="sans-serif" '
        f'font-size="14">\n<title>Accuracy of {it.cases:,} cases</title>\n'
        f'<text x="0" y="20" font-weight="bold">Accuracy of {it.cases:,} generated cases</text>\n{drawn}</svg>\n'
    )


def _bar(place: int, name: str, part: int, whole: int, colour: str) -> str:
    top = 40 + place * (BAR + GAP)
    length = (WIDTH - LEFT - 110) * part / whole if whole else 0
    label = f"{part:,} ({_percent(part, whole)})"
    return (
        f'<text x="0" y="{top + 16}">{escape(name)}</text>\n'
        f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>\n'
        f'<text x="{LEFT + length + 6:.1f}" y="{top + 16}">{escape(label)}</text>\n'
    )
