"""The source systems of a drill: they accept every notice that lies ready for them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from integrationhub.catalogue import shipped_connectors
from integrationhub.migration.handover.cs2 import ReturnDocument
from integrationhub.migration.handover.cscs import ReturnFile
from integrationhub.migration.handover.notices import FileHead, Kind, Notice


class Returns(Protocol):
    """Reads and writes one system's return files."""

    def read(self, source: BinaryIO) -> tuple[FileHead, Iterator[Notice]]:
        """Head and notices."""

    def write(self, target: BinaryIO, head: FileHead, notices: Iterable[Notice]) -> int:
        """A whole file; its records."""


def answer_files(outgoing: Path, target: Path) -> list[Path]:
    """An ANSWER file for every return file in a folder that has none yet, each with its trigger file."""
    target.mkdir(exist_ok=True)
    waiting = [path for path in sorted(outgoing.glob("*.RETURN.*")) if path.suffix != ".ctl"]
    return [_answer(path, target / path.name) for path in waiting if not (target / path.name).exists()]


def _answer(notices: Path, answers: Path) -> Path:
    returns = _returns(notices)
    with notices.open("rb") as source:
        head, found = returns.read(source)
        accepted = [replace(notice, status="A") for notice in found]
    content = BytesIO()
    records = returns.write(content, replace(head, kind=Kind.ANSWER), accepted)
    answers.write_bytes(content.getvalue())
    answers.with_suffix(".ctl").write_text(
        f"FILE={answers.name}\nBYTES={len(content.getvalue())}\nRECORDS={records}\n"
        f"SHA256={sha256(content.getvalue()).hexdigest()}\nSEQUENCE={head.sequence}\nASAT={head.created}\n"
    )
    return answers


def _returns(path: Path) -> Returns:
    connectors = shipped_connectors() / "connectors"
    if path.suffix == ".dat":
        return ReturnFile(connectors.joinpath("csa1993", "csa1993-return.cpy").read_text("utf-8"))
    return ReturnDocument(connectors.joinpath("csa2003", "csa2003-handover.xsd").read_text("utf-8"))
