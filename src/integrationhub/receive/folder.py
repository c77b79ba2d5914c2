"""Folders as a source: which files are there, complete, and in which order they are taken.

A data file counts as handed over when its trigger file is there: the trigger is written last, so a data file without
one is still being written. The folder is scanned again each time; file events are never trusted. Files found together
are taken in sequence order.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from integrationhub.errors import NotFound
from integrationhub.sdk.descriptor import DeliveryRules

TAKEN, REFUSED = "taken", "refused"
"""Where a watched folder puts files once the hub has them: kept, or refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A data file, its trigger file if there is one, and the sequence number in its name (None: not this feed's)."""

    path: Path
    trigger: Path | None
    sequence: int | None

    @property
    def name(self) -> str:
        """The data file's name."""
        return self.path.name


def find_files(paths: Iterable[Path], rules: DeliveryRules) -> list[FoundFile]:
    """The feed's files named by `paths` (data files, trigger files, folders), in sequence order, each once.

    A folder gives the files in it whose names are of the feed's form, with or without trigger file. A path that does
    not exist raises NotFound; a trigger file of a feed that is judged in units may be named without its data file.
    """
    found: dict[Path, FoundFile] = {}
    for path in paths:
        for item in _in_folder(path, rules) if path.is_dir() else [_single(path, rules)]:
            found.setdefault(item.path, item)
    last = 1 << 62
    return sorted(found.values(), key=lambda item: (last if item.sequence is None else item.sequence, item.name))


def handed_over(folder: Path, rules: DeliveryRules) -> list[FoundFile]:
    """The files in a watched folder that are complete, in sequence order."""
    return [item for item in find_files([folder], rules) if item.trigger is not None]


class WatchedFolder:
    """A folder that is looked into again and again.

    A trigger counts when it is as it was at the look before: one that is just being written is there before it is
    whole, and would be taken for a faulty one.
    """

    def __init__(self, folder: Path, rules: DeliveryRules) -> None:
        self._folder = folder
        self._rules = rules
        self._seen: dict[Path, tuple[int, int]] = {}

    def look(self) -> list[FoundFile]:
        """The files that are complete, in sequence order."""
        found = {item.path: (item, _stamp(item.trigger)) for item in handed_over(self._folder, self._rules)}
        before, self._seen = self._seen, {path: stamp for path, (_, stamp) in found.items() if stamp is not None}
        return [item for path, (item, stamp) in found.items() if stamp is not None and before.get(path) == stamp]


def _stamp(trigger: Path | None) -> tuple[int, int] | None:
    """Size and time of change; None for a file that is not there."""
    try:
        status = trigger.stat() if trigger is not None else None
    except FileNotFoundError:
        return None
    return None if status is None else (status.st_size, status.st_mtime_ns)


def put_away(item: FoundFile, *, refused: bool) -> None:
    """Move a taken file and its trigger out of the watched folder; the trigger goes first, so that a crash between the
    two moves leaves a data file without trigger, which nobody takes, and never a trigger without data.
    """
    target = item.path.parent / (REFUSED if refused else TAKEN)
    target.mkdir(exist_ok=True)
    for path in (item.trigger, item.path):
        if path is not None and path.exists():
            Path(path).replace(target / path.name)


def _single(path: Path, rules: DeliveryRules) -> FoundFile:
    data = path
    if path.name.endswith(rules.trigger.suffix):
        data = path.with_name(rules.trigger.data_name_for(path.name))
    if not data.is_file() and not (rules.files and data != path and path.is_file()):
        raise NotFound(f"there is no file {data.name} in that folder", remedy="name a data file or a folder")
    trigger = data.with_name(rules.trigger.name_for(data.name))
    number = rules.sequence_of(data.name)
    return FoundFile(path=data, trigger=trigger if trigger.is_file() else None, sequence=number)


def _in_folder(folder: Path, rules: DeliveryRules) -> Iterator[FoundFile]:
    for path in sorted(folder.iterdir()):
        if rules.fits(path.name) and path.is_file():
            yield _single(path, rules)
