"""The worker processes, seen from the parent: started, given orders, started again when they die.

Each is started anew (spawn), so it shares no connection, lock or thread with the parent; it lives as long as its pipe.
"""

import contextlib
import multiprocessing
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from integrationhub import errors
from integrationhub.config import Settings
from integrationhub.daemon import worker
from integrationhub.daemon.orders import Answer, Failed, Order, Reread
from integrationhub.errors import HubError, TransientError
from integrationhub.telemetry import logger

READY_SECONDS = 120.0
"""How long a worker may take to start."""


HUNG_SECONDS = 600.0
"""How long a worker may be at one order. One that is at it for longer hangs and is ended: whatever waits for a service
gives up long before, and RabbitMQ takes messages back after half an hour."""


class WorkerLost(Exception):
    """The process died with an order in hand, or hung with it. Its transaction may have been committed, or not."""


def raised(failure: Failed) -> HubError:
    """The failure as one of the hub's errors, to be raised on this side of the pipe."""
    kind = getattr(errors, failure.error, HubError)
    return kind(failure.text, code=failure.code, remedy=failure.remedy)


class Hand:
    """One worker process, and the next one after it when it dies. Threads take turns."""

    def __init__(self, number: int, settings: Settings, connectors: Sequence[str], build: worker.Build) -> None:
        self.number = number
        self._settings = settings
        self._connectors = tuple(connectors)
        self._build = build
        self._turn = threading.Lock()
        self._process: BaseProcess | None = None
        self._pipe: Connection[Order, Answer] | None = None
        self._ended = False

    def start(self) -> None:
        """Have a process that can take orders; the error for which it can't. TransientError: try again."""
        with self._turn:
            self._started()

    def call(self, order: Order) -> Answer:
        """The worker's answer. WorkerLost: it died meanwhile, or was ended. TransientError: none can be started now."""
        with self._turn:
            if isinstance(order, Reread):
                self._connectors = order.connectors
            pipe = self._started()
            try:
                pipe.send(order)
                if pipe.poll(HUNG_SECONDS):
                    return pipe.recv()
                self._bury("HUNG")
            except (EOFError, OSError) as exc:
                self._bury("DIED")
                raise WorkerLost from exc
            raise WorkerLost

    def _started(self) -> "Connection[Order, Answer]":
        if self._ended:
            raise TransientError("the daemon is ending", code="ENDING")
        if self._pipe is not None:
            return self._pipe
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=worker.main,
            args=(theirs, self._settings, self._connectors, self._build, self.number),
            name=f"integrationhub worker {self.number}",
            daemon=True,
        )
        process.start()
        theirs.close()  # so that the pipe ends with the process
        self._process, self._pipe = process, ours
        answer = self._first_word(ours)
        if isinstance(answer, Failed):
            self._bury(answer.code)
            raise raised(answer)
        return ours

    def _first_word(self, pipe: "Connection[Order, Answer]") -> Answer:
        with contextlib.suppress(EOFError, OSError):
            if pipe.poll(READY_SECONDS):
                return pipe.recv()
        return Failed(
            error="TransientError",
            code="WORKER_START",
            text=f"worker {self.number} ended, or hung, while it started",
            remedy="look at the lines of its log before this one, and at the memory of the machine",
        )

    def _bury(self, reason: str) -> None:
        process, pipe = self._process, self._pipe
        self._process = self._pipe = None
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.kill()
            process.join()
            logger().warning("worker_ended", worker=self.number, pid=process.pid, reason=reason, outcome="FAILED")

    def kill(self) -> None:
        """End the process whatever it does, and start no other."""
        self._ended = True
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Let the process end once it has nothing to do."""
        with self._turn:
            self._ended = True
            if self._pipe is not None:
                self._pipe.close()
            if self._process is not None:
                self._process.join(READY_SECONDS)


class Crew:
    """All workers."""

    def __init__(
        self, settings: Settings, connectors: Sequence[str], *, size: int, build: worker.Build = worker.takers_of
    ) -> None:
        self.hands = [Hand(number, settings, connectors, build) for number in range(1, size + 1)]

    def start(self) -> None:
        """Start all of them at once; the first error for which one can't be started."""
        failures: list[Exception] = []

        def start(hand: Hand) -> None:
            try:
                hand.start()
            except Exception as exc:  # noqa: BLE001 - goes to the thread that waits
                failures.append(exc)

        threads = [threading.Thread(target=start, args=(hand,)) for hand in self.hands]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            self.close()
            raise failures[0]

    def reread(self, connectors: Sequence[str]) -> None:
        """Have every worker read connectors and mappings anew, each after what it has in hand."""
        for hand in self.hands:
            try:
                answer = hand.call(Reread(connectors=tuple(connectors)))
            except (WorkerLost, HubError):
                continue  # the next process reads everything anew
            if isinstance(answer, Failed):
                logger().error("reread", worker=hand.number, reason=answer.code, outcome="FAILED")

    def kill(self) -> None:
        """End all of them now."""
        for hand in self.hands:
            hand.kill()

    def close(self) -> None:
        """End all of them in good order."""
        for hand in self.hands:
            hand.close()
