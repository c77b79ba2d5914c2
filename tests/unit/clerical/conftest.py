"""A hub of its own for each test, and a way to hand it a book."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.intake.report import FileReport
from integrationhub.receive.folder import find_files

Take = Callable[[Path], FileReport]
Ask = Callable[[str], list[Any]]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    settings = Settings(data_dir=tmp_path / "hub", synthetic_identities=True)
    with Hub(settings, Catalogue.standard(), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as opened:
        yield opened


@pytest.fixture
def take(hub: Hub) -> Take:
    def taken(path: Path) -> FileReport:
        pipeline = hub.pipeline("clerical")
        return pipeline.take(find_files([path], pipeline.descriptor.delivery)[0])

    return taken


@pytest.fixture
def ask(hub: Hub) -> Ask:
    def rows(query: str) -> list[Any]:
        with hub.store.read() as connection:
            return list(connection.execute(text(query)).all())

    return rows
