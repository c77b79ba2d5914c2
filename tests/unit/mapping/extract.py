"""CSCS records made to order: encoded by the connector's copybook, decoded again as a file would be."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from integrationhub.decode.encode import RecordEncoder, frame_u32
from integrationhub.intake.builders import build_decoder
from integrationhub.mapping.compile import MappingContext
from integrationhub.records import DecodedBatch
from integrationhub.sdk.descriptor import load_descriptor

CHECKOUT = Path(__file__).parents[3]
CONNECTOR = CHECKOUT / "connectors" / "csa1993"
SPECS = CHECKOUT / "mappings" / "csa1993"
SAMPLE = CONNECTOR / "samples" / "CSCS.NIGHTLY.D20150701.S000101.dat"

DESCRIPTOR = load_descriptor(CONNECTOR)
DECODER = build_decoder(DESCRIPTOR)
ENCODER = RecordEncoder(
    DECODER.copybook,
    encoding=DESCRIPTOR.layout.encoding,
    record_types=DESCRIPTOR.layout.record_types,
    redefines={name: (rule.by, rule.when) for name, rule in DESCRIPTOR.layout.redefines.items()},
)

GROUP, CASE, NRP, PWC = 1000, 1000000001, 100001, 100002
OPEN = 9_999_999
CONTEXT = MappingContext(
    delivery_id="d" * 32, sequence=101, as_at=date(2015, 6, 30), source_system="CSCS", synthetic_identities=True
)


def decoded(data: bytes) -> DecodedBatch:
    """The tables of a whole extract, framing included."""
    buffer = np.frombuffer(data, np.uint8)
    frames = DECODER.scan(buffer, 0, final=True)
    return DECODER.decode(buffer, frames.starts, frames.lengths)


@dataclass(slots=True)
class Extract:
    """Records in the order in which they were added; `place` counts them from 1, as the hub does."""

    bodies: list[bytes] = field(default_factory=list)

    def add(self, level: str, **values: Any) -> int:
        """One record; keyword names have `_` for `-`. Gives its record number."""
        named = {name.replace("_", "-"): value for name, value in values.items()}
        self.bodies.append(ENCODER.encode(level, {**DEFAULTS[level], **named}))
        return len(self.bodies)

    def decoded(self) -> DecodedBatch:
        """The tables that the decoder makes of the records."""
        return decoded(frame_u32(self.bodies))


DEFAULTS: dict[str, dict[str, Any]] = {
    "CSX-GROUP": {"G-SRC-GROUP": GROUP, "G-NRP-PARTY": NRP, "G-CASE-COUNT": 1, "G-STATUS": "A", "G-PAY-METHOD": "SO"},
    "CSX-CASE": {
        "C-SRC-GROUP": GROUP, "C-CASE-REF": CASE, "C-STATUS": "L", "C-EFF-DATE": 19960220, "C-LIAB-END": OPEN,
        "C-LAST-CHARGED": 96305, "C-LEDGER-COMPLETE": "Y", "C-BENEFIT-KNOWN": "Y", "C-QUERY-MARK": "",
        "C-BENEFIT": [{"C-BEN-FROM": 96051, "C-BEN-TO": 96091, "C-BEN-TYPE": "IS"}], "C-NOTE-CHAR": "",
    },
    "CSX-PARTY-ROLE": {
        "P-SRC-GROUP": GROUP, "P-CASE-REF": CASE, "P-PARTY-ID": NRP, "P-ROLE": "NRP", "P-NINO": "QQ123456A",
        "P-SURNAME": "EXAMPLE", "P-FORENAMES": "ALEX", "P-BIRTH": 19700131, "P-SEX": "U", "P-ROLE-FROM": 96051,
        "P-ROLE-TO": OPEN,
    },
    "CSX-ADDRESS": {
        "A-SRC-GROUP": GROUP, "A-PARTY-ID": NRP, "A-KIND": "C", "A-FROM": 96051, "A-POSTCODE": "ZZ1 1ZZ",
        "A-LINE": ["1 EXAMPLE STREET", "TESTVILLE"],
    },
    "CSX-ASSESSMENT": {
        "M-SRC-GROUP": GROUP, "M-CASE-REF": CASE,
        "M-ROW": [{"M-FROM": 96051, "M-TO": OPEN, "M-TYPE": "I", "M-WEEKLY": 4110, "M-INPUTS": "N"}],
    },
    "CSX-LEDGER": {
        "L-SRC-GROUP": GROUP, "L-CASE-REF": CASE, "L-SEQ": 1, "L-KIND": "C", "L-OWNER": "R", "L-POSTED": 19961101,
        "L-AMOUNT": 72218,
    },
    "CSX-HISTORY": {
        "E-SRC-GROUP": GROUP, "E-CASE-REF": CASE, "E-CLASS": "C", "E-CODE": "TEL", "E-FROM": 20150112, "E-TO": 0,
        "E-OUTCOME": "S", "E-PARTY": NRP,
    },
}  # fmt: skip
"""A sound record of each type: what a test says nothing of is right."""

LINES: dict[str, dict[str, Any]] = {
    "C": {"LC-FROM": 96183, "LC-TO": 96305, "LC-WEEKLY": 4110, "LC-ASM-ROW": 1},
    "R": {
        "LR-BANK-REF": "BK0000000001", "LR-VALUE-DATE": 96129, "LR-QUOTED": "1000000001R", "LR-PAYER-PARTY": NRP,
        "LR-METHOD": "SO", "LR-BANK-STATUS": "C", "LR-HELD": "H",
    },
    "A": {"LA-REASON": "CR", "LA-EFF": 96200, "LA-AUTH": "AUTH01", "LA-TEXT": "GOODWILL"},
    "V": {"LV-OF-SEQ": 1, "LV-REASON": "BD", "LV-DATE": 96210},
}  # fmt: skip
"""Sound fields of each kind of ledger line."""


def line(extract: Extract, kind: str, **values: Any) -> int:
    """A ledger line of one kind; L-DATA's own fields may be given beside the others."""
    named = {name.replace("_", "-"): value for name, value in values.items()}
    return extract.add("CSX-LEDGER", **{"L-KIND": kind, **LINES[kind], **named})


def group(**changes: dict[str, Any]) -> Extract:
    """One group with everything in it and nothing wrong but what `changes` says of a record (a key of RECORDS)."""
    assert changes.keys() <= set(RECORDS)
    extract = Extract()
    for name, (level, values) in RECORDS.items():
        extract.add(level, **{**values, **changes.get(name, {})})
    return extract


def _line(kind: str, **values: Any) -> tuple[str, dict[str, Any]]:
    named = {name.replace("_", "-"): value for name, value in values.items()}
    return "CSX-LEDGER", {"L-KIND": kind, **LINES[kind], **named}


RECORDS: dict[str, tuple[str, dict[str, Any]]] = {
    "group": ("CSX-GROUP", {}),
    "case": ("CSX-CASE", {}),
    "nrp": ("CSX-PARTY-ROLE", {}),
    "pwc": ("CSX-PARTY-ROLE", {"P-PARTY-ID": PWC, "P-ROLE": "PWC", "P-NINO": "", "P-PAYEE": "Y"}),
    "assessment": ("CSX-ASSESSMENT", {}),
    "charge": _line("C"),
    "receipt": _line("R", L_SEQ=2, L_AMOUNT=10000),
    "adjustment": _line("A", L_SEQ=3, L_AMOUNT=-2000),
    "reversal": _line("V", L_SEQ=4, L_AMOUNT=10000, LV_OF_SEQ=2),
    "contact": ("CSX-HISTORY", {}),
    "enforcement": ("CSX-HISTORY", {"E-CLASS": "E", "E-CODE": "LOR", "E-TO": OPEN, "E-PARTY": 0}),
    "address": ("CSX-ADDRESS", {}),
}
"""The records of a sound group in their order; the record number is the place."""

PLACES = {name: number for number, name in enumerate(RECORDS, start=1)}
