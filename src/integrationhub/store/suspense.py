"""What waits in suspense, oldest first, page by page; sums for whoever watches it grow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from integrationhub.accounts.entries import Origin, Receipt
from integrationhub.store.account_tables import MONEY
from integrationhub.store.shelf import RECEIPT_COLUMNS, receipt_of

_WAITS = MONEY.c.debt_ref.is_(None) & MONEY.c.case_ref.is_(None) & (MONEY.c.reversed_pence < MONEY.c.amount_pence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Money in suspense, where it came from, and since when."""

    receipt: Receipt
    origin: Origin

    @property
    def since(self) -> datetime:
        """When it came."""
        return self.origin.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which of it. `after`: the position behind which a page begins."""

    reason: str | None = None
    source: str | None = None
    after: int = 0
    limit: int = 100


def waiting(connection: Connection, chosen: Chosen) -> list[Waiting]:
    """What waits, oldest first."""
    conditions: list[ColumnElement[bool]] = [_WAITS, MONEY.c.position > chosen.after]
    if chosen.reason is not None:
        conditions.append(MONEY.c.reason == chosen.reason)
    if chosen.source is not None:
        conditions.append(MONEY.c.source == chosen.source)
    return _read(connection, conditions, limit=chosen.limit)


def receipt(connection: Connection, receipt_id: str) -> Waiting | None:
    """The receipt with this identifier, wherever it is by now."""
    return next(iter(_read(connection, [MONEY.c.receipt_id == receipt_id], limit=1)), None)


def sums(connection: Connection) -> Sequence[Mapping[str, object]]:
    """Receipts and pence that wait, by source and reason, and since when the oldest does."""
    left = func.sum(MONEY.c.amount_pence - MONEY.c.reversed_pence)
    oldest = func.min(MONEY.c.changed_at, type_=MONEY.c.changed_at.type)
    columns = (MONEY.c.source, MONEY.c.reason, func.count().label("receipts"), left.label("pence"))
    statement = select(*columns, oldest.label("oldest")).where(_WAITS).group_by(MONEY.c.source, MONEY.c.reason)
    rows = connection.execute(statement.order_by(MONEY.c.source, MONEY.c.reason)).mappings()
    return [{**row, "pence": int(row["pence"])} for row in rows]


def _read(connection: Connection, conditions: Sequence[ColumnElement[bool]], *, limit: int) -> list[Waiting]:
    own = [MONEY.c[name] for name in RECEIPT_COLUMNS]
    origin = (MONEY.c.delivery_id, MONEY.c.record_no, MONEY.c.byte_offset, MONEY.c.mapping_id, MONEY.c.changed_at)
    statement = select(*own, *origin).where(*conditions).order_by(MONEY.c.position).limit(limit)
    found = []
    for row in connection.execute(statement):
        values = tuple(row)
        delivery_id, record, offset, mapping_id, at = values[len(own) :]
        place = Origin(delivery_id=delivery_id, record=record, offset=offset, mapping_id=mapping_id, at=at)
        found.append(Waiting(receipt=receipt_of(values[: len(own)]), origin=place))
    return found
