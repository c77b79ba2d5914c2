"""Verdicts for whoever listens: `replay` shows them unit by unit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrationhub.accounts.unit import Unit, Verdict


@dataclass(slots=True, kw_only=True)
class Heard:
    """What was said of one file."""

    canonical: Mapping[str, Any] | None = None
    records: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Hearing:
    """What was said of files, by their SHA-256, and of messages, by their delivery."""

    files: dict[str, Heard] = field(default_factory=dict)

    def of(self, known_by: str) -> Heard:
        """What is heard from now on."""
        heard = self.files[known_by] = Heard()
        return heard

    def taken(self, known_by: str | None) -> Heard | None:
        """What was said of it, which is forgotten then; None: nothing."""
        return self.files.pop(known_by or "", None)


def shown(unit: Unit, verdict: Verdict) -> dict[str, Any]:
    """A verdict in the shape of benefits-common.md §11."""
    return {
        "key": unit.key,
        "outcome": verdict.fate.value,
        "reason": verdict.reason,
        "flags": sorted(verdict.flags),
        "canonical": None if verdict.canonical is None else dict(verdict.canonical),
    }
