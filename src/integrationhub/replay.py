"""Recorded traffic, delivery by delivery, as it would have run: "now" is the moment at which each one arrived.

Source: INTERFACE `replay`, benefits-common.md §11. One order line is one delivery; a file delivery without a time of
its own happens at the time of the delivery before it.
"""

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integrationhub.accounts.beforehand import SETUP, confidential, known_cases, requests
from integrationhub.accounts.entries import Note, Origin
from integrationhub.canonical.identifiers import derive
from integrationhub.errors import ConfigurationError
from integrationhub.intake.captures import CaptureTaker, Recorded, recorded_in
from integrationhub.intake.report import FileReport, FileVerdict
from integrationhub.intake.units.heard import Heard, Hearing
from integrationhub.pipeline import Pipeline
from integrationhub.receive.folder import find_files
from integrationhub.sdk.messages import Fate, Outcome
from integrationhub.store.unit_of_work import Store

OUTCOMES = {
    FileVerdict.ACCEPTED: "LOADED",
    FileVerdict.DUPLICATE: "DUPLICATE",
    FileVerdict.REJECTED: "REJECTED",
    FileVerdict.HELD: "HELD",
}
"""File verdicts in the words of benefits-common.md §1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One delivery: its feed, its files or its place in a capture, when it arrived (None: with the one before it)."""

    feed: str
    paths: tuple[str, ...] = ()
    capture: str | None = None
    n: int | None = None
    received_at: datetime | None


def read_order(lines: Iterable[str]) -> list[OrderLine]:
    """The deliveries in an order file; ConfigurationError lists every line that is none."""
    found: list[OrderLine] = []
    faults: list[str] = []
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            found.append(_line(json.loads(text)))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            what = "not a delivery with feed and paths, or capture and n"
            faults.append(f"line {number}: {what} ({type(exc).__name__})")
    if faults:
        raise ConfigurationError(f"the order file has {len(faults)} faulty lines", faults=faults, code="ORDER_INVALID")
    return found


def _line(row: Mapping[str, Any]) -> OrderLine:
    at = row.get("received_at")
    moment = datetime.fromisoformat(at) if at else None
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if "capture" in row:
        return OrderLine(feed=row["feed"], capture=row["capture"], n=int(row["n"]), received_at=moment)
    return OrderLine(feed=row["feed"], paths=tuple(row["paths"]), received_at=moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Takers:
    """What takes the deliveries of a feed: its files, its recorded messages."""

    pipeline: Callable[[str], Pipeline]
    captures: Callable[[str], CaptureTaker]
    hearing: Hearing = field(default_factory=Hearing)


def replay(order: Iterable[OrderLine], folder: Path, *, takers: Takers, start: datetime) -> Iterator[Mapping[str, Any]]:
    """Take the deliveries in order; one result a delivery in the shape of benefits-common.md §11."""
    now, captures = start, dict[str, Mapping[int, Recorded]]()
    for line in order:
        if line.capture is not None:
            if line.capture not in captures:
                captures[line.capture] = recorded_in(folder / line.capture)
            delivery = captures[line.capture].get(line.n or 0)
            now = line.received_at or (delivery and delivery.at) or now
            outcome = takers.captures(line.feed).take_one(delivery, at=now)
            yield _result_of_message(line, outcome, takers.hearing.taken(outcome.delivery_id))
            continue
        now = line.received_at or now
        feed = takers.pipeline(line.feed)
        with feed.exclusive():
            for item in find_files([folder / path for path in _data_paths(line, feed)], feed.descriptor.delivery):
                yield _result(line, feed.take(item, now=now), takers.hearing)


def _result_of_message(line: OrderLine, outcome: Outcome, heard: Heard | None) -> Mapping[str, Any]:
    loaded = outcome.fate is Fate.LOADED
    unit = heard.records[-1] if heard is not None and heard.records else None
    return {
        "feed": line.feed,
        "capture": line.capture,
        "n": line.n,
        "level": "message",
        "outcome": outcome.fate.value,
        "reason": None if outcome.code == Fate.DUPLICATE else outcome.code,
        "flags": unit["flags"] if unit else [],
        "canonical": unit["canonical"] if unit else {"delivery_id": outcome.delivery_id} if loaded else None,
        "records": [],
    }


def _data_paths(line: OrderLine, feed: Pipeline) -> list[str]:
    """The delivery's data files; trigger files come with them."""
    suffix = feed.descriptor.delivery.trigger.suffix
    return [path for path in line.paths if not path.endswith(suffix)] or list(line.paths)


def _result(line: OrderLine, report: FileReport, hearing: Hearing) -> Mapping[str, Any]:
    loaded = report.verdict is FileVerdict.ACCEPTED
    heard = hearing.taken(report.sha256)
    waits_as_page = heard is not None and report.verdict is FileVerdict.HELD  # admitted: LOADED in the words of §1
    told = report.verdict in (FileVerdict.REJECTED, FileVerdict.HELD) and not waits_as_page
    result = {
        "feed": line.feed,
        "paths": list(line.paths),
        "level": "file",
        "outcome": OUTCOMES[FileVerdict.ACCEPTED if waits_as_page else report.verdict],
        "reason": report.reasons[0].code if told and report.reasons else None,
        "flags": [],
    }
    if heard is not None:
        canonical = None if heard.canonical is None else dict(heard.canonical)
        return {**result, "canonical": canonical, "records": heard.records, "missing": list(report.missing)}
    return {
        **result,
        "canonical": {"records": report.records, "missing": list(report.missing)} if loaded else None,
        "records": [
            {"key": str(reason.record), "outcome": "EXCEPTION", "reason": reason.code, "flags": [], "canonical": None}
            for reason in (report.reasons if loaded else ())
        ],
    }


def begin(setup: Path, store: Store, *, connector_of: Callable[[str], str], now: datetime) -> None:
    """Let the store begin with what the files of the setup folder say, as far as it knows nothing else yet.

    sequences.json: the number with which a feed begins; known-cases.json: cases that receipts may be meant for, and
    people whose address is kept back; cis-requests.json: questions that wait for an answer. `connector_of`: the name of
    a connector by that of its feed.
    """
    numbers, known, asked = (_content(setup / name) for name in ("sequences.json", "known-cases.json", REQUESTS_FILE))
    with store.begin() as work:
        for name, number in (numbers or {}).items():
            feed = work.feeds.lock(connector_of(name))
            if feed.last_sequence is None and isinstance(number, int):
                work.feeds.save(dataclasses.replace(feed, last_sequence=number - 1))
        notes = [
            *known_cases((known or {}).get("cases", ())),
            *confidential((known or {}).get("confidential_ninos", ())),
            *requests(asked or ()),
        ]
        held = {(note.feed, note.kind, note.key) for note in work.accounts.shelf().notes(_keys(notes))}
        origin = Origin(delivery_id=derive(SETUP), record=0, offset=0, mapping_id=SETUP, at=now)
        new = {key: note for key, note in zip(_keys(notes), notes, strict=True) if key not in held}
        work.accounts.keep((note, origin) for note in new.values())
        work.commit()


REQUESTS_FILE = "cis-requests.json"


def _keys(notes: Sequence[Note]) -> list[tuple[str, str, str]]:
    return [(note.feed, note.kind, note.key) for note in notes]


def _content(file: Path) -> Any:  # noqa: ANN401 – JSON
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
