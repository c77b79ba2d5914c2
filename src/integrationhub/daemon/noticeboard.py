"""The part that takes file notices from their queue."""

from integrationhub.bootstrap import Hub
from integrationhub.daemon.roster import Roster
from integrationhub.daemon.shift import Shift
from integrationhub.errors import Conflict, NotFound, RecordRejected, TransientError
from integrationhub.receive.folder import find_files
from integrationhub.receive.notices import QUEUE, FileNotice, read_notice
from integrationhub.sdk.transport import Incoming, MessageSource
from integrationhub.telemetry import UnitOfWork

POLL_SECONDS = 1.0
"""How long one look into the queue waits for a message."""


class NoticeBoard:
    """Consumes file notices, one at a time; a notice is acknowledged when its file's fate is stored."""

    def __init__(self, hub: Hub, roster: Roster, shift: Shift, *, name: str) -> None:
        self._hub = hub
        self._roster = roster
        self._shift = shift
        self._name = name

    def run(self) -> None:
        """Take notices until the shift ends."""
        source = self._hub.source(QUEUE)
        try:
            while not self._shift.stop.is_set():
                try:
                    deliveries = source.receive(limit=1, timeout=POLL_SECONDS)
                    self._shift.ready.add(self._name)
                    for delivery in deliveries:
                        self._take_notice(source, delivery)
                except TransientError as exc:
                    self._shift.ready.discard(self._name)
                    self._shift.wait(QUEUE, exc)
        finally:
            source.close()

    def _take_notice(self, source: MessageSource, delivery: Incoming) -> None:
        """One notice to its end; it stays unacknowledged while a service is away or the feed is busy."""
        while not self._shift.stop.is_set():
            try:
                with UnitOfWork("notice", queue=QUEUE, message_id=delivery.message_id):
                    self._take_file(read_notice(delivery.body))
            except RecordRejected as exc:
                source.reject([delivery], reason=exc.code)
                return
            except (TransientError, Conflict, OSError) as exc:
                self._shift.wait(QUEUE, exc)
            else:
                self._hub.checkpoint("notice taken")
                source.acknowledge([delivery])
                return

    def _take_file(self, notice: FileNotice) -> None:
        """Take the file that a notice names, if it is the file that the notice means."""
        pipeline = self._roster.named(notice.connector)
        if pipeline is None:
            raise RecordRejected("the notice names a connector that is not taken here", code="NOTICE_NOT_FOUND")
        try:
            (item,) = find_files([notice.path], pipeline.descriptor.delivery)
        except NotFound as exc:
            raise RecordRejected("the notice names a file that is not here", code="NOTICE_NOT_FOUND") from exc
        if item.path.stat().st_size != notice.size:
            raise RecordRejected("the file is not of the size that its notice gives", code="NOTICE_MISMATCH")
        if item.trigger is None:
            raise TransientError("the file's trigger is not there yet", code="CTL_MISSING")
        with pipeline.exclusive():
            pipeline.resume()
            pipeline.take(item, expected_sha256=notice.sha256)
