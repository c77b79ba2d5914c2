"""Thresholds of segments, labels and write-off as dated configuration: `migration/arrears.toml`.

They stand under `migration/` because they decide how cases move and what is written off; what a record means is under
`mappings/` and knows no thresholds.
"""

import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from integrationhub.errors import ConfigurationError

FILE = "arrears.toml"


class Thresholds(BaseModel):
    """What holds from a day on, until the next entry's day. Money in pence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    valid_from: date
    recent_days: int
    full_weeks: int
    quiet_months: int
    floor_pence: int
    representation_pence: int
    old_representation_pence: int
    old_years: int
    representation_days: int
    closure_months: int
    reminder_months: int
    precedence: tuple[str, ...]


class Policy:
    """The thresholds of every day."""

    def __init__(self, entries: Sequence[Thresholds]) -> None:
        if not entries:
            raise ConfigurationError("the arrears policy has no thresholds", code="ARREARS_POLICY")
        self._entries = sorted(entries, key=lambda entry: entry.valid_from)

    @classmethod
    def of_file(cls, path: Path) -> "Policy":
        """The policy of a TOML file; ConfigurationError names every fault in it."""
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls([Thresholds.model_validate(entry) for entry in document.get("thresholds", [])])
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(f"{path.name} cannot be read: {error}", code="ARREARS_POLICY") from error
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            raise ConfigurationError(f"{path.name}: {faults}", code="ARREARS_POLICY") from error

    def on(self, day: date) -> Thresholds:
        """What holds on a day; before the first entry's day, that entry."""
        return next((entry for entry in reversed(self._entries) if entry.valid_from <= day), self._entries[0])
