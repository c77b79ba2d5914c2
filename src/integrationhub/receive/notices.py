"""File notices: a message that names a file to take, instead of carrying it (claim check).

Queue `integrationhub.files`; body a JSON object `{"connector", "uri", "sha256", "bytes"}` (INTERFACE.md). The trigger
file lies beside the data file. A notice that can't be read, or whose file is another one, is a dead letter with its
reason; a file that isn't reachable yet is tried again.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from integrationhub.errors import RecordRejected

QUEUE = "integrationhub.files"
"""Where notices arrive."""

_LIMIT = 64 * 1024
_SHAPE = {"connector": str, "uri": str, "sha256": str, "bytes": int}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNotice:
    """A file that lies ready: its connector, where it is, and what its bytes must be."""

    connector: str
    uri: str
    sha256: str
    size: int

    @property
    def path(self) -> Path:
        """The file on this host; RecordRejected when the notice names another kind of place."""
        try:
            parts = urlsplit(self.uri)
            path = unquote(parts.path)
            os.fsencode(path)
        except ValueError:
            raise _no_place() from None
        if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost") or "\0" in path:
            raise _no_place()
        return Path(path)

    def body(self) -> bytes:
        """The notice as a message body."""
        row = {"connector": self.connector, "uri": self.uri, "sha256": self.sha256, "bytes": self.size}
        return json.dumps(row).encode()


def _no_place() -> RecordRejected:
    return RecordRejected(
        "the notice names no place on this host",
        code="NOTICE_URI",
        remedy="send a file:// URI of a folder that the hub can read",
    )


def read_notice(body: bytes) -> FileNotice:
    """The notice in a message body; RecordRejected `NOTICE_INVALID` when it is none."""
    try:
        row = json.loads(body) if len(body) <= _LIMIT else None
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict) or any(type(row.get(name)) is not kind for name, kind in _SHAPE.items()):
        raise RecordRejected(
            "a file notice that can't be read",
            code="NOTICE_INVALID",
            remedy='send a JSON object with "connector", "uri", "sha256" (texts) and "bytes" (a number)',
        )
    return FileNotice(connector=row["connector"], uri=row["uri"], sha256=row["sha256"].lower(), size=row["bytes"])
