"""Judges what accepted files have changed, whenever one was accepted."""

from dataclasses import dataclass

from integrationhub.bootstrap import Hub
from integrationhub.daemon.shift import Shift
from integrationhub.errors import TransientError

LOOK_SECONDS = 1.0
"""Pause between two looks for newly accepted files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """One part of the daemon; a killed one finds what is left to judge in the store."""

    hub: Hub
    shift: Shift
    name: str

    def run(self) -> None:
        """Judge until the shift ends."""
        self.shift.ready.add(self.name)
        judged: object = None
        while not self.shift.stop.is_set():
            try:
                accepted = self.hub.judging().accepted()
                if accepted != judged and self.hub.judge_waiting():
                    judged = accepted
                    self.shift.committed.set()
            except TransientError as exc:
                self.shift.wait(self.name, exc)
            self.shift.stop.wait(LOOK_SECONDS)
