"""Logs: one JSON line a unit of work on stderr, in which personal data can't stand by accident.

Only the fields of FIELDS are written, each only when its value has the field's shape; the names of those left out are
listed under `withheld`. A text that looks like a National Insurance number is never written. Of an exception only the
class and the place are written, of a library's message only its template without the values: both may quote what was
being worked on. Levels and the stream are those of the standard `logging` module, so nothing escapes beside it.
"""

import json
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO, cast

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars

from integrationhub.errors import HubError, TransientError

LOGGER = "integrationhub"
WITHHELD = "[withheld]"

_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_REASON = re.compile(r"[A-Z][A-Z0-9_]{0,63}|[A-Za-z]{1,40}(Error|Rejected|Found|Allowed|Broken)|Conflict")
_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,79}")
_SOURCE_FIELD = re.compile(r"[A-Z][A-Z0-9_.-]{0,63}(\[\d+\])?")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,99}")
_MAPPING = re.compile(r"[A-Za-z0-9][A-Za-z0-9:@/+._-]{0,99}")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,149}")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,39}")
_PLACE = re.compile(r"[A-Za-z0-9_./-]{1,150}:\d{1,7}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00))?")
_SENTENCE = re.compile(r"[^\x00-\x1f\x7f]{1,300}")

_DIGEST = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NINO = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}([ -]?\d{2}){3}[ -]?[A-Da-d]?(?![A-Za-z0-9])")

FIELDS: Mapping[str, re.Pattern[str] | type[int] | type[float] | type[bool]] = {
    # what happened, where, how long it took
    "event": _NAME,
    "level": _NAME,
    "time": _INSTANT,
    "outcome": _CODE,
    "verdict": _CODE,
    "reason": _REASON,  # a reason code; an error that has none is named by its class
    "error": _CLASS,
    "at": _PLACE,
    "duration_ms": float,
    "attempt": int,
    # what it was about
    "connector": _NAME,
    "system": _NAME,
    "feed": _NAME,
    "file": _FILE_NAME,
    "sha256": _DIGEST,
    "delivery_id": _IDENTIFIER,
    "message_id": _IDENTIFIER,
    "event_id": _IDENTIFIER,
    "group_id": _DIGEST,
    "case_id": _DIGEST,
    "plan": _NAME,
    "wave": _NAME,
    "run_id": _DIGEST,
    "debt_id": _DIGEST,
    "mapping_id": _MAPPING,
    "version": _VERSION,
    "sequence": int,
    "record": int,
    "offset": int,
    "field": _SOURCE_FIELD,
    "entity": _NAME,
    "queue": _NAME,
    "exchange": _NAME,
    "routing_key": _NAME,
    "as_at": _INSTANT,
    # how much
    "records": int,
    "groups": int,
    "cases": int,
    "rows": int,
    "messages": int,
    "events": int,
    "files": int,
    "faults": int,
    "bytes": int,
    "pence": int,
    "slice": int,
    "slices": int,
    "worker": int,
    "workers": int,
    "pid": int,
    "port": int,
    "signal": _CODE,
    "redelivered": bool,
    # of libraries
    "logger": _CLASS,
    "template": _SENTENCE,
}
"""The fields a log line may have, and the shape of each; everything else is withheld."""


def redact(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The line with only known fields of the right shape; a structlog processor."""
    kept = {name: _shaped(name, value) for name, value in line.items() if name in FIELDS and value is not None}
    withheld = sorted(str(name) for name in line if name not in FIELDS)
    return {**kept, "withheld": withheld} if withheld else kept


def _shaped(name: str, value: object) -> object:
    shape = FIELDS[name]
    if not isinstance(shape, re.Pattern):
        allowed = (int, float) if shape is float else (shape,)
        return value if type(value) in allowed else WITHHELD
    if not isinstance(value, str) or not shape.fullmatch(value):
        return WITHHELD
    return WITHHELD if _NINO.search(value) and not _DIGEST.fullmatch(value) else value


class _LineFormatter(logging.Formatter):
    """The hub's own lines as they are, those of libraries without their values."""

    def format(self, record: logging.LogRecord) -> str:
        if record.name == LOGGER:
            return record.getMessage()
        line = {
            "event": "library",
            "logger": record.name,
            "level": record.levelname.lower(),
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            # A message without arguments may have been put together from values already: then its place must do.
            "template": record.msg if record.args and isinstance(record.msg, str) else None,
            "at": f"{record.module}.{record.funcName.strip('<>')}:{record.lineno}",
            "error": record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None,
        }
        return json.dumps(redact(None, "", line))


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at the moment: whoever runs the hub in a process of its own may replace it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Standard error, as it is now."""
        return sys.stderr


def configure(level: str = "INFO", *, stream: TextIO | None = None) -> None:
    """Send all logs of this process, the hub's and its libraries', to `stream` (default: stderr) from `level` up.

    Libraries speak from WARNING up, on level DEBUG as much as they like. Call once, where the process begins.
    """
    handler = logging.StreamHandler(stream) if stream is not None else _Stderr()
    handler.setFormatter(_LineFormatter())
    root = logging.getLogger()
    for old in [item for item in root.handlers if isinstance(item.formatter, _LineFormatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level if level == "DEBUG" else max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    logging.getLogger(LOGGER).setLevel(level)
    logging.captureWarnings(capture=True)
    threading.excepthook = _thread_died


def logger() -> structlog.stdlib.BoundLogger:
    """The hub's logger. Before `configure` only warnings and worse are seen, redacted all the same."""
    return cast(
        "structlog.stdlib.BoundLogger",
        structlog.wrap_logger(
            logging.getLogger(LOGGER),
            wrapper_class=structlog.stdlib.BoundLogger,
            processors=[
                structlog.stdlib.filter_by_level,
                merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                redact,
                structlog.processors.JSONRenderer(),
            ],
        ),
    )


def place_of(trace: TracebackType | None) -> str | None:
    """File and line of the hub's code in which an exception arose; of any code if the hub's is not in the trace."""
    place = None
    while trace is not None:
        parts = Path(trace.tb_frame.f_code.co_filename).parts
        if LOGGER in parts or place is None:
            start = max(len(parts) - 1 - parts[::-1].index(LOGGER), 0) if LOGGER in parts else len(parts) - 1
            place = f"{'/'.join(parts[start:])}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _thread_died(args: threading.ExceptHookArgs) -> None:
    logger().error("thread_died", error=args.exc_type.__name__, at=place_of(args.exc_traceback), outcome="FAILED")


@contextmanager
def context(**fields: object) -> Iterator[None]:
    """Fields for every line written inside, in this thread."""
    with bound_contextvars(**fields):
        yield


class UnitOfWork:
    """One unit of work: its fields are on every line written inside, and one line closes it.

    The closing line has `outcome` (what `note` or the call said, else DONE; FAILED when an exception leaves the block,
    RETRY when that is a TransientError), `duration_ms`, and of an exception the class, its reason code and the place.
    """

    def __init__(self, event: str, *, clock: Callable[[], float] = time.perf_counter, **fields: object) -> None:
        self._event = event
        self._clock = clock
        self._fields = fields
        self._noted: dict[str, object] = {"outcome": fields.get("outcome", "DONE")}
        self._stack = ExitStack()
        self._started = 0.0

    def note(self, **fields: object) -> None:
        """Fields for the closing line, e.g. `outcome`, `reason`, `records`."""
        self._noted.update(fields)

    def __enter__(self) -> Self:
        self._stack.enter_context(context(**self._fields))
        self._started = self._clock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            self.note(duration_ms=round((self._clock() - self._started) * 1000, 3))
            if kind is not None:
                self.note(outcome="FAILED", error=kind.__name__, at=place_of(trace))
            if isinstance(error, HubError):
                self.note(reason=error.code)
            if isinstance(error, TransientError):
                self.note(outcome="RETRY")
            level = logging.INFO if kind is None else logging.WARNING
            logger().log(level, self._event, **self._noted)
