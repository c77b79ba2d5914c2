"""Fixtures for the whole suite: a real RabbitMQ and a real PostgreSQL, started when the first test asks for one.

    amqp_url            a fresh virtual host of the shared RabbitMQ, for this test alone
    postgres_url        a fresh database of the shared PostgreSQL, for this test alone
    rabbitmq, postgres  the shared servers: one each for the run, also under pytest-xdist
    private_rabbitmq    a server of the test module's own, for tests that kill or freeze it
    private_postgres    the same
    rabbitmq_cluster    three nodes of the test module's own, behind a load balancer

A server that can't be started is an error that says what to install, never a skipped test.
"""

from collections.abc import Iterator

import pytest

from tests.services.cluster import RabbitCluster
from tests.services.keeper import Keeper, KeptPostgres, KeptRabbit
from tests.services.servers import (
    PostgresServer,
    RabbitServer,
    start_postgres,
    start_rabbitmq,
    start_rabbitmq_cluster,
)

KEEPER = pytest.StashKey[Keeper]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # set in pytest-xdist's workers only
        keeper = config.stash[KEEPER] = Keeper()
        keeper.announce()


def pytest_unconfigure(config: pytest.Config) -> None:
    if KEEPER in config.stash:
        config.stash[KEEPER].close()


@pytest.fixture(scope="session")
def rabbitmq() -> RabbitServer:
    return KeptRabbit()


@pytest.fixture(scope="session")
def postgres() -> PostgresServer:
    return KeptPostgres()


@pytest.fixture
def amqp_url(rabbitmq: RabbitServer) -> str:
    return rabbitmq.new_vhost()


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    url = postgres.new_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture(scope="module")
def private_rabbitmq() -> Iterator[RabbitServer]:
    server = start_rabbitmq()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def private_postgres() -> Iterator[PostgresServer]:
    server = start_postgres()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def rabbitmq_cluster() -> Iterator[RabbitCluster]:
    cluster = start_rabbitmq_cluster()
    yield cluster
    cluster.stop()
