"""A hub that has taken and judged the samples of all three child support books, on both databases."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue, shipped_connectors
from integrationhub.config import Settings
from integrationhub.receive.folder import find_files

BOOKS = ("csa1993", "csa2003", "clerical")
NOW = datetime(2015, 7, 2, 3, 0, tzinfo=UTC)


def standing_clock() -> datetime:
    """Always the same moment."""
    return NOW


def _take_samples(hub: Hub) -> None:
    for connector in BOOKS:
        pipeline = hub.pipeline(connector)
        folder = shipped_connectors() / "connectors" / connector / "samples"
        files = find_files([folder], pipeline.descriptor.delivery)
        pipeline.take_all(files, lambda _file: lambda _done, _all: None)
    hub.judging().run()


def open_hub(folder: Path, url: str | None = None, checkpoint: Callable[[str], None] | None = None) -> Hub:
    """A hub whose clock stands still, so that two runs can be compared row by row."""
    settings = Settings(data_dir=folder, synthetic_identities=True, **({"database_url": url} if url else {}))
    hub = Hub(settings, Catalogue.standard(), clock=standing_clock)
    if checkpoint is not None:
        hub.__dict__["checkpoint"] = checkpoint
    return hub


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of such a hub on SQLite."""
    folder = tmp_path_factory.mktemp("prepared")
    with open_hub(folder) as hub:
        _take_samples(hub)
    return folder


@pytest.fixture
def on_sqlite(prepared: Path, tmp_path: Path) -> Callable[[], Path]:
    """Gives data directories that hold the same, one a call."""

    def copy() -> Path:
        folder = tmp_path / f"copy{len(list(tmp_path.iterdir()))}"
        shutil.copytree(prepared, folder)
        return folder

    return copy


@pytest.fixture(params=["sqlite", "postgres"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hub]:
    if request.param == "sqlite":
        with open_hub(request.getfixturevalue("on_sqlite")()) as hub:
            yield hub
        return
    with open_hub(tmp_path, str(request.getfixturevalue("postgres_url"))) as hub:
        _take_samples(hub)
        yield hub
