"""What a connector's samples become: every canonical row, or every judged unit, as JSON lines beside the samples.

    python -m tests.golden.outputs        writes connectors/<name>/golden/ anew, for every connector with samples

Look at the difference before committing it: it is what a change of decoder or mapping does to the data.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from integrationhub.accounts.book import Book
from integrationhub.bootstrap import Hub
from integrationhub.canonical.model import ENTITIES
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.receive.folder import find_files
from integrationhub.sdk.descriptor import load_descriptor
from integrationhub.store.exports import export
from tests.feeds.judged import feed
from tests.unit.accounts.conftest import EmptyShelf

CONNECTORS = Path(__file__).parents[2] / "connectors"
CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
LEFT_OUT = ("mapping_id", "entry_id", "cancels_entry_id")
"""Hold, or are made from, the hash of the spec: they change with every edit, also where no value does."""


def with_samples() -> list[Path]:
    """The folders of all connectors that have samples."""
    return sorted(folder.parent for folder in CONNECTORS.glob("*/samples"))


def outputs_of(connector: Path, data_dir: Path) -> Iterator[tuple[str, str]]:
    """Take a connector's samples into an empty store; entity name and its rows as JSON lines, for every entity.

    Of a connector whose records are judged one by one: `records`, what became of each.
    """
    if load_descriptor(connector).units is not None:
        yield "records", "".join(judged_records(connector))
        return
    settings = Settings(data_dir=data_dir, synthetic_identities=True)
    with Hub(settings, Catalogue.standard(), clock=lambda: CLOCK) as hub:
        pipeline = hub.pipeline(connector.name)
        files = find_files([connector / "samples"], pipeline.descriptor.delivery)
        reports = [pipeline.take(item) for item in files]
        assert reports
        assert {report.verdict.value for report in reports} == {"ACCEPTED"}
        with hub.store.read() as connection:
            for entity in ENTITIES:
                frames = export(connection, entity, unmasked=True)
                yield entity, "".join(frame.drop(*LEFT_OUT, strict=False).write_ndjson() for frame in frames)


def judged_records(connector: Path) -> Iterator[str]:
    """What became of each record of the samples, in the order of their names' sequence numbers, as JSON lines."""
    taken = feed(connector.name, Book(EmptyShelf()))
    rules = taken.descriptor.delivery
    names = [path.name for path in (connector / "samples").iterdir() if rules.kind_of(path.name) is not None]
    for name in sorted(names, key=lambda name: (rules.sequence_of(name) or 0, name)):
        for unit, verdict in taken.file(name, (connector / "samples" / name).read_bytes(), at=CLOCK).units:
            row = {
                "file": name, "key": unit.key, "outcome": verdict.fate, "reason": verdict.reason,
                "flags": sorted(verdict.flags), "canonical": verdict.canonical,
            }  # fmt: skip
            yield json.dumps(row, ensure_ascii=False) + "\n"


def write_all() -> None:
    """Write the golden outputs of every connector anew."""
    for connector in with_samples():
        folder = connector / "golden"
        folder.mkdir(exist_ok=True)
        with TemporaryDirectory() as scratch:
            for entity, rows in outputs_of(connector, Path(scratch)):
                (folder / f"{entity}.jsonl").write_text(rows, encoding="utf-8")


if __name__ == "__main__":
    write_all()
