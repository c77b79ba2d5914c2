"""The daemon: watches folders, takes file notices, publishes events, answers for its health, until it is told to stop.

Each part is a thread of its own that works until `stop` is set and finishes the piece of work in hand. A service that
is away slows a part down, it never ends it. A part that ends by any other error ends the daemon: the supervisor starts
it again, and what was half done is taken up.
"""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

from integrationhub.bootstrap import Hub
from integrationhub.daemon.health import HealthServer
from integrationhub.errors import Conflict, HubError, NotFound, RecordRejected, TransientError
from integrationhub.intake.report import FileVerdict
from integrationhub.pipeline import Pipeline
from integrationhub.receive.folder import find_files, handed_over, put_away
from integrationhub.receive.notices import QUEUE, FileNotice, read_notice
from integrationhub.sdk.transport import Incoming, MessageSource
from integrationhub.telemetry import UnitOfWork, logger

SCAN_SECONDS = 1.0
"""Pause between two looks into the watched folders."""

BACK_OFF_SECONDS = 5.0
"""Pause of a part after a service was away."""


@dataclass(slots=True)
class Daemon:
    """Runs the parts for the connectors it was given."""

    hub: Hub
    connectors: Sequence[str]
    stop: threading.Event = field(default_factory=threading.Event)
    _failure: list[BaseException] = field(default_factory=list)
    _ready: set[str] = field(default_factory=set)

    def run(self) -> int:
        """Work until SIGTERM or SIGINT, then drain; a second signal ends the process at once. The exit code."""
        pipelines = [self.hub.pipeline(name) for name in self.connectors]
        parts: dict[str, Callable[[], None]] = {
            "folders": lambda: self._watch(pipelines),
            "notices": lambda: self._take_notices({item.descriptor.name: item for item in pipelines}),
            "judging": self._judge,
            "relay": self._relay,
        }
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop_on)
        with HealthServer(self.hub, port=self.hub.settings.http_port, ready=lambda: self._ready >= parts.keys()):
            threads = [threading.Thread(target=self._guarded, args=item, name=item[0]) for item in parts.items()]
            for thread in threads:
                thread.start()
            logger().info("daemon_started", pid=os.getpid(), port=self.hub.settings.http_port)
            self.stop.wait()
            for thread in threads:
                thread.join()
        if not self._failure:
            self.hub.judge_waiting()  # and publish, what was taken in while draining
            self.hub.publish_waiting()
        logger().info("daemon_stopped", pid=os.getpid(), outcome="FAILED" if self._failure else "DONE")
        if self._failure:
            raise self._failure[0]
        return 0

    def _stop_on(self, number: int, _frame: FrameType | None) -> None:
        """First signal: finish what is in hand. Second: end now; what was half done is taken up at the next start."""
        if self.stop.is_set():
            os._exit(128 + number)
        logger().info("draining", signal=signal.Signals(number).name)
        self.stop.set()

    def _guarded(self, name: str, part: Callable[[], None]) -> None:
        try:
            part()
        except BaseException as exc:  # noqa: BLE001 - a thread's end: the daemon must not go on without this part
            logger().error("part_failed", queue=name, error=type(exc).__name__, outcome="FAILED")
            self._failure.append(exc)
            self.stop.set()

    def _watch(self, pipelines: Sequence[Pipeline]) -> None:
        """Look into the watched folders again and again."""
        inboxes = {item.descriptor.name: self.hub.settings.inbox(item.descriptor.name) for item in pipelines}
        for folder in inboxes.values():
            folder.mkdir(parents=True, exist_ok=True)
        while not self.stop.is_set():
            for pipeline in pipelines:
                if not self._paused(pipeline):
                    self._scan(pipeline)
            self._ready.add("folders")
            self.stop.wait(SCAN_SECONDS)

    def _scan(self, pipeline: Pipeline) -> None:
        """Take what lies complete in one connector's folder, in sequence order."""
        name = pipeline.descriptor.name
        try:
            files = handed_over(self.hub.settings.inbox(name), pipeline.descriptor.delivery)
            if not files and not pipeline.has_work():
                return
            with pipeline.exclusive():
                pipeline.resume()
                for item in files:
                    if self.stop.is_set():
                        return
                    report = pipeline.take(item)
                    self.hub.checkpoint("taken")
                    put_away(item, refused=report.verdict is FileVerdict.REJECTED)
        except (TransientError, Conflict, OSError) as exc:
            self._wait(name, exc)

    def _take_notices(self, pipelines: dict[str, Pipeline]) -> None:
        """Consume file notices: one at a time, acknowledged when the file's fate is stored."""
        source = self.hub.source(QUEUE)
        try:
            while not self.stop.is_set():
                try:
                    deliveries = source.receive(limit=1, timeout=SCAN_SECONDS)
                    self._ready.add("notices")
                    for delivery in deliveries:
                        self._take_notice(source, delivery, pipelines)
                except TransientError as exc:
                    self._ready.discard("notices")
                    self._wait(QUEUE, exc)
        finally:
            source.close()

    def _take_notice(self, source: MessageSource, delivery: Incoming, pipelines: dict[str, Pipeline]) -> None:
        """One notice to its end; it stays unacknowledged while a service is away or the feed is busy."""
        while not self.stop.is_set():
            try:
                with UnitOfWork("notice", queue=QUEUE, message_id=delivery.message_id):
                    self._take_file(read_notice(delivery.body), pipelines)
            except RecordRejected as exc:
                source.reject([delivery], reason=exc.code)
                return
            except (TransientError, Conflict) as exc:
                self._wait(QUEUE, exc)
            else:
                self.hub.checkpoint("notice taken")
                source.acknowledge([delivery])
                return

    def _take_file(self, notice: FileNotice, pipelines: dict[str, Pipeline]) -> None:
        """Take the file that a notice names, if it is the file that the notice means."""
        try:
            pipeline = pipelines[self.hub.catalogue.connector(notice.connector).name]
            (item,) = find_files([notice.path], pipeline.descriptor.delivery)
        except (NotFound, KeyError) as exc:
            raise RecordRejected(
                "the notice names a connector or a file that is not here", code="NOTICE_NOT_FOUND"
            ) from exc
        if item.path.stat().st_size != notice.size:
            raise RecordRejected("the file is not of the size that its notice gives", code="NOTICE_MISMATCH")
        if item.trigger is None:
            raise TransientError("the file's trigger is not there yet", code="CTL_MISSING")
        with pipeline.exclusive():
            pipeline.resume()
            pipeline.take(item, expected_sha256=notice.sha256)

    def _judge(self) -> None:
        """Judge what accepted files have changed, whenever one was accepted."""
        self._ready.add("judging")
        judged: object = None
        while not self.stop.is_set():
            try:
                accepted = self.hub.judging().accepted()
                if accepted != judged and self.hub.judge_waiting():
                    judged = accepted
            except TransientError as exc:
                self._wait("judging", exc)
            self.stop.wait(SCAN_SECONDS)

    def _relay(self) -> None:
        """Publish what the outbox holds."""
        self._ready.add("relay")
        self.hub.relay().run(self.stop, on_trouble=lambda exc: logger().warning("relay_waits", reason=exc.code))

    def _paused(self, pipeline: Pipeline) -> bool:
        try:
            return pipeline.is_paused()
        except TransientError as exc:
            self._wait(pipeline.descriptor.name, exc)
            return True

    def _wait(self, name: str, error: Exception) -> None:
        reason = error.code if isinstance(error, HubError) else "INPUT_OUTPUT"
        logger().warning("waiting", queue=name, reason=reason, error=type(error).__name__)
        self.stop.wait(BACK_OFF_SECONDS)
