"""A worker process: takes messages in transactions of its own, as the daemon's parent process orders.

It ends when the pipe does: also when the parent was killed. Signals that a terminal or a supervisor sends to the whole
group are the parent's business.
"""

import contextlib
import gc
import signal
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection

from integrationhub import telemetry
from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.daemon.orders import Answer, Failed, GiveUp, Order, Ready, Reread, Take, Taken
from integrationhub.errors import HubError
from integrationhub.sdk.messages import MessageTaker, Outcome
from integrationhub.telemetry import UnitOfWork, logger, place_of

Takers = Mapping[str, MessageTaker]

Build = Callable[[Hub, tuple[str, ...]], Takers]
"""Makes the takers of some connectors; a function of a module, since it goes to another process by name."""


def takers_of(hub: Hub, connectors: tuple[str, ...]) -> Takers:
    """The takers as the hub wires them."""
    return {name: hub.taker(name) for name in connectors}


def main(
    pipe: "Connection[Answer, Order]", settings: Settings, connectors: tuple[str, ...], build: Build, number: int
) -> None:
    """Serve until the pipe ends."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    telemetry.configure(settings.log_level)
    with (
        Hub(settings, Catalogue.standard(folders=settings.catalogue_folders)) as hub,
        telemetry.context(worker=number),
    ):
        try:
            worker = Worker(hub, connectors, build)
        except Exception as exc:  # noqa: BLE001 - the edge of the process: the parent is told
            _tell(pipe, failed(exc))
            return
        gc.freeze()  # what is there now stays; looking through it again and again would hold up batches
        _tell(pipe, Ready())
        while (order := _received(pipe)) is not None:
            answer = worker.answer(order)
            hub.checkpoint("answering")
            _tell(pipe, answer)


def _tell(pipe: "Connection[Answer, Order]", answer: Answer) -> None:
    with contextlib.suppress(OSError):  # the parent is no more; `_received` will say so
        pipe.send(answer)


def _received(pipe: "Connection[Answer, Order]") -> Order | None:
    try:
        return pipe.recv()
    except (EOFError, OSError):
        return None


class Worker:
    """Carries out orders with takers of its own."""

    def __init__(self, hub: Hub, connectors: tuple[str, ...], build: Build) -> None:
        self._hub = hub
        self._build = build
        self._takers = build(hub, connectors)

    def answer(self, order: Order) -> Answer:
        """Carry out one order; no error leaves this."""
        try:
            if isinstance(order, Reread):
                self._hub.reread()
                self._takers = self._build(self._hub, order.connectors)
                return Ready()
            return Taken(outcomes=self._take(order) if isinstance(order, Take) else [self._give_up(order)])
        except Exception as exc:  # noqa: BLE001 - the edge of the process: the parent decides what it means
            return failed(exc)

    def _take(self, order: Take) -> list[Outcome]:
        with UnitOfWork("messages", connector=order.connector, messages=len(order.messages)):
            for message in order.messages:
                self._hub.checkpoint(f"taking {message.message_id}")  # a message that kills its worker, for fault tests
            outcomes = self._takers[order.connector].take(order.messages, now=self._hub.clock())
            self._hub.checkpoint("messages committed")
            if len(outcomes) != len(order.messages):
                raise RuntimeError("a taker must tell the fate of every message")
            return outcomes

    def _give_up(self, order: GiveUp) -> Outcome:
        with UnitOfWork("message_given_up", connector=order.connector, reason=order.code, attempt=order.attempts):
            taker = self._takers[order.connector]
            return taker.give_up(order.message, code=order.code, attempts=order.attempts, now=self._hub.clock())


def failed(error: Exception) -> Failed:
    """The error as the parent is told of it: of a foreign one no text, which may quote the message."""
    name = type(error).__name__
    if isinstance(error, HubError):
        return Failed(error=name, code=error.code, text=error.text, remedy=error.remedy, exit_code=error.exit_code)
    logger().error("unexpected", error=name, at=place_of(error.__traceback__))
    return Failed(error=name, code="UNEXPECTED", text=f"a fault of the hub, or of a connector ({name})")
