"""The part that watches the folders in which files are dropped."""

from datetime import timedelta

from integrationhub.bootstrap import Hub
from integrationhub.daemon.roster import Roster
from integrationhub.daemon.shift import Shift
from integrationhub.errors import Conflict, NotFound, TransientError
from integrationhub.intake.report import FileVerdict
from integrationhub.pipeline import Pipeline
from integrationhub.receive.folder import FoundFile, WatchedFolder, put_away

LEFT_OVER = timedelta(days=1)
"""Age at which a part file is nobody's any more."""

SCAN_SECONDS = 1.0
"""Pause between two looks into the watched folders."""


class FolderWatch:
    """Looks into the folder of each connector again and again, and takes what lies complete in it."""

    def __init__(self, hub: Hub, roster: Roster, shift: Shift, *, name: str) -> None:
        self._hub = hub
        self._roster = roster
        self._shift = shift
        self._name = name
        self._folders: dict[str, WatchedFolder] = {}

    def run(self) -> None:
        """Watch until the shift ends. What a crash left half written among the originals goes first."""
        self._hub.originals.sweep(older_than=self._hub.clock() - LEFT_OVER)
        while not self._shift.stop.is_set():
            for pipeline in (*self._roster.pipelines.values(), *self._roster.answers):
                self._look(pipeline)
            self._shift.ready.add(self._name)
            self._shift.stop.wait(SCAN_SECONDS)

    def _look(self, pipeline: Pipeline) -> None:
        """Take what lies complete in one connector's folder, in sequence order."""
        try:
            files = self._folder(pipeline).look()
            if pipeline.is_paused() or not (files or pipeline.has_work()):
                return
            with pipeline.exclusive():
                pipeline.resume()
                for item in files:
                    if self._shift.stop.is_set():
                        return
                    self._take(pipeline, item)
        except (TransientError, Conflict, NotFound, OSError) as exc:
            self._shift.wait(pipeline.descriptor.name, exc)

    def _folder(self, pipeline: Pipeline) -> WatchedFolder:
        name = pipeline.descriptor.name
        if name not in self._folders:
            folder = self._hub.settings.inbox(pipeline.descriptor.inbox)
            folder.mkdir(parents=True, exist_ok=True)
            self._folders[name] = WatchedFolder(folder, pipeline.descriptor.delivery)
        return self._folders[name]

    def _take(self, pipeline: Pipeline, item: FoundFile) -> None:
        report = pipeline.take(item)
        self._shift.committed.set()
        self._hub.checkpoint("taken")
        put_away(item, refused=report.verdict is FileVerdict.REJECTED)
