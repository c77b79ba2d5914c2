"""The faults themselves, R01 to R13 (csa1993.md §1.1): `faulty_deliveries` gives them all."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from integrationhub.decode.copybook import Copybook
from integrationhub.estate.faults import Faulty, GoodDelivery, Place, join, packed, text, trigger

GAP = 5
ROW_BYTES = 51
BENEFIT_BYTES = 11
LINE_BYTES = 30
_TABLE_START = {"C-BENEFIT-COUNT": "C-BENEFIT", "C-NOTE-LEN": "C-BENEFIT", "M-COUNT": "M-ROW", "A-LINE-COUNT": "A-LINE"}
_OTHER_COUNT = {"C-BENEFIT-COUNT": ("C-NOTE-LEN", bytes(2)), "C-NOTE-LEN": ("C-BENEFIT-COUNT", text("00"))}


def faulty_deliveries(name: str, data: bytes, trigger_file: bytes, copybook: Copybook) -> list[Faulty]:
    """A good delivery, which must have some groups, broken in every way, in the order of the codes.

    `name` is the data file's name. NotFound when the file lacks a record that a fault needs.
    """
    good = GoodDelivery(name, data, trigger_file, copybook)
    return [faulty for faults in _FAULTS for faulty in faults(good)]


def _trigger(good: GoodDelivery) -> Iterator[Faulty]:
    """R01."""
    whole = good.broken_bytes("R01", "", good.data)
    for key in good.entries:
        rest = {other: value for other, value in good.entries.items() if other != key}
        yield replace(whole, about=f"{key} is missing from the trigger file", trigger=trigger(rest))
    yield replace(whole, about="the trigger file is empty", trigger=b"")
    yield replace(whole, about="the trigger file is no ASCII text", trigger=whole.trigger + b"\xe9=1\n")
    yield good.broken_bytes("R01", "FILE names another file", good.data, FILE=good.name.replace("CSCS", "CSCX"))
    yield good.broken_bytes("R01", "BYTES is no number", good.data, BYTES="many")
    yield good.broken_bytes("R01", "ASAT is no date", good.data, ASAT="2015-02-30")
    yield good.broken_bytes("R01", "ASAT is not the header's", good.data, ASAT="2015-01-01")
    number = int(good.entries["SEQUENCE"]) + 1
    yield good.broken_bytes("R01", "SEQUENCE is not the name's", good.data, SEQUENCE=number)
    records = good.with_field(0, "H-SEQUENCE", number.to_bytes(4, "big"))
    yield good.broken("R01", "H-SEQUENCE is not the name's", records)


def _size_and_hash(good: GoodDelivery) -> Iterator[Faulty]:
    """R02 and R03."""
    yield good.broken_bytes("R02", "BYTES is one too many", good.data, BYTES=len(good.data) + 1)
    cut = good.broken_bytes("R02", "the last byte is missing", good.data[:-1])
    yield replace(cut, trigger=trigger(good.entries))
    changed = good.broken_bytes("R03", "a byte of a FILLER differs", _touched(good))
    yield replace(changed, trigger=trigger(good.entries))
    digest = good.entries["SHA256"]
    other = ("0" if digest[0] != "0" else "1") + digest[1:]
    yield good.broken_bytes("R03", "a digit of SHA256 differs", good.data, SHA256=other)


def _touched(good: GoodDelivery) -> bytes:
    """The file with another byte at the end of the header, which is FILLER."""
    record = good.records[0]
    return join(good.with_record(0, record[:-1] + bytes([record[-1] ^ 1])))


def _sequence(good: GoodDelivery) -> Iterator[Faulty]:
    """R04, R05 and R06."""
    number = int(good.entries["SEQUENCE"]) + GAP
    name = good.name.replace(f".S{number - GAP:06d}.", f".S{number:06d}.")
    last = len(good.records) - 1
    records = good.with_field(0, "H-SEQUENCE", number.to_bytes(4, "big"))
    records[last] = good.with_field(last, "T-SEQUENCE", number.to_bytes(4, "big"))[last]
    gap = good.broken("R04", "numbers before this one are missing", records, SEQUENCE=number, FILE=name)
    yield replace(gap, name=name, after_good=True)
    repeat = good.broken_bytes("R05", "the same file comes again", good.data)
    yield replace(repeat, after_good=True)
    reused = good.broken_bytes("R06", "the number comes again with other bytes", _touched(good))
    yield replace(reused, after_good=True)


def _framing(good: GoodDelivery) -> Iterator[Faulty]:
    """R07."""
    last = len(good.records) - 1
    end = len(good.data) - len(good.records[last]) - 4
    yield good.broken_bytes(
        "R07",
        "a record length below 6",
        good.data[:end] + (5).to_bytes(4, "big") + good.data[end + 4 :],
        Place(index=last),
    )
    longer = (len(good.records[last]) + 5).to_bytes(4, "big")
    yield good.broken_bytes(
        "R07", "the last record runs past the end", good.data[:end] + longer + good.data[end + 4 :], Place(index=last)
    )
    yield good.broken_bytes(
        "R07", "three bytes left over", good.data + bytes(3), Place(index=last + 1), RECORDS=len(good.records)
    )


def _record_types(good: GoodDelivery) -> Iterator[Faulty]:
    """R08."""
    index = good.first("27")
    unknown = good.with_field(index, "A-REC-TYPE", text("28"))
    yield good.broken("R08", "an unknown record type", unknown, Place(index=index))
    for field, value in (("H-SYSTEM", "CSC2"), ("H-VERSION", "005"), ("H-CODEPAGE", "CP0037")):
        yield good.broken(
            "R08", f"another {field}", good.with_field(0, field, text(value)), Place(index=0, field=field)
        )


def _lengths(good: GoodDelivery) -> Iterator[Faulty]:
    """R09. Where a count is out of range the record has the length that the count gives."""
    index = good.first("40")
    record = good.records[index]
    yield good.broken(
        "R09", "a record one byte too long", good.with_record(index, record + b"\x40"), Place(index=index)
    )
    yield good.broken("R09", "a record one byte too short", good.with_record(index, record[:-1]), Place(index=index))
    case, rows, address = good.first("20"), good.first("30"), good.first("27")
    yield _grown(good, case, "C-BENEFIT-COUNT of 7", text("07"), bytes(7 * BENEFIT_BYTES))
    yield _grown(good, case, "C-NOTE-LEN of 81", (81).to_bytes(2, "big"), text("n" * 81))
    yield _grown(good, rows, "M-COUNT of 0", packed(0, 2), b"")
    yield _grown(good, rows, "M-COUNT of 25", packed(25, 2), good.field(rows, "M-ROW") * 25)
    yield _grown(good, address, "A-LINE-COUNT of 0", text("0"), b"")
    yield _grown(good, address, "A-LINE-COUNT of 6", text("6"), text(" " * 6 * LINE_BYTES))
    for index, field, raw in (
        (case, "C-BENEFIT-COUNT", text("0?")),
        (rows, "M-COUNT", b"\x00\x1e"),
        (address, "A-LINE-COUNT", text("?")),
    ):
        records = good.with_field(index, field, raw)
        yield good.broken("R09", f"an undecodable {field}", records, Place(index=index, field=field))


def _grown(good: GoodDelivery, index: int, about: str, count: bytes, table: bytes) -> Faulty:
    """A record with this count, and in the place of its tables one of the count's size."""
    field = about.split(" ", maxsplit=1)[0]
    record = good.with_field(index, field, count)[index]
    other, none = _OTHER_COUNT.get(field, ("", b""))
    if other:
        at = good.offset(index, other)
        record = record[:at] + none + record[at + len(none) :]
    record = record[: good.offset(index, _TABLE_START[field])] + table
    return good.broken("R09", about, good.with_record(index, record), Place(index=index, field=field))


def _order(good: GoodDelivery) -> Iterator[Faulty]:
    """R10."""
    last = len(good.records) - 1
    header, trailer = good.records[0], good.records[last]
    yield good.broken("R10", "no records at all", [])
    yield good.broken("R10", "no header", good.with_record(0), Place(index=0))
    yield good.broken("R10", "no trailer", good.with_record(last), Place(index=last - 1))
    yield good.broken("R10", "a second header", good.with_record(0, header, header), Place(index=1))
    yield good.broken("R10", "a second trailer", good.with_record(last, trailer, trailer), Place(index=last + 1))
    yield from _order_of_groups(good)
    case, other = good.first("20"), good.first("20", skip=1)
    ref = good.field(case, "C-CASE-REF")
    repeated = good.with_field(other, "C-CASE-REF", ref)
    yield good.broken("R10", "a repeated case reference", repeated, Place(index=other, field="C-CASE-REF"))
    line = next(index for index, kind in enumerate(good.kinds) if kind == "25" and index > case)
    early = good.with_record(line)
    early.insert(case, good.records[line])
    yield good.broken("R10", "a role before its case", early, Place(index=case, field="P-CASE-REF"))


def _order_of_groups(good: GoodDelivery) -> Iterator[Faulty]:
    group, last = good.first("10"), len(good.records) - 1
    empty = good.with_field(group, "G-CASE-COUNT", bytes(2))[group]
    repeated = good.with_record(last, empty, good.records[last])
    yield good.broken("R10", "a repeated group number", repeated, Place(index=last, field="G-SRC-GROUP"))
    address = good.first("27")
    stray = good.with_field(address, "A-SRC-GROUP", (999_999_998).to_bytes(4, "big"))
    yield good.broken("R10", "an address of another group", stray, Place(index=address, field="A-SRC-GROUP"))
    headless = good.with_record(group)
    yield good.broken("R10", "a case whose group record is missing", headless, Place(index=group, field="C-SRC-GROUP"))
    cases = int.from_bytes(good.field(group, "G-CASE-COUNT"), "big")
    wrong = good.with_field(group, "G-CASE-COUNT", (cases + 1).to_bytes(2, "big"))
    yield good.broken("R10", "a wrong number of cases", wrong, Place(index=group, field="G-CASE-COUNT"))


def _counts(good: GoodDelivery) -> Iterator[Faulty]:
    """R11."""
    last = len(good.records) - 1
    for field in ("T-SEQUENCE", "T-RECORDS", "T-COUNT"):
        wrong = (int.from_bytes(good.field(last, field), "big") + 1).to_bytes(4, "big")
        yield good.broken(
            "R11", f"a wrong {field}", good.with_field(last, field, wrong), Place(index=last, field=field)
        )
    yield good.broken_bytes("R11", "a wrong RECORDS in the trigger file", good.data, RECORDS=len(good.records) + 1)


def _totals(good: GoodDelivery) -> Iterator[Faulty]:
    """R12."""
    last = len(good.records) - 1
    for field in ("T-BAL-RP", "T-BAL-SOS", "T-BAL-UNK", "T-SUSPENDED", "T-CUSTODIAN", "T-LEDGER-HASH"):
        raw = good.field(last, field)
        records = good.with_field(last, field, packed(_unpacked(raw) + 1, len(raw)))
        yield good.broken("R12", f"{field} differs by a penny", records, Place(index=last, field=field))
    case, line = good.first("20"), good.first("40")
    held = int.from_bytes(good.field(case, "C-CUST-CASH"), "big", signed=True)
    more = good.with_field(case, "C-CUST-CASH", (held + 1).to_bytes(8, "big", signed=True))
    yield good.broken("R12", "C-CUST-CASH differs by a penny", more, Place(index=last, field="T-CUSTODIAN"))
    for index, field, raw in (
        (case, "C-BAL-RP", text("?")),
        (case, "C-BAL-SOS", text("*")),
        (case, "C-BAL-UNK", b"\xa0"),
        (case, "C-SUSP-RP", b"\xff"),
        (case, "C-SUSP-SOS", b"\xff"),
        (line, "L-AMOUNT", text(".")),
    ):
        records = good.with_field(index, field, raw)
        yield good.broken("R12", f"an undecodable {field}", records, Place(index=index, field=field))


def _unpacked(raw: bytes) -> int:
    digits = raw.hex()
    return int(digits[:-1]) * (-1 if digits[-1] == "d" else 1)


def _fields(good: GoodDelivery) -> Iterator[Faulty]:
    """R13: the file loads, the group of the record is set aside."""
    case, charge, receipt = good.first("20"), good.first_line("C"), good.first_line("R")
    for index, field, raw, about in (
        (good.first("10"), "G-STATUS", text("Q"), "a code outside its list"),
        (case, "C-STATUS", text("Z"), "a code outside its list"),
        (case, "C-EFF-DATE", text("20010230"), "an impossible date"),
        (case, "C-EFF-DATE", text("2001??01"), "no digits"),
        (case, "C-LIAB-END", b"\x01\x0b\x00\x1c", "a bad half byte"),
        (case, "C-LIAB-END", b"\x01\x09\x00\x11", "a bad sign"),
        (case, "C-LIAB-END", bytes(4), "low-values in a `to` date"),
        (good.first("25"), "P-ROLE", text("ABC"), "a code outside its list"),
        (good.first("25"), "P-BIRTH", text("19991301"), "an impossible date"),
        (good.first("27"), "A-KIND", text("?"), "a code outside its list"),
        (good.first("30"), "M-FROM", packed(95_366, 4), "day 366 of a short year"),
        (good.first("30"), "M-TYPE", text("?"), "a code outside its list"),
        (good.first("30"), "M-WEEKLY", b"\xff\xff\xff\xff", "a bad half byte"),
        (charge, "L-OWNER", text("Q"), "a code outside its list"),
        (charge, "LC-TO", packed(100_000, 4), "day 000"),
        (charge, "LC-ASM-ROW", text("?1"), "no digits"),
        (receipt, "LR-METHOD", text("ZZ"), "a code outside its list"),
        (receipt, "LR-VALUE-DATE", b"\x01\x15\x00\x1b", "a bad sign"),
        (good.first("50"), "E-OUTCOME", text("?"), "a code outside its list"),
    ):
        records = good.with_field(index, field, raw)
        yield good.broken("R13", f"{about} in {field}", records, Place(index=index, field=field))


_FAULTS: tuple[Callable[[GoodDelivery], Iterator[Faulty]], ...] = (
    _trigger,
    _size_and_hash,
    _sequence,
    _framing,
    _record_types,
    _lengths,
    _order,
    _counts,
    _totals,
    _fields,
)
