"""The one worklist: quarantined messages and files, and records set aside inside files, with what can be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from integrationhub.quarantine.content import Leaf, leaves
from integrationhub.store.deliveries import Kind
from integrationhub.store.quarantine import QuarantineFilter, QuarantineGroup, QuarantineItem
from integrationhub.store.unit_of_work import Work
from integrationhub.store.waiting import RECORD, exception_groups, exceptions
from integrationhub.store.worklist import WorklistItem

REMEDIES = {
    Kind.MESSAGE.value: "resubmit it once the cause is gone, correct it and resubmit, or discard it",
    Kind.FILE.value: "deliver it corrected under the same number (it settles itself then); resubmit takes it up again",
    RECORD: "a later file with the record in good order settles it; ask the source, assign it to whoever does",
}
"""What can be done about items of each kind."""

OPEN_HEADERS = ("ce-", "hub-", "traceparent", "tracestate", "content-")
"""Headers that begin so hold nothing personal and are shown as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the worklist."""

    id: str
    kind: str
    connector: str
    code: str
    text: str
    state: str
    since: datetime
    owner: str | None
    attempts: int
    labels: tuple[str, ...]
    remedy: str


def entries(work: Work, chosen: QuarantineFilter, *, limit: int) -> list[Entry]:
    """Items and exceptions, oldest first, not more than `limit`."""
    found = [_of_item(item) for item in _items(work, chosen, limit)]
    found += [_of_exception(item) for item in exceptions(work.connection, chosen, limit=limit)]
    return sorted(found, key=lambda entry: (entry.since, entry.id))[:limit]


def groups(work: Work, chosen: QuarantineFilter) -> list[QuarantineGroup]:
    """How many there are for each reason, most first."""
    quarantined = [] if chosen.kind == RECORD else work.quarantine.groups(chosen)
    found = [*quarantined, *exception_groups(work.connection, chosen)]
    return sorted(found, key=lambda group: (-group.count, group.connector, group.kind, group.code))


def _items(work: Work, chosen: QuarantineFilter, limit: int) -> list[QuarantineItem]:
    return [] if chosen.kind == RECORD else work.quarantine.items(chosen, limit=limit)


def _of_item(item: QuarantineItem) -> Entry:
    return Entry(
        id=item.quarantine_id,
        kind=item.kind.value,
        connector=item.connector,
        code=item.code,
        text=item.text,
        state=item.state.value,
        since=item.quarantined_at,
        owner=item.owner,
        attempts=item.attempts,
        labels=item.labels,
        remedy=REMEDIES[item.kind.value],
    )


def _of_exception(item: WorklistItem) -> Entry:
    return Entry(
        id=item.exception_id,
        kind=RECORD,
        connector=item.connector,
        code=item.code,
        text=item.text,
        state=item.state.value,
        since=item.opened_at,
        owner=item.owner,
        attempts=0,
        labels=(),
        remedy=REMEDIES[RECORD],
    )


def age(since: datetime, now: datetime) -> str:
    """How long ago, roughly: `3d`, `5h`, `12m`."""
    past = max(now - since, timedelta())
    if past >= timedelta(days=1):
        return f"{past.days}d"
    return f"{past.seconds // 3600}h" if past >= timedelta(hours=1) else f"{past.seconds // 60}m"


def shown_headers(headers: Mapping[str, Any], *, unmasked: bool) -> dict[str, str | None]:
    """Headers, the values of those that may be personal as shapes."""
    return {
        name: Leaf(path=name, value=str(value)).shown(unmasked=unmasked or name.lower().startswith(OPEN_HEADERS))
        for name, value in headers.items()
    }


def shown_body(body: bytes, *, unmasked: bool) -> list[dict[str, str | None]]:
    """Paths and values of a body, the values as shapes."""
    return [{"path": leaf.path, "value": leaf.shown(unmasked=unmasked)} for leaf in leaves(body)]
