"""A private PostgreSQL, ready in about a second.

The postmaster is a direct child of the test process: behind `su` or `pg_ctl` a killed postmaster would be reaped late
and the next start would stumble over its postmaster.pid. It refuses to run as root, so a test run by root starts it as
the user `postgres`. Nothing here has to survive a power cut: fsync is off (a kill -9 loses nothing all the same).
"""

import contextlib
import itertools
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

from tests.services.processes import Child, free_ports, own_directory, remove

READY_SECONDS = 60.0
USER = "hub"
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "logging_collector": "off",
}
DURABLE = {"fsync": "on", "full_page_writes": "on", "track_commit_timestamp": "on"}
"""What makes it a server as in production, for measuring; when a row was committed can be asked, too."""


def find_binaries() -> Path | None:
    """The directory of the newest `initdb` and `postgres` on this machine."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    found = shutil.which("postgres")
    candidates = [path.parent for path in reversed(debian)] + ([Path(found).parent] if found else [])
    return next((path for path in candidates if (path / "initdb").exists()), None)


class PostgresDatabases:
    """Databases on a server that may be another process's; `url` names the maintenance database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._numbers = itertools.count(1)

    def new_database(self) -> str:
        """The SQLAlchemy URL of a new, empty database."""
        name = f"t{os.getpid()}_{next(self._numbers)}"
        self._execute(f'CREATE DATABASE "{name}"')
        return f"{self.url.rpartition('/')[0]}/{name}"

    def drop_database(self, url: str) -> None:
        """Remove a database that `new_database` gave, with whoever is still connected."""
        self._execute(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """A new database for the length of a block."""
        url = self.new_database()
        try:
            yield url
        finally:
            self.drop_database(url)

    def _execute(self, statement: str) -> None:
        with psycopg.connect(libpq_url(self.url), autocommit=True) as connection:
            connection.execute(statement.encode())


def libpq_url(url: str) -> str:
    """The same URL without SQLAlchemy's driver name, as psycopg and psql take it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def accepts(url: str) -> bool:
    """Whether the server takes a connection now."""
    try:
        psycopg.connect(libpq_url(url), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


class InstalledPostgres(PostgresDatabases):
    """PostgreSQL from the binaries of this machine."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self._settings = SETTINGS | dict(settings or {})
        binaries = find_binaries()
        if binaries is None:
            raise RuntimeError("no directory with initdb and postgres found")
        self._binaries = binaries
        self._user = "postgres" if os.geteuid() == 0 else None
        self.directory = own_directory("postgres")
        (self.port,) = free_ports(1)
        password = secrets.token_hex(8)
        super().__init__(f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{self.port}/postgres")
        self._create_cluster(password)
        self._server = self._start()

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _create_cluster(self, password: str) -> None:
        password_file = self.directory / "password"
        password_file.write_text(password)
        password_file.chmod(0o600)
        self._data.mkdir(mode=0o700)
        if self._user:
            for path in (password_file, self._data):
                shutil.chown(path, self._user, self._user)
        subprocess.run(
            [
                str(self._binaries / "initdb"),
                *("--pgdata", str(self._data), "--username", USER, "--pwfile", str(password_file)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            cwd="/",
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        password_file.unlink()

    def _start(self) -> Child:
        options = [f"--{name}={value}" for name, value in {**self._settings, "port": str(self.port)}.items()]
        server = Child(
            [str(self._binaries / "postgres"), "-D", str(self._data), *options],
            log=self.directory / "server.log",
            user=self._user,
            orphan_signal=signal.SIGINT,
        )
        server.until(lambda: accepts(self.url), seconds=READY_SECONDS)
        return server

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        return self._server.pid

    def kill(self) -> None:
        """kill -9 the postmaster, and return when it is gone; its backends follow by themselves."""
        self._server.end()

    def restart(self) -> None:
        """Start again on the same port and data, killing it first when it runs."""
        self._server.end()
        self._server = self._start()

    def stop(self) -> None:
        """Shut down, disconnecting everybody, and delete everything."""
        self._server.end(signal.SIGINT)
        remove(self.directory)
