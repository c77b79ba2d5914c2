"""All three books and the recorded events in a hub, on SQLite and on a real PostgreSQL."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.receive.folder import find_files

CHECKOUT = Path(__file__).parents[3]
CONNECTORS = CHECKOUT / "connectors"
CAPTURE = CONNECTORS / "csa2003" / "captures" / "events.jsonl"
BOOKS = ("csa1993", "csa2003", "clerical")

Open = Callable[[], Hub]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the test's own."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
def hub(url: str, tmp_path: Path) -> Iterator[Hub]:
    """A hub with nothing in it."""
    settings = Settings(database_url=url, data_dir=tmp_path / "data", synthetic_identities=True)
    with Hub(settings, Catalogue.standard(), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as opened:
        yield opened


def take_books(hub: Hub, *names: str) -> None:
    """The sample books in this order, judged after each."""
    for name in names:
        pipeline = hub.pipeline(name)
        for item in find_files([CONNECTORS / name / "samples"], pipeline.descriptor.delivery):
            pipeline.take(item)
        hub.judge_waiting()


@pytest.fixture
def full(hub: Hub) -> Hub:
    """The hub with all books, judged, and the recorded events."""
    take_books(hub, *BOOKS)
    hub.captures("csa2003").take(CAPTURE)
    return hub
