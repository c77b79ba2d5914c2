"""Nothing lost, nothing twice: messages under load while everything that can fail does, on real servers.

The short form takes about a minute; FAULT_MESSAGES=100000 (`make test-faults`) is the long one, with more rounds.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.load.account import Account, Books, table
from tests.load.brokers import Embedded, Load, RabbitMQ
from tests.load.hub import SupervisedHub
from tests.load.notices import disturbed, notices_until
from tests.load.publisher import LoadMessage
from tests.load.run import Run
from tests.load.storm import (
    POINTS,
    Faults,
    ServerSite,
    Site,
    Storm,
    faults_on_one_host,
    faults_on_servers,
    port_of,
    through,
)
from tests.services.proxy import Proxy
from tests.services.rabbitmq import SETTLE_SECONDS
from tests.services.servers import PostgresServer, RabbitServer

MESSAGES = int(os.environ.get("FAULT_MESSAGES", "3000"))
SEED = int(os.environ.get("FAULT_SEED", "4"))
POINTS_NOW = POINTS if MESSAGES > 10_000 else POINTS[::3]
"""The short form takes every third crash point."""

RATE = 1000.0 if MESSAGES > 10_000 else 100.0
TURNS = 12 if MESSAGES > 10_000 else 4

Stormy = tuple[Iterator[LoadMessage], Callable[[Run, SupervisedHub, Load], None]]


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


def set_aside_for(database: str) -> set[str]:
    """For which reasons messages of the load are in the quarantine."""
    return {code for (code,) in Books(database).rows("SELECT code FROM quarantine WHERE message_id LIKE 'load-%'")}


def stormy(
    faults: Callable[[Run, SupervisedHub, Load], Faults], *, count: int = MESSAGES, settle: float = 0.0
) -> Stormy:
    """A load of careless messages, and what is done to those who take it: each fault once, then more by chance."""
    over = threading.Event()

    def disturb(run: Run, hub: SupervisedHub, load: Load) -> None:
        time.sleep(settle)
        storm = Storm(faults=faults(run, hub, load), calm=Books(run.database).until_taken, seed=SEED)
        storm.round()
        storm.until(lambda: load.attempted >= count)
        over.set()

    return disturbed(notices_until(over, at_least=count), every=20, seed=SEED), disturb


def test_a_storm_of_all_faults_loses_nothing_and_applies_nothing_twice(
    tmp_path: Path,
    private_rabbitmq: RabbitServer,
    private_postgres: PostgresServer,
    accounts: list[tuple[str, Account]],
) -> None:
    url, database = private_rabbitmq.new_vhost(), private_postgres.new_database()
    broker_port, database_port = port_of(url), port_of(database)
    with Proxy(broker_port) as broker_way, Proxy(database_port) as database_way:
        broker = RabbitMQ(url, seen_by_hub=through(url, broker_way, broker_port))
        hub_database = through(database, database_way, database_port)
        run = Run(folder=tmp_path, broker=broker, database=database, hub_database=hub_database, quiet_seconds=90)

        def faults(run: Run, hub: SupervisedHub, load: Load) -> Faults:
            return faults_on_servers(
                ServerSite(
                    run=run,
                    hub=hub,
                    load=load,
                    broker=broker,
                    rabbit=private_rabbitmq,
                    postgres=private_postgres,
                    broker_way=broker_way,
                    database_way=database_way,
                )
            )

        # A quorum queue must be that old before its only node may be killed.
        found = run.go(*stormy(faults, settle=SETTLE_SECONDS), rate=RATE)
    checked(run, f"all faults at random times, seed {SEED}", found, accounts)
    assert found.applied + found.overtaken + found.destroyed + found.set_aside == found.acknowledged
    assert set_aside_for(database) <= {"BODY_TOO_LARGE"}


def test_a_storm_on_one_host_loses_nothing_and_applies_nothing_twice(
    tmp_path: Path, accounts: list[tuple[str, Account]]
) -> None:
    file = tmp_path / "hub-data" / "hub.sqlite3"
    run = Run(folder=tmp_path, broker=Embedded(file), database=f"sqlite:///{file}", quiet_seconds=90)

    def faults(run: Run, hub: SupervisedHub, load: Load) -> Faults:
        return faults_on_one_host(Site(run=run, hub=hub, load=load))

    found = run.go(*stormy(faults, count=MESSAGES // 5), rate=min(RATE, 200.0))
    checked(run, f"all faults, embedded store and broker, seed {SEED}", found, accounts)
    assert found.applied + found.overtaken + found.set_aside == found.acknowledged
    assert set_aside_for(run.database) == {"BODY_TOO_LARGE"}


def test_daemons_beside_each_other_that_are_killed_in_turn_lose_nothing_and_keep_the_order_of_events(
    tmp_path: Path, amqp_url: str, postgres_url: str, accounts: list[tuple[str, Account]]
) -> None:
    """Each has a relay: several at once, killed at any moment."""
    over = threading.Event()
    run = Run(folder=tmp_path, broker=RabbitMQ(amqp_url), database=postgres_url, companions=1, workers=1)

    def disturb(run: Run, _hub: SupervisedHub, _load: Load) -> None:
        chance = random.Random(SEED)  # noqa: S311 - not a secret
        for turn in range(TURNS):
            hub = run.hubs[turn % len(run.hubs)]
            hub.until_workers()
            time.sleep(chance.uniform(0, 1))
            hub.kill()
            hub.until_started(turn // len(run.hubs) + 2)
        over.set()

    found = run.go(notices_until(over), disturb, rate=RATE / 2)
    checked(run, "one of two daemons killed at a time", found, accounts)
    assert found.applied + found.overtaken == found.acknowledged


def test_a_crash_at_each_point_of_a_messages_way_loses_nothing_and_applies_nothing_twice(
    tmp_path: Path, amqp_url: str, postgres_url: str, accounts: list[tuple[str, Account]]
) -> None:
    run = Run(
        folder=tmp_path, broker=RabbitMQ(amqp_url), database=postgres_url, crash_points=POINTS_NOW, quiet_seconds=60
    )

    over = threading.Event()

    def disturb(_run: Run, hub: SupervisedHub, _load: Load) -> None:
        for point in POINTS_NOW:
            hub.pass_through(point)
        over.set()

    found = run.go(notices_until(over), disturb, rate=100)
    checked(run, "a crash at each named point", found, accounts)
    assert (found.applied, found.set_aside) == (found.acknowledged - 1, 1)
    assert Books(postgres_url).rows("SELECT message_id FROM quarantine WHERE code = 'POISON'") == [("load-00000010",)]
