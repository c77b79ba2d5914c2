"""The daemon: watches folders, takes messages and file notices, publishes events, until it is told to stop.

Each part is a thread of its own that works until the shift ends and finishes the piece of work in hand. A service that
is away slows a part down, it never ends it. A part that ends by any other error is started again, after pauses that
grow; the others go on. Messages are taken by worker processes, which the daemon starts again when they die. What can't
be made at the start (a connector's taker, a queue that is there with other arguments) is a refusal to start.
"""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType

from integrationhub.bootstrap import Hub
from integrationhub.daemon.collector import Collector
from integrationhub.daemon.consumers import Consumers
from integrationhub.daemon.crew import Crew
from integrationhub.daemon.folders import FolderWatch
from integrationhub.daemon.health import HealthServer
from integrationhub.daemon.judging import Judge
from integrationhub.daemon.meter import Meter
from integrationhub.daemon.noticeboard import NoticeBoard
from integrationhub.daemon.roster import Roster
from integrationhub.daemon.rules import RuleKeeper
from integrationhub.daemon.shift import Shift
from integrationhub.daemon.supervisor import Supervisor
from integrationhub.daemon.systemd import Systemd
from integrationhub.daemon.webhooks import Hooks, Webhooks
from integrationhub.errors import TransientError
from integrationhub.telemetry import logger

REREAD_SECONDS = 0.5
"""How soon a wish to read connectors anew is noticed."""

LAST_SECONDS = 5.0
"""How long a part may take to end once its worker was killed."""


@dataclass(slots=True)
class Daemon:
    """Runs the parts for the connectors that `names` gives (none: all), with `workers` processes for messages."""

    hub: Hub
    names: Sequence[str] = ()
    workers: int = 1
    _shift: Shift = field(default_factory=Shift)

    def run(self) -> int:
        """Work until SIGTERM or SIGINT, then drain; a second signal ends the process at once. The exit code.

        SIGHUP: connectors and mappings are read anew, by each part and worker before its next piece of work.
        """
        self._shift.patience = self.hub.settings.drain_seconds
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop_on)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what it asks for is about to happen
        roster, supervisor = Roster(self.hub, self.names), Supervisor(self._shift)
        crew = Crew(self.hub.settings, tuple(roster.with_messages), size=self.workers)
        meter, systemd = Meter(), Systemd.of(os.environ, pid=os.getpid())
        consumers = Consumers(self.hub, roster, self._shift, crew, meter)
        self._declare(consumers)
        signal.signal(signal.SIGHUP, lambda _number, _frame: roster.ask())
        webhooks = Webhooks(hooks=Hooks(roster=roster, settings=self.hub.settings), publisher=self.hub.publisher)
        port = self.hub.settings.http_port
        with HealthServer(self.hub, port=port, ready=supervisor.is_ready, meter=meter, webhooks=webhooks):
            if roster.with_messages:
                crew.start()
            self._start(supervisor, roster)
            self._start_consumers(supervisor, roster, consumers)
            supervisor.start("rereading", lambda: self._reread(supervisor, roster, consumers, crew, systemd))
            supervisor.start("watchdog", lambda: self._watch(systemd, supervisor))
            supervisor.all_started()
            systemd.ready()
            logger().info("daemon_started", pid=os.getpid(), port=self.hub.settings.http_port, workers=self.workers)
            self._shift.stop.wait()
            systemd.stopping()
            self._drain(supervisor, crew)
        self.hub.judge_waiting()  # and publish, what was taken in while draining
        self.hub.publish_waiting()
        logger().info("daemon_stopped", pid=os.getpid(), outcome="DONE")
        return 0

    def _declare(self, consumers: Consumers) -> None:
        """Make and verify what is needed on the broker; one that is away is waited for by the parts."""
        try:
            self.hub.publisher.declare(consumers.topology())
        except TransientError as exc:
            logger().warning("waiting", queue="broker", reason=exc.code, error=type(exc).__name__)

    def _start(self, supervisor: Supervisor, roster: Roster) -> None:
        shift = self._shift
        supervisor.start("folders", FolderWatch(self.hub, roster, shift, name="folders").run)
        supervisor.start("judging", Judge(hub=self.hub, shift=shift, name="judging").run)
        supervisor.start("relay", self._relay)
        supervisor.start("rules", RuleKeeper(hub=self.hub, shift=shift, name="rules").run)
        supervisor.start("dead-letters", Collector(self.hub, roster, shift, name="dead-letters").run)
        for number in range(1, self.workers + 1):
            name = f"notices-{number}"
            supervisor.start(name, NoticeBoard(self.hub, roster, shift, name=name).run)

    def _watch(self, systemd: Systemd, supervisor: Supervisor) -> None:
        """Give signs of life."""
        self._shift.ready.add("watchdog")
        systemd.watch(self._shift.stop, supervisor.is_alive)

    @staticmethod
    def _start_consumers(supervisor: Supervisor, roster: Roster, consumers: Consumers) -> None:
        for name in roster.with_messages:
            supervisor.start(name, lambda name=name: consumers.run(name))  # type: ignore[misc]

    def _reread(
        self, supervisor: Supervisor, roster: Roster, consumers: Consumers, crew: Crew, systemd: Systemd
    ) -> None:
        """Read connectors and mappings anew when somebody asks for it."""
        self._shift.ready.add("rereading")
        while not self._shift.stop.wait(REREAD_SECONDS):
            if not roster.is_asked():
                continue
            systemd.reloading()
            if roster.reread_if_asked():
                consumers.reread()
                self.hub.checkpoint("rereading")
                crew.reread(tuple(roster.with_messages))
                self._start_consumers(supervisor, roster, consumers)
            systemd.ready()

    def _drain(self, supervisor: Supervisor, crew: Crew) -> None:
        """Let the parts finish what they have in hand; what is left then is taken up at the next start."""
        self.hub.checkpoint("draining")
        late = supervisor.join(self._shift.seconds_left)
        if late:
            logger().warning("drain", reason="DEADLINE", outcome="UNFINISHED")
            crew.kill()
            late = supervisor.join(LAST_SECONDS)
        if late:
            logger().info("daemon_stopped", pid=os.getpid(), outcome="UNFINISHED")
            os._exit(0)  # a thread in the middle of a transaction would keep the process from ending
        crew.close()

    def _stop_on(self, number: int, _frame: FrameType | None) -> None:
        """First signal: finish what is in hand. Second: end now; what was half done is taken up at the next start."""
        if self._shift.stop.is_set():
            os._exit(128 + number)
        logger().info("draining", signal=signal.Signals(number).name)
        self._shift.end()

    def _relay(self) -> None:
        """Publish what the outbox holds."""
        self._shift.ready.add("relay")
        relay = self.hub.relay()
        relay.run(
            self._shift.stop,
            wake=self._shift.committed,
            on_trouble=lambda exc: logger().warning("relay_waits", reason=exc.code),
        )
