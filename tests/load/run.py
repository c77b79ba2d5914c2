"""One run of the load: source, hub, servers and listener, with faults on the way, and the accounts at the end."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.load.account import Account, Books, account, until_watched
from tests.load.brokers import Load, LoadBroker
from tests.load.hub import SupervisedHub, load_installation
from tests.load.listener import Heard
from tests.load.publisher import LoadMessage

LONGEST_SECONDS = 1800.0


@dataclass(kw_only=True)
class Run:
    """A run in `folder`. `hub_database`: where the hub sees it, if not where we do (a proxy). `companions`: daemons
    beside the first, on the same store and queue. `destroyable`: ids of messages that lay in a queue when it was
    deleted.
    """

    folder: Path
    broker: LoadBroker
    database: str
    hub_database: str | None = None
    workers: int = 2
    companions: int = 0
    crash_points: Sequence[str] = ()
    settings: dict[str, object] = field(default_factory=dict)
    destroyable: set[str | None] = field(default_factory=set)
    hubs: list[SupervisedHub] = field(default_factory=list)
    heard: Heard | None = None
    quiet_seconds: float = 20.0

    def go(
        self,
        messages: Iterable[LoadMessage],
        disturb: Callable[["Run", SupervisedHub, Load], None] = lambda _run, _hub, _load: None,
        *,
        rate: float | None = None,
    ) -> Account:
        """Publish everything while `disturb` does its worst, wait for quiet, and give the accounts."""
        books = Books(self.database)
        installation = load_installation(
            self.folder,
            database_url=self.hub_database or self.database,
            broker_url=self.broker.hub_url,
            **self.settings,
        )
        with ExitStack() as running:
            hub = SupervisedHub(installation, workers=self.workers, crash_points=self.crash_points)
            self.hubs.append(running.enter_context(hub))
            until_watched(books)
            hub.until_workers()
            for number in range(self.companions):
                other = SupervisedHub(installation, workers=self.workers, log=f"companion-{number}.log")
                self.hubs.append(running.enter_context(other))
                other.until_workers()
            self.broker.listen()
            self.broker.until_bound()
            with self.broker.publishing(messages, rate=rate) as load:
                disturb(self, hub, load)
                load.wait(LONGEST_SECONDS)
                owed = [str(each) for each in load.confirmed]
                attempted = len(load.begun)
            books.until_quiet(owed, destroyable=self.destroyable, seconds=LONGEST_SECONDS, quiet=self.quiet_seconds)
        installation.call("store", "check")
        self.heard = self.broker.heard()
        return account(books, owed=owed, attempted=attempted, destroyable=self.destroyable)
