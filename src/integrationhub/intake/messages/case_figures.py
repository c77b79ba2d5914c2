"""What change events do to debts, told to the world when they come or are accepted later, and to people where an event
moves nothing that it should.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from integrationhub.canonical.identifiers import derive
from integrationhub.intake.changes import INTERNAL, debt_events, worklist_events
from integrationhub.store.debts import no_changes
from integrationhub.store.event_changes import Told, told, with_events
from integrationhub.store.unit_of_work import Work
from integrationhub.store.worklist import WorklistItem

TARGET_UNKNOWN = "EVENT_TARGET_UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Watches the figures of cases while events are kept or verdicts replaced: made before that, told from after it."""

    work: Work
    connector: str
    environment: str
    before: Told
    case_ids: Collection[str] = field(repr=False)

    @classmethod
    def watch(cls, work: Work, case_ids: Collection[str], *, connector: str, environment: str) -> "Figures":
        """Watch these cases."""
        before = told(work.connection, case_ids)
        return cls(work=work, connector=connector, environment=environment, before=before, case_ids=case_ids)

    def tell(self, causes: Mapping[str, str], *, at: datetime, again: bool = False) -> None:
        """Publish what events have changed by now, and put on the worklist what they could not.

        `causes`: case → the delivery that it is put down to. `again`: that delivery may have changed the debt before.
        """
        after = told(self.work.connection, self.case_ids)
        changes = with_events(self.work.connection, no_changes(), before=self.before, after=after)
        caused = changes.with_columns(
            pl.col("case_id").replace_strict(causes, return_dtype=pl.String).alias("delivery_id")
        )
        before = self.work.outbox.counts(changes["debt_id"].to_list(), INTERNAL) if again else None
        place = {"environment": self.environment, "connector": self.connector}
        self.work.outbox.add(debt_events(caused, **place, delivery_id=pl.col("delivery_id"), before=before), at=at)
        for item in self._lost(after, at):
            if self.work.worklist.open([item]):
                self.work.outbox.add(worklist_events([item], **place, delivery_id=item.delivery_id), at=at)

    def _lost(self, after: Told, at: datetime) -> list[WorklistItem]:
        return [
            WorklistItem(
                exception_id=derive("worklist", TARGET_UNKNOWN, effect.case_id, step.event.case_seq),
                code=TARGET_UNKNOWN,
                entity="cases",
                source_ref=effect.case_id,
                opened_at=at,
                text="the event names a schedule or transaction that its case does not have: no figure is changed",
                connector=self.connector,
                delivery_id=step.event.delivery_id,
            )
            for effect in after.values()
            for step in effect.steps
            if step.is_lost
        ]
