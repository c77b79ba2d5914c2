"""Units judged in one transaction: what they want is read at once, then each has its verdict, then all is written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Origin
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.telling import Telling, tellings
from integrationhub.accounts.unit import Judge, Unit, Verdict
from integrationhub.canonical.identifiers import derive
from integrationhub.intake.units import telling
from integrationhub.sdk.messages import Fate
from integrationhub.store.unit_of_work import Work
from integrationhub.store.worklist import WorklistItem

UNITS = "units"
"""What worklist items of units are about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Units with their verdicts, and the book that they changed."""

    book: Book
    judged: Sequence[tuple[Unit, Verdict]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Judges the units of one connector."""

    connector: str
    environment: str
    judge: Judge

    def hear(self, work: Work, units: Sequence[Unit]) -> Session:
        """Judge the units in their order; nothing is written."""
        book = Book(work.accounts.shelf())
        book.fetch(wanted_by(self.judge, units))
        judged = []
        for unit in units:
            book.judging(origin_of(unit))
            judged.append((unit, self.judge.judge(unit, book)))
        return Session(book=book, judged=judged)

    def write(self, work: Work, session: Session, *, at: datetime) -> None:
        """Write what the verdicts changed, put the exceptions on the worklist, and tell the world."""
        told = list(tellings(session.book))
        work.accounts.flush(session.book.changes)
        opened = self.open(work, [item_of(unit, verdict, at=at) for unit, verdict in session.judged if _waits(verdict)])
        self.tell(work, [*told, *opened], at=at)

    def open(self, work: Work, items: Sequence[WorklistItem]) -> list[Telling]:
        """Put items on the worklist; what is to be told of those that were not there."""
        known = work.worklist.known([item.exception_id for item in items])
        new = [item for item in items if item.exception_id not in known]
        work.worklist.open(new)
        return [
            Telling(
                event="worklist.opened",
                subject=item.exception_id,
                data={"worklist_id": item.exception_id, "feed": item.connector, "reason": item.code},
                origin=Origin(
                    delivery_id=item.delivery_id,
                    record=item.record_no or 0,
                    offset=item.byte_offset or 0,
                    mapping_id="",
                    at=item.opened_at,
                ),
            )
            for item in new
        ]

    def tell(self, work: Work, told: Iterable[Telling], *, at: datetime) -> None:
        """Put events into the outbox, one for each audience."""
        telling.tell(work, told, connector=self.connector, environment=self.environment, at=at)


def wanted_by(judge: Judge, units: Iterable[Unit]) -> Wanted:
    """What all of them want of the book, together."""
    names = tuple(Wanted.__dataclass_fields__)
    sets: dict[str, set[Any]] = {name: set() for name in names}
    for unit in units:
        wanted = judge.wants(unit)
        for name in names:
            if found := getattr(wanted, name):
                sets[name] |= found
    return Wanted(**{name: frozenset(found) for name, found in sets.items()})


def origin_of(unit: Unit) -> Origin:
    """Where what follows from a unit is from."""
    return Origin(
        delivery_id=unit.delivery_id,
        record=unit.record,
        offset=unit.offset,
        mapping_id=unit.mapping_id,
        at=unit.at,
    )


def item_of(unit: Unit, verdict: Verdict, *, at: datetime) -> WorklistItem:
    """The worklist item of a unit that a person must decide about."""
    return WorklistItem(
        exception_id=derive("worklist", unit.delivery_id, unit.record, unit.key),
        code=verdict.reason or Fate.EXCEPTION,
        entity=UNITS,
        source_ref=unit.key or None,
        opened_at=at,
        text=f"record {unit.record} can be read, but a person must decide about it: {verdict.reason}{_pages(unit)}",
        connector=unit.feed,
        delivery_id=unit.delivery_id,
        record_no=unit.record,
        byte_offset=unit.offset,
    )


def _pages(unit: Unit) -> str:
    """Where a document's images are, by their names in the kept original."""
    pages = unit.values.get("pages")
    return f"; pages {pages}" if pages else ""


def _waits(verdict: Verdict) -> bool:
    return verdict.fate is Fate.EXCEPTION
