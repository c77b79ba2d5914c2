"""Runs `integrationhub decode` on a copybook and bytes made up by a test."""

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import ebcdic  # type: ignore[import-untyped] # noqa: F401 - registers the code pages
import pytest

from integrationhub.cli import program
from integrationhub.cli.boundary import run


def e(text: str) -> bytes:
    """The text in the code page that `decode` takes unless told otherwise."""
    return text.encode("cp1146")


def big(body: bytes) -> bytes:
    """A record with its RDW (or a block with its BDW) as z/OS writes it."""
    return (len(body) + 4).to_bytes(2) + b"\0\0" + body


@dataclass(slots=True)
class DecodeCommand:
    """The command in a folder of its own; the last run's error output is in `errors`."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    errors: str = ""

    def text(self, copybook: str, data: bytes, *options: str, code: int = 0, name: str = "file.dat") -> str:
        """What it prints."""
        lines = [line if line[:1] == "#" else f"       {line}" for line in copybook.strip("\n").split("\n")]
        (self.folder / "file.cpy").write_text("\n".join(lines).replace("#", "      ") + "\n")
        (self.folder / name).write_bytes(data)
        return self.run(str(self.folder / name), "--copybook", str(self.folder / "file.cpy"), *options, code=code)

    def run(self, *arguments: str, code: int = 0) -> str:
        """What it prints when called with just these arguments."""
        found = run(program, ["decode", *arguments])
        captured = self.capsys.readouterr()
        self.errors = captured.err
        assert found == code, captured.err
        return captured.out

    def __call__(self, copybook: str, data: bytes, *options: str, code: int = 0, name: str = "file.dat") -> Any:  # noqa: ANN401 - JSON
        """The records it prints, decimals exact."""
        lines = self.text(copybook, data, *options, code=code, name=name).splitlines()
        return [json.loads(line, parse_float=Decimal) for line in lines]

    def fields(self, copybook: str, data: bytes, *options: str) -> Any:  # noqa: ANN401 - JSON
        """The fields of the records it prints."""
        return [
            {name: value for name, value in record.items() if name not in {"_record", "_offset", "_length"}}
            for record in self(copybook, data, *options)
        ]
