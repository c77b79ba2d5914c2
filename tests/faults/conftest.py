"""Small files to break, and installations to copy so that not every test has to make its database."""

import shutil
from pathlib import Path

import pytest

from tests.acceptance.files import Night, make_nights
from tests.acceptance.installation import Installation

SEED = 5


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> list[Night]:
    """Three nights of six case groups: whole book, correction, whole book."""
    return make_nights(tmp_path_factory.mktemp("small"), groups=6, seed=SEED, kinds="CF")


@pytest.fixture(scope="session")
def empty_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with an empty store."""
    hub = Installation(tmp_path_factory.mktemp("empty"))
    hub.data.mkdir()
    hub.store().close()
    return hub.data


@pytest.fixture(scope="session")
def first_night_data(tmp_path_factory: pytest.TempPathFactory, small: list[Night]) -> Path:
    """A data directory that has accepted the first night."""
    hub = Installation(tmp_path_factory.mktemp("first-night"))
    hub.call("ingest", "csa1993", small[0].data)
    return hub.data


@pytest.fixture(scope="session")
def empty_exports(empty_data: Path) -> dict[str, str]:
    """What an empty store exports."""
    return Installation(empty_data.parent).exports(times=True)


@pytest.fixture(scope="session")
def first_night_exports(first_night_data: Path) -> dict[str, str]:
    """What the store exports that has accepted the first night."""
    return Installation(first_night_data.parent).exports(times=True)


@pytest.fixture
def hub(tmp_path: Path, empty_data: Path) -> Installation:
    """An installation with an empty store."""
    shutil.copytree(empty_data, tmp_path / "hub-data")
    return Installation(tmp_path)


@pytest.fixture
def hub_after_first(tmp_path: Path, first_night_data: Path) -> Installation:
    """An installation that has accepted the first night."""
    shutil.copytree(first_night_data, tmp_path / "hub-data")
    return Installation(tmp_path)
