"""One CSCS extract: records with their lengths in front, control totals added up on the way, the trigger file last."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from integrationhub.decode.copybook import parse_copybook
from integrationhub.decode.encode import RecordEncoder
from integrationhub.estate.book import SourceGroup
from integrationhub.estate.csa1993_records import ccyymmdd, cyyddd, group_records
from integrationhub.estate.delivery import Delivery
from integrationhub.sdk.descriptor import Descriptor

TYPES = {
    "CSX-GROUP": "10", "CSX-CASE": "20", "CSX-PARTY-ROLE": "25", "CSX-ADDRESS": "27", "CSX-ASSESSMENT": "30",
    "CSX-LEDGER": "40", "CSX-HISTORY": "50",
}  # fmt: skip
"""01 level → record type, in the order of the trailer's counts."""

RUN_TIME = 213_015
LENGTH_BYTES = 4
BUFFER_BYTES = 1 << 20


def encoder_for(descriptor: Descriptor) -> RecordEncoder:
    """The encoder of a copybook connector's records."""
    layout = descriptor.layout
    return RecordEncoder(
        parse_copybook(descriptor.copybook_text, name=layout.copybook),
        encoding=layout.encoding,
        record_types=layout.record_types,
        record_type_field="H-REC-TYPE",
        redefines={name: (choice.by, choice.when) for name, choice in layout.redefines.items()},
    )


@dataclass(slots=True, kw_only=True)
class Controls:
    """Counts and control totals in pence (§6)."""

    counts: Counter[str] = field(default_factory=Counter)
    rp: int = 0
    sos: int = 0
    unk: int = 0
    suspended: int = 0
    custodian: int = 0
    ledger_hash: int = 0

    @property
    def records(self) -> int:
        """All records, header and trailer too."""
        return self.counts.total() + 2

    def add(self, level: str, values: Mapping[str, Any]) -> None:
        """Take one record into account."""
        self.counts[TYPES[level]] += 1
        if level == "CSX-LEDGER":
            self.ledger_hash += values["L-AMOUNT"]
        elif level == "CSX-CASE":
            self.rp += values["C-BAL-RP"]
            self.sos += values["C-BAL-SOS"]
            self.unk += values["C-BAL-UNK"]
            self.suspended += values["C-SUSP-RP"] + values["C-SUSP-SOS"]
            self.custodian += values["C-CUST-CASH"]

    def as_dict(self) -> dict[str, object]:
        """In the shape of `control` in the samples' expected.json."""
        counts = {kind: self.counts[kind] for kind in TYPES.values()}
        names = ("rp", "sos", "unk", "suspended", "custodian", "ledger_hash")
        return {"records": self.records, "counts": counts, **{name: getattr(self, name) for name in names}}


class ExtractWriter:
    """Writes an extract group by group; leaving the block writes trailer and trigger file, unless it failed."""

    def __init__(self, folder: Path, delivery: Delivery, encoder: RecordEncoder) -> None:
        self.path = folder / delivery.csa1993_name()
        self.trigger = self.path.with_suffix(".ctl")
        self.controls = Controls()
        self._delivery = delivery
        self._encoder = encoder
        self._digest = sha256()
        self._bytes = 0
        self._pending = bytearray()
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Self:
        self.trigger.unlink(missing_ok=True)  # a pair is complete only when its trigger is there
        self._stream = self.path.open("wb")
        self._put("CSX-HEADER", self._header())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._put("CSX-TRAILER", self._trailer())
            self._flush()
        if self._stream:
            self._stream.close()
        if kind is None:
            self.trigger.write_text(self._trigger(), encoding="ascii")

    def write(self, group: SourceGroup) -> None:
        """Add a source group; groups must come in ascending order of their numbers."""
        for level, values in group_records(group):
            self.controls.add(level, values)
            self._put(level, values)

    def _put(self, level: str, values: Mapping[str, Any]) -> None:
        body = self._encoder.encode(level, values)
        self._pending += (len(body) + LENGTH_BYTES).to_bytes(LENGTH_BYTES, "big")
        self._pending += body
        if len(self._pending) >= BUFFER_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._stream:
            self._stream.write(self._pending)
        self._digest.update(self._pending)
        self._bytes += len(self._pending)
        self._pending.clear()

    def _header(self) -> Mapping[str, Any]:
        delivery = self._delivery
        return {
            "H-SYSTEM": "CSCS", "H-VERSION": 4, "H-SEQUENCE": delivery.sequence,
            "H-RUN-DATE": ccyymmdd(delivery.run_date), "H-RUN-TIME": RUN_TIME, "H-ASAT-DATE": cyyddd(delivery.as_at),
            "H-KIND": "C" if delivery.correction else "F", "H-CODEPAGE": "CP1146",
        }  # fmt: skip

    def _trailer(self) -> Mapping[str, Any]:
        controls = self.controls
        entries = [{"T-TYPE": kind, "T-COUNT": controls.counts[kind]} for kind in TYPES.values()]
        return {
            "T-SEQUENCE": self._delivery.sequence, "T-RECORDS": controls.records, "T-ENTRY": entries,
            "T-BAL-RP": controls.rp, "T-BAL-SOS": controls.sos, "T-BAL-UNK": controls.unk,
            "T-SUSPENDED": controls.suspended, "T-CUSTODIAN": controls.custodian,
            "T-LEDGER-HASH": controls.ledger_hash,
        }  # fmt: skip

    def _trigger(self) -> str:
        entries = {
            "FILE": self.path.name, "BYTES": self._bytes, "RECORDS": self.controls.records,
            "SHA256": self._digest.hexdigest(), "SEQUENCE": self._delivery.sequence,
            "ASAT": self._delivery.as_at.isoformat(),
        }  # fmt: skip
        return "".join(f"{key}={value}\n" for key, value in entries.items())
