"""Writes an estate: for every night the books' files with their triggers and the truth, in bounded memory."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from integrationhub.decode.encode import RecordEncoder
from integrationhub.estate.book import CaseGroup, SourceGroup
from integrationhub.estate.clerical_file import ClericalWriter
from integrationhub.estate.clerical_outcomes import judge_clerical
from integrationhub.estate.csa1993_file import ExtractWriter
from integrationhub.estate.csa2003_file import Csa2003Writer
from integrationhub.estate.events import History2003
from integrationhub.estate.events_file import EventsWriter
from integrationhub.estate.nights import Estate, Tonight
from integrationhub.estate.outcomes import judge
from integrationhub.estate.rules import SCHEME_1993, SCHEME_2003
from integrationhub.estate.truth import TruthWriter

TRUTH = "expected.json"
EVENTS = "events.jsonl"
CONNECTORS = {"93": "csa1993", "03": "csa2003", "CL": "clerical"}
"""Book → the connector that takes its files."""


class Controls(Protocol):
    """What a file says of itself."""

    @property
    def records(self) -> int:
        """As in the trigger file."""

    def as_dict(self) -> dict[str, object]:
        """In the shape of `control` in the samples' expected.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookFile:
    """One book's file of a night."""

    book: str
    connector: str
    data: Path
    trigger: Path
    controls: Controls


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """One night's files; `events` is the capture of what happens to 2003 cases behind the extract. `accuracy` tells, by
    book, how many cases the source has right and how they end.
    """

    files: tuple[BookFile, ...]
    events: Path | None
    truth: Path
    accuracy: Mapping[str, Mapping[str, object]]

    @property
    def data(self) -> Path:
        """The first book's data file."""
        return self.files[0].data

    @property
    def trigger(self) -> Path:
        """The first book's trigger file."""
        return self.files[0].trigger

    def file_of(self, connector: str) -> BookFile:
        """The file of the book that this connector takes."""
        return next(file for file in self.files if file.connector == connector)


def generate(
    out: Path, estate: Estate, encoder: RecordEncoder, *, progress: Callable[[int], None] | None = None
) -> list[Generated]:
    """Write all nights of an estate into the folder `out`, which is made if it is missing.

    The same estate gives the same bytes. The truth after the last night is expected.json; those after the nights
    before have the sequence number in their names. `progress` is called with 1 for every case group and night.
    """
    out.mkdir(parents=True, exist_ok=True)
    return [
        _write_night(out, estate, encoder, night, progress or (lambda _: None))
        for night in range(estate.last_night + 1)
    ]


class _Writers:
    """The files of one night, as far as the estate has their books."""

    def __init__(self, out: Path, estate: Estate, encoder: RecordEncoder, night: int, stack: ExitStack) -> None:
        delivery = self._delivery = estate.delivery(night)
        self._extract = self._csa2003 = self._clerical = self.events = None
        if "93" in estate.books:
            self._extract = stack.enter_context(ExtractWriter(out, delivery, encoder))
        if "03" in estate.books:
            self._csa2003 = stack.enter_context(Csa2003Writer(out, delivery))
            self.events = stack.enter_context(
                EventsWriter(
                    _named(out, EVENTS, estate, night), seed=estate.seed, night=night, baseline=delivery.sequence
                )
            )
        if "CL" in estate.books:
            self._clerical = stack.enter_context(ClericalWriter(out, delivery, estate.seed))

    def write(self, group: CaseGroup, touched: set[int] | None) -> None:
        """Write a case group, or only these source groups of it; the clerical book is always whole."""
        sources = [source for source in group.source_groups if touched is None or source.number in touched]
        if self._extract:
            for source in sources:
                if source.rules is SCHEME_1993:
                    self._extract.write(source)
        if self._csa2003:
            self._csa2003.write(CaseGroup(index=group.index, source_groups=sources))
        if self._clerical:
            for case in group.clerical:
                self._clerical.write(case)

    def write_events(self, history: History2003, source: SourceGroup) -> Mapping[str, object]:
        """Write what happens to a case behind the extract; gives what must come of it."""
        return self.events.write(history, source, self._delivery.as_at) if self.events else {}

    def files(self) -> Iterator[BookFile]:
        """What was written, by book."""
        for book, writer in (("93", self._extract), ("03", self._csa2003), ("CL", self._clerical)):
            if writer:
                yield BookFile(
                    book=book,
                    connector=CONNECTORS[book],
                    data=writer.path,
                    trigger=writer.trigger,
                    controls=writer.controls,
                )


def _named(out: Path, name: str, estate: Estate, night: int) -> Path:
    """The name of the last night's file; those of the nights before have the number in it."""
    if night == estate.last_night:
        return out / name
    stem, _, suffix = name.partition(".")
    return out / f"{stem}.S{estate.delivery(night).sequence:06d}.{suffix}"


def _write_night(
    out: Path, estate: Estate, encoder: RecordEncoder, night: int, progress: Callable[[int], None]
) -> Generated:
    delivery = estate.delivery(night)
    place = _named(out, TRUTH, estate, night)
    head = {"seed": estate.seed, "asat": delivery.as_at.isoformat(), "files": estate.file_names(night)}
    with TruthWriter(place, head=head, books=estate.books) as truth, ExitStack() as stack:
        writers = _Writers(out, estate, encoder, night, stack)
        changed: list[Tonight] = []
        for index in range(estate.groups):
            state = estate.case_group(index, night)
            if state:
                cases = judge(state.group, delivery.as_at) + judge_clerical(state.group, delivery.as_at)
                truth.add(state.group, cases)
                changed += [state] if state.touched else []
                writers.write(state.group, state.touched if delivery.correction else None)
                for source, history in estate.histories(state.group, night):
                    truth.add_events(history.case.key, writers.write_events(history, source))
            elif delivery.correction and estate.nights[night - 1].withdrawn == index:
                gone = list(estate.withdrawn_groups(estate.nights[night - 1]))
                writers.write(CaseGroup(index=index, source_groups=gone), None)
            progress(1)
        files = tuple(writers.files())
        control = {file.data.name: file.controls.as_dict() for file in files}
        if writers.events:
            truth.close_events_with(writers.events.counts())
        truth.close_with(control=control, **_news(estate, night, changed))
    events = writers.events.path if writers.events else None
    return Generated(files=files, events=events, truth=place, accuracy=truth.accuracy())


def _news(estate: Estate, night: int, changed: list[Tonight]) -> dict[str, object]:
    """What a later night has changed, by source group and 2003 case; nothing for the first book."""
    if night == 0:
        return {}
    plan = estate.nights[night - 1]
    gone = estate.replay(plan.gone, estate.nights[: night - 1]) if plan.gone is not None else None
    touched = [
        source for state in changed for source in state.group.source_groups if source.number in state.touched
    ]  # fmt: skip
    news: dict[str, object] = {
        "kind": "CORRECTION" if plan.correction else "FULL",
        "changed": sorted(source.number for source in touched if source.rules is SCHEME_1993),
        "gone": [source.number for source in gone.group.source_groups] if gone else [],
        "withdrawn": [source.number for source in estate.withdrawn_groups(plan)] if plan.correction else [],
        "moved": plan.move.ref if plan.move else None,
    }
    cases = [case.key for source in touched if source.rules is SCHEME_2003 for case in source.cases]
    return {**news, "changed_cases": cases} if "03" in estate.books else news
