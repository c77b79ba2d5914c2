"""A message of a JSON feed as it was read: its row, what it is about, and its number of that."""

from dataclasses import dataclass
from datetime import date

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.json_body import read_body, require_size
from integrationhub.decode.json_table import JsonTable, Row
from integrationhub.errors import RecordRejected
from integrationhub.intake.messages.signatures import Verifier
from integrationhub.sdk.descriptor import Feed
from integrationhub.sdk.transport import Incoming


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a message says. `number`: None where the feed doesn't number its messages; `as_at`: None without a day."""

    row: Row
    entity_id: str
    number: int | None
    as_at: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeReader:
    """Reads the messages of one feed."""

    connector: str
    feed: Feed
    table: JsonTable
    verifier: Verifier | None

    def read(self, message: Incoming) -> Notice | RecordRejected:
        """The notice, or why it is unusable; checks in the order of benefits-common.md §5."""
        try:
            require_size(message.body, largest=self.feed.largest)
            if self.verifier is not None:
                self.verifier.require(message)
            return self.of_body(message.body)
        except RecordRejected as exc:
            return exc

    def of_body(self, body: bytes) -> Notice:
        """The notice in a body that was let in. RecordRejected."""
        row = self.table.row(read_body(body, largest=self.feed.largest))
        named = [self._given(row, name) for name in self.feed.entity]
        number = None if self.feed.version is None else self._given(row, self.feed.version)
        if number is not None and not isinstance(number, int):
            raise RecordRejected("the body does not fit its schema: its number is none", code="SCHEMA_INVALID")
        return Notice(
            row=row,
            entity_id=derive("entity", self.connector, *named),
            number=number,
            as_at=self._day(row.values[self.feed.as_at]) if self.feed.as_at else None,
        )

    @staticmethod
    def _given(row: Row, name: str) -> object:
        value = row.values[name]
        if value is None or value == "":
            raise RecordRejected(f"the body does not fit its schema: {name} says nothing", code="SCHEMA_INVALID")
        return value

    @staticmethod
    def _day(value: object) -> date | None:
        if not isinstance(value, int):
            return None  # a fault of the row, if it should be there
        return date(value // 10_000, value // 100 % 100, value % 100)
