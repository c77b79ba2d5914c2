"""An installation of the hub as a user has it: the installed command, a data directory, settings in the environment.

`run` and `start` are what a user types, each a process of its own. `call` does the same inside this process, for tests
with so many commands that starting Python for each would take most of the time.
"""

import contextlib
import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from unittest import mock

from integrationhub.cli import program
from integrationhub.cli.boundary import run as run_here
from integrationhub.store import exports
from integrationhub.store.unit_of_work import Store
from tests.services.processes import free_ports, wait_until

COMMAND = Path(sys.executable).with_name("integrationhub")
PATIENCE_SECONDS = 120

_INSTANT = re.compile(r'"(time|opened_at)":"[^"]*"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def verdicts(self) -> list[str]:
        """The verdict of each file."""
        return [row["verdict"] for row in self.rows]

    @property
    def codes(self) -> list[str | None]:
        """The first reason code of each file."""
        return [row["reasons"][0]["code"] if row["reasons"] else None for row in self.rows]


class Installation:
    """A data directory and its settings; nothing is there before the first command."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.data = folder / "hub-data"
        self.settings = {"data_dir": self.data, "synthetic_identities": "true", **settings}

    @property
    def inbox(self) -> Path:
        """The watched folder of the 1993 extract."""
        return self.data / "inbox" / "csa1993"

    def environment(self, **settings: object) -> dict[str, str]:
        """The environment of a command, with further settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("INTEGRATIONHUB_")}
        chosen = {f"INTEGRATIONHUB_{name.upper()}": str(value) for name, value in {**self.settings, **settings}.items()}
        return kept | chosen

    def run(self, *arguments: object, code: int | None = 0, **settings: object) -> Done:
        """A command in a process of its own; it must end with `code` (None: any)."""
        done = subprocess.run(
            [COMMAND, *map(str, arguments)],
            env=self.environment(**settings),
            cwd=self.data.parent,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return _checked(Done(code=done.returncode, out=done.stdout, err=done.stderr), arguments, code)

    def call(self, *arguments: object, code: int | None = 0, **settings: object) -> Done:
        """The same inside this process."""
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), io.StringIO()
        with (
            mock.patch.dict(os.environ, self.environment(**settings), clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            _logging_as_before(),
        ):
            ended = run_here(program, [str(argument) for argument in arguments])
        out.seek(0)
        return _checked(Done(code=ended, out=out.read(), err=err.getvalue()), arguments, code)

    def popen(self, *arguments: object, **settings: object) -> "subprocess.Popen[str]":
        """A command that is left running, with its output in pipes."""
        return subprocess.Popen(
            [COMMAND, *map(str, arguments)],
            env=self.environment(**settings),
            cwd=self.data.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def daemon(self, *arguments: str, **settings: object) -> "Daemon":
        """`integrationhub run`, to be used in a `with` block."""
        return Daemon(self, arguments, settings)

    @property
    def store_url(self) -> str:
        """The store's SQLAlchemy URL."""
        return str(self.settings.get("database_url", f"sqlite:///{self.data / 'hub.sqlite3'}"))

    def store(self) -> Store:
        """The store, which the caller closes."""
        return Store.open(self.store_url, create=True)

    def exports(self, *, times: bool = False) -> dict[str, str]:
        """Everything that can be exported, unmasked, as JSON lines; clock times only where asked for."""
        store = self.store()
        try:
            with store.read() as connection:
                texts = {
                    name: "".join(frame.write_ndjson() for frame in exports.export(connection, name, unmasked=True))
                    for name in exports.names()
                }
        finally:
            store.close()
        return texts if times else {name: _INSTANT.sub(r'"\1":null', text) for name, text in texts.items()}

    def exports_now(self) -> dict[str, str]:
        """The exports, of the worklist only what is open: what was opened and closed on the way is history."""
        found = self.exports()
        waiting = [row for row in self.rows("exceptions") if row["state"] != "RESOLVED"]
        return found | {"exceptions": json.dumps(waiting)}

    def rows(self, name: str) -> list[dict[str, Any]]:
        """One export, row by row."""
        return [json.loads(line) for line in self.exports()[name].splitlines()]


@contextlib.contextmanager
def _logging_as_before() -> Iterator[None]:
    """A command sets up the logs of its process; here they are set back at its end."""
    root, own = logging.getLogger(), logging.getLogger("integrationhub")
    before = root.level, own.level, list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(before[0])
        own.setLevel(before[1])
        root.handlers[:] = before[2]


def _checked(done: Done, arguments: Sequence[object], code: int | None) -> Done:
    if code is not None and done.code != code:
        raise AssertionError(
            f"{' '.join(map(str, arguments))} ended with {done.code}, not {code}\n{done.out[:2000]}\n{done.err[-2000:]}"
        )
    return done


class Daemon:
    """`integrationhub run` in a process of its own; leaving the block kills it where it still runs."""

    def __init__(self, installation: Installation, arguments: Sequence[str], settings: Mapping[str, object]) -> None:
        self._installation = installation
        self._arguments = arguments
        self._settings = settings
        (self.port,) = free_ports(1)
        self.log = installation.data.parent / f"daemon-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        installation = self._installation
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [COMMAND, "run", *self._arguments],
                env=installation.environment(http_port=self.port, **self._settings),
                cwd=installation.data.parent,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.running.poll() is None:
            self.running.kill()
        self.running.wait()

    @property
    def running(self) -> "subprocess.Popen[bytes]":
        """The process."""
        assert self.process is not None
        return self.process

    def ask(self, path: str) -> tuple[int, str]:
        """Status and body of an answer of the HTTP port; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:
            return 0, ""

    def until_ready(self) -> None:
        """Wait until `/healthz/ready` says so."""
        self.until(lambda: self.ask("/healthz/ready")[0] == 200, "the daemon")

    def until(self, condition: Any, what: str) -> None:  # noqa: ANN401 - any function without arguments
        """Wait for a condition while the daemon runs."""

        def reached() -> bool:
            if self.running.poll() is not None:
                raise AssertionError(f"the daemon ended with {self.running.returncode}:\n{self.text[-2000:]}")
            return bool(condition())

        wait_until(reached, seconds=PATIENCE_SECONDS, what=what)

    @property
    def text(self) -> str:
        """What it has written so far, on stdout and stderr."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def lines(self) -> Iterator[dict[str, Any]]:
        """Its log lines."""
        return (json.loads(line) for line in self.text.splitlines())

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and give the exit code."""
        self.running.send_signal(number)
        return self.running.wait(PATIENCE_SECONDS)
