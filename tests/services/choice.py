"""Which way a test run gets a server: a container when Docker answers, else a binary on this machine.

    Docker answers                        → CONTAINER
    the binary is installed               → INSTALLED
    it is not, we are root, apt is there  → APT, then INSTALLED
    otherwise                             → MissingServiceError, naming the packages

A missing server is never a skipped test: a suite that silently leaves out the broker proves nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Way(StrEnum):
    """Where a server comes from."""

    CONTAINER = "a container"
    INSTALLED = "the installed binary"
    APT = "apt-get, then the installed binary"


class MissingServiceError(RuntimeError):
    """No way leads to the server; the text says what to install."""


class Engine(Protocol):
    """What we ask of a Docker client: does its engine answer?"""

    def ping(self) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the choice depends on."""

    docker_answers: bool
    root: bool
    apt: bool


def answers(connect: Callable[[], Engine]) -> bool:
    """Whether a Docker engine is reached; a client without one (no socket, no right, no answer) counts as none."""
    try:
        return bool(connect().ping())
    except Exception:  # noqa: BLE001 - the client raises its own, requests' and the socket's errors; each means "no"
        return False


def choose(service: str, package: str, *, installed: bool, machine: Machine) -> Way:
    """The way to `service`; `package` is the Debian package that holds it."""
    if machine.docker_answers:
        return Way.CONTAINER
    if installed:
        return Way.INSTALLED
    if machine.root and machine.apt:
        return Way.APT
    remedy = f"apt-get install --no-install-recommends {package}" if machine.apt else f"{service} (package {package})"
    raise MissingServiceError(
        f"The tests need a real {service}: no Docker engine answers and its server is not installed here. "
        f"Start Docker, or install: {remedy}"
    )
