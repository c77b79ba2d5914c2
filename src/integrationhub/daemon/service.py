"""The daemon: watches folders, takes file notices, publishes events, answers for its health, until it is told to stop.

Each part is a thread of its own that works until the shift ends and finishes the piece of work in hand. A service that
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
from integrationhub.daemon.folders import FolderWatch
from integrationhub.daemon.health import HealthServer
from integrationhub.daemon.judging import Judge
from integrationhub.daemon.noticeboard import NoticeBoard
from integrationhub.daemon.roster import Roster
from integrationhub.daemon.shift import Shift
from integrationhub.telemetry import logger


@dataclass(slots=True)
class Daemon:
    """Runs the parts for the connectors that `names` gives (none: all), with `workers` threads for notices."""

    hub: Hub
    names: Sequence[str] = ()
    workers: int = 1
    _shift: Shift = field(default_factory=Shift)
    _failure: list[BaseException] = field(default_factory=list)

    def run(self) -> int:
        """Work until SIGTERM or SIGINT, then drain; a second signal ends the process at once. The exit code.

        SIGHUP: connectors and mappings are read anew before the next piece of work.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop_on)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what it asks for is about to happen
        roster, shift = Roster(self.hub, self.names), self._shift
        parts = self._parts(roster)
        signal.signal(signal.SIGHUP, lambda _number, _frame: roster.ask())
        with HealthServer(self.hub, port=self.hub.settings.http_port, ready=lambda: shift.ready >= parts.keys()):
            threads = [threading.Thread(target=self._guarded, args=item, name=item[0]) for item in parts.items()]
            for thread in threads:
                thread.start()
            logger().info("daemon_started", pid=os.getpid(), port=self.hub.settings.http_port, workers=self.workers)
            shift.stop.wait()
            for thread in threads:
                thread.join()
        if not self._failure:
            self.hub.judge_waiting()  # and publish, what was taken in while draining
            self.hub.publish_waiting()
        logger().info("daemon_stopped", pid=os.getpid(), outcome="FAILED" if self._failure else "DONE")
        if self._failure:
            raise self._failure[0]
        return 0

    def _parts(self, roster: Roster) -> dict[str, Callable[[], None]]:
        names = [f"notices-{number}" for number in range(1, self.workers + 1)]
        return {
            "folders": FolderWatch(self.hub, roster, self._shift, name="folders").run,
            "judging": Judge(hub=self.hub, shift=self._shift, name="judging").run,
            "relay": self._relay,
            **{name: NoticeBoard(self.hub, roster, self._shift, name=name).run for name in names},
        }

    def _stop_on(self, number: int, _frame: FrameType | None) -> None:
        """First signal: finish what is in hand. Second: end now; what was half done is taken up at the next start."""
        if self._shift.stop.is_set():
            os._exit(128 + number)
        logger().info("draining", signal=signal.Signals(number).name)
        self._shift.stop.set()

    def _guarded(self, name: str, part: Callable[[], None]) -> None:
        try:
            part()
        except BaseException as exc:  # noqa: BLE001 - a thread's end: the daemon must not go on without this part
            logger().error("part_failed", queue=name, error=type(exc).__name__, outcome="FAILED")
            self._failure.append(exc)
            self._shift.stop.set()

    def _relay(self) -> None:
        """Publish what the outbox holds."""
        self._shift.ready.add("relay")
        relay = self.hub.relay()
        relay.run(self._shift.stop, on_trouble=lambda exc: logger().warning("relay_waits", reason=exc.code))
