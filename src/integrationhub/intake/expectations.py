"""Files that are expected but missing: a feed with a deadline, and no file since the deadline before it."""

from datetime import datetime, time, timedelta


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
