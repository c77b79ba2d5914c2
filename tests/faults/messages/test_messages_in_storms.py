"""Nothing lost, nothing twice: messages under load while everything that can fail does, on real servers.

The short form takes about a minute; FAULT_MESSAGES=100000 (`make test-faults`) is the long one, with more rounds.
"""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load.account import Account, Books, table
from tests.load.hub import SupervisedHub
from tests.load.notices import disturbed, notices_until
from tests.load.publisher import LoadPublisher
from tests.load.run import Run
from tests.load.storm import FAULTS, POINTS, Site, Storm, port_of, through
from tests.services.proxy import Proxy
from tests.services.rabbitmq import SETTLE_SECONDS
from tests.services.servers import PostgresServer, RabbitServer

MESSAGES = int(os.environ.get("FAULT_MESSAGES", "3000"))
SEED = int(os.environ.get("FAULT_SEED", "4"))
POINTS_NOW = POINTS if MESSAGES > 10_000 else POINTS[::3]
"""The short form takes every third crash point."""

RATE = 1000.0 if MESSAGES > 10_000 else 100.0


@pytest.fixture(scope="module")
def accounts() -> Iterator[list[tuple[str, Account]]]:
    """The accounts of all runs, printed at the end as one table."""
    found: list[tuple[str, Account]] = []
    yield found
    print(f"\n\n{table(found)}\n")  # noqa: T201 - what `make test-faults` is for


def checked(run: Run, name: str, found: Account, accounts: list[tuple[str, Account]]) -> None:
    accounts.append((name, found))
    assert not found.missing
    assert found.is_clean, table([(name, found)])
    assert run.heard is not None
    assert (run.heard.out_of_order, run.heard.changed) == (0, 0)


def test_a_storm_of_all_faults_loses_nothing_and_applies_nothing_twice(
    tmp_path: Path,
    private_rabbitmq: RabbitServer,
    private_postgres: PostgresServer,
    accounts: list[tuple[str, Account]],
) -> None:
    broker, database = private_rabbitmq.new_vhost(), private_postgres.new_database()
    broker_port, database_port = port_of(broker), port_of(database)
    with Proxy(broker_port) as broker_way, Proxy(database_port) as database_way:
        run = Run(
            folder=tmp_path,
            broker=broker,
            database=database,
            hub_broker=through(broker, broker_way, broker_port),
            hub_database=through(database, database_way, database_port),
            quiet_seconds=90,
        )

        def disturb(_run: Run, hub: SupervisedHub, load: LoadPublisher) -> None:
            time.sleep(SETTLE_SECONDS)  # a quorum queue must be that old before its only node may be killed
            site = Site(
                hub=hub,
                rabbit=private_rabbitmq,
                postgres=private_postgres,
                broker_way=broker_way,
                database_way=database_way,
            )
            storm = Storm(site=site, seed=SEED)
            storm.round()
            storm.until(lambda: load.attempted >= MESSAGES)
            over.set()
            assert set(storm.done) == FAULTS.keys()

        over = threading.Event()
        found = run.go(disturbed(notices_until(over, at_least=MESSAGES), every=20, seed=SEED), disturb, rate=RATE)
    checked(run, f"all faults at random times, seed {SEED}", found, accounts)
    assert found.applied == found.acknowledged


def test_a_crash_at_each_point_of_a_messages_way_loses_nothing_and_applies_nothing_twice(
    tmp_path: Path, amqp_url: str, postgres_url: str, accounts: list[tuple[str, Account]]
) -> None:
    run = Run(folder=tmp_path, broker=amqp_url, database=postgres_url, crash_points=POINTS_NOW, quiet_seconds=60)

    over = threading.Event()

    def disturb(_run: Run, hub: SupervisedHub, _load: LoadPublisher) -> None:
        for point in POINTS_NOW:
            hub.pass_through(point)
        over.set()

    found = run.go(notices_until(over), disturb, rate=100)
    checked(run, "a crash at each named point", found, accounts)
    assert (found.applied, found.set_aside) == (found.acknowledged - 1, 1)
    assert Books(postgres_url).rows("SELECT message_id FROM quarantine WHERE code = 'POISON'") == [("load-00000010",)]
