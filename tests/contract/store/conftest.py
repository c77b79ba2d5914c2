"""Every test of this folder runs on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from integrationhub.store.unit_of_work import Store


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'hub.db'}"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A store with its tables and nothing in them."""
    opened = Store.open(store_url, create=True)
    yield opened
    opened.close()
