"""One good clerical delivery, broken in every way of clerical.md §1 and §3: for tests of what receives it."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

from integrationhub.estate.clerical_file import COLUMNS, ENCODING
from integrationhub.estate.faults import Faulty, trigger

NOT_IN_THE_PAGE = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
"""Bytes that windows-1252 does not have."""


def faulty_books(name: str, data: bytes, trigger_file: bytes) -> list[Faulty]:
    """A good delivery broken as a file, in the order of the checks; a book needs at least two rows."""
    good = _Good(name, data, trigger_file)
    parts = (_trigger_file, _size_and_hash, _form, _counts, _sequence)
    return [faulty for part in parts for faulty in part(good)]


def disagreements(name: str, data: bytes, trigger_file: bytes, reference: str) -> list[Faulty]:
    """The good delivery with one case not keyed alike, in every way of §3: the file is good, the case is held.

    They follow each other and the good one by their sequence numbers.
    """
    good = _Good(name, data, trigger_file)
    number = int(good.entries["SEQUENCE"])
    return [good.numbered(place, faulty) for place, faulty in enumerate(_keyings(good, reference), number + 1)]


class _Good:
    """The good delivery taken apart."""

    def __init__(self, name: str, data: bytes, trigger_file: bytes) -> None:
        self.name = name
        self.data = data
        self.rows = list(csv.DictReader(io.StringIO(data.decode(ENCODING), newline="")))
        self.entries = dict(line.split("=", 1) for line in trigger_file.decode("ascii").splitlines())

    def broken(self, code: str, about: str, data: bytes | None = None, /, **entries: object) -> Faulty:
        """A delivery of these bytes; its trigger file fits but for the entries given (None: the key is missing)."""
        content = self.data if data is None else data
        said = {**self.entries, "BYTES": len(content), "SHA256": sha256(content).hexdigest(), **entries}
        told = {key: value for key, value in said.items() if value is not None}
        return Faulty(code=code, about=about, name=self.name, data=content, trigger=trigger(told))

    def numbered(self, number: int, faulty: Faulty) -> Faulty:
        """The delivery under another sequence number."""
        name = self.name.replace(f"_{int(self.entries['SEQUENCE']):03d}.", f"_{number:03d}.")
        said = dict(line.split("=", 1) for line in faulty.trigger.decode("ascii").splitlines())
        return replace(faulty, name=name, trigger=trigger({**said, "FILE": name, "SEQUENCE": number}))

    def rekeyed(self, code: str, about: str, rows: Sequence[dict[str, str]], **entries: object) -> Faulty:
        """A delivery of these rows."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
        told: dict[str, object] = {"RECORDS": len(rows), **entries}
        return self.broken(code, about, text.getvalue().encode(ENCODING), **told)


def _trigger_file(good: _Good) -> Iterator[Faulty]:
    for key in good.entries:
        yield good.broken("R01", f"{key} is missing from the trigger file", None, **{key: None})
    yield good.broken("R01", "CUSTODIAN is no number", CUSTODIAN="12.50")


def _size_and_hash(good: _Good) -> Iterator[Faulty]:
    yield good.broken("R02", "BYTES is one too many", BYTES=len(good.data) + 1)
    yield good.broken("R03", "another SHA256", SHA256="0" * 64)


def _form(good: _Good) -> Iterator[Faulty]:
    """R30: the heading, the number of fields, bytes that no text has."""
    heading, _, rest = good.data.partition(b"\r\n")
    for column in COLUMNS:
        other = b",".join(b"Other" if name == column else name.encode() for name in COLUMNS)
        yield good.broken("R30", f"another heading than {column}", other + b"\r\n" + rest)
    yield good.broken("R30", "a heading too many", heading + b",More\r\n" + rest)
    yield good.broken("R30", "no heading", rest)
    yield good.broken("R30", "a field too many in the last row", good.data[:-2] + b",more\r\n")
    yield good.broken("R30", "a row of one field", good.data + b"more\r\n")
    for byte in (*NOT_IN_THE_PAGE, 0):
        about = f"byte {byte:02X}"
        yield good.broken("R30", about, good.data[:-2] + bytes([byte]) + b"\r\n")


def _counts(good: _Good) -> Iterator[Faulty]:
    yield good.broken("R11", "a wrong RECORDS", RECORDS=int(good.entries["RECORDS"]) + 1)
    yield good.rekeyed("R11", "a row is missing", good.rows[:-1], RECORDS=len(good.rows))
    for key in ("BALANCE_RP", "BALANCE_SOS", "CUSTODIAN"):
        for change in (1, -1):
            told: dict[str, object] = {key: int(good.entries[key]) + change}
            yield good.broken("R25", f"{key} differs by {change} penny", **told)


def _sequence(good: _Good) -> Iterator[Faulty]:
    """R04 to R06: after the good delivery."""
    number = int(good.entries["SEQUENCE"])
    name = good.name.replace(f"_{number:03d}.", f"_{number + 5:03d}.")
    yield good.broken("R04", "numbers before this one are missing", SEQUENCE=number + 5, FILE=name).later(name)
    yield good.broken("R05", "the same file comes again").later(good.name)
    renumbered = good.rekeyed("R06", "the number comes again with other bytes", list(reversed(good.rows)))
    yield renumbered.later(good.name)


def _keyings(good: _Good, reference: str) -> Iterator[Faulty]:
    """R31 and R33: what two clerks may do wrong about one case."""
    first, second = sorted(
        (row for row in good.rows if row["Clerical Ref"] == reference), key=lambda row: row["Key"]
    )  # fmt: skip
    others = [row for row in good.rows if row["Clerical Ref"] != reference]
    nobody = "CLK999"

    def with_rows(code: str, about: str, *rows: dict[str, str]) -> Faulty:
        return good.rekeyed(code, about, [*others, *rows])

    yield with_rows("R31", "the second row is missing", first)
    yield with_rows("R31", "a third row", first, second, {**second, "Keyed By": nobody})
    yield with_rows("R31", "the second key twice", first, second, {**second, "Keyed By": nobody, "Row": "9"})
    yield with_rows("R31", "the same clerk twice", first, {**second, "Keyed By": first["Keyed By"]})
    for column, other in _OTHER.items():
        yield with_rows("R31", f"{column} keyed otherwise", first, {**second, column: other})
    for column, unreadable in _UNREADABLE.items():
        wrong = {column: unreadable}
        yield with_rows("R33", f"{column} unreadable in both", first | wrong, second | wrong)


_OTHER = {
    "System Ref": "1099999999", "Scheme": "", "NRP NINO": "QQ000000A", "NRP Surname": "Somebody",
    "NRP Forenames": "Else", "NRP Born": "03/04/1955", "PWC NINO": "QQ000000B",
    "PWC Surname": "Somebody", "PWC Forenames": "Else",
    "PWC Born": "03/04/1956", "Children": "", "Application Date": "05/04/1993", "Liability End": "07/08/2009",
    "Weekly Amount": "£9,999.99", "Charged RP": "£9,999,999.99", "Charged SoS": "£9,999,999.99",
    "Received RP": "£9,999,999.99", "Received SoS": "£9,999,999.99", "Balance RP": "£9,999,999.99",
    "Balance SoS": "£9,999,999.99", "Custodian Cash": "£9,999,999.99", "Last Payment": "09/09/1999",
    "Last Contact": "09/09/1999", "As At": "01/01/2001",
}  # fmt: skip
_UNREADABLE = {
    "Scheme": "1995", "Children": "ten", "Application Date": "31/02/2003", "Liability End": "2009-08-07",
    "Weekly Amount": "1204.5", "Charged RP": "€5.00", "Received SoS": "", "Last Payment": "yesterday",
    "PWC Address Confidential": "?", "PWC Surname": "", "As At": "",
}  # fmt: skip
