"""Files for the workbench: those of a folder, or kept originals."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from integrationhub.errors import NotFound
from integrationhub.intake.pieces import SourceFile
from integrationhub.receive.folder import FoundFile, find_files
from integrationhub.receive.trigger import Trigger, read_trigger
from integrationhub.sdk.descriptor import Descriptor


def files_in(path: Path, descriptor: Descriptor) -> list[SourceFile]:
    """The connector's files at a path (a data file or a folder), in sequence order. NotFound: there is none."""
    if not descriptor.takes_files:
        found = [SourceFile(name=one.name, open=_opener(one)) for one in _bodies(path) if one.is_file()]
    else:
        found = [_file(item, descriptor) for item in find_files([path], descriptor.delivery)]
    if not found:
        raise NotFound(f"there is no file of {descriptor.name} there", code="NO_FILES")
    return found


def _bodies(path: Path) -> list[Path]:
    """Files that hold the body of one message each."""
    return sorted(path.glob("*.json")) if path.is_dir() else [path]


def _file(item: FoundFile, descriptor: Descriptor) -> SourceFile:
    """The file with what its trigger file says of it, if one is beside it and can be read."""
    rules, trigger = descriptor.delivery, None
    if item.trigger is not None:
        trigger = read_trigger(item.trigger.read_bytes(), required=rules.trigger_keys, code=rules.codes.trigger)
    as_at = trigger.as_at if isinstance(trigger, Trigger) else None
    return SourceFile(name=item.name, open=_opener(item.path), sequence=item.sequence, as_at=as_at)


def _opener(path: Path) -> Callable[[], AbstractContextManager[BinaryIO]]:
    return lambda: path.open("rb")
