"""The store's outbox as the relay wants it: each call a transaction of its own."""

from collections.abc import Callable, Sequence
from datetime import datetime

from integrationhub.store.outbox import Outbox, StoredEvent
from integrationhub.store.unit_of_work import Store


class StoreOutbox:
    """publish.relay.Outbox over a store. `checkpoint` is called at named points, for fault tests."""

    def __init__(self, store: Store, checkpoint: Callable[[str], None] = lambda _point: None) -> None:
        self._store = store
        self._checkpoint = checkpoint

    def waiting(self, limit: int) -> Sequence[StoredEvent]:
        """The next events that are not marked published, by position."""
        with self._store.read() as connection:
            return Outbox(connection).waiting(limit)

    def mark_published(self, positions: Sequence[int], *, at: datetime) -> None:
        """These were confirmed by the broker."""
        self._checkpoint("published")
        with self._store.begin() as work:
            work.outbox.mark_published(positions, at=at)
            work.commit()
