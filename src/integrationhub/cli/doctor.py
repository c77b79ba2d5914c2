"""`integrationhub doctor`: what is installed, reachable, writable."""

import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json, print_table
from integrationhub.errors import ConfigurationError, HubError, TransientError

if TYPE_CHECKING:
    from integrationhub.config import Settings

CONNECT_SECONDS = 3.0
OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. `state`: ok, absent (only some uses need it), away (a service), fault."""

    check: str
    state: str
    detail: str


@click.command()
@json_option
@click.pass_obj
def doctor(invocation: Invocation, as_json: bool) -> int:
    """Say what is installed, reachable, writable.

    Exits 1 when something is at fault, 75 when only a service is away.
    """
    findings = list(_findings(invocation))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table(("check", "state", "detail"), [(item.check, item.state, item.detail) for item in findings])
    states = {finding.state for finding in findings}
    if "fault" in states:
        return HubError.exit_code
    return TransientError.exit_code if "away" in states else 0


def _findings(invocation: Invocation) -> Iterator[Finding]:
    yield _python()
    yield from _packages()
    try:
        settings = invocation.settings
    except HubError as exc:
        faults = exc.faults if isinstance(exc, ConfigurationError) else (exc.text,)
        yield Finding(check="configuration", state="fault", detail="; ".join(faults))
        return
    file = invocation.effective.file
    yield Finding(check="configuration", state="ok", detail=str(file) if file else "no file: everything at its default")
    yield _writable("data directory", settings.data_dir)
    yield _store(settings)
    yield _broker(settings)
    yield _catalogue(invocation)
    yield from _test_servers()


def _python() -> Finding:
    good = sys.version_info >= OLDEST_PYTHON
    detail = f"{sys.version.split()[0]} at {sys.executable}"
    return Finding(check="python", state="ok" if good else "fault", detail=detail)


def _packages() -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, requires, version

    yield Finding(check="integrationhub", state="ok", detail=version("integrationhub"))
    for requirement in sorted(requires("integrationhub") or ()):
        match = re.match(r"[A-Za-z0-9._-]+", requirement)
        name = match[0] if match else requirement
        try:
            yield Finding(check=name, state="ok", detail=version(name))
        except PackageNotFoundError:
            yield Finding(check=name, state="fault", detail=f"not installed; the hub needs {requirement}")


def _writable(check: str, folder: Path) -> Finding:
    """Tried with a real file in the folder, or in the nearest one above it that exists; nothing stays behind."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as exc:
        return Finding(check=check, state="fault", detail=f"{folder}: not writable ({exc.strerror})")
    free = shutil.disk_usage(existing).free // 2**20
    state = "writable" if existing == folder.absolute() else "will be made at first use"
    return Finding(check=check, state="ok", detail=f"{folder}: {state}, {free} MiB free")


def _store(settings: "Settings") -> Finding:
    if settings.store_url.startswith("sqlite"):
        return _writable("store (SQLite)", Path(settings.store_url.removeprefix("sqlite:///")).parent)
    return _reachable("store (PostgreSQL)", settings.store_url, 5432)


def _broker(settings: "Settings") -> Finding:
    if settings.broker_url == "embedded":
        return Finding(check="broker", state="ok", detail="embedded, in the store")
    port = 5671 if settings.broker_url.startswith("amqps") else 5672
    return _reachable("broker (RabbitMQ)", settings.broker_url, port)


def _reachable(
    check: str, url: str, default_port: int, connect: Callable[..., socket.socket] = socket.create_connection
) -> Finding:
    """Whether something listens there; credentials are not tried."""
    parts = urlsplit(url)
    where = f"{parts.hostname or 'localhost'}:{parts.port or default_port}"
    try:
        connect((parts.hostname or "localhost", parts.port or default_port), timeout=CONNECT_SECONDS).close()
    except OSError as exc:
        return Finding(check=check, state="away", detail=f"{where}: {exc.strerror or type(exc).__name__}")
    return Finding(check=check, state="ok", detail=f"{where} answers")


def _catalogue(invocation: Invocation) -> Finding:
    try:
        names = [descriptor.name for descriptor in invocation.catalogue.connectors()]
    except HubError as exc:
        return Finding(check="connectors", state="fault", detail=exc.text)
    state = "ok" if names else "fault"
    return Finding(check="connectors", state=state, detail=", ".join(names) or "none found: is the hub installed?")


def _test_servers() -> Iterator[Finding]:
    """Servers on this machine: the tests start their own, the hub itself needs none of them here."""
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", *_postgres_folders()])
    for check, program in (("rabbitmq-server", "rabbitmq-server"), ("postgresql", "postgres")):
        found = shutil.which(program, path=search)
        detail = found or "not on this machine; only the tests, or a server of your own, need it"
        yield Finding(check=check, state="ok" if found else "absent", detail=detail)


def _postgres_folders() -> list[str]:
    """Debian keeps the server outside the PATH, one folder a version; the newest first."""
    return [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
