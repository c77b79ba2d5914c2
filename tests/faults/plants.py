"""Faults of single fields, each put into a group of its own of one file, so that one run shows what becomes of all.

Every field of the copybook that can be undecodable is spoilt in each way there is (R13), but for those that feed a
count or a control total: these refuse the file (R09, R12).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from integrationhub.decode.copybook import Copybook, Item
from integrationhub.estate.faults import PAGE, GoodDelivery, join, packed, text

KINDS = {
    "10": "CSX-GROUP", "20": "CSX-CASE", "25": "CSX-PARTY-ROLE", "27": "CSX-ADDRESS", "30": "CSX-ASSESSMENT",
    "40": "CSX-LEDGER", "50": "CSX-HISTORY",
}  # fmt: skip
LINES = {"LC-": "C", "LR-": "R", "LA-": "A", "LV-": "V"}
REFUSING = {
    "C-BENEFIT-COUNT", "C-NOTE-LEN", "M-COUNT", "A-LINE-COUNT",
    "C-BAL-RP", "C-BAL-SOS", "C-BAL-UNK", "C-SUSP-RP", "C-SUSP-SOS", "C-CUST-CASH", "L-AMOUNT",
}  # fmt: skip
CODES = (
    "G-STATUS", "G-PV-MARKER", "C-STATUS", "C-LEDGER-COMPLETE", "C-BENEFIT-KNOWN", "C-QUERY-MARK", "C-BEN-TYPE",
    "P-ROLE", "P-SEX", "P-PAYEE", "A-KIND", "A-CONFIDENTIAL", "M-TYPE", "M-INPUTS", "L-KIND", "L-OWNER", "LR-METHOD",
    "LR-BANK-STATUS", "LR-HELD", "LA-REASON", "LV-REASON", "E-CLASS", "E-CODE", "E-OUTCOME",
)  # fmt: skip
END_DATES = ("C-LIAB-END", "C-BEN-TO", "M-TO")
SHORT_DATES = (
    *END_DATES, "C-LAST-CHARGED", "C-BEN-FROM", "P-ROLE-FROM", "P-ROLE-TO", "A-FROM", "M-FROM", "LC-FROM", "LC-TO",
    "LR-VALUE-DATE", "LA-EFF", "LV-DATE", "E-TO",
)  # fmt: skip
LONG_DATES = ("C-EFF-DATE", "P-BIRTH", "L-POSTED", "E-FROM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoil:
    """One way to make one field unusable."""

    kind: str
    field: str
    raw: bytes

    @property
    def line(self) -> str | None:
        """The kind of ledger line that has the field."""
        return LINES.get(self.field[:3])


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A spoil in its place: the record, counted from 1, and the number of its group."""

    spoil: Spoil
    record: int
    group: int


def spoils(layout: Copybook) -> Iterator[Spoil]:
    """Every spoil of every field."""
    records = {record.name: record for record in layout.records}
    for kind, name in KINDS.items():
        for item in records[name].walk():
            if not item.is_group and item.name not in REFUSING:
                for raw in _raws(item):
                    yield Spoil(kind=kind, field=item.name, raw=raw)


def _raws(item: Item) -> Iterator[bytes]:
    if item.name in CODES:
        yield text("~")
    if item.usage == "PACKED":
        yield b"\xff" * item.length
        yield packed(1, item.length)[:-1] + b"\x1b"
    if item.usage == "DISPLAY" and item.picture is not None and item.picture.text.lstrip("S").startswith("9"):
        yield text("?")
        yield text(" " * item.length)
    if item.name in SHORT_DATES:
        yield from (packed(number, 4) for number in (99_000, 99_366, 200_001, -99_001, 1_099_001))
    if item.name in END_DATES:
        yield from (packed(0, 4), bytes(4))
    if item.name in LONG_DATES:
        yield from (text(number) for number in ("20010229", "20011301", "20010100", "00000101"))


class Plantation:
    """A good file into which spoils are put, each into the next group that has a record for it."""

    def __init__(self, good: GoodDelivery) -> None:
        self._good = good
        self.records = list(good.records)
        self.planted: list[Planted] = []
        starts = [index for index, kind in enumerate(good.kinds) if kind == "10"]
        ends = [*starts[1:], len(good.records) - 1]
        self.groups = {self._number(start): range(start, end) for start, end in zip(starts, ends, strict=True)}
        self._free = list(self.groups)

    def _number(self, index: int) -> int:
        return int.from_bytes(self._good.field(index, "G-SRC-GROUP"), "big")

    def plant(self, spoil: Spoil) -> None:
        """Put the spoil into a group that has none yet."""
        for group in self._free:
            place = next((index for index in self.groups[group] if self._fits(index, spoil)), None)
            if place is not None:
                self._free.remove(group)
                self.records[place] = self._good.with_field(place, spoil.field, spoil.raw)[place]
                self.planted.append(Planted(spoil=spoil, record=place + 1, group=group))
                return
        raise LookupError(f"no free group has a record for {spoil.field}: take a larger file")

    def _fits(self, index: int, spoil: Spoil) -> bool:
        good = self._good
        if good.kinds[index] != spoil.kind:
            return False
        if spoil.line is not None and good.field(index, "L-KIND").decode(PAGE) != spoil.line:
            return False
        return good.offset(index, spoil.field) + len(spoil.raw) <= self._end(index, spoil)

    def _end(self, index: int, spoil: Spoil) -> int:
        """Where the record's table ends that the field stands in, so that nothing behind it is hit."""
        if spoil.field.startswith("C-BEN-"):
            periods = int(self._good.field(index, "C-BENEFIT-COUNT").decode(PAGE))
            return self._good.offset(index, "C-BENEFIT") + 11 * periods
        return len(self._good.records[index])

    def offset(self, record: int) -> int:
        """Where the data of a record, counted from 1, begins in the file."""
        return sum(len(each) + 4 for each in self.records[: record - 1]) + 4

    def records_of(self, groups: Sequence[int]) -> int:
        """How many records stand in these groups."""
        return sum(len(self.groups[group]) for group in groups)

    def cases_of(self, groups: Sequence[int]) -> set[str]:
        """The keys of the cases in these groups."""
        good = self._good
        indexes = [index for group in groups for index in self.groups[group] if good.kinds[index] == "20"]
        return {f"93:{good.field(index, 'C-CASE-REF').decode(PAGE)}" for index in indexes}

    @property
    def data(self) -> bytes:
        """The file's bytes."""
        return join(self.records)

    @property
    def trigger(self) -> bytes:
        """A trigger file that fits."""
        return self._good.broken_bytes("R13", "", self.data).trigger
