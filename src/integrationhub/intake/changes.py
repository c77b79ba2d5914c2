"""What a merged slice tells the world: events for debts that came, changed or went, and for work that waits.

Source: outbound-events.md. A load publishes to internal systems only; nothing of it reaches a parent. Events are built
as columns and written to the outbox in the transaction of the change.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from integrationhub.canonical.identifier_columns import derive_column
from integrationhub.canonical.identifiers import derive
from integrationhub.intake.staging import Quarantined
from integrationhub.publish.cloudevents import event_source
from integrationhub.store.outbox import EVENT_SCHEMA
from integrationhub.store.worklist import WorklistItem

INTERNAL = "internal"

_TYPES = {"CREATED": "debt.created", "CHANGED": "debt.changed", "REMOVED": "debt.removed"}

_DESCRIBED: Mapping[str, str | None] = {
    "debt_ref": "debt_id",
    "source_system": "source_system",
    "type": "kind",
    "benefit": None,  # no source names one yet
    "status": "status",
    "balance_pence": "new_pence",
}
_DATA: Mapping[str, Mapping[str, str | None]] = {
    "CREATED": _DESCRIBED,
    "CHANGED": {**_DESCRIBED, "changed": "changed"},
    "REMOVED": {"debt_ref": "debt_id", "balance_pence": "old_pence"},
}
"""What an event about a debt tells: its names, and the columns of the change (store.debts.CHANGE_SCHEMA)."""


def debt_events(
    changes: pl.DataFrame,
    *,
    environment: str,
    connector: str,
    delivery_id: str | pl.Expr,
    before: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """Events (store.outbox.EVENT_SCHEMA) for debt changes (store.debts.CHANGE_SCHEMA), in their order.

    `delivery_id`: of the delivery that brought them all, or a column of `changes` that names each one's. `before`: how
    many events each debt has had, where a delivery may change the same debt more than once; else it does so once.
    """
    change = pl.col("change")
    created, changed, removed = (_encoded(_DATA[kind]) for kind in ("CREATED", "CHANGED", "REMOVED"))
    data = pl.when(change == "CREATED").then(created).when(change == "CHANGED").then(changed).otherwise(removed)
    rows = changes.select(
        change.replace_strict(_TYPES, return_dtype=pl.String).alias("type"),
        pl.col("debt_id").alias("subject"),
        data.alias("data"),
        (pl.lit(delivery_id) if isinstance(delivery_id, str) else delivery_id).alias("correlation_id"),
    )
    if before is None:
        return _events(rows, environment=environment, connector=connector)
    count = pl.col("subject").replace_strict(before, default=0, return_dtype=pl.Int64).cast(pl.String)
    return _events(rows, count, environment=environment, connector=connector)


def _encoded(data: Mapping[str, str | None]) -> pl.Expr:
    told = (
        (name, pl.lit(None, dtype=pl.String) if column is None else pl.col(column)) for name, column in data.items()
    )
    return pl.struct(*(column.alias(name) for name, column in told)).struct.json_encode()


def debt_event_rows(
    changes: Sequence[Mapping[str, Any]], deliveries: Mapping[str, str], *, environment: str, connector: str
) -> Mapping[str, Sequence[object]]:
    """The same for a few changes, by column; `deliveries` names the delivery that changed a debt.

    One event costs a twentieth of what it does as a frame, which is most of what a message has time for.
    """
    types = [_TYPES[row["change"]] for row in changes]
    subjects = [row["debt_id"] for row in changes]
    caused = [deliveries[subject] for subject in subjects]
    keys = zip(types, subjects, caused, strict=True)
    return {
        "event_id": [derive("event", kind, subject, INTERNAL, delivery) for kind, subject, delivery in keys],
        "type": types,
        "source": [event_source(environment, connector)] * len(types),
        "subject": subjects,
        "audience": [INTERNAL] * len(types),
        "correlation_id": caused,
        "routing_key": [f"{INTERNAL}.{kind}" for kind in types],
        "data": [_data(row) for row in changes],
    }


def _data(row: Mapping[str, Any]) -> str:
    told = {name: None if column is None else row[column] for name, column in _DATA[row["change"]].items()}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def worklist_events(
    items: Sequence[WorklistItem], *, environment: str, connector: str, delivery_id: str
) -> pl.DataFrame:
    """One `worklist.opened` for each item."""
    rows = pl.DataFrame(
        {
            "subject": [item.exception_id for item in items],
            "reason": [item.code for item in items],
        },
        schema={"subject": pl.String(), "reason": pl.String()},
    )
    data = pl.struct(pl.col("subject").alias("worklist_id"), pl.lit(connector).alias("feed"), "reason")
    events = rows.select(
        pl.lit("worklist.opened").alias("type"),
        "subject",
        data.struct.json_encode().alias("data"),
        pl.lit(delivery_id).alias("correlation_id"),
    )
    return _events(events, environment=environment, connector=connector)


def worklist_items(
    groups: Sequence[Quarantined], *, connector: str, delivery_id: str, code: str, opened_at: datetime
) -> list[WorklistItem]:
    """One worklist item for each group that was set aside; without `code` each under that of its first fault."""
    return [
        WorklistItem(
            exception_id=derive("worklist", delivery_id, group.group_id),
            code=code or group.reasons[0].code,
            entity="groups",
            source_ref=group.source_ref,
            opened_at=opened_at,
            text=_sentence(group),
            connector=connector,
            delivery_id=delivery_id,
            record_no=group.reasons[0].record,
            byte_offset=group.reasons[0].offset,
            field=group.reasons[0].field,
            group_id=group.group_id,
        )
        for group in groups
    ]


def _sentence(group: Quarantined) -> str:
    places = "; ".join(f"record {reason.record} {reason.field}" for reason in group.reasons)
    return f"{group.records} records of the group are set aside until it comes corrected: {places}"


def _events(rows: pl.DataFrame, *further: pl.Expr, environment: str, connector: str) -> pl.DataFrame:
    """Complete rows of type, subject, data, correlation_id to events of the internal audience; `further` parts of their
    identifiers.
    """
    key = (pl.col("type"), pl.col("subject"), pl.lit(INTERNAL), pl.col("correlation_id"), *further)
    return rows.with_columns(
        derive_column(["event"], key).alias("event_id"),
        pl.lit(event_source(environment, connector)).alias("source"),
        pl.lit(INTERNAL).alias("audience"),
        (pl.lit(f"{INTERNAL}.") + pl.col("type")).alias("routing_key"),
    ).select(*EVENT_SCHEMA)
