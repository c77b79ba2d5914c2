"""Decoder `mt940`: bank statements in the format of SWIFT (payments.md §4). One row of `61` is one entry."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import polars as pl

from integrationhub.decode.bank import mt940
from integrationhub.decode.bank.amounts import TO_PENCE
from integrationhub.decode.bank.mt940 import Line, StructureFault, Tagged, Watched
from integrationhub.decode.bank.statement import Heading, Statement, alone
from integrationhub.decode.bank.totals import Totals, together
from integrationhub.decode.xml.prolog import is_xml
from integrationhub.records import DecodedBatch, Reason
from integrationhub.sdk.units import AT_ONCE, FileFacts, FileInHand, Options

TABLE = "61"
LAYOUT: dict[str, pl.DataType] = {
    "20": pl.String(),
    "25": pl.String(),
    "Number": pl.Int64(),  # of the entry over all pages
    "Currency": pl.String(),  # of the opening balance
    "ValueDate": pl.Int64(),
    "EntryDate": pl.Int64(),
    "Mark": pl.String(),  # C D RC RD
    "Amount": pl.Int64(),  # pence
    "CustomerRef": pl.String(),
    "BankRef": pl.String(),
    "86": pl.String(),
}
STRUCTURE = "MT940_STRUCTURE"
_BEHIND = frozenset({"64", "65", "86"})
_ANYWHERE = frozenset({"13D", "21", "34F", "NS"})


@dataclass(slots=True)
class _Block:
    """A statement, or a page of one, as far as it has been read."""

    reference: str | None = None
    account: str | None = None
    number: str | None = None
    page: int = 1
    opening: mt940.Balance | None = None
    closing: mt940.Balance | None = None
    is_first: bool = True
    is_last: bool = True
    totals: Totals = field(default_factory=Totals)
    line: Line | None = None
    text: str | None = None

    @property
    def statement(self) -> Statement:
        """The block as a statement."""
        heading = Heading(
            account=self.account,
            reference=self.reference,
            sequence=int(self.number) if self.number is not None else None,
            page=self.page,
            is_last=self.is_last,
            opening=self.opening.amount if self.opening else None,
            closing=self.closing.amount if self.closing else None,
        )
        return Statement(heading=heading, totals=self.totals)


class Mt940Decoder:
    """Reads MT940 files. Options: `accounts`, ours by sort code and number."""

    def __init__(self, options: Options) -> None:
        self._accounts = frozenset(options.values.get("accounts", ()))

    @property
    def layout(self) -> dict[str, dict[str, pl.DataType]]:
        """The one table."""
        return {TABLE: LAYOUT}

    def recognises(self, head: bytes) -> bool:
        """Whatever is no XML."""
        return not is_xml(head)

    def decode(self, stream: BinaryIO, file: FileInHand) -> Generator[DecodedBatch, None, FileFacts]:
        """See the module. NUL bytes refuse a file before anything else does."""
        watched = Watched(stream)
        reading = _Reading(strict=not file.standalone)
        waiting: list[dict[str, Any]] = []
        broken: StructureFault | None = None
        try:
            for block, line, text in reading.entries(mt940.fields(watched, strict=not file.standalone)):
                if file.standalone:
                    continue
                waiting.append(_row(block, line, text, number=file.units_before + reading.count, record=reading.count))
                if len(waiting) >= AT_ONCE:
                    yield _batch(waiting)
                    waiting = []
        except StructureFault as exc:
            broken = exc
        if waiting and broken is None:
            yield _batch(waiting)
        watched.drain()
        if watched.nul is not None:
            text = "a NUL byte; none is allowed in statements"
            return FileFacts(structure=Reason(code="TEXT_CONTROL_CHAR", text=text, offset=watched.nul))
        if broken is not None:
            reason = Reason(code=STRUCTURE, text=f"line {broken.line}: {broken.text}", offset=broken.offset)
            return FileFacts(structure=reason)
        return self._facts(reading.blocks, file)

    def _facts(self, blocks: list[_Block], file: FileInHand) -> FileFacts:
        made = [block.statement for block in blocks]
        every = together([item.totals for item in made])
        if file.standalone:
            control, controls = alone(made)
            return FileFacts(
                control=control,
                controls=controls,
                credits=every.credited,
                debits=every.debited,
                outcomes=every.outcomes,
            )
        if blocks[0].account not in self._accounts:
            text = "the statement is of an account that is not ours"
            return FileFacts(structure=Reason(code="WRONG_ADDRESSEE", text=text))
        statement, number = made[0], blocks[0].number
        return FileFacts(
            series=statement.heading.account or "",
            sequence=statement.heading.sequence,
            controls=statement.controls(),
            credits=every.credited,
            debits=every.debited,
            more={"kind": "940", **statement.for_judge(), "shown": number},
        )


def build(options: Options) -> Mt940Decoder:
    """The decoder for the accounts that are ours."""
    return Mt940Decoder(options)


class _Reading:
    """Puts fields together to statements. `strict`: one statement, its fields in their order, and nothing else."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._wrapped = self._ended = False
        self.blocks: list[_Block] = []
        self.count = 0

    def entries(self, fields: Iterator[Tagged]) -> Iterator[tuple[_Block, Line, str | None]]:
        """Every entry with its statement and the text that follows it. StructureFault: see `decode.bank.mt940`."""
        last: Tagged | None = None
        for item in fields:
            last = item
            done = self._finished(item)
            if done is not None:
                self.count += 1
                yield done
            self._take(item)
        done = self._finished(None)
        if done is not None:
            self.count += 1
            yield done
        if not self.blocks or (self._strict and not self._ended):
            text = "the statement is not ended" if self.blocks else "there is no statement"
            raise StructureFault(text, last.line if last else 0, last.offset if last else 0)
        if self._strict and (self.blocks[0].page == 1) is not self.blocks[0].is_first:
            raise StructureFault("only the first page begins with :60F:", 1, 0)

    def _finished(self, item: Tagged | None) -> tuple[_Block, Line, str | None] | None:
        """The entry that the next field ends."""
        block = self.blocks[-1] if self.blocks else None
        if block is None or block.line is None or (item is not None and item.tag in {"86", "NS"}):
            return None
        line, text, block.line, block.text = block.line, block.text, None, None
        block.totals.add(line.amount, credit=line.credit, booked=line.is_booked)
        return block, line, text

    def _take(self, item: Tagged) -> None:
        if item.tag in {"{", "-", "-}", ""}:
            self._take_frame(item)
            return
        if self._ended:
            self._fail(item, "a field behind the end of the statement")
        self._ended = False
        if item.tag == "20":
            self._begin(item)
        elif not self.blocks:
            self._fail(item, f":{item.tag}: before :20:")
        else:
            self._fill(self.blocks[-1], item)

    def _begin(self, item: Tagged) -> None:
        if self.blocks and (self._strict or self.blocks[-1].account is None):
            self._fail(item, "a second :20:")
        if not item.joined.strip():
            self._fail(item, ":20: is empty")
        self.blocks.append(_Block(reference=item.joined.strip() or None))

    def _fill(self, block: _Block, item: Tagged) -> None:
        tag = item.tag
        if tag == "25":
            self._only(item, expected=block.account is None and block.number is None)
            block.account = "".join(item.joined.split()) or None
        elif tag in {"28C", "28"} and (tag == "28C" or not self._strict):
            self._only(item, expected=block.account is not None and block.number is None and block.opening is None)
            block.number, block.page = mt940.number(item, strict=self._strict)
        elif tag in {"60F", "60M"}:
            self._open(block, item)
        elif tag == "61":
            self._only(item, expected=block.opening is not None and block.closing is None)
            block.line = mt940.entry(item, strict=self._strict)
        elif tag == "86":
            self._only(item, expected=(block.line is not None and block.text is None) or block.closing is not None)
            if block.line is not None:
                block.text = (block.text or "") + (mt940.remittance(item) or "")
        elif tag in {"62F", "62M"}:
            self._only(item, expected=block.opening is not None and block.closing is None)
            block.closing = mt940.balance(item, strict=self._strict)
            block.is_last = tag == "62F"
        elif tag not in _ANYWHERE and not (tag in _BEHIND and block.closing is not None):
            self._fail(item, f":{tag}: is not expected here")

    def _open(self, block: _Block, item: Tagged) -> None:
        if not self._strict and block.closing is not None:  # the next page, or statement, without a heading of its own
            block = _Block(reference=block.reference, account=block.account, number=block.number, page=block.page + 1)
            self.blocks.append(block)
        self._only(item, expected=block.number is not None and block.opening is None)
        opening = mt940.balance(item, strict=self._strict)
        if block.opening is None:
            block.opening = opening
            block.is_first = item.tag == "60F"

    def _take_frame(self, item: Tagged) -> None:
        if not self._strict:
            return
        if item.tag == "{" and not self.blocks and not self._wrapped and mt940.wrapper_fits(item.joined, end=False):
            self._wrapped = True
        elif item.tag in {"-", "-}"} and self._ends(item):
            self._ended = True
        elif item.joined.strip():
            self._fail(item, "a line that belongs to no field")

    def _ends(self, item: Tagged) -> bool:
        whole = bool(self.blocks) and self.blocks[-1].closing is not None and not self._ended
        text = item.joined.strip()
        return whole and (mt940.wrapper_fits(text, end=True) if self._wrapped else text == "-")

    def _only(self, item: Tagged, *, expected: bool) -> None:
        if self._strict and not expected:
            self._fail(item, f":{item.tag}: is not expected here")

    def _fail(self, item: Tagged, text: str) -> None:
        if self._strict:
            raise StructureFault(text, item.line, item.offset)


def _row(block: _Block, line: Line, text: str | None, *, number: int, record: int) -> dict[str, Any]:
    return {
        "_record": record,
        "_offset": line.offset,
        "20": block.reference,
        "25": block.account,
        "Number": number,
        "Currency": block.opening.currency if block.opening else None,
        "ValueDate": line.value_date,
        "EntryDate": line.entry_date,
        "Mark": _MARKS[line.credit, line.reversal],
        "Amount": line.amount // TO_PENCE,
        "CustomerRef": line.customer_ref,
        "BankRef": line.bank_ref,
        "86": text,
    }


_MARKS = {(True, False): "C", (False, False): "D", (False, True): "RC", (True, True): "RD"}


def _batch(rows: list[dict[str, Any]]) -> DecodedBatch:
    schema = {"_record": pl.Int64(), "_offset": pl.Int64(), **LAYOUT}
    frame = pl.DataFrame(rows, schema=schema)
    return DecodedBatch(tables={TABLE: frame.to_arrow(compat_level=pl.CompatLevel.oldest())})
