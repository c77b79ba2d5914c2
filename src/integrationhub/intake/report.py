"""The report of one file: what became of it, in the shape that INTERFACE fixes for `ingest` and `check`.

A report is built once, stored with the delivery, and printed as it stands: after a crash, for a repeat, and for the
file that was taken up later, it is the same object.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from integrationhub.records import Reason
from integrationhub.sdk.units import FileFacts


class FileVerdict(StrEnum):
    """What became of a file, or of one delivery of a capture."""

    ACCEPTED = "ACCEPTED"  # of a delivery: LOADED, EXCLUDED or EXCEPTION, as `outcomes` say
    REJECTED = "REJECTED"
    DUPLICATE = "DUPLICATE"
    HELD = "HELD"
    SUPERSEDED = "SUPERSEDED"  # deliveries only: what is held already is newer, or contains it


OUTCOMES = ("LOADED", "DUPLICATE", "SUPERSEDED", "EXCLUDED", "EXCEPTION", "REJECTED")
"""What can become of a record, each record exactly one (DOMAIN.md, invariant 9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control: what the file says of itself, what was counted, and whether the two are equal.

    Of a control total also its two parts: what was loaded, and what was set aside with its group.
    """

    name: str
    expected: object
    actual: object
    loaded: int | None = None
    set_aside: int | None = None

    @property
    def holds(self) -> bool:
        """Whether the file is right about itself."""
        return self.expected == self.actual

    def as_dict(self) -> dict[str, object]:
        """The control in the interface's shape."""
        row = {"name": self.name, "expected": self.expected, "actual": self.actual, "holds": self.holds}
        return row if self.loaded is None else row | {"loaded": self.loaded, "set_aside": self.set_aside}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """The control that `as_dict` wrote."""
        return cls(**{name: value for name, value in row.items() if name != "holds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A number of things and their pence."""

    count: int = 0
    pence: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(count=self.count + other.count, pence=self.pence + other.pence)

    def as_dict(self) -> dict[str, int]:
        """The amount in the interface's shape."""
        return {"count": self.count, "pence": self.pence}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What became of one file. `outcomes` add up to `records`, or are all zero when the file is REJECTED or HELD.

    `missing` names what a whole book no longer has (source references of groups); `released` the names of waiting files
    that were taken up because this one was accepted; `remedy` says what to do about a refused file or set-aside groups.
    """

    path: str
    connector: str
    sha256: str
    verdict: FileVerdict
    reasons: tuple[Reason, ...] = ()
    records: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    controls: tuple[Control, ...] = ()
    debts: Amount = Amount()
    credits: Amount = Amount()
    debits: Amount = Amount()
    missing: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    remedy: str | None = None
    n: int | None = None  # which delivery of a capture

    def with_path(self, path: str) -> Self:
        """The same report for the path as somebody gave it."""
        return replace(self, path=path)

    def as_dict(self) -> dict[str, Any]:
        """The report as one JSON object."""
        place = {} if self.n is None else {"n": self.n}
        return {
            "path": self.path,
            **place,
            "connector": self.connector,
            "sha256": self.sha256,
            "verdict": self.verdict.value,
            "reasons": [reason.as_dict() for reason in self.reasons],
            "records": self.records,
            "outcomes": {name: self.outcomes.get(name, 0) for name in OUTCOMES},
            "controls": [control.as_dict() for control in self.controls],
            "totals": {
                "debts": self.debts.as_dict(),
                "credits": self.credits.as_dict(),
                "debits": self.debits.as_dict(),
            },
            "missing": list(self.missing),
            "released": list(self.released),
            "remedy": self.remedy,
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Self:
        """The report that `as_dict` wrote."""
        return cls(
            path=row["path"],
            connector=row["connector"],
            sha256=row["sha256"],
            verdict=FileVerdict(row["verdict"]),
            reasons=tuple(Reason(**reason) for reason in row["reasons"]),
            records=row["records"],
            outcomes=row["outcomes"],
            controls=tuple(Control.from_dict(item) for item in row["controls"]),
            debts=Amount(**row["totals"]["debts"]),
            credits=Amount(**row["totals"]["credits"]),
            debits=Amount(**row["totals"]["debits"]),
            missing=tuple(row["missing"]),
            released=tuple(row["released"]),
            remedy=row["remedy"],
        )


def controls_of(facts: FileFacts) -> tuple[Control, ...]:
    """The file's controls as a report shows them."""
    return tuple(Control(name=item.name, expected=item.expected, actual=item.actual) for item in facts.controls)


def exit_code(reports: Sequence[FileReport]) -> int:
    """0 when everything was accepted, a repeat or overtaken, 7 when one was rejected, 75 when one waits and none was
    rejected.
    """
    verdicts = {report.verdict for report in reports}
    if FileVerdict.REJECTED in verdicts:
        return 7
    return 75 if FileVerdict.HELD in verdicts else 0
