"""Faults of a document, kept by the check that found them; the first check in the document's order is reported."""

from dataclasses import dataclass, field
from typing import Literal

from integrationhub.records import Reason
from integrationhub.sdk.descriptor import DocumentCodes

Check = Literal["header", "oversize", "compression", "doctype", "wellformed", "root", "invalid", "count", "control"]
ORDER: tuple[Check, ...] = (
    "header", "oversize", "compression", "doctype", "wellformed", "root", "invalid", "count", "control",
)  # fmt: skip
"""The order in which checks are judged. Two of them share a code: a damaged container and a damaged document."""


class Stop(Exception):
    """Reading ends here: what was noted is enough to refuse the file."""


@dataclass(slots=True)
class Faults:
    """What was found so far; of each check the first fault counts."""

    codes: DocumentCodes
    header_code: str = "HEADER"  # of a root element that says otherwise than the trigger file
    found: dict[Check, Reason] = field(default_factory=dict)

    def note(
        self, check: Check, text: str, *, record: int | None = None, offset: int | None = None, name: str | None = None
    ) -> None:
        """Keep a fault unless this check has one that stands earlier in the file."""
        known = self.found.get(check)
        if known is None or (record or 0) < (known.record or 0):
            reason = Reason(code=self._code(check), text=text, record=record, offset=offset, field=name)
            self.found[check] = reason

    def first(self) -> Reason | None:
        """The fault that is reported."""
        return next((self.found[check] for check in ORDER if check in self.found), None)

    def _code(self, check: Check) -> str:
        return {
            "header": self.header_code,
            "oversize": self.codes.oversize,
            "compression": self.codes.damaged,
            "doctype": self.codes.doctype,
            "wellformed": self.codes.damaged,
            "root": self.codes.root,
            "invalid": self.codes.invalid,
            "count": self.codes.count,
            "control": self.codes.control,
        }[check]
