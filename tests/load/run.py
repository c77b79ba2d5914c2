"""One run of the load: source, hub, servers and listener, with faults on the way, and the accounts at the end."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pika  # type: ignore[import-untyped]

from tests.load.account import Account, Books, account, until_watched
from tests.load.hub import SupervisedHub, load_installation
from tests.load.listener import Heard, heard, listen
from tests.load.notices import EXCHANGE, ROUTING_KEY
from tests.load.publisher import LoadMessage, LoadPublisher
from tests.services.processes import wait_until

LONGEST_SECONDS = 1800.0


def until_bound(broker: str) -> None:
    """Wait until the hub's queue is bound: what a source publishes before would come back to it."""
    unusable = pika.BasicProperties(message_id="probe")

    def bound() -> bool:
        with contextlib.suppress(pika.exceptions.AMQPError), pika.BlockingConnection(parameters) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish(EXCHANGE, ROUTING_KEY, b"{}", unusable, mandatory=True)
            return True
        return False

    parameters = pika.URLParameters(broker)
    wait_until(bound, seconds=60, what="the queue")


@dataclass(kw_only=True)
class Run:
    """A run in `folder`. `hub_broker` and `hub_database`: where the hub sees them, if not where we do (a proxy)."""

    folder: Path
    broker: str
    database: str
    hub_broker: str | None = None
    hub_database: str | None = None
    workers: int = 2
    crash_points: Sequence[str] = ()
    settings: dict[str, object] = field(default_factory=dict)
    destroyable: frozenset[str] = frozenset()
    heard: Heard | None = None
    quiet_seconds: float = 20.0

    def go(
        self,
        messages: Iterable[LoadMessage],
        disturb: Callable[["Run", SupervisedHub, LoadPublisher], None] = lambda _run, _hub, _load: None,
        *,
        rate: float | None = None,
    ) -> Account:
        """Publish everything while `disturb` does its worst, wait for quiet, and give the accounts."""
        books = Books(self.database)
        installation = load_installation(
            self.folder,
            database_url=self.hub_database or self.database,
            broker_url=self.hub_broker or self.broker,
            **self.settings,
        )
        listen(self.broker)
        with SupervisedHub(installation, workers=self.workers, crash_points=self.crash_points) as hub:
            until_watched(books)
            hub.until_workers()
            until_bound(self.broker)
            with LoadPublisher(self.broker, messages, rate=rate) as load:
                disturb(self, hub, load)
                load.wait(LONGEST_SECONDS)
                owed = [str(each) for each in load.confirmed]
                attempted = len(load.begun)
            books.until_quiet(expected=attempted, seconds=LONGEST_SECONDS, quiet=self.quiet_seconds)
        installation.call("store", "check")
        self.heard = heard(self.broker)
        return account(books, owed=owed, attempted=attempted, destroyable=self.destroyable)
