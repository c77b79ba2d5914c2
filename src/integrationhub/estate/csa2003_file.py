"""One CS2 extract: sections side by side in temporary files, joined and compressed at the end, the trigger file last.

The document has all parties first, then all addresses and so on (csa2003.md §2), while groups are made one at a time;
so memory stays bounded however many groups there are.
"""

import shutil
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from gzip import GzipFile
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, BinaryIO, Self

from integrationhub.estate.book import CaseGroup, SourceGroup
from integrationhub.estate.csa2003_records import SECTIONS, Parties, element, group_elements, money
from integrationhub.estate.delivery import Delivery
from integrationhub.estate.outcomes import header
from integrationhub.estate.rules import SCHEME_2003

NAMESPACE = "urn:synthetic:cs2:extract:4"
RUN_TIME = "22:10:00"
COMPRESSION = 5


@dataclass(slots=True, kw_only=True)
class Controls:
    """Counts and sums in pence of an extract (element Control)."""

    counts: Counter[str] = field(default_factory=Counter)
    rp: int = 0
    sos: int = 0
    unk: int = 0
    suspended: int = 0
    custodian: int = 0

    @property
    def records(self) -> int:
        """All elements that are counted."""
        return self.counts.total()

    def add(self, group: SourceGroup) -> None:
        """Take the figures of a source group's cases into account."""
        for case in group.cases:
            total = header(case)
            self.rp += total.rp
            self.sos += total.sos
            self.unk += total.unk
            self.suspended += total.susp_rp + total.susp_sos
            self.custodian += total.custodian

    def as_dict(self) -> dict[str, object]:
        """In the shape of `control` in the samples' expected.json."""
        names = ("rp", "sos", "unk", "suspended", "custodian")
        return {
            "records": self.records, "cases": self.counts["Cases"], **{name: getattr(self, name) for name in names}
        }  # fmt: skip

    def as_element(self) -> str:
        """The element itself."""
        return element("Control", {
            **{section.lower(): self.counts[section] for section in SECTIONS},
            "balanceRP": money(self.rp), "balanceSOS": money(self.sos), "balanceUNK": money(self.unk),
            "suspended": money(self.suspended), "custodian": money(self.custodian),
        })  # fmt: skip


class Csa2003Writer:
    """Writes an extract group by group; leaving the block writes the file and its trigger, unless it failed."""

    def __init__(self, folder: Path, delivery: Delivery) -> None:
        self.path = folder / delivery.csa2003_name()
        self.trigger = self.path.with_name(self.path.name.replace(".xml.gz", ".ctl"))
        self.controls = Controls()
        self._delivery = delivery
        self._parties = Parties()
        self._sections: dict[str, IO[bytes]] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self.trigger.unlink(missing_ok=True)  # a pair is complete only when its trigger is there
        for name in SECTIONS:
            self._sections[name] = self._open.enter_context(TemporaryFile())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._open:
            if kind is None:
                self._finish()

    def write(self, group: CaseGroup) -> None:
        """Add what a case group has in this book."""
        for section, text in self._parties.elements(group):
            self._put(section, text)
        for source in group.source_groups:
            if source.rules is SCHEME_2003:
                self.controls.add(source)
                for section, text in group_elements(source):
                    self._put(section, text)

    def _put(self, section: str, text: str) -> None:
        self.controls.counts[section] += 1
        self._sections[section].write(text.encode())

    def _finish(self) -> None:
        with self.path.open("wb") as out:
            counted = _Hashed(out)
            with GzipFile(filename="", mode="wb", compresslevel=COMPRESSION, fileobj=counted, mtime=0) as packed:
                uncompressed = self._write_document(packed)
        self.trigger.write_text(self._trigger(counted, uncompressed), encoding="ascii")

    def _write_document(self, out: GzipFile) -> int:
        delivery = self._delivery
        kind = "CORRECTION" if delivery.correction else "FULL"
        head = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<CS2Extract xmlns="{NAMESPACE}" sequence="{delivery.sequence}" '
            f'asAt="{delivery.as_at}" kind="{kind}" created="{delivery.run_date}T{RUN_TIME}">\n'
        )
        out.write(head.encode())
        for name, section in self._sections.items():
            out.write(f"<{name}>\n".encode())
            section.seek(0)
            shutil.copyfileobj(section, out)
            out.write(f"</{name}>\n".encode())
        out.write(f"{self.controls.as_element()}</CS2Extract>\n".encode())
        return out.tell()

    def _trigger(self, counted: "_Hashed", uncompressed: int) -> str:
        entries = {
            "FILE": self.path.name, "BYTES": counted.size, "RECORDS": self.controls.records,
            "SHA256": counted.digest.hexdigest(), "SEQUENCE": self._delivery.sequence,
            "ASAT": self._delivery.as_at.isoformat(), "UNCOMPRESSED": uncompressed,
        }  # fmt: skip
        return "".join(f"{key}={value}\n" for key, value in entries.items())


class _Hashed:
    """Passes bytes on to a stream, counts and hashes them."""

    def __init__(self, stream: BinaryIO) -> None:
        self.digest = sha256()
        self.size = 0
        self._stream = stream

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._stream.write(data)

    def flush(self) -> None:
        self._stream.flush()
