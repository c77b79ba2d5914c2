"""The quarantine: messages and files that could not be taken, byte for byte, until somebody has decided.

An item's first version is what came; a correction is a further version beside it. Bodies of more than INLINE_BYTES lie
among the originals, and the item holds their hash.

    OPEN ──resubmit──▶ RESUBMITTED     it was taken this time; a failure leaves it OPEN, with its attempts counted
      ├────discard───▶ DISCARDED ──undo──▶ OPEN
      └──────────────▶ RESOLVED        the source delivered a corrected file
"""

import base64
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, delete, func, insert, select, update

from integrationhub.errors import Conflict, NotFound
from integrationhub.store.deliveries import Kind
from integrationhub.store.dialect import affected, insert_into, insert_new
from integrationhub.store.quarantine_history import QuarantineHistory
from integrationhub.store.quarantine_rules import QuarantineRules
from integrationhub.store.quarantine_tables import QUARANTINE, QUARANTINE_BODIES, QUARANTINE_LABELS

INLINE_BYTES = 64 * 1024
"""Bodies up to this size lie in the store itself, larger ones among the originals."""

_IDS_PER_STATEMENT = 500


class QuarantineState(StrEnum):
    """How far an item has come; OPEN ones wait for somebody."""

    OPEN = "OPEN"
    RESUBMITTED = "RESUBMITTED"
    RESOLVED = "RESOLVED"
    DISCARDED = "DISCARDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineItem:
    """One message or file. `text` and where it came from hold nothing personal; headers and body may.

    `body` is set when an item is added, unless the bytes are kept as an original; `Quarantine.body` reads it.
    """

    quarantine_id: str
    kind: Kind
    connector: str
    delivery_id: str | None = None
    code: str
    text: str
    queue: str | None = None
    exchange: str | None = None
    routing_key: str | None = None
    message_id: str | None = None
    path: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    content_type: str | None = None
    body: bytes | None = field(default=None, repr=False)
    sha256: str
    bytes: int
    version: int = 1
    attempts: int = 1
    resubmits: int = 0
    received_at: datetime
    quarantined_at: datetime
    state: QuarantineState = QuarantineState.OPEN
    owner: str | None = None
    settled_at: datetime | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One version of an item's bytes. `body` is None where they lie among the originals under `sha256`."""

    version: int
    corrects: int | None
    body: bytes | None = field(repr=False)
    sha256: str
    bytes: int
    made_at: datetime
    made_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineFilter:
    """Which items are meant: those for which all that is set holds."""

    ids: frozenset[str] | None = None
    connector: str | None = None
    code: str | None = None
    kind: str | None = None
    state: str | None = None
    queue: str | None = None
    label: str | None = None
    owner: str | None = None
    delivery_id: str | None = None
    since: datetime | None = None  # quarantined then or later
    until: datetime | None = None  # quarantined before


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineGroup:
    """How many items share connector, kind and reason, and since when the oldest of them is there."""

    connector: str
    kind: str
    code: str
    count: int
    oldest: datetime


_STORED = [item.name for item in fields(QuarantineItem) if item.name not in ("body", "labels")]


class Quarantine:
    """Items by identifier and filter, their bodies and labels; what was done to them, and rules."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.history = QuarantineHistory(connection)
        self.rules = QuarantineRules(connection)
        self._trying = False

    def add(self, items: Iterable[QuarantineItem]) -> int:
        """Put items in; one that is there already stays as it is. How many are new."""
        return 0 if self._trying else sum(self._add(item) for item in items)

    def add_again(self, items: Iterable[QuarantineItem]) -> None:
        """Put items in; of one that is there the reason is brought up to date, and if it was settled it opens again."""
        for item in items:
            if not self._add(item):
                mine = QUARANTINE.c.quarantine_id == item.quarantine_id
                again = update(QUARANTINE).where(mine, QUARANTINE.c.state != QuarantineState.OPEN)
                opened = {"state": QuarantineState.OPEN, "quarantined_at": item.quarantined_at, "settled_at": None}
                self._connection.execute(again.values(**opened))
                self.failed(item.quarantine_id, code=item.code, text=item.text)

    def _add(self, item: QuarantineItem) -> bool:
        values = {name: _storable(getattr(item, name)) for name in _STORED}
        values["headers"] = plain_headers(item.headers)
        if not insert_new(self._connection, QUARANTINE, values):
            return False
        body = Body(
            version=1,
            corrects=None,
            body=item.body,
            sha256=item.sha256,
            bytes=item.bytes,
            made_at=item.received_at,
            made_by=None,
        )
        self._insert_body(item.quarantine_id, body)
        self.label([item.quarantine_id], item.labels)
        return True

    def get(self, quarantine_id: str) -> QuarantineItem:
        """One item, without its body. NotFound."""
        found = self.items(QuarantineFilter(ids=frozenset([quarantine_id])), limit=1)
        if not found:
            raise _unknown(quarantine_id)
        return found[0]

    def claim(self, quarantine_id: str, *states: QuarantineState) -> QuarantineItem:
        """One item, locked until the transaction ends. NotFound; Conflict when it is in none of these states."""
        statement = select(QUARANTINE).where(QUARANTINE.c.quarantine_id == quarantine_id).with_for_update()
        row = self._connection.execute(statement).mappings().first()
        if row is None:
            raise _unknown(quarantine_id)
        (item,) = self._with_labels([row])
        if item.state not in states:
            raise Conflict(
                f"quarantined item {quarantine_id} is {item.state}",
                code="QUARANTINE_STATE",
                remedy="look at it with `integrationhub quarantine show`",
            )
        return item

    def items(
        self, chosen: QuarantineFilter = QuarantineFilter(), *, limit: int | None = None, after: str | None = None
    ) -> list[QuarantineItem]:
        """Items without their bodies, oldest first; with `after` those that follow that item."""
        statement = select(QUARANTINE).where(*_conditions(chosen))
        order = (QUARANTINE.c.quarantined_at, QUARANTINE.c.quarantine_id)
        if after is not None:
            last = self.get(after)
            same = (order[0] == last.quarantined_at) & (order[1] > last.quarantine_id)
            statement = statement.where((order[0] > last.quarantined_at) | same)
        rows = self._connection.execute(statement.order_by(*order).limit(limit)).mappings()
        return self._with_labels(list(rows))

    def groups(self, chosen: QuarantineFilter = QuarantineFilter()) -> list[QuarantineGroup]:
        """How many items there are for each reason, most first."""
        key = (QUARANTINE.c.connector, QUARANTINE.c.kind, QUARANTINE.c.code)
        oldest = func.min(QUARANTINE.c.quarantined_at, type_=QUARANTINE.c.quarantined_at.type)
        statement = select(*key, func.count().label("count"), oldest.label("oldest")).where(*_conditions(chosen))
        rows = self._connection.execute(statement.group_by(*key).order_by(func.count().desc(), *key)).mappings()
        return [QuarantineGroup(**row) for row in rows]

    def body(self, quarantine_id: str, version: int) -> Body:
        """One version. NotFound."""
        found = [item for item in self.bodies(quarantine_id) if item.version == version]
        if not found:
            raise NotFound(f"quarantined item {quarantine_id} has no version {version}")
        return found[0]

    def bodies(self, quarantine_id: str) -> list[Body]:
        """All versions, the original first."""
        columns = [QUARANTINE_BODIES.c[item.name] for item in fields(Body)]
        statement = select(*columns).where(QUARANTINE_BODIES.c.quarantine_id == quarantine_id)
        rows = self._connection.execute(statement.order_by(QUARANTINE_BODIES.c.version)).mappings()
        return [Body(**row) for row in rows]

    def add_version(self, item: QuarantineItem, body: Body) -> int:
        """Put a further version beside the others, made from the item's present one; its number."""
        number = len(self.bodies(item.quarantine_id)) + 1
        self._insert_body(item.quarantine_id, replace(body, version=number, corrects=item.version))
        return number

    def use_version(self, quarantine_id: str, version: int) -> None:
        """Let the next resubmission take this version; its tries begin anew."""
        self._change([quarantine_id], version=version, resubmits=0)

    def settle(self, quarantine_ids: Sequence[str], state: QuarantineState, *, at: datetime | None) -> int:
        """Bring items into a state; how many there were."""
        return self._change(quarantine_ids, state=state, settled_at=at)

    def count_try(self, item: QuarantineItem) -> None:
        """Count one more try of the item: before it is made, so that one which kills its process is counted too."""
        self._change([item.quarantine_id], attempts=item.attempts + 1, resubmits=item.resubmits + 1)

    def failed(self, quarantine_id: str, *, code: str, text: str) -> None:
        """Let the item stand there for the reason of its last try."""
        self._change([quarantine_id], code=code, text=text)

    @contextmanager
    def trying(self) -> Iterator[None]:
        """While an item is tried again inside this transaction, `add` puts nothing in: it is there."""
        self._trying = True
        try:
            yield
        finally:
            self._trying = False

    def among(self, quarantine_ids: Iterable[str], state: QuarantineState) -> list[str]:
        """Those of the items that are in this state, locked until the transaction ends."""
        found: list[str] = []
        ordered = sorted(set(quarantine_ids))
        for start in range(0, len(ordered), _IDS_PER_STATEMENT):
            part = QUARANTINE.c.quarantine_id.in_(ordered[start : start + _IDS_PER_STATEMENT])
            statement = select(QUARANTINE.c.quarantine_id).where(part, QUARANTINE.c.state == state)
            found += self._connection.execute(
                statement.order_by(QUARANTINE.c.quarantine_id).with_for_update()
            ).scalars()
        return found

    def waiting_for(self, delivery_ids: Collection[str]) -> list[str]:
        """Open items that keep one of these deliveries; none while an item is tried again: whoever tries settles it."""
        if self._trying:
            return []
        mine = QUARANTINE.c.delivery_id.in_(sorted(delivery_ids))
        waiting = select(QUARANTINE.c.quarantine_id).where(mine, QUARANTINE.c.state == QuarantineState.OPEN)
        return sorted(self._connection.execute(waiting).scalars())

    def assign(self, quarantine_ids: Sequence[str], owner: str) -> int:
        """Give items to somebody; how many there were."""
        return self._change(quarantine_ids, owner=owner)

    def label(self, quarantine_ids: Sequence[str], labels: Iterable[str]) -> None:
        """Add labels; those that are there stay."""
        rows = [{"quarantine_id": item, "label": label} for item in quarantine_ids for label in sorted(set(labels))]
        statement = insert_into(self._connection.dialect.name, QUARANTINE_LABELS)
        for start in range(0, len(rows), _IDS_PER_STATEMENT):
            part = rows[start : start + _IDS_PER_STATEMENT]
            self._connection.execute(statement.values(part).on_conflict_do_nothing())

    def unlabel(self, quarantine_ids: Sequence[str], label: str) -> None:
        """Take a label away."""
        for start in range(0, len(quarantine_ids), _IDS_PER_STATEMENT):
            part = QUARANTINE_LABELS.c.quarantine_id.in_(quarantine_ids[start : start + _IDS_PER_STATEMENT])
            self._connection.execute(delete(QUARANTINE_LABELS).where(part, QUARANTINE_LABELS.c.label == label))

    def _change(self, quarantine_ids: Sequence[str], **values: object) -> int:
        changed = 0
        for start in range(0, len(quarantine_ids), _IDS_PER_STATEMENT):
            part = QUARANTINE.c.quarantine_id.in_(quarantine_ids[start : start + _IDS_PER_STATEMENT])
            changed += affected(self._connection, update(QUARANTINE).where(part).values(**values))
        return changed

    def _insert_body(self, quarantine_id: str, body: Body) -> None:
        values = {item.name: getattr(body, item.name) for item in fields(Body)}
        self._connection.execute(insert(QUARANTINE_BODIES).values(quarantine_id=quarantine_id, **values))

    def _with_labels(self, rows: Sequence[RowMapping]) -> list[QuarantineItem]:
        labels: dict[str, list[str]] = {}
        ids = [row["quarantine_id"] for row in rows]
        for start in range(0, len(ids), _IDS_PER_STATEMENT):
            part = QUARANTINE_LABELS.c.quarantine_id.in_(ids[start : start + _IDS_PER_STATEMENT])
            for row in self._connection.execute(select(QUARANTINE_LABELS).where(part)):
                labels.setdefault(row.quarantine_id, []).append(row.label)
        return [_item(row, labels.get(row["quarantine_id"], [])) for row in rows]


def _item(row: RowMapping, labels: Iterable[str]) -> QuarantineItem:
    values: dict[str, Any] = {name: row[name] for name in _STORED}
    values |= {"kind": Kind(row["kind"]), "state": QuarantineState(row["state"]), "labels": tuple(sorted(labels))}
    return QuarantineItem(**values)


def _conditions(chosen: QuarantineFilter) -> list[ColumnElement[bool]]:
    equal = ("connector", "code", "kind", "state", "queue", "owner", "delivery_id")
    wanted = {name: getattr(chosen, name) for name in equal}
    conditions: list[ColumnElement[bool]] = [
        QUARANTINE.c[name] == value for name, value in wanted.items() if value is not None
    ]
    if chosen.ids is not None:
        conditions.append(QUARANTINE.c.quarantine_id.in_(sorted(chosen.ids)))
    if chosen.since is not None:
        conditions.append(QUARANTINE.c.quarantined_at >= chosen.since)
    if chosen.until is not None:
        conditions.append(QUARANTINE.c.quarantined_at < chosen.until)
    if chosen.label is not None:
        labelled: Select[Any] = select(QUARANTINE_LABELS.c.quarantine_id).where(
            QUARANTINE_LABELS.c.label == chosen.label
        )
        conditions.append(QUARANTINE.c.quarantine_id.in_(labelled))
    return conditions


def _storable(value: object) -> object:
    """The value with zero octets replaced, which PostgreSQL's text holds none of: senders can write them."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if type(value) is str else value


def plain_headers(headers: Mapping[str, object]) -> dict[str, object]:
    """Headers as JSON can hold them: moments as ISO text, bytes as base64, anything else unknown as its text."""
    return {str(name): _plain(value) for name, value in headers.items()}


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return plain_headers(value)
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return str(value)


def _unknown(quarantine_id: str) -> NotFound:
    return NotFound(
        f"there is no quarantined item {quarantine_id}",
        code="QUARANTINE_UNKNOWN",
        remedy="`integrationhub quarantine list` shows what there is",
    )
