"""One set of servers for a whole test run, however many pytest-xdist workers it has.

The process that leads the run (pytest's controller, or pytest itself without xdist) has a keeper: a thread that starts
a server when the first test anywhere asks for it, and ends it when the run ends. Workers reach it through a Unix
socket whose name and key they inherit in the environment. One thread does everything, one request after another: two
workers never start two servers. They die with the process that leads the run, however it ends (see `processes`).
"""

import contextlib
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener

from tests.services.postgres import PostgresDatabases
from tests.services.processes import own_directory, remove, sweep
from tests.services.servers import Server, start_postgres, start_rabbitmq

ADDRESS = "INTEGRATIONHUB_TEST_KEEPER"
KEY = "INTEGRATIONHUB_TEST_KEEPER_KEY"
FAREWELL = ("", "", ())
SERVERS: Mapping[str, Callable[[], Server]] = {"rabbitmq": start_rabbitmq, "postgres": start_postgres}


class Keeper:
    """Answers requests `(service, attribute or method, arguments)` with `(result, None)` or `(None, error text)`."""

    def __init__(self, servers: Mapping[str, Callable[[], Server]] = SERVERS) -> None:
        self._start = servers
        self._running: dict[str, Server] = {}
        sweep()
        self._directory = own_directory("keeper")
        self._key = secrets.token_bytes(16)
        self._address = str(self._directory / "socket")
        self._listener = Listener(self._address, "AF_UNIX", authkey=self._key)
        self._thread = threading.Thread(target=self._serve, name="test services", daemon=True)
        self._thread.start()

    def announce(self) -> None:
        """Tell this process and those it starts where the keeper is."""
        os.environ[ADDRESS] = self._address
        os.environ[KEY] = self._key.hex()

    def _serve(self) -> None:
        with self._listener:
            while self._answer_one():
                pass
        for server in self._running.values():
            server.stop()

    def _answer_one(self) -> bool:
        # A worker may be killed at any moment; its half-made request is nobody's concern.
        with contextlib.suppress(OSError, EOFError, AuthenticationError), self._listener.accept() as connection:
            request = connection.recv()
            if request == FAREWELL:
                return False
            connection.send(self._answer(*request))
        return True

    def _answer(self, service: str, name: str, arguments: tuple[str, ...]) -> tuple[object, str | None]:
        try:
            if service not in self._running:
                self._running[service] = self._start[service]()
            value = getattr(self._running[service], name)
            return (value(*arguments) if callable(value) else value), None
        except Exception as error:  # noqa: BLE001 - the edge of the thread: whoever asked raises it again
            return None, f"{type(error).__name__}: {error}"

    def close(self) -> None:
        """End every server that was started."""
        with Client(self._address, "AF_UNIX", authkey=self._key) as connection:
            connection.send(FAREWELL)
        self._thread.join()
        remove(self._directory)


def ask(service: str, name: str, *arguments: str) -> object:
    """One request to the run's keeper."""
    with Client(os.environ[ADDRESS], "AF_UNIX", authkey=bytes.fromhex(os.environ[KEY])) as connection:
        connection.send((service, name, arguments))
        result, error = connection.recv()
    if error is not None:
        raise RuntimeError(error)
    return result


class KeptServer:
    """A server that the run's keeper holds. Killing it kills it for every test of the run."""

    service: str

    @property
    def url(self) -> str:
        return str(ask(self.service, "url"))

    @property
    def pid(self) -> int:
        return int(str(ask(self.service, "pid")))

    def kill(self) -> None:
        """kill -9, and return when it is gone."""
        ask(self.service, "kill")

    def restart(self) -> None:
        """Start again with the same address and data, killing it first when it runs."""
        ask(self.service, "restart")

    def stop(self) -> None:
        """Nothing: the keeper ends it when the run ends."""


class KeptRabbit(KeptServer):
    """The run's RabbitMQ."""

    service = "rabbitmq"

    def new_vhost(self) -> str:
        """The URL of a virtual host that nobody has used: a test's own exchanges and queues."""
        return str(ask(self.service, "new_vhost"))

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` prints."""
        return str(ask(self.service, "control", *arguments))

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        ask(self.service, "pause")

    def resume(self) -> None:
        """Let it go on."""
        ask(self.service, "resume")


class KeptPostgres(KeptServer):
    """The run's PostgreSQL; its databases are made from here, so that no worker waits for another's."""

    service = "postgres"

    def __init__(self) -> None:
        self._databases = PostgresDatabases(self.url)

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        return self._databases.new_database()

    def drop_database(self, url: str) -> None:
        """Remove a database that `new_database` gave, with whoever is still connected."""
        self._databases.drop_database(url)
