"""Applied messages as canonical rows: mapped a batch at a time by the connector's specs, each row with its origin."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from integrationhub.decode.json_table import JsonTable
from integrationhub.intake.messages.order import Applied, in_turns
from integrationhub.mapping.compile import CompiledMapping, MappingContext
from integrationhub.records import CanonicalBatch, Reason
from integrationhub.store.upserting import Columns

_REPEATED = "KEY_REPEATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """Rows to be written one part after the other, and the messages that can't be mapped, with their first fault."""

    parts: Sequence[Mapping[str, Columns]]
    faults: Mapping[str, Reason]  # by delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedMapping:
    """Maps the messages of one feed."""

    table: JsonTable
    mapping: CompiledMapping
    source_system: str
    synthetic_identities: bool

    def rows(self, applied: Sequence[Applied]) -> Mapped:
        """The rows of messages that apply, those about one thing in their order."""
        parts: list[Mapping[str, Columns]] = []
        faults: dict[str, Reason] = {}
        for turn in in_turns(applied):
            for part, batch in self._batches(turn):
                found = dict(_reasons(part, batch))
                faults |= found
                if not found:
                    parts.append({name: _with_origin(rows, part) for name, rows in batch.rows.items()})
        return Mapped(parts=parts, faults=faults)

    def _batches(self, turn: list[Applied]) -> Iterator[tuple[list[Applied], CanonicalBatch]]:
        """All at once; one by one where messages about different things bring the same row."""
        batch = self._map(turn)
        if len(turn) > 1 and batch.faults.get_column("code").eq(_REPEATED).any():
            for one in turn:
                yield [one], self._map([one])
        else:
            yield turn, batch

    def _map(self, part: Sequence[Applied]) -> CanonicalBatch:
        message = part[0].message
        context = MappingContext(
            delivery_id="",
            sequence=0,
            as_at=message.notice.as_at or message.arrival.at.date(),
            source_system=self.source_system,
            synthetic_identities=self.synthetic_identities,
        )
        return self.mapping.apply(self.table.batch([one.message.notice.row for one in part]), context)


def _reasons(part: Sequence[Applied], batch: CanonicalBatch) -> Iterator[tuple[str, Reason]]:
    """The first fault of each faulty message; never its value."""
    for row in batch.faults.unique("record", keep="first", maintain_order=True).iter_rows(named=True):
        text = f"{row['field']} can't be used; the message changes nothing until it comes corrected"
        yield part[row["record"] - 1].message.delivery_id, Reason(code=row["code"], text=text, field=row["field"])


def _with_origin(rows: pl.DataFrame, part: Sequence[Applied]) -> Columns:
    """The rows by column, with the delivery and number of their message in place of their number in the batch."""
    places = [number - 1 for number in rows.get_column("record_no").to_list()]
    return {column.name: column.to_list() for column in rows.get_columns()} | {
        "delivery_id": [part[place].message.delivery_id for place in places],
        "version": [part[place].number for place in places],
        "record_no": [1] * len(places),
    }
