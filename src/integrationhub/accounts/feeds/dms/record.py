"""A record of the debt manager's extract as its checks ask for it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from integrationhub.accounts.entries import Hold, JointDebtor

FEED = "debt-manager"
DECEASED = "DE"
BREATHING_SPACE = "BS"
LONGEST_BREATHING_SPACE = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A mapped record: its values, the codes of faults in them, and whether test identities are usable."""

    values: Mapping[str, Any]
    faults: Collection[str]
    synthetic: bool

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - the form says which type a value has
        return self.values[name]

    @property
    def listed_holds(self) -> Sequence[Mapping[str, Any]]:
        """The occurrences in use."""
        found: Sequence[Mapping[str, Any]] = self.values["debt_record_holds"]
        return found

    @property
    def holds(self) -> list[Hold]:
        """The holds of a sound record, and the one that a date of death implies (§2)."""
        holds = [Hold(code=row["code"], start=row["start"], end=row["end"], origin=FEED) for row in self.listed_holds]
        died: date | None = self["dod"]
        if died is not None and all(hold.code != DECEASED for hold in holds):
            holds.append(Hold(code=DECEASED, start=died, end=None, origin=FEED))
        return holds

    @property
    def joint(self) -> tuple[JointDebtor, ...]:
        """The joint debtors in use."""
        rows: Sequence[Mapping[str, Any]] = self.values["debt_record_joint"]
        return tuple(JointDebtor(nino=row["nino"], share=row["share"], role=row["role"]) for row in rows)
