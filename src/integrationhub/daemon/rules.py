"""The part that applies the rules of the quarantine."""

from dataclasses import dataclass

from integrationhub.bootstrap import Hub
from integrationhub.daemon.shift import Shift
from integrationhub.errors import TransientError
from integrationhub.quarantine.rules import RuleBook

LOOK_SECONDS = 5.0
"""Pause between two looks for items that a rule means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleKeeper:
    """Lets rules do what they do, each to an item once."""

    hub: Hub
    shift: Shift
    name: str

    def run(self) -> None:
        """Apply rules until the shift ends."""
        book = RuleBook(desk=self.hub.quarantine)
        while not self.shift.stop.is_set():
            try:
                if book.run():
                    self.shift.committed.set()
                self.shift.ready.add(self.name)
            except TransientError as exc:
                self.shift.ready.discard(self.name)
                self.shift.wait(self.name, exc)
            self.shift.stop.wait(LOOK_SECONDS)
