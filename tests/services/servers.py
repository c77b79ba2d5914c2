"""The servers that tests may ask for, whichever way this machine gets them."""

import functools
import gc
import os
import shutil
import subprocess
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

import docker  # type: ignore[import-untyped]

from tests.services.choice import Machine, Way, answers, choose
from tests.services.chroot import ChrootRabbit, chroot_of_tests
from tests.services.cluster import RabbitCluster
from tests.services.containers import ContainerPostgres, ContainerRabbit
from tests.services.postgres import InstalledPostgres, find_binaries
from tests.services.rabbitmq import InstalledRabbit, find_server


class Server(Protocol):
    """A real server of the test run's own."""

    @property
    def url(self) -> str: ...
    @property
    def pid(self) -> int: ...

    def kill(self) -> None:
        """kill -9, and return when it is gone."""

    def restart(self) -> None:
        """Start again with the same address and data, killing it first when it runs."""

    def stop(self) -> None:
        """End it and delete its data."""


class RabbitServer(Server, Protocol):
    """A RabbitMQ node; `url` (amqp://…) is that of the virtual host `/`."""

    def new_vhost(self) -> str:
        """The URL of a virtual host that nobody has used: a test's own exchanges and queues."""

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` prints."""

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""

    def resume(self) -> None:
        """Let it go on."""


class PostgresServer(Server, Protocol):
    """A PostgreSQL server; `url` (postgresql+psycopg://…) names the maintenance database."""

    def new_database(self) -> str:
        """The URL of a new, empty database."""

    def drop_database(self, url: str) -> None:
        """Remove a database that `new_database` gave, with whoever is still connected."""


PACKAGES = {"RabbitMQ": "rabbitmq-server", "PostgreSQL": "postgresql"}
INSTALLED: dict[str, Callable[[], object]] = {"RabbitMQ": find_server, "PostgreSQL": find_binaries}


@functools.cache
def _engine_answers() -> bool:
    with warnings.catch_warnings():
        # A Docker client without an engine leaves its sockets to the garbage collector, which warns of each.
        warnings.simplefilter("ignore", ResourceWarning)
        reached = answers(lambda: docker.from_env(timeout=5))
        gc.collect()
    return reached


def this_machine(docker_answers: Callable[[], bool] = _engine_answers) -> Machine:
    """What the choice of a way depends on, here."""
    return Machine(docker_answers=docker_answers(), root=os.geteuid() == 0, apt=shutil.which("apt-get") is not None)


def way_to(service: str, machine: Machine | None = None) -> Way:
    """The way to `RabbitMQ` or `PostgreSQL` on this machine."""
    installed = INSTALLED[service]() is not None
    return choose(service, PACKAGES[service], installed=installed, machine=machine or this_machine())


def install(service: str) -> None:
    """Install the Debian package without starting its service: at RUNLEVEL 1 the packages' scripts start nothing."""
    surroundings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", PACKAGES[service]]):
        subprocess.run(["apt-get", "-q", *arguments], env=surroundings, check=True, stdout=subprocess.DEVNULL)


def ready(service: str) -> Way:
    """The way to a service, with its binaries installed where apt had to fetch them."""
    way = way_to(service)
    if way is Way.APT:
        install(service)
    return way


def start_rabbitmq() -> RabbitServer:
    """A new RabbitMQ node, ready for connections."""
    if chroot_of_tests() is not None:
        return ChrootRabbit()
    return ContainerRabbit() if ready("RabbitMQ") is Way.CONTAINER else InstalledRabbit()


def start_postgres(settings: Mapping[str, str] | None = None) -> PostgresServer:
    """A new PostgreSQL server, ready for connections, with these settings beside those of all test servers."""
    if ready("PostgreSQL") is Way.CONTAINER:
        return ContainerPostgres(settings=settings)
    return InstalledPostgres(settings)


def start_rabbitmq_cluster() -> RabbitCluster:
    """Three new RabbitMQ nodes of one cluster. They come from this machine's binaries, also where Docker answers."""
    choose(
        "RabbitMQ",
        PACKAGES["RabbitMQ"],
        installed=INSTALLED["RabbitMQ"]() is not None,
        machine=replace(this_machine(), docker_answers=False),
    )
    if find_server() is None:
        install("RabbitMQ")
    return RabbitCluster()
