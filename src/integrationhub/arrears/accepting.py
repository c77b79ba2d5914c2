"""Tells the world of change events that a new verdict accepts, or no longer accepts (csa2003.md §5).

An event for an exception is kept, and nothing is told of it. Once the case is sound, the debt has changed by it; when a
case becomes an exception, what its events behind the book had added is accepted no more.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from integrationhub.intake.messages.case_figures import Figures
from integrationhub.store.event_changes import with_kept_events
from integrationhub.store.unit_of_work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepting:
    """Watches the figures of cases with events while they get new verdicts."""

    figures: tuple[Figures, ...]
    causes: Mapping[str, str] = field(repr=False)

    @classmethod
    def watch(cls, work: Work, case_ids: Collection[str], *, environment: str) -> Self:
        """Watch these cases, whose old verdicts are still there."""
        places = work.worklist.places(with_kept_events(work.connection, case_ids))
        feeds: dict[str, set[str]] = {}
        for case_id, (connector, _, _) in places.items():
            feeds.setdefault(connector, set()).add(case_id)
        figures = tuple(
            Figures.watch(work, cases, connector=connector, environment=environment)
            for connector, cases in sorted(feeds.items())
        )
        return cls(figures=figures, causes={case_id: delivery for case_id, (_, delivery, _) in places.items()})

    def tell(self, *, at: datetime) -> None:
        """Publish what the new verdicts have changed, put down to the newest record of each case."""
        for figures in self.figures:
            figures.tell(self.causes, at=at, again=True)
