"""The Docker way with a stub in the place of the engine: what is asked of it, not what it does."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Self, cast

import pytest
from testcontainers.core.container import DockerContainer

from tests.services import containers
from tests.services.containers import ContainerPostgres, ContainerRabbit


class StubContainer:
    """Notes what testcontainers' `DockerContainer` and the engine's container would be told."""

    def __init__(self, image: str) -> None:
        self.image = image
        self.told: list[str] = []
        self.env: dict[str, str] = {}
        self.ports: dict[int, int] = {}
        self.command: list[str] = []
        self.status = "created"
        self.attrs = {"State": {"Pid": 4711}}

    def with_bind_ports(self, inside: int, outside: int) -> Self:
        self.ports[inside] = outside
        return self

    def with_envs(self, **variables: str) -> Self:
        self.env.update(variables)
        return self

    def with_kwargs(self, **_: str) -> Self:
        return self

    def with_command(self, command: list[str]) -> Self:
        self.command = command
        return self

    def get_wrapped_container(self) -> Self:
        return self

    def reload(self) -> None:
        self.told.append("reload")

    def start(self) -> None:
        self.told.append("start")
        self.status = "running"

    def kill(self) -> None:
        self.told.append("kill")
        self.status = "exited"

    def stop(self) -> None:
        self.told.append("stop")

    def exec(self, command: list[str]) -> SimpleNamespace:
        self.told.append(command[0])
        return SimpleNamespace(exit_code=0, output=b'[<<"t1">>,<<"t2">>]\n')


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[StubContainer]:
    monkeypatch.setattr(containers, "speaks_amqp", lambda _port: True)
    monkeypatch.setattr(containers, "accepts", lambda _url: True)
    return []


def make(made: list[StubContainer]) -> Callable[[str], DockerContainer]:
    def container(image: str) -> DockerContainer:
        made.append(StubContainer(image))
        return cast("DockerContainer", made[-1])

    return container


def test_a_rabbitmq_container_gives_the_url_of_its_bound_port(made: list[StubContainer]) -> None:
    server = ContainerRabbit(make(made))
    (container,) = made
    assert container.image == "rabbitmq:3.10"
    user, password = container.env["RABBITMQ_DEFAULT_USER"], container.env["RABBITMQ_DEFAULT_PASS"]
    assert server.url == f"amqp://{user}:{password}@127.0.0.1:{container.ports[5672]}/%2F"
    assert server.new_vhost().endswith("/t1")
    assert server.new_vhost().endswith("/t2")
    assert container.told == ["start", "rabbitmqctl"]


def test_a_postgres_container_gives_the_url_of_its_bound_port(made: list[StubContainer]) -> None:
    server = ContainerPostgres(make(made))
    (container,) = made
    user, password = container.env["POSTGRES_USER"], container.env["POSTGRES_PASSWORD"]
    assert server.url == f"postgresql+psycopg://{user}:{password}@127.0.0.1:{container.ports[5432]}/postgres"
    assert "--listen_addresses=*" in container.command


def test_a_killed_container_is_started_again_and_removed_at_the_end(made: list[StubContainer]) -> None:
    server = ContainerRabbit(make(made))
    assert server.pid == 4711
    server.kill()
    server.restart()
    server.restart()
    server.stop()
    assert made[0].told == ["start", "reload", "kill", "reload", "start", "reload", "kill", "start", "stop"]
