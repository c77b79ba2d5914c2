"""What was committed is there, what was not is not, and a database in trouble is named as such."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrationhub.errors import ConfigurationError, Conflict, HubError, InvariantBroken, TransientError
from integrationhub.store.engine import open_engine
from integrationhub.store.feeds import Feed
from integrationhub.store.unit_of_work import Store, Work
from tests.services.servers import PostgresServer

CHILD = """
import os, signal, sys
from integrationhub.store.feeds import Feed
from integrationhub.store.unit_of_work import Store
store = Store.open(sys.argv[1])
with store.begin() as work:
    work.feeds.save(Feed(connector="committed"))
    work.commit()
with store.exclusive("feed"), store.begin() as work:
    work.feeds.save(Feed(connector="uncommitted"))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _feeds(store: Store) -> list[str]:
    with store.begin() as work:
        return [feed.connector for feed in work.feeds.all()]


def test_a_killed_process_leaves_what_it_committed_and_neither_the_rest_nor_its_lock(store_url: str) -> None:
    store = Store.open(store_url, create=True)
    child = subprocess.run([sys.executable, "-c", CHILD, store_url], check=False, env=dict(os.environ))
    assert child.returncode == -signal.SIGKILL
    assert _feeds(store) == ["committed"]
    with store.exclusive("feed"):
        pass
    store.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    Store.open(url, create=True).close()
    return url


def _save_many(work: Work) -> None:
    for number in range(10_000):
        work.feeds.save(Feed(connector=f"{number:0>200}"))


def test_sqlite_syncs_every_commit_to_disk(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    engine.dispose()


def test_a_second_writer_that_waited_too_long_may_try_again(sqlite_url: str) -> None:
    store = Store.open(f"{sqlite_url}?timeout=0.05")
    with store.begin(), pytest.raises(TransientError) as refused, store.begin():
        pass
    assert refused.value.code == "DATABASE_LOCKED"
    with store.begin():
        for _ in range(30):  # more than a pool holds: none of them may keep its connection
            with pytest.raises(TransientError, match="locked"):
                store.begin()
    assert _feeds(store) == []
    store.close()


def test_a_full_disk_is_named_and_what_to_do_about_it(sqlite_url: str) -> None:
    store = Store.open(sqlite_url)
    with store.begin() as work:
        work.connection.exec_driver_sql("PRAGMA max_page_count = 1")
        with pytest.raises(TransientError) as refused:
            _save_many(work)
    assert refused.value.code == "DISK_FULL"
    assert "free space" in str(refused.value.remedy)
    store.close()


def test_a_damaged_file_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(InvariantBroken) as refused:
        Store.open(f"sqlite:///{tmp_path / 'hub.db'}")
    assert refused.value.code == "DATABASE_DAMAGED"


def test_a_directory_that_is_missing_is_a_database_that_is_away(tmp_path: Path) -> None:
    with pytest.raises(TransientError) as refused:
        Store.open(f"sqlite:///{tmp_path / 'missing' / 'hub.db'}")
    assert refused.value.code == "DATABASE_AWAY"


def test_a_server_that_nobody_runs_is_a_database_that_is_away() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, never listening
        with pytest.raises(TransientError) as refused:
            Store.open(f"postgresql://hub@127.0.0.1:{taken.getsockname()[1]}/hub")
    assert refused.value.code == "DATABASE_AWAY"


@pytest.fixture
def fragile(private_postgres: PostgresServer) -> Iterator[Store]:
    store = Store.open(private_postgres.new_database(), create=True)
    yield store
    store.close()


def test_a_server_that_dies_in_the_middle_is_a_passing_trouble_and_later_work_succeeds(
    fragile: Store, private_postgres: PostgresServer
) -> None:
    with fragile.begin() as work:
        work.feeds.save(Feed(connector="lost"))
        private_postgres.kill()
        with pytest.raises(TransientError):
            work.feeds.save(Feed(connector="lost, too"))
    private_postgres.restart()
    assert _until_it_passes(fragile) == []


def _until_it_passes(store: Store, *, seconds: float = 30) -> list[str]:
    """What callers do with a passing trouble: try again. A restarted server may still be recovering."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _feeds(store)
        except TransientError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_a_row_stored_by_somebody_else_first_is_a_conflict_that_quotes_nothing(store: Store) -> None:
    insert = "INSERT INTO subject_sequences VALUES ('secret', 'internal', 1)"
    with store.begin() as work:
        work.connection.exec_driver_sql(insert)
        with pytest.raises(Conflict) as refused:
            work.connection.exec_driver_sql(insert)
    assert _quotes_nothing(refused.value)


def test_a_value_that_does_not_fit_is_refused_without_being_quoted(postgres_url: str) -> None:
    store = Store.open(postgres_url, create=True)
    with store.begin() as work, pytest.raises(InvariantBroken) as refused:
        work.connection.exec_driver_sql("INSERT INTO skipped_numbers VALUES ('a', 'secret', 'b', 'c', now())")
    assert _quotes_nothing(refused.value)
    store.close()


def _quotes_nothing(error: HubError) -> bool:
    return "secret" not in str(error) + repr(error.__cause__)


@pytest.mark.parametrize("url", ["mysql://host/db", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_a_url_that_the_store_cannot_use_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Store.open(url)
    assert refused.value.code == "DATABASE_URL"
