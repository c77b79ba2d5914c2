"""File notices: a message that names a file to take, instead of carrying it (claim check).

Queue `integrationhub.files`; body a JSON object `{"connector", "uri", "sha256", "bytes"}` (INTERFACE.md). The trigger
file lies beside the data file. A notice that can't be read, or whose file is another one, is a dead letter with its
reason; a file that isn't reachable yet is tried again.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from integrationhub.errors import RecordRejected

QUEUE = "integrationhub.files"
"""Where notices arrive."""

_LIMIT = 64 * 1024


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
        parts = urlsplit(self.uri)
        if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost"):
            raise RecordRejected(
                "the notice names a place that is not on this host",
                code="NOTICE_URI",
                remedy="send a file:// URI of a folder that the hub can read",
            )
        return Path(unquote(parts.path))

    def body(self) -> bytes:
        """The notice as a message body."""
        row = {"connector": self.connector, "uri": self.uri, "sha256": self.sha256, "bytes": self.size}
        return json.dumps(row).encode()


def read_notice(body: bytes) -> FileNotice:
    """The notice in a message body; RecordRejected `NOTICE_INVALID` when it is none."""
    try:
        if len(body) > _LIMIT:
            raise ValueError("too large")
        row = json.loads(body)
        notice = FileNotice(
            connector=row["connector"], uri=row["uri"], sha256=row["sha256"].lower(), size=row["bytes"]
        )
        if not (isinstance(notice.connector, str) and isinstance(notice.uri, str) and type(notice.size) is int):
            raise TypeError("wrong type")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise RecordRejected(
            f"a file notice that can't be read ({type(exc).__name__})",
            code="NOTICE_INVALID",
            remedy='send a JSON object with "connector", "uri", "sha256" and "bytes"',
        ) from exc
    return notice
