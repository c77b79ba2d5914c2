"""The same servers in containers, for machines where a Docker engine answers.

The host port is bound, not assigned, so that a container that was killed and is started again keeps its address. The
containers carry testcontainers' labels: its reaper removes them when the test run dies.
"""

import secrets
from collections import deque
from collections.abc import Callable, Mapping

from testcontainers.core.container import DockerContainer

from tests.services.postgres import SETTINGS, PostgresDatabases, accepts
from tests.services.processes import free_ports, speaks_amqp, wait_until
from tests.services.rabbitmq import USER, VHOSTS_AT_ONCE, vhost_script, vhosts_in

RABBITMQ_IMAGE = "rabbitmq:3.10"
POSTGRES_IMAGE = "postgres:15"
READY_SECONDS = 120.0


class ContainerServer:
    """One container with one bound port."""

    def __init__(self, container: DockerContainer, ready: Callable[[], bool]) -> None:
        self._container = container
        self._ready = ready
        container.start()
        self._wait()

    def _wait(self) -> None:
        wait_until(self._ready, seconds=READY_SECONDS, what=self._container.image)

    @property
    def pid(self) -> int:
        """Process id of the container's first process, as the engine's host sees it."""
        container = self._container.get_wrapped_container()
        container.reload()
        return int(container.attrs["State"]["Pid"])

    def kill(self) -> None:
        """kill -9."""
        self._container.get_wrapped_container().kill()

    def pause(self) -> None:
        """Freeze every process: connections stay open and nothing answers."""
        self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        """Let them go on."""
        self._container.get_wrapped_container().unpause()

    def restart(self) -> None:
        """Start again with the same data, killing it first when it runs."""
        container = self._container.get_wrapped_container()
        container.reload()
        if container.status == "running":
            container.kill()
        container.start()
        self._wait()

    def stop(self) -> None:
        """Remove the container and its data."""
        self._container.stop()


class ContainerRabbit(ContainerServer):
    """RabbitMQ in a container."""

    def __init__(self, make: Callable[[str], DockerContainer] = DockerContainer) -> None:
        (self.port,) = free_ports(1)
        self._password = secrets.token_hex(8)
        self._spare_vhosts: deque[str] = deque()
        self._vhosts = 0
        container = make(RABBITMQ_IMAGE).with_bind_ports(5672, self.port)
        container.with_envs(RABBITMQ_DEFAULT_USER=USER, RABBITMQ_DEFAULT_PASS=self._password)
        container.with_kwargs(hostname="hub")  # part of the node's name, which names its message store
        super().__init__(container, lambda: speaks_amqp(self.port))

    @property
    def url(self) -> str:
        return self._url_of("%2F")

    def _url_of(self, vhost: str) -> str:
        return f"amqp://{USER}:{self._password}@127.0.0.1:{self.port}/{vhost}"

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` prints."""
        done = self._container.exec(["rabbitmqctl", "-q", *arguments])
        if done.exit_code:
            raise RuntimeError(f"rabbitmqctl {arguments[0]} failed:\n{done.output.decode()}")
        return done.output.decode()

    def new_vhost(self) -> str:
        """The URL of a virtual host that nobody has used."""
        if not self._spare_vhosts:
            first, self._vhosts = self._vhosts + 1, self._vhosts + VHOSTS_AT_ONCE
            self._spare_vhosts.extend(vhosts_in(self.control("eval", vhost_script(first, self._vhosts))))
        return self._url_of(self._spare_vhosts.popleft())


class ContainerPostgres(ContainerServer, PostgresDatabases):
    """PostgreSQL in a container."""

    def __init__(
        self,
        make: Callable[[str], DockerContainer] = DockerContainer,
        *,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        (self.port,) = free_ports(1)
        password = secrets.token_hex(8)
        url = f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{self.port}/postgres"
        PostgresDatabases.__init__(self, url)
        container = make(POSTGRES_IMAGE).with_bind_ports(5432, self.port)
        container.with_envs(POSTGRES_USER=USER, POSTGRES_PASSWORD=password, POSTGRES_DB="postgres")
        inside = (
            SETTINGS
            | dict(settings or {})
            | {"listen_addresses": "*", "unix_socket_directories": "/var/run/postgresql"}
        )
        container.with_command(["postgres", *(f"--{name}={value}" for name, value in inside.items())])
        ContainerServer.__init__(self, container, lambda: accepts(self.url))
