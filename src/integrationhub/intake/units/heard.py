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
    """What was said of files, by their delivery."""

    files: dict[str, Heard] = field(default_factory=dict)

    def of(self, delivery_id: str) -> Heard:
        """What is heard of a delivery, from now on."""
        return self.files.setdefault(delivery_id, Heard())


def shown(unit: Unit, verdict: Verdict) -> dict[str, Any]:
    """A verdict in the shape of benefits-common.md §11."""
    return {
        "key": unit.key,
        "outcome": verdict.fate.value,
        "reason": verdict.reason,
        "flags": sorted(verdict.flags),
        "canonical": None if verdict.canonical is None else dict(verdict.canonical),
    }
