"""An intake at work: a queue of either broker, real worker processes, a taker that keeps a journal."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrationhub.config import Settings
from integrationhub.daemon import breaker, intake
from integrationhub.daemon.crew import Crew
from integrationhub.daemon.intake import MessageIntake
from integrationhub.daemon.ledger import StoreLedger
from integrationhub.daemon.shift import Shift
from integrationhub.sdk.transport import MessageSource, Outgoing, Publisher, Topology
from integrationhub.store.unit_of_work import Store
from tests.contract.intake.taker import CONNECTOR, Journal, JournalTaker, build
from tests.contract.transport.conftest import Broker, Embedded, Rabbit

QUEUE = f"integrationhub.{CONNECTOR}"
PATIENCE_SECONDS = 60.0


@dataclass
class Bench:
    """Everything about one intake. `work` starts it; several may follow each other on the same queue and store."""

    broker: Broker
    folder: Path
    journal: Journal
    publisher: Publisher
    store: Store
    troubles: list[str | None] = field(default_factory=list)
    held: bool = False
    shift: Shift = field(default_factory=Shift)
    crew: Crew | None = None
    intake: MessageIntake | None = None
    thread: threading.Thread | None = None
    ended: list[BaseException | None] = field(default_factory=list)

    def send(self, *bodies: str | tuple[str, str], key: str | None = None, ids: list[str] | None = None) -> None:
        """Messages m0, m1 … with these bodies."""
        names = ids or [f"m{number}" for number in range(len(bodies))]
        self.publisher.publish(
            [
                Outgoing(
                    exchange="",
                    routing_key=QUEUE,
                    message_id=name,
                    body=str(body).encode(),
                    content_type=None,
                    headers={"key": key} if key else {},
                )
                for name, body in zip(names, bodies, strict=True)
            ]
        )

    def work(self, *, workers: int = 1) -> None:
        settings = Settings(data_dir=self.folder, database_url=f"sqlite:///{self.folder / 'hub.sqlite3'}")
        self.shift = Shift(patience=10)
        self.crew = Crew(settings, (CONNECTOR,), size=workers, build=build)
        self.crew.start()
        self.intake = MessageIntake(
            CONNECTOR,
            open_source=self._source,
            order_key=JournalTaker(self.folder).order_key,
            hands=self.crew.hands,
            ledger=self.ledger(),
            shift=self.shift,
            is_held=lambda: self.held,
            on_trouble=self.troubles.append,
        )
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _source(self) -> MessageSource:
        return self.broker.source(QUEUE)

    def _run(self) -> None:
        assert self.intake is not None
        try:
            self.intake.run()
            self.ended.append(None)
        except BaseException as exc:  # noqa: BLE001 - told to the test
            self.ended.append(exc)

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert not self.ended, f"the intake ended: {self.ended}"
            assert time.monotonic() < deadline, f"in vain: {what}"
            time.sleep(0.02)

    def until_taken(self, *ids: str) -> None:
        self.until(lambda: set(ids) <= set(self.journal.ids()), f"{len(ids)} messages")

    def ledger(self) -> StoreLedger:
        return StoreLedger(store=self.store, connector=CONNECTOR, clock=lambda: datetime.now(UTC))

    def left(self) -> int:
        """Messages in the queue once everything unacknowledged has come back."""
        deadline = time.monotonic() + 2
        while (depth := self.publisher.depths([QUEUE])[QUEUE] or 0) == 0 and time.monotonic() < deadline:
            time.sleep(0.1)
        return depth

    def stop(self) -> None:
        self.shift.end()
        if self.thread is not None:
            self.thread.join(PATIENCE_SECONDS)
            assert not self.thread.is_alive()
        if self.crew is not None:
            self.crew.close()

    def tries(self) -> int:
        """Rows in the ledger."""
        with self.store.read() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM attempts").scalar_one())


@pytest.fixture(params=["rabbitmq", "embedded"])
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(intake, "RETRY_SECONDS", (0.05, 0.05, 0.05))
    monkeypatch.setattr(intake, "POSTPONE_SECONDS", 1)
    monkeypatch.setattr(breaker, "FIRST_PAUSE_SECONDS", 0.05)
    store = Store.open(f"sqlite:///{tmp_path / 'hub.sqlite3'}", create=True)
    broker = Rabbit(request.getfixturevalue("amqp_url")) if request.param == "rabbitmq" else Embedded(tmp_path / "b.db")
    publisher = broker.publisher()
    publisher.declare(Topology(queues={QUEUE: ()}))
    made = Bench(broker=broker, folder=tmp_path, journal=Journal(tmp_path), publisher=publisher, store=store)
    yield made
    if made.thread is not None and not made.ended:
        made.stop()
    made.journal.close()
    store.close()
    for end in broker.open:
        end.close()
