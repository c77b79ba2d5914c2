"""The quarantine at work on SQLite and PostgreSQL, with takers that do as they are told."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import NotFound
from integrationhub.identity import Actor
from integrationhub.intake.report import FileReport
from integrationhub.quarantine.acts import Acts
from integrationhub.quarantine.desk import QuarantineDesk
from integrationhub.quarantine.rules import RuleBook
from integrationhub.receive.originals import Originals
from integrationhub.sdk.messages import Fate, Outcome
from integrationhub.sdk.transport import Incoming, Outgoing
from integrationhub.store.deliveries import Kind
from integrationhub.store.quarantine import QuarantineItem
from integrationhub.store.unit_of_work import Store, Work
from tests.contract.store.book import wipe

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLERK = Actor(name="a.clerk", authenticated=True)
SECOND = Actor(name="b.clerk", authenticated=True)
BODY = b'{"amount": "twelve"}'
GOOD = b'{"amount": "12.00"}'


def item(number: int = 1, **changes: object) -> QuarantineItem:
    made = QuarantineItem(
        quarantine_id=derive("quarantine", number),
        kind=Kind.MESSAGE,
        connector="drill",
        code="AMOUNT",
        text="the amount is no number",
        queue="integrationhub.drill",
        exchange="drill.events",
        routing_key="drill.changed",
        message_id=f"m-{number}",
        headers={"schema": "1"},
        body=BODY,
        sha256=hashlib.sha256(BODY).hexdigest(),
        bytes=len(BODY),
        received_at=NOW,
        quarantined_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class FakeTaker:
    """Takes GOOD bodies, refuses others by adding them as the real one does; raises what it is told to."""

    taken: list[Incoming] = field(default_factory=list)
    given: int = 0
    error: BaseException | None = None

    def take_in(self, work: Work, messages: Sequence[Incoming], *, now: datetime) -> list[Outcome]:
        del now
        self.given += len(messages)
        if self.error is not None:
            raise self.error
        (message,) = messages
        if message.body != GOOD:
            work.quarantine.add([item("again")])  # type: ignore[arg-type]
            return [Outcome(fate=Fate.REJECTED, code="STILL", text="the amount is no number still")]
        self.taken.append(message)
        return [Outcome(fate=Fate.LOADED, delivery_id=derive("delivery", 1))]


@dataclass
class World:
    """A desk over a store, and what stands around it."""

    store: Store
    desk: QuarantineDesk
    rules: RuleBook
    taker: FakeTaker
    published: list[Outgoing]

    def put(self, *items: QuarantineItem) -> list[str]:
        with self.store.begin() as work:
            work.quarantine.add(items)
            work.commit()
        return [one.quarantine_id for one in items]

    def get(self, quarantine_id: str) -> QuarantineItem:
        with self.store.begin() as work:
            return work.quarantine.get(quarantine_id)

    def states(self) -> list[str]:
        with self.store.begin() as work:
            return [one.state.value for one in work.quarantine.items()]

    def told(self, quarantine_id: str) -> list[tuple[str, str]]:
        """What was done to an item, and by whom."""
        with self.store.begin() as work:
            return [(action.what.value, action.who) for action in work.quarantine.history.of_item(quarantine_id)]

    def with_second_person(self) -> QuarantineDesk:
        return replace(self.desk, second_person=True)


def _no_files(_connector: str) -> "NoFiles":
    return NoFiles()


class NoFiles:
    def take_again(self, delivery_id: str) -> FileReport:
        raise NotFound(f"no delivery {delivery_id}")


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def session_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database()
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'hub.db'}"
    store = Store.open(url, create=True)
    yield store
    store.close()


@pytest.fixture
def world(session_store: Store, tmp_path: Path) -> World:
    wipe(session_store)
    taker, published = FakeTaker(), list[Outgoing]()
    clock: Callable[[], datetime] = lambda: NOW  # noqa: E731 - a clock that stands still
    acts = Acts(
        store=session_store,
        originals=Originals(str(tmp_path / "originals")),
        clock=clock,
        taker=lambda _connector: taker,
        files=_no_files,
        publish=published.extend,
        resubmit_limit=3,
    )
    desk = QuarantineDesk(store=session_store, acts=acts, clock=clock, second_person=False)
    rules = RuleBook(desk=desk)
    return World(store=session_store, desk=desk, rules=rules, taker=taker, published=published)
