"""PostgreSQL plans for the tables as they are, also while a load makes them grow."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from integrationhub.store import statistics
from integrationhub.store.engine import open_engine
from integrationhub.store.unit_of_work import Store

_ROWS = "INSERT INTO subject_sequences (subject, audience, last) SELECT lpad(n::text, 64, '0'), 'internal', n FROM "


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    store = Store.open(postgres_url, create=True)
    with store.begin() as work:
        work.connection.exec_driver_sql("ALTER TABLE subject_sequences SET (autovacuum_enabled = off)")
        work.commit()
    yield store
    store.close()


def _grow(store: Store, first: int, last: int) -> None:
    with store.begin() as work:
        work.connection.exec_driver_sql(f"{_ROWS} generate_series({first}, {last}) AS n")
        work.commit()


def test_a_table_is_analyzed_when_it_has_outgrown_its_statistics(store: Store) -> None:
    refreshed = []
    for first, last in ((1, 20_000), (20_001, 40_000), (40_001, 100_000)):
        _grow(store, first, last)
        refreshed.append(statistics.refresh(store._engine))

    assert refreshed == [("subject_sequences",), (), ("subject_sequences",)]
    with store.read() as connection:
        known = connection.execute(text("SELECT reltuples FROM pg_class WHERE relname = 'subject_sequences'"))
        assert known.scalar_one() == pytest.approx(100_000, rel=0.05)


def test_small_tables_and_repeated_calls_cost_nothing(store: Store) -> None:
    _grow(store, 1, 100)

    assert statistics.refresh(store._engine) == ()


def test_an_embedded_store_needs_none(tmp_path_factory: pytest.TempPathFactory) -> None:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('store') / 'hub.db'}")

    assert statistics.refresh(engine) == ()
    engine.dispose()
