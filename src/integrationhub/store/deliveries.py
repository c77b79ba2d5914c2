"""The inbox: every file and message that was seen, and what became of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, literal, select

from integrationhub.records import Reason
from integrationhub.store.dialect import upsert
from integrationhub.store.schema import DELIVERIES


class Kind(StrEnum):
    """How a delivery came."""

    FILE = "FILE"
    MESSAGE = "MESSAGE"


class State(StrEnum):
    """How far a delivery has come."""

    RECEIVED = "RECEIVED"  # seen and kept, not judged to the end
    HELD = "HELD"  # waits for something that the reasons name
    STAGED = "STAGED"  # every check has passed, nothing loaded yet
    LOADING = "LOADING"  # slices are being merged
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    DUPLICATE = "DUPLICATE"


UNFINISHED = (State.RECEIVED, State.STAGED, State.LOADING)
"""States in which a crash leaves work to take up again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One file or message. `slices` is how many the file was cut into, None until it was staged."""

    delivery_id: str
    connector: str
    kind: Kind = Kind.FILE
    name: str
    sha256: str
    trigger_sha256: str | None = None
    bytes: int
    sequence: int | None = None
    series: str | None = None
    as_at: date | None = None
    book_kind: str | None = None
    state: State
    reasons: tuple[Reason, ...] = ()
    report: Mapping[str, Any] | None = None
    records: int = 0
    slices: int | None = None
    path: str
    original_uri: str | None = None
    received_at: datetime
    completed_at: datetime | None = None


_COLUMNS = tuple(DELIVERIES.c[item.name] for item in fields(Delivery))
"""Without what only messages have (`store.inbox`)."""

# In the statement itself: otherwise a plan for any value could not use the indexes that files alone stand in.
_IS_FILE = DELIVERIES.c.kind == literal(Kind.FILE.value, literal_execute=True)


def _delivery(row: RowMapping) -> Delivery:
    values: dict[str, Any] = {**row}
    values["kind"] = Kind(values["kind"])
    values["state"] = State(values["state"])
    values["reasons"] = tuple(Reason(**reason) for reason in values["reasons"])
    return Delivery(**values)


class Deliveries:
    """Deliveries by identifier; files by sequence number, content and state."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, delivery: Delivery) -> None:
        """Store the delivery as it stands now, new or not."""
        values = asdict(delivery)
        values["reasons"] = [reason.as_dict() for reason in delivery.reasons]
        upsert(self._connection, DELIVERIES, values)

    def get(self, delivery_id: str) -> Delivery | None:
        """The delivery with this identifier."""
        return self._one(DELIVERIES.c.delivery_id == delivery_id)

    def accepted(self, connector: str, sequence: int) -> Delivery | None:
        """The accepted file that used up this number."""
        return self._one(
            _IS_FILE,
            DELIVERIES.c.connector == connector,
            DELIVERIES.c.sequence == sequence,
            DELIVERIES.c.state == State.ACCEPTED,
        )

    def accepted_in(self, connector: str, series: str, sequence: int) -> Delivery | None:
        """The accepted file that used up this number of a series."""
        return self._one(
            _IS_FILE,
            DELIVERIES.c.connector == connector,
            DELIVERIES.c.sequence == sequence,
            DELIVERIES.c.series == series,
            DELIVERIES.c.state == State.ACCEPTED,
        )

    def accepted_as(self, connector: str, name: str) -> list[Delivery]:
        """The accepted files of this name, in the order in which they came."""
        mine = (DELIVERIES.c.connector == connector) & (DELIVERIES.c.name == name)
        return self._all(_IS_FILE, mine, DELIVERIES.c.state == State.ACCEPTED)

    def refused_like(self, delivery: Delivery) -> list[str]:
        """Refused files of this name, or of this number of its series: what waits for them waits no longer."""
        mine = (DELIVERIES.c.connector == delivery.connector) & (DELIVERIES.c.state == State.REJECTED)
        same = DELIVERIES.c.name == delivery.name
        if delivery.sequence is not None and delivery.series is not None:
            same |= (DELIVERIES.c.sequence == delivery.sequence) & (DELIVERIES.c.series == delivery.series)
        statement = select(DELIVERIES.c.delivery_id).where(_IS_FILE, mine, same)
        return list(self._connection.execute(statement).scalars())

    def all_accepted(self, connector: str) -> list[Delivery]:
        """Every accepted file of a connector in sequence order."""
        return self._all(_IS_FILE, DELIVERIES.c.connector == connector, DELIVERIES.c.state == State.ACCEPTED)

    def applied(self, connector: str) -> list[Delivery]:
        """Every message of a connector that was applied, in the order in which they came."""
        of_message = DELIVERIES.c.kind == literal(Kind.MESSAGE.value, literal_execute=True)
        found = self._all(of_message, DELIVERIES.c.connector == connector, DELIVERIES.c.outcome == "LOADED")
        return sorted(found, key=lambda delivery: delivery.received_at)

    def waiting(self, connector: str) -> list[Delivery]:
        """Held files in the order in which they may be taken up."""
        return self._all(_IS_FILE, DELIVERIES.c.connector == connector, DELIVERIES.c.state == State.HELD)

    def unfinished(self, connector: str) -> list[Delivery]:
        """What a crash may have left half done, in sequence order."""
        return self._all(_IS_FILE, DELIVERIES.c.connector == connector, DELIVERIES.c.state.in_(UNFINISHED))

    def same_content(self, connector: str, sha256: str) -> list[Delivery]:
        """Files of these very bytes, in the order in which they came."""
        return self._all(_IS_FILE, DELIVERIES.c.connector == connector, DELIVERIES.c.sha256 == sha256)

    def numbered(self, connector: str, sequence: int) -> list[str]:
        """Files that came under this number, whatever became of them."""
        mine = _IS_FILE & (DELIVERIES.c.connector == connector) & (DELIVERIES.c.sequence == sequence)
        return list(self._connection.execute(select(DELIVERIES.c.delivery_id).where(mine)).scalars())

    def last_file(self, connector: str) -> Delivery | None:
        """The file that came last, whatever became of it and whatever messages have come since."""
        latest = (DELIVERIES.c.received_at.desc(), DELIVERIES.c.sequence.desc(), DELIVERIES.c.delivery_id)
        statement = select(*_COLUMNS).where(_IS_FILE, DELIVERIES.c.connector == connector).order_by(*latest).limit(1)
        row = self._connection.execute(statement).mappings().first()
        return None if row is None else _delivery(row)

    def _one(self, *conditions: ColumnElement[bool]) -> Delivery | None:
        row = self._connection.execute(select(*_COLUMNS).where(*conditions)).mappings().first()
        return None if row is None else _delivery(row)

    def _all(self, *conditions: ColumnElement[bool]) -> list[Delivery]:
        order = (DELIVERIES.c.sequence.asc().nulls_last(), DELIVERIES.c.received_at, DELIVERIES.c.delivery_id)
        rows = self._connection.execute(select(*_COLUMNS).where(*conditions).order_by(*order))
        return [_delivery(row) for row in rows.mappings()]
