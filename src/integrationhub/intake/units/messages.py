"""What the messages of a feed mean that is judged in units: each is one unit, or unusable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import polars as pl

from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.canonical.identifiers import derive
from integrationhub.decode.json_body import read_body, require_size
from integrationhub.errors import RecordRejected
from integrationhub.intake.messages.arrival import Arrival
from integrationhub.intake.messages.signatures import Verifier
from integrationhub.intake.messages.taker import Judged, Judgement, KnownById, New, refused
from integrationhub.intake.units.bench import Bench, Session
from integrationhub.intake.units.heard import Hearing, shown
from integrationhub.intake.units.rows import Arrived, frames_of, units_of
from integrationhub.mapping.compile import CompiledMapping, MappingContext
from integrationhub.records import DecodedBatch
from integrationhub.sdk.messages import Fate, Outcome
from integrationhub.sdk.transport import Incoming
from integrationhub.sdk.units import Row, UnitReader
from integrationhub.store.unit_of_work import Work

_POSITION = {"_record": pl.Int64(), "_offset": pl.Int64()}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitMeaning:
    """See `Meaning`. `hearing` is told every verdict, where somebody listens."""

    bench: Bench
    reader: UnitReader
    mapping: CompiledMapping
    verifier: Verifier | None
    source_system: str
    synthetic_identities: bool
    largest: int
    hearing: Hearing | None = None

    def order_key(self, _message: Incoming) -> str:
        """One for all of them: what feeds remember is seen by every later message."""
        return derive("order", self.bench.connector)

    def read(self, arrivals: Sequence[Arrival]) -> list[Unit | RecordRejected]:
        """See `Meaning`. Messages are mapped a batch at a time."""
        told = [self._rows(arrival.message) for arrival in arrivals]
        good = [place for place, rows in enumerate(told) if not isinstance(rows, RecordRejected)]
        units = self._mapped([arrivals[place] for place in good], [told[place] for place in good])  # type: ignore[misc]
        found = dict(zip(good, units, strict=True))
        unusable = RecordRejected("nothing in the body makes a unit", code="SCHEMA_INVALID")
        return [
            rows if isinstance(rows, RecordRejected) else found[place] or unusable for place, rows in enumerate(told)
        ]

    def judge(
        self, work: Work, arrivals: Sequence[Arrival], read: Sequence[Unit | RecordRejected], _known: KnownById
    ) -> Judgement:
        """See `Meaning`."""
        session = self.bench.hear(work, [unit for unit in read if isinstance(unit, Unit)])
        verdicts, changing = iter(session.judged), session.book.changes.deliveries
        judged = [
            Judged(outcome=refused(arrival, code=item.code, text=item.text))
            if isinstance(item, RecordRejected)
            else Judged(outcome=self._outcome(*next(verdicts)), remembered=arrival.delivery_id in changing)
            for arrival, item in zip(arrivals, read, strict=True)
        ]
        return Judgement(judged=judged, write=partial(self._write, session=session, at=arrivals[-1].at))

    def _rows(self, message: Incoming) -> Mapping[str, Sequence[Row]] | RecordRejected:
        """The rows of a message; checks in the order of benefits-common.md §5."""
        try:
            require_size(message.body, largest=self.largest)
            if self.verifier is not None:
                self.verifier.require(message)
            return self.reader.read(message, read_body(message.body, largest=self.largest))
        except RecordRejected as exc:
            return exc

    def _mapped(self, arrivals: Sequence[Arrival], told: Sequence[Mapping[str, Sequence[Row]]]) -> list[Unit | None]:
        if not arrivals:
            return []
        context = MappingContext(
            delivery_id="",
            sequence=0,
            as_at=arrivals[0].at.date(),
            source_system=self.source_system,
            synthetic_identities=self.synthetic_identities,
        )
        batch = self.mapping.apply(DecodedBatch(tables=self._tables(told)), context)
        common = Arrived(feed=self.bench.connector, delivery_id="", at=arrivals[0].at, as_at=None)
        units: dict[int, Unit] = {}
        for unit in units_of(frames_of(batch), common):
            units.setdefault(unit.record, unit)
        return [_of(units.get(number), arrival) for number, arrival in enumerate(arrivals, start=1)]

    def _tables(self, told: Sequence[Mapping[str, Sequence[Row]]]) -> dict[str, Any]:
        """The rows of all messages; `_record` is the place of their message among them."""
        tables = {}
        for table, fields in self.reader.layout.items():
            rows = [
                {**row, "_record": number, "_offset": 0}
                for number, message in enumerate(told, start=1)
                for row in message.get(table, ())
            ]
            tables[table] = pl.DataFrame(rows, schema={**fields, **_POSITION}).to_arrow()
        return tables

    def _outcome(self, unit: Unit, verdict: Verdict) -> Outcome:
        if self.hearing is not None:
            self.hearing.of(unit.delivery_id).records = [shown(unit, verdict)]
        code = verdict.reason or (Fate.DUPLICATE if verdict.fate is Fate.DUPLICATE else None)
        return Outcome(fate=verdict.fate, code=code, text=_TEXTS.get(verdict.fate), delivery_id=unit.delivery_id)

    def _write(self, work: Work, _new: New, *, session: Session, at: datetime) -> None:
        self.bench.write(work, session, at=at)


_TEXTS = {
    Fate.DUPLICATE: "it was taken before, or what is held is newer; nothing changes",
    Fate.EXCLUDED: "it is valid, and deliberately not loaded",
    Fate.EXCEPTION: "it can be read, but a person must decide about it",
    Fate.REJECTED: "it is unusable; nothing of it is loaded",
}


def _of(unit: Unit | None, arrival: Arrival) -> Unit | None:
    """The unit of a batch as that of its message."""
    if unit is None:
        return None
    return replace(unit, delivery_id=arrival.delivery_id, record=1, offset=0, at=arrival.at)
