"""Recorded messages, delivery by delivery: read from a capture, and taken as if they came from the queue now.

A capture is JSON Lines, one delivery a line, in the order of delivery (csa2003.md §5, benefits-common.md §5). The same
capture twice changes nothing. A line that is no recorded delivery is reported as REJECTED, and nothing is kept of it.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integrationhub.errors import NotFound
from integrationhub.intake.messages.arrival import Arrival
from integrationhub.intake.messages.taker import InboxTaker
from integrationhub.intake.report import FileReport, FileVerdict
from integrationhub.records import Reason
from integrationhub.sdk.messages import Fate, Outcome
from integrationhub.sdk.transport import Incoming

SUFFIX = ".jsonl"
"""How names of captures end."""

AT_ONCE = 500
"""Deliveries that are taken in one transaction."""

_VERDICTS: Mapping[Fate, FileVerdict] = {
    Fate.DUPLICATE: FileVerdict.DUPLICATE,
    Fate.SUPERSEDED: FileVerdict.SUPERSEDED,
    Fate.HELD: FileVerdict.HELD,
    Fate.REJECTED: FileVerdict.REJECTED,
}
"""Verdicts of what isn't ACCEPTED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One delivery of a capture. `at`: when it was received, where the capture says so."""

    n: int
    message: Incoming
    at: datetime | None


def read_capture(path: Path) -> Iterator[Recorded | int]:
    """The deliveries in their order; of a line that is none its number."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                try:
                    yield _recorded(_read(line.decode()), number, str(path))
                except _FAULTS:
                    yield number


def recorded_in(path: Path) -> dict[int, Recorded]:
    """The deliveries of a capture by their numbers. NotFound: there is no such capture."""
    if not path.is_file():
        raise NotFound(f"there is no capture {path.name}", code="NO_FILES")
    return {item.n: item for item in read_capture(path) if isinstance(item, Recorded)}


_FAULTS = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What a line that is no recorded delivery comes to."""


def _read(line: str) -> Any:  # noqa: ANN401 – JSON
    row = json.loads(line)
    if "\\u" in line:
        json.dumps(row, ensure_ascii=False).encode()  # an escape that is half a character is no text
    return row


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError


def _recorded(row: Mapping[str, Any], number: int, path: str) -> Recorded:
    properties = row.get("properties") or {}
    body = base64.b64decode(row["body_b64"], validate=True) if "body_b64" in row else str(row["body"]).encode()
    at = row.get("received_at") or row.get("timestamp")
    moment = None if at is None else datetime.fromisoformat(at)
    if moment is not None:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    message = Incoming(
        tag=number,
        queue=path,
        exchange=_text(row.get("exchange")) or "",
        routing_key=_text(row.get("routing_key")) or "",
        message_id=_text(properties.get("message_id") or row.get("message_id")),
        body=body,
        content_type=_text(properties.get("content_type") or row.get("content_type")),
        headers=dict((row.get("headers") or {}).items()),
        redelivered=bool(row.get("redelivered")),
    )
    return Recorded(n=int(row.get("n", number)), message=message, at=moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureTaker:
    """Takes the recorded deliveries of one connector. "Now" is when each was received, else what the clock says."""

    taker: InboxTaker[Any]
    clock: Callable[[], datetime]

    def take(self, path: Path) -> list[FileReport]:
        """Take every delivery of a capture; the reports as things stand after the last one."""
        lines = list(read_capture(path))
        outcomes = [outcome for batch in self._batches(lines) for outcome in self.taker.take_arrived(batch)]
        return self._as_it_stands(self._reports(path, lines, outcomes))

    def check(self, path: Path) -> list[FileReport]:
        """The same reports with no effect."""
        lines = list(read_capture(path))
        return [report for report, _ in self._reports(path, lines, self.taker.check(self._batches(lines)))]

    def take_one(self, delivery: Recorded | None, *, at: datetime) -> Outcome:
        """Take one delivery as having arrived at that moment; None: its line is no recorded delivery."""
        if delivery is None:
            return _NO_DELIVERY
        (outcome,) = self.taker.take([delivery.message], now=at)
        return outcome

    def _batches(self, lines: Sequence[Recorded | int]) -> Iterator[list[Arrival]]:
        deliveries = [line for line in lines if isinstance(line, Recorded)]
        for start in range(0, len(deliveries), AT_ONCE):
            part = deliveries[start : start + AT_ONCE]
            yield [self.taker.arrival(line.message, at=line.at or self.clock()) for line in part]

    def _reports(
        self, path: Path, lines: Sequence[Recorded | int], outcomes: Sequence[Outcome]
    ) -> list[tuple[FileReport, Outcome]]:
        waiting, told = iter(outcomes), list[tuple[FileReport, Outcome]]()
        for line in lines:
            outcome = _NO_DELIVERY if isinstance(line, int) else next(waiting)
            told.append((self._report(path, line, outcome), outcome))
        return told

    def _report(self, path: Path, line: Recorded | int, outcome: Outcome) -> FileReport:
        number, body = (line, b"") if isinstance(line, int) else (line.n, line.message.body)
        reason = None if outcome.code is None else Reason(code=outcome.code, text=outcome.text or "")
        if reason is not None and outcome.fate is Fate.REJECTED:
            reason = replace(reason, record=number)
        return FileReport(
            path=str(path),
            connector=self.taker.connector,
            sha256=hashlib.sha256(body).hexdigest() if body else "",
            verdict=_VERDICTS.get(outcome.fate, FileVerdict.ACCEPTED),
            reasons=(reason,) if reason else (),
            records=1,
            outcomes={} if outcome.fate is Fate.HELD else {outcome.fate.value: 1},
            n=number,
        )

    def _as_it_stands(self, told: Sequence[tuple[FileReport, Outcome]]) -> list[FileReport]:
        """The reports; of a message that waited for one of a later batch, as it is now."""
        waited = [outcome.delivery_id for _, outcome in told if outcome.fate is Fate.HELD and outcome.delivery_id]
        now = self.taker.stands(waited) if waited else {}
        return [
            replace(report, verdict=FileVerdict.ACCEPTED, reasons=(), outcomes={"LOADED": 1})
            if outcome.fate is Fate.HELD and now.get(outcome.delivery_id or "") == Fate.LOADED
            else report
            for report, outcome in told
        ]


_NO_DELIVERY = Outcome(fate=Fate.REJECTED, code="CAPTURE_INVALID", text="the line is no recorded delivery")
