"""Copybooks on disk: reading one, and finding what COPY names in folders."""

from collections.abc import Sequence
from pathlib import Path

from integrationhub.decode.copybook.copying import Library
from integrationhub.errors import NotFound

_SUFFIXES = ("", ".cpy", ".cbl", ".cob")


def read_copybook(path: Path) -> str:
    """The text of a copybook file, in UTF-8 or, where it is none, Latin-1; NotFound when there is no such file."""
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as exc:
        raise NotFound(f"no copybook {path}", code="COPYBOOK_MISSING", remedy="name a copybook file") from exc
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def copy_folders(folders: Sequence[Path]) -> Library:
    """A library that looks for NAME, then NAME.cpy (and .cbl, .cob), in any case, in each folder in turn."""

    def find(name: str) -> tuple[str, str] | None:
        for folder in folders:
            files = {path.name.casefold(): path for path in sorted(folder.iterdir(), reverse=True) if path.is_file()}
            for suffix in _SUFFIXES:
                path = files.get(f"{name}{suffix}".casefold())
                if path is not None:
                    return path.name, read_copybook(path)
        return None

    return find
