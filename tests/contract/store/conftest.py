"""Every test of this folder runs on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from integrationhub.store.unit_of_work import Store
from tests.contract.store.book import wipe

DATABASES = ["sqlite", "postgres"]


@pytest.fixture(params=DATABASES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the test's own."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture(scope="session", params=DATABASES)
def session_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that all tests share."""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database()
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'hub.db'}"
    store = Store.open(url, create=True)
    yield store
    store.close()


@pytest.fixture
def store(session_store: Store) -> Store:
    """A store with nothing in it."""
    wipe(session_store)
    return session_store
