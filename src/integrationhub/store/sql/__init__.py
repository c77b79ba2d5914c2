"""Named queries that are too long to stand in code; they run unchanged on both databases."""

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

_HEAD = re.compile(r"^-- name: (?P<name>\S+)$", re.MULTILINE)


class Query(NamedTuple):
    """One query of a file, with the sentence that stands above it."""

    name: str
    description: str
    text: str


@cache
def queries(file: str) -> dict[str, Query]:
    """The queries of `<file>.sql` by name, in the file's order."""
    source = files(__package__).joinpath(f"{file}.sql").read_text(encoding="utf-8")
    parts = _HEAD.split(source)[1:]
    return {name: _query(name, body) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _query(name: str, body: str) -> Query:
    lines = body.strip().splitlines()
    comment = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    return Query(name, " ".join(comment), "\n".join(line for line in lines if not line.startswith("--")))
