"""Files that are expected but missing: a feed with a deadline, and no file since the deadline before it."""

from datetime import datetime, time, timedelta

from integrationhub.catalogue import Catalogue
from integrationhub.errors import HubError
from integrationhub.store.status import ConnectorStatus


def missing(catalogue: Catalogue, status: ConnectorStatus, *, now: datetime) -> datetime | None:
    """Since when a connector's file is missing; None when nothing is."""
    try:
        deadline = catalogue.connector(status.connector).delivery.deadline
    except HubError:
        return None  # a connector that was removed expects nothing any more
    last = status.last.received_at if status.last else None
    return missing_since(now=now, deadline=deadline, last_received=last)


def missing_since(*, now: datetime, deadline: str | None, last_received: datetime | None) -> datetime | None:
    """The deadline that passed without a file; None when nothing is missing.

    `deadline` is a local time of day (`HH:MM`) by which each day's file is to be there. A feed that never delivered is
    not expected yet: it may not have been connected.
    """
    if deadline is None or last_received is None:
        return None
    local = now.astimezone()
    passed = datetime.combine(local.date(), time.fromisoformat(deadline), tzinfo=local.tzinfo)
    if passed > local:
        passed -= timedelta(days=1)
    return passed if last_received < passed - timedelta(days=1) else None
