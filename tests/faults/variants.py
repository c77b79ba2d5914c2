"""Further broken deliveries beside the catalogue's, and odd ones that are good all the same.

`more_faults`: boundary values, every count, every kind of record, and deliveries that break two checks at once, of
which the first in the document's order must be the one reported. `harmless`: what looks wrong and is not.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from integrationhub.estate.faults import PAGE, Faulty, GoodDelivery, Place, join, packed, text, trigger

COUNTED = ("10", "20", "25", "27", "30", "40", "50")
ENTRIES_AT, ENTRY_BYTES, RECORDS_AT = 10, 6, 6
GROUP_AT = 2
"""Every record of a group has the group's number here."""
OK = "OK"
SWEEP = b"\xff"


def more_faults(good: GoodDelivery) -> list[Faulty]:
    """The broken ones."""
    return [faulty for faults in _FAULTS for faulty in faults(good)]


def harmless(good: GoodDelivery) -> list[Faulty]:
    """The odd ones; their code is OK."""
    return [odd for variants in _HARMLESS for odd in variants(good)]


def recounted(records: Sequence[bytes]) -> list[bytes]:
    """The records with the counts in their trailer put right."""
    counts = Counter(record[:2].decode(PAGE) for record in records)
    trailer = bytearray(records[-1])
    trailer[RECORDS_AT : RECORDS_AT + 4] = len(records).to_bytes(4, "big")
    for number, kind in enumerate(COUNTED):
        start = ENTRIES_AT + number * ENTRY_BYTES + 2
        trailer[start : start + 4] = counts[kind].to_bytes(4, "big")
    return [*records[:-1], bytes(trailer)]


def moved(good: GoodDelivery, source: int, target: int) -> list[bytes]:
    """The records with one of them standing before the one that is at `target`, which is further in front."""
    records = good.with_record(source)
    records.insert(target, good.records[source])
    return records


def in_group(good: GoodDelivery, kind: str) -> int:
    """Index of a record of this type that belongs to a case of its group."""
    names = {"25": "P-CASE-REF", "30": "M-CASE-REF", "40": "L-CASE-REF", "50": "E-CASE-REF"}
    cases: set[bytes] = set()
    for index, each in enumerate(good.kinds):
        if each == "10":
            cases = set()
        elif each == "20":
            cases.add(good.field(index, "C-CASE-REF"))
        elif each == kind and good.field(index, names[kind]) in cases:
            return index
    raise LookupError(f"no record {kind} of a case of its group: take a larger file")


def _triggers(good: GoodDelivery) -> Iterator[Faulty]:
    whole = good.broken_bytes("R01", "", good.data)
    yield good.broken_bytes("R01", "SEQUENCE is no number", good.data, SEQUENCE="1O1")
    yield good.broken_bytes("R01", "RECORDS is negative", good.data, RECORDS=-1)
    yield good.broken_bytes("R01", "SHA256 is too short", good.data, SHA256=good.entries["SHA256"][1:])
    yield good.broken_bytes("R01", "ASAT without hyphens", good.data, ASAT=good.entries["ASAT"].replace("-", ""))
    yield good.broken_bytes("R01", "FILE with a folder", good.data, FILE=f"out/{good.name}")
    yield replace(whole, about="a key with two values", trigger=whole.trigger + b"BYTES=1\n")
    yield replace(whole, about="a line that is no pair", trigger=whole.trigger + b"END\n")
    yield replace(whole, about="keys in lower case", trigger=whole.trigger.lower())
    yield replace(whole, about="a trigger of zero bytes", trigger=bytes(64))
    undecodable = good.with_field(0, "H-ASAT-DATE", SWEEP * 4)
    yield good.broken("R01", "an undecodable H-ASAT-DATE", undecodable, Place(index=0))
    no_date = good.with_field(0, "H-ASAT-DATE", packed(115_366, 4))
    yield good.broken("R01", "an impossible H-ASAT-DATE", no_date, Place(index=0))


def _first_of_two(good: GoodDelivery) -> Iterator[Faulty]:
    """Two checks fail; the earlier one counts."""
    longer = good.broken_bytes("R02", "wrong size and wrong hash", good.data + b"x")
    yield replace(longer, trigger=trigger(good.entries))
    empty = good.broken_bytes("R02", "an empty data file", b"")
    yield replace(empty, trigger=trigger(good.entries))
    short = {**good.entries, "BYTES": 1}
    yield replace(good.broken_bytes("R01", "a key missing and a wrong size", good.data), trigger=trigger(short)[3:])
    again = good.broken_bytes("R05", "a repeat with a wrong size in its trigger", good.data, BYTES=1)
    yield replace(again, after_good=True)
    other = good.broken_bytes("R06", "a used number with a wrong hash", good.data + b"x", SHA256="0" * 64)
    yield replace(other, after_good=True)
    torn = good.broken_bytes("R01", "a repeat with a torn trigger", good.data)
    yield replace(torn, trigger=torn.trigger[: len(torn.trigger) // 2], after_good=True)
    last = len(good.records) - 1
    unknown = good.with_field(good.first("27"), "A-REC-TYPE", text("28"))
    yield good.broken_bytes(
        "R07", "an unknown type and a torn end", join(unknown) + bytes(1), Place(index=last + 1), RECORDS=last + 1
    )
    longer_record = good.with_record(good.first("40"), good.records[good.first("40")] + b" ")
    longer_record[good.first("27")] = unknown[good.first("27")]
    yield good.broken("R08", "an unknown type behind a wrong length", longer_record, Place(index=good.first("27")))
    wrong = good.with_field(last, "T-RECORDS", bytes(4))
    wrong[last] = wrong[last][:53] + packed(1, 8) + wrong[last][61:]
    yield good.broken("R11", "wrong counts and a wrong total", wrong, Place(index=last, field="T-RECORDS"))
    case = good.first("20")
    both = good.with_field(case, "C-STATUS", text("Z"))
    at = good.offset(case, "C-BAL-RP")
    both[case] = both[case][:at] + b"?" + both[case][at + 1 :]
    yield good.broken("R12", "undecodable fields with and without a total", both, Place(index=case, field="C-BAL-RP"))


def _framing(good: GoodDelivery) -> Iterator[Faulty]:
    count = len(good.records)
    for raw in ("00000000", "00000003", "00000005", "80000000", "ffffffff"):
        data = bytes.fromhex(raw) + good.data[4:]
        yield good.broken_bytes("R07", f"a first record length of {raw}", data, Place(index=0), RECORDS=count)
    data = (6).to_bytes(4, "big") + good.data[4:]
    yield good.broken_bytes("R07", "a length that cuts a record short", data, Place(index=1), RECORDS=count)
    for left in (1, 2):
        data = good.data + bytes(left)
        yield good.broken_bytes("R07", f"{left} bytes left over", data, Place(index=count), RECORDS=count)
    padded = good.data + bytes(512)
    yield good.broken_bytes("R07", "a padded last block", padded, Place(index=count), RECORDS=count)
    yield good.broken_bytes("R07", "a file of three bytes", good.data[:3], Place(index=0), RECORDS=count)
    torn = good.data[: len(good.data) // 2 + 1]
    yield good.broken_bytes("R07", "a file torn in the middle of a record", torn, RECORDS=count)


def _types(good: GoodDelivery) -> Iterator[Faulty]:
    index = good.first("50")
    for raw, about in ((bytes(2), "low-values"), (text("  "), "blanks"), (b"50", "ASCII digits"), (SWEEP * 2, "FF")):
        records = good.with_record(index, raw + good.records[index][2:])
        yield good.broken("R08", f"a record type of {about}", records, Place(index=index))
    first = good.with_record(0, text("01") + good.records[0][2:])
    yield good.broken("R08", "a first record of an unknown type", first, Place(index=0))
    for raw in (text("00?"), text("   "), bytes(3)):
        records = good.with_field(0, "H-VERSION", raw)
        yield good.broken("R08", f"an undecodable H-VERSION {raw.hex()}", records, Place(index=0, field="H-VERSION"))
    small = good.with_field(0, "H-CODEPAGE", text("cp1146"))
    yield good.broken("R08", "H-CODEPAGE in small letters", small, Place(index=0, field="H-CODEPAGE"))


def _lengths(good: GoodDelivery) -> Iterator[Faulty]:
    for kind in ("00", "10", "20", "25", "27", "30", "50", "99"):
        index = good.first(kind)
        longer, shorter = good.records[index] + text(" "), good.records[index][:-1]
        yield good.broken("R09", f"a {kind} one byte long", good.with_record(index, longer), Place(index=index))
        yield good.broken("R09", f"a {kind} one byte short", good.with_record(index, shorter), Place(index=index))
    index = good.first("40")
    yield good.broken("R09", "a record of its type alone", good.with_record(index, text("40")), Place(index=index))
    for kind, field, raw in (
        ("30", "M-COUNT", packed(-1, 2)),
        ("30", "M-COUNT", packed(999, 2)),
        ("30", "M-COUNT", b"\x00\x1a"),
        ("27", "A-LINE-COUNT", text("9")),
        ("27", "A-LINE-COUNT", b"\x00"),
        ("20", "C-BENEFIT-COUNT", text("99")),
        ("20", "C-BENEFIT-COUNT", text("  ")),
        ("20", "C-NOTE-LEN", SWEEP * 2),
    ):
        index = good.first(kind)
        records = good.with_field(index, field, raw)
        yield good.broken("R09", f"{field} {raw.hex()}", records, Place(index=index, field=field))
    for kind, field, more in (("27", "A-LINE-COUNT", b"\xf3"), ("20", "C-NOTE-LEN", b"\x00\x4f")):
        index = next(i for i, each in enumerate(good.kinds) if each == kind and good.field(i, field) != more)
        records = good.with_field(index, field, more)
        yield good.broken("R09", f"another {field} than the record has", records, Place(index=index))


def _order(good: GoodDelivery) -> Iterator[Faulty]:
    last, group = len(good.records) - 1, good.first("10")
    names = {"25": "P", "30": "M", "40": "L", "50": "E"}
    for kind in ("30", "40", "50"):
        index = in_group(good, kind)
        case = max(place for place in range(index) if good.kinds[place] == "20")
        records = moved(good, index, case)
        place = Place(index=case, field=f"{names[kind]}-CASE-REF")
        yield good.broken("R10", f"a {kind} before its case", records, place)
    for kind, letter in {**names, "20": "C"}.items():
        index, field = good.first(kind), f"{letter}-SRC-GROUP"
        for number in (0, 0xFFFFFFFF):
            records = good.with_field(index, field, number.to_bytes(4, "big"))
            yield good.broken("R10", f"a {kind} of group {number:x}", records, Place(index=index, field=field))
    address = moved(good, good.first("27"), group)
    yield good.broken("R10", "an address before its group", address, Place(index=group, field="A-SRC-GROUP"))
    two = [index for index, kind in enumerate(good.kinds) if kind == "10"][1:2]
    swapped = list(good.records)
    swapped.insert(two[0], swapped.pop())
    yield good.broken("R10", "the trailer before the second group", swapped)
    yield good.broken("R10", "a header alone", good.records[:1], Place(index=0))
    yield good.broken("R10", "a trailer alone", good.records[-1:], Place(index=0))
    yield good.broken("R10", "trailer and header", [good.records[-1], good.records[0]], Place(index=0))
    yield good.broken("R10", "the header at the end", [*good.records[1:], good.records[0]], Place(index=0))
    count = good.with_field(group, "G-CASE-COUNT", bytes(2))
    yield good.broken("R10", "a G-CASE-COUNT of nothing", count, Place(index=group, field="G-CASE-COUNT"))
    lost = [record for index, record in enumerate(good.records) if index < last]
    yield good.broken("R10", "a file that ends behind a group", lost, Place(index=last - 1))


def _counts(good: GoodDelivery) -> Iterator[Faulty]:
    last = len(good.records) - 1
    for number, kind in enumerate(COUNTED):
        start = ENTRIES_AT + number * ENTRY_BYTES + 2
        stated = int.from_bytes(good.records[last][start : start + 4], "big")
        for wrong in (stated + 1, stated - 1) if stated else (stated + 1,):
            record = good.records[last]
            record = record[:start] + wrong.to_bytes(4, "big") + record[start + 4 :]
            about = f"one {kind} {'more' if wrong > stated else 'less'} in T-COUNT"
            yield good.broken("R11", about, good.with_record(last, record), Place(index=last, field="T-COUNT"))
    swapped = good.with_field(last, "T-TYPE", text("20"))
    yield good.broken("R11", "a T-TYPE twice", swapped, Place(index=last))
    unknown = good.with_field(last, "T-TYPE", bytes(2))
    yield good.broken("R11", "a T-TYPE of low-values", unknown, Place(index=last))
    for field in ("T-SEQUENCE", "T-RECORDS"):
        for raw in (bytes(4), SWEEP * 4):
            records = good.with_field(last, field, raw)
            yield good.broken("R11", f"{field} {raw.hex()}", records, Place(index=last, field=field))
    yield good.broken_bytes("R11", "RECORDS of nothing", good.data, RECORDS=0)


def _totals(good: GoodDelivery) -> Iterator[Faulty]:
    last = len(good.records) - 1
    totals = ("T-BAL-RP", "T-BAL-SOS", "T-BAL-UNK", "T-SUSPENDED", "T-CUSTODIAN", "T-LEDGER-HASH")
    for field in totals:
        raw = good.field(last, field)
        less = packed(_value(raw) - 1, len(raw))
        for wrong, about in (
            (less, "a penny less"),
            (SWEEP * len(raw), "undecodable"),
            (raw[:-1] + b"\x0b", "a bad sign"),
        ):
            records = good.with_field(last, field, wrong)
            yield good.broken("R12", f"{field}: {about}", records, Place(index=last, field=field))
    case, line = good.first("20", skip=1), len(good.kinds) - 1 - good.kinds[::-1].index("40")
    for index, field, raw, about in (
        (case, "C-BAL-RP", text(" " * 11), "blanks"),
        (case, "C-BAL-SOS", text(" "), "no sign"),
        (case, "C-BAL-UNK", b"\x00" * 6, "low-values"),
        (case, "C-SUSP-RP", b"\x00\x00\x00\x00\x00\x0a", "another sign"),
        (line, "L-AMOUNT", bytes(9), "low-values"),
        (line, "L-AMOUNT", text("00000000 "), "a blank at its end"),
    ):
        records = good.with_field(index, field, raw)
        yield good.broken("R12", f"{field}: {about}", records, Place(index=index, field=field))
    exchanged = list(good.records)
    record = exchanged[last]
    exchanged[last] = record[:52] + record[60:68] + record[52:60] + record[68:]
    yield good.broken("R12", "totals of two owners exchanged", exchanged, Place(index=last, field="T-BAL-RP"))


def _value(raw: bytes) -> int:
    digits = raw.hex()
    return int(digits[:-1]) * (-1 if digits[-1] == "d" else 1)


def _odd_triggers(good: GoodDelivery) -> Iterator[Faulty]:
    whole = good.broken_bytes(OK, "", good.data)
    lines = whole.trigger.splitlines(keepends=True)
    yield replace(whole, about="keys in another order", trigger=b"".join(reversed(lines)))
    yield replace(whole, about="keys that nobody knows", trigger=b"OPERATOR=7\n" + whole.trigger + b"X=\n")
    yield replace(whole, about="lines of another system", trigger=whole.trigger.replace(b"\n", b"\r\n"))
    yield replace(whole, about="no end of the last line", trigger=whole.trigger.rstrip())
    yield good.broken_bytes(OK, "a sequence with leading zeros", good.data, SEQUENCE=f"{good.entries['SEQUENCE']:0>6}")


def _odd_numbers(good: GoodDelivery) -> Iterator[Faulty]:
    unk = next(i for i, k in enumerate(good.kinds) if k == "20" and good.field(i, "C-BAL-UNK") == packed(0, 6))
    yield good.broken(OK, "minus nothing, packed", good.with_field(unk, "C-BAL-UNK", packed(0, 6)[:-1] + b"\x0d"))
    yield good.broken(OK, "an unsigned packed number", good.with_field(unk, "C-BAL-UNK", packed(0, 6)[:-1] + b"\x0f"))
    sos = next(i for i, k in enumerate(good.kinds) if k == "20" and good.field(i, "C-BAL-SOS") == text("+" + "0" * 11))
    yield good.broken(OK, "minus nothing, sign in front", good.with_field(sos, "C-BAL-SOS", text("-")))
    charge = good.first_line("C")
    amount = good.field(charge, "L-AMOUNT")
    unsigned = amount[:-1] + bytes([0xF0 | amount[-1] & 0x0F])
    yield good.broken(OK, "an unsigned zoned number", good.with_field(charge, "L-AMOUNT", unsigned))


def _odd_contents(good: GoodDelivery) -> Iterator[Faulty]:
    yield good.broken(OK, "no groups", recounted(_without_groups(good)))
    last = len(good.records) - 1
    empty = bytearray(good.records[good.first("10")])
    empty[GROUP_AT : GROUP_AT + 4] = (999_999_999).to_bytes(4, "big")
    empty[10:12] = bytes(2)
    yield good.broken(OK, "a group without cases", recounted([*good.records[:last], bytes(empty), good.records[last]]))
    for kind, field in (("25", "P-CASE-REF"), ("30", "M-CASE-REF"), ("50", "E-CASE-REF")):
        orphan = good.with_field(in_group(good, kind), field, text("1099999999"))
        yield good.broken(OK, f"a {kind} of a case that is nowhere", orphan)
    rubbish = list(good.records)
    for kind, start, length in (("00", 38, 12), ("10", 16, 8), ("25", 120, 4), ("50", 37, 8)):
        index = good.first(kind)
        rubbish[index] = good.records[index][:start] + SWEEP * length + good.records[index][start + length :]
    yield good.broken(OK, "rubbish in FILLERs", rubbish)


def _odd_texts(good: GoodDelivery) -> Iterator[Faulty]:
    role = in_group(good, "25")
    for raw, about in (
        (bytes(35), "low-values"),
        (text("A") + bytes(34), "a letter and low-values"),
        (SWEEP * 35, "high-values"),
        (bytes(range(0x01, 0x24)), "control characters"),
        (text("=cmd|'/C calc'!A0 \u00e9\u00d1\u20ac\u00a3 \"\\").ljust(35, b"\x40"), "what other programs would read"),
    ):
        yield good.broken(OK, f"a surname of {about}", good.with_field(role, "P-SURNAME", raw))


def _without_groups(good: GoodDelivery) -> list[bytes]:
    trailer = bytearray(good.records[-1])
    for start, length in ((52, 8), (60, 8), (68, 8), (76, 8), (84, 8), (92, 9)):
        trailer[start : start + length] = packed(0, length)
    return [good.records[0], bytes(trailer)]


def _full_tables(good: GoodDelivery) -> Iterator[Faulty]:
    case = next(i for i, kind in enumerate(good.kinds) if kind == "20")
    record = good.records[case]
    table = good.offset(case, "C-BENEFIT")
    period = packed(99_001, 4) + packed(99_031, 4) + text("IS ")
    full = record[: table - 4] + text("06") + (80).to_bytes(2, "big") + period * 6 + text("n" * 80)
    yield good.broken(OK, "six benefits and a note of eighty", good.with_record(case, full))
    none = record[: table - 4] + text("00") + bytes(2)
    yield good.broken(OK, "no benefits and no note", good.with_record(case, none))
    address = good.first("27")
    start = good.offset(address, "A-LINE")
    lines = good.records[address][: start - 1] + text("5") + text("Line".ljust(30)) * 5
    yield good.broken(OK, "five address lines", good.with_record(address, lines))
    rows = good.first("30")
    row = good.field(rows, "M-ROW")
    ascending = [packed(93_001 + 10 * n, 4) + packed(93_010 + 10 * n, 4) + row[8:] for n in range(24)]
    table = good.offset(rows, "M-ROW")
    many = good.records[rows][: table - 2] + packed(24, 2) + b"".join(ascending)
    yield good.broken(OK, "twenty-four rows", good.with_record(rows, many))


_FAULTS: tuple[Callable[[GoodDelivery], Iterator[Faulty]], ...] = (
    _triggers,
    _first_of_two,
    _framing,
    _types,
    _lengths,
    _order,
    _counts,
    _totals,
)
_HARMLESS: tuple[Callable[[GoodDelivery], Iterator[Faulty]], ...] = (
    _odd_triggers,
    _odd_numbers,
    _odd_contents,
    _odd_texts,
    _full_tables,
)
