"""The part that takes file notices from their queue."""

from collections.abc import Callable

from integrationhub.bootstrap import Hub
from integrationhub.daemon.roster import Roster
from integrationhub.daemon.shift import Shift
from integrationhub.errors import HubError, NotFound, RecordRejected, TransientError
from integrationhub.pipeline import Pipeline
from integrationhub.receive.folder import find_files
from integrationhub.receive.notices import QUEUE, FileNotice, read_notice
from integrationhub.sdk.transport import RETRY_SECONDS, Incoming, MessageSource
from integrationhub.telemetry import UnitOfWork

POLL_SECONDS = 1.0
"""How long one look into the queue waits for a message."""

OFTEN = 6
"""How often a notice whose file can't be taken yet is looked at soon again; afterwards it is seldom."""

DAY_SECONDS = 24 * 60 * 60
"""For how long it is looked at at all."""


class NoticeBoard:
    """Consumes file notices, one at a time; a notice is acknowledged when its file is kept and on record.

    Not later: loading may take longer than the broker waits for an acknowledgement, and a file on record is taken up
    again by itself, whatever happens.
    """

    def __init__(self, hub: Hub, roster: Roster, shift: Shift, *, name: str) -> None:
        self._hub = hub
        self._roster = roster
        self._shift = shift
        self._name = name

    def run(self) -> None:
        """Take notices until the shift ends."""
        while not self._shift.stop.is_set():
            source = self._hub.source(QUEUE, limit=1)
            try:
                while not self._shift.stop.is_set():
                    deliveries = source.receive(limit=1, timeout=POLL_SECONDS)
                    self._shift.ready.add(self._name)
                    for delivery in deliveries:
                        self._take_notice(source, delivery)
            except TransientError as exc:
                self._shift.ready.discard(self._name)
                self._shift.wait(QUEUE, exc)
            finally:
                source.close()  # what was neither acknowledged nor moved comes again

    def _take_notice(self, source: MessageSource, delivery: Incoming) -> None:
        """One notice: acknowledged once its file is on record, a dead letter, or back in the queue after a while."""

        def recorded() -> None:
            self._hub.checkpoint("notice taken")
            source.acknowledge([delivery])

        try:
            with UnitOfWork("notice", queue=QUEUE, message_id=delivery.message_id):
                self._take_file(read_notice(delivery.body), recorded)
                self._shift.committed.set()
        except RecordRejected as exc:
            source.reject([delivery], reason=exc.code)
        except Exception as exc:  # noqa: BLE001 - whatever one notice does, the others must not wait for it
            self._postpone(source, delivery, exc)

    def _postpone(self, source: MessageSource, delivery: Incoming, error: Exception) -> None:
        """What is not there yet is looked for again, and holds up no other notice; it is given up after a day.

        A notice whose file is on record is acknowledged already: nothing happens to it.
        """
        foreign = "INPUT_OUTPUT" if isinstance(error, OSError) else "UNEXPECTED"
        code = error.code if isinstance(error, HubError) else foreign
        often, seldom = RETRY_SECONDS
        if delivery.postponed >= OFTEN + DAY_SECONDS // seldom:
            source.reject([delivery], reason=code)
        else:
            source.postpone([delivery], seconds=often if delivery.postponed < OFTEN else seldom)

    def _take_file(self, notice: FileNotice, recorded: Callable[[], None]) -> None:
        """Take the file that a notice names, if it is the file that the notice means."""
        pipeline = self._pipeline(notice.connector)
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
            pipeline.take(item, expected_sha256=notice.sha256, recorded=recorded)

    def _pipeline(self, connector: str) -> Pipeline:
        """RecordRejected: nobody knows the connector. TransientError: a daemon that runs for it takes the notice."""
        pipeline = self._roster.named(connector)
        if pipeline is not None:
            return pipeline
        try:
            self._hub.catalogue.connector(connector)
        except NotFound as exc:
            raise RecordRejected("the notice names a connector that nobody knows", code="NOTICE_NOT_FOUND") from exc
        raise TransientError("another daemon works for this connector, or will", code="NOTICE_ELSEWHERE")
