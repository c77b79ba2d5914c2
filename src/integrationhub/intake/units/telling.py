"""What happened in the book of accounts, put into the outbox: one event for each audience that may see it."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from integrationhub.accounts.telling import INTERNAL, Telling
from integrationhub.canonical.identifiers import derive
from integrationhub.publish.cloudevents import RESTRICTED, event_source
from integrationhub.store.outbox import EVENT_SCHEMA
from integrationhub.store.unit_of_work import Work


def tell(
    work: Work, told: Iterable[Telling], *, connector: str, environment: str, at: datetime, parts: tuple[str, ...] = ()
) -> None:
    """Put events into the outbox, in their order. What is told again of the same record has identifiers of its own.

    `parts` tell apart what is told of one record at different times.
    """
    rows: dict[str, list[Any]] = {name: [] for name in EVENT_SCHEMA}
    repeats: Counter[tuple[object, ...]] = Counter()
    source = event_source(environment, connector)
    for item in told:
        for audience in item.audiences:
            key = (item.event, item.subject, audience, item.origin.delivery_id, item.origin.record)
            repeats[key] += 1
            event = (
                derive("event", *key, repeats[key], *parts), item.event, source, item.subject, audience,
                item.origin.delivery_id, f"{audience}.{item.event}", _data(item, audience),
            )  # fmt: skip
            for name, value in zip(EVENT_SCHEMA, event, strict=True):
                rows[name].append(value)
    work.outbox.add(rows, at=at)


def _data(item: Telling, audience: str) -> str:
    allowed = RESTRICTED.get((item.event, audience))
    data = (
        item.data
        if audience == INTERNAL or allowed is None
        else {name: value for name, value in item.data.items() if name in allowed}
    )
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
