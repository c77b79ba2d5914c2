import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.services import servers
from tests.services.__main__ import main
from tests.services.choice import Machine, Way
from tests.services.keeper import Keeper, ask
from tests.services.postgres import libpq_url
from tests.services.processes import Child, speaks_amqp
from tests.services.servers import PostgresServer, RabbitServer


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def value(url: str, query: str) -> object:
    with psycopg.connect(libpq_url(url)) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row and row[0]


def test_each_test_gets_a_database_of_its_own(postgres: PostgresServer, postgres_url: str) -> None:
    assert value(postgres_url, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 0
    assert postgres.new_database() != postgres_url


def test_each_test_gets_a_virtual_host_of_its_own(rabbitmq: RabbitServer, amqp_url: str) -> None:
    assert amqp_url.startswith("amqp://")
    assert rabbitmq.new_vhost() != amqp_url


def test_a_killed_postgres_comes_back_with_its_data(private_postgres: PostgresServer) -> None:
    url = private_postgres.new_database()
    with psycopg.connect(libpq_url(url)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    old = private_postgres.pid
    private_postgres.kill()
    assert not runs(old)
    private_postgres.restart()
    assert value(url, "SELECT n FROM kept") == 7


def test_a_killed_rabbitmq_comes_back_on_its_port(private_rabbitmq: RabbitServer) -> None:
    port = int(private_rabbitmq.url.rpartition(":")[2].partition("/")[0])
    old = private_rabbitmq.pid
    private_rabbitmq.kill()
    assert not runs(old)
    assert not speaks_amqp(port)
    private_rabbitmq.restart()
    assert speaks_amqp(port)
    assert private_rabbitmq.pid != old


def test_a_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path; from tests.services.processes import Child; import time;"
        f"print(Child(['sleep', '600'], log=Path({str(tmp_path / 'log')!r})).pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert runs(child)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while runs(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not runs(child)


def test_a_server_that_ends_at_once_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    child = Child(["sh", "-c", "echo no licence; exit 3"], log=tmp_path / "log")
    with pytest.raises(RuntimeError, match="no licence"):
        child.until(lambda: False, seconds=10)


class CountedServer:
    started = 0
    url = "x://"
    pid = 1

    def __init__(self) -> None:
        type(self).started += 1
        self.stopped = False

    def kill(self) -> None:
        raise RuntimeError("it is immortal")

    def restart(self) -> None: ...

    def stop(self) -> None:
        self.stopped = True


def test_the_keeper_starts_a_server_once_and_stops_it_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[CountedServer] = []

    def start() -> CountedServer:
        made.append(CountedServer())
        return made[0]

    for name in ("INTEGRATIONHUB_TEST_KEEPER", "INTEGRATIONHUB_TEST_KEEPER_KEY"):
        monkeypatch.setenv(name, os.environ[name])  # put back afterwards
    keeper = Keeper({"fake": start})
    keeper.announce()
    assert ask("fake", "url") == "x://"
    assert ask("fake", "pid") == 1
    with pytest.raises(RuntimeError, match="it is immortal"):
        ask("fake", "kill")
    keeper.close()
    assert [server.stopped for server in made] == [True]


def test_install_says_what_is_missing_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing() -> Machine:
        return Machine(docker_answers=False, root=False, apt=True)

    monkeypatch.setattr(servers, "this_machine", nothing)
    monkeypatch.setattr(servers, "INSTALLED", {"RabbitMQ": lambda: None, "PostgreSQL": lambda: None})
    assert main(["install"]) == 1
    assert "apt-get install --no-install-recommends rabbitmq-server" in capsys.readouterr().err


def test_install_prints_one_line_on_where_each_server_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install"]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_apt_is_run_only_where_it_is_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(servers, "install", asked.append)
    monkeypatch.setattr(servers, "way_to", {"RabbitMQ": Way.APT, "PostgreSQL": Way.INSTALLED}.__getitem__)
    assert [servers.ready("RabbitMQ"), servers.ready("PostgreSQL")] == [Way.APT, Way.INSTALLED]
    assert asked == ["RabbitMQ"]
