"""A private RabbitMQ node, ready in about five seconds, and a cluster of three, ready in about twenty.

A node has its own HOME (Erlang cookie, mode 600), node name, message and distribution ports, message store and log; the
port mapper daemon is its cluster's own: nothing of a RabbitMQ that runs on this machine already is touched. All listen
on 127.0.0.1 only.

A quorum queue that was declared less than about a second before a kill can come back unusable: tests that `kill`
declare first and wait `SETTLE_SECONDS`.
"""

import os
import re
import secrets
import shutil
import signal
import subprocess
from collections import deque
from pathlib import Path

from tests.services.processes import Child, free_ports, listens, own_directory, remove, speaks_amqp

SETTLE_SECONDS = 5.0
READY_SECONDS = 120.0
USER = "hub"
VHOSTS_AT_ONCE = 16


def find_server() -> Path | None:
    """The `rabbitmq-server` script itself: Debian's /usr/sbin wrapper would change the user and the directory."""
    debian = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    found = str(debian) if debian.exists() else shutil.which("rabbitmq-server")
    return Path(found) if found and shutil.which("erl") and shutil.which("epmd") else None


class Company:
    """What nodes must share to talk to each other: port mapper, cookie, password. A single node has one to itself."""

    def __init__(self) -> None:
        self.directory = own_directory("epmd")
        (self.epmd_port,) = free_ports(1)
        self.cookie = secrets.token_hex(10)
        self.password = secrets.token_hex(8)
        self._epmd = Child(
            ["epmd", "-address", "127.0.0.1", "-port", str(self.epmd_port)],
            log=self.directory / "epmd.log",
            environment={**os.environ, "HOME": str(self.directory)},
        )
        self._epmd.until(lambda: listens(self.epmd_port), seconds=10)

    def close(self) -> None:
        """End the port mapper."""
        self._epmd.end()
        remove(self.directory)


class InstalledRabbit:
    """RabbitMQ from the binaries of this machine. `url` is that of the virtual host `/`.

    A node with a `company` that joins `peer` at its first start becomes part of that node's cluster.
    """

    def __init__(self, company: Company | None = None, *, peer: "InstalledRabbit | None" = None) -> None:
        self._script = self._find_script()
        self.directory = self._make_directory()
        self._company = company or Company()
        self._is_alone = company is None
        self.port, self._distribution_port = free_ports(2)
        self.node = f"hub{self.port}@localhost"
        self._password = self._company.password
        self._spare_vhosts: deque[str] = deque()
        self._vhosts = 0
        self._write_files(peer)
        self._environment = self._surroundings()
        self._server = self._start()

    def _find_script(self) -> Path:
        script = find_server()
        if script is None:
            raise RuntimeError("rabbitmq-server, erl and epmd are not all installed")
        return script

    def _command(self, program: Path, *arguments: str) -> list[str]:
        """How a program of RabbitMQ is called."""
        return [str(program), *arguments]

    def _make_directory(self) -> Path:
        return own_directory("rabbitmq")

    def _remove_directory(self) -> None:
        remove(self.directory)

    def _write_files(self, peer: "InstalledRabbit | None") -> None:
        cookie = self.directory / ".erlang.cookie"
        cookie.write_text(self._company.cookie)
        cookie.chmod(0o600)
        (self.directory / "enabled_plugins").write_text("[].\n")
        lines = [f"default_user = {USER}", f"default_pass = {self._password}", "log.console = false"]
        if peer is not None:
            lines += [
                "cluster_formation.peer_discovery_backend = classic_config",
                f"cluster_formation.classic_config.nodes.1 = {peer.node}",
                f"cluster_formation.classic_config.nodes.2 = {self.node}",
            ]
        (self.directory / "rabbitmq.conf").write_text("\n".join(lines) + "\n")

    def _surroundings(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ_")}
        home = str(self.directory)
        return kept | {
            "HOME": home,
            "ERL_EPMD_PORT": str(self._company.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": f"{home}/mnesia",
            "RABBITMQ_LOG_BASE": f"{home}/log",
            "RABBITMQ_PID_FILE": f"{home}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/enabled_plugins",
            "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{home}/rabbitmq-env.conf",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            # The start script then becomes the server instead of waiting for it: its process id is the node's.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _start(self) -> Child:
        server = Child(self._command(self._script), log=self.directory / "server.log", environment=self._environment)
        server.until(lambda: speaks_amqp(self.port), seconds=READY_SECONDS)
        return server

    @property
    def url(self) -> str:
        return self.url_of("%2F")

    def url_of(self, vhost: str) -> str:
        """The URL of one virtual host."""
        return f"amqp://{USER}:{self._password}@127.0.0.1:{self.port}/{vhost}"

    @property
    def pid(self) -> int:
        """Process id of the node."""
        return self._server.pid

    @property
    def runs(self) -> bool:
        """Whether the node's process is there."""
        return self._server.runs

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` prints."""
        command = self._command(self._script.with_name("rabbitmqctl"), "-q", "-n", self.node, *arguments)
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode:
            raise RuntimeError(f"rabbitmqctl {arguments[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def new_vhost(self) -> str:
        """The URL of a virtual host that nobody has used: a test's own exchanges and queues."""
        if not self._spare_vhosts:
            first, self._vhosts = self._vhosts + 1, self._vhosts + VHOSTS_AT_ONCE
            self._spare_vhosts.extend(vhosts_in(self.control("eval", vhost_script(first, self._vhosts))))
        return self.url_of(self._spare_vhosts.popleft())

    def kill(self) -> None:
        """kill -9 the node, and return when it is gone."""
        self._server.end()

    def pause(self) -> None:
        """Freeze the node: connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen node go on."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Start the node again on the same port and message store, killing it first when it runs."""
        self._server.end()
        self._server = self._start()

    def stop(self) -> None:
        """Kill node and port mapper and delete everything."""
        self._server.end()
        if self._is_alone:
            self._company.close()
        self._remove_directory()


def vhosts_in(answer: str) -> list[str]:
    """The names in what `rabbitmqctl eval` printed: a list of Erlang binaries."""
    return re.findall(r'<<"(.*?)">>', answer)


def vhost_script(first: int, last: int) -> str:
    """One `rabbitmqctl eval` for many virtual hosts: most of each call is the start of Erlang."""
    anything = '<<".*">>'
    return (
        f'[begin V = list_to_binary("t" ++ integer_to_list(N)), rabbit_vhost:add(V, <<"{USER}">>), '
        f'rabbit_auth_backend_internal:set_permissions(<<"{USER}">>, V, {anything}, {anything}, {anything}, '
        f'<<"{USER}">>), V end || N <- lists:seq({first}, {last})].'
    )
