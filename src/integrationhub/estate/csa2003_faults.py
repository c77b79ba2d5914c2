"""One good CS2 delivery, broken in every way of csa2003.md §1: for tests of what receives it.

Each broken delivery differs from the good one as little as it can, and the check it is named after is the first that
fails: size, hash and length in its trigger file are right unless they are the point.
"""

import gzip
import re
from collections.abc import Iterator
from hashlib import sha256

from integrationhub.estate.csa2003_records import money
from integrationhub.estate.faults import Faulty, trigger

DOCTYPE = b'<!DOCTYPE CS2Extract [<!ENTITY a "x">]>'
OVER_THE_LIMIT = (1 << 30) + 1
DECLARATION_END = b"?>\n"
GAP = 5


def faulty_extracts(name: str, data: bytes, trigger_file: bytes) -> list[Faulty]:
    """A good delivery broken in every way, in the order of the checks. `name` is the data file's name."""
    good = _Good(name, data, trigger_file)
    parts = (_trigger_file, _size_and_hash, _length, _container, _doctype, _form, _schema, _counts, _control, _sequence)
    return [faulty for part in parts for faulty in part(good)]


class _Good:
    """The good delivery taken apart."""

    def __init__(self, name: str, data: bytes, trigger_file: bytes) -> None:
        self.name = name
        self.data = data
        self.xml = gzip.decompress(data)
        self.entries = dict(line.split("=", 1) for line in trigger_file.decode("ascii").splitlines())

    def broken(self, code: str, about: str, xml: bytes | None = None, **entries: object) -> Faulty:
        """A delivery of this document; its trigger file fits but for the entries given (None: the key is missing)."""
        content = self.xml if xml is None else xml
        return self.packed(code, about, gzip.compress(content, mtime=0), **{"UNCOMPRESSED": len(content), **entries})

    def packed(self, code: str, about: str, data: bytes, **entries: object) -> Faulty:
        """A delivery of these bytes."""
        said = {**self.entries, "BYTES": len(data), "SHA256": sha256(data).hexdigest(), **entries}
        told = {key: value for key, value in said.items() if value is not None}
        return Faulty(code=code, about=about, name=self.name, data=data, trigger=trigger(told))

    def replaced(self, pattern: str, other: str) -> bytes:
        """The document with the first thing of this form replaced."""
        return re.sub(pattern.encode(), other.encode(), self.xml, count=1)


def _trigger_file(good: _Good) -> Iterator[Faulty]:
    for key in good.entries:
        yield good.broken("R01", f"{key} is missing from the trigger file", **{key: None})
    yield good.broken("R01", "UNCOMPRESSED is no number", UNCOMPRESSED="many")
    yield good.broken("R01", "SEQUENCE is not the name's", SEQUENCE=int(good.entries["SEQUENCE"]) + 1)
    yield good.broken("R01", "ASAT is no date", ASAT="2015-02-30")


def _size_and_hash(good: _Good) -> Iterator[Faulty]:
    yield good.packed("R02", "BYTES is one too many", good.data, BYTES=len(good.data) + 1)
    digest = good.entries["SHA256"]
    other = ("0" if digest[0] != "0" else "1") + digest[1:]
    yield good.packed("R03", "a digit of SHA256 differs", good.data, SHA256=other)


def _length(good: _Good) -> Iterator[Faulty]:
    yield good.broken("R24", "one byte more comes out than promised", UNCOMPRESSED=len(good.xml) - 1)
    yield good.broken("R24", "more is promised than is ever read", UNCOMPRESSED=OVER_THE_LIMIT)


def _container(good: _Good) -> Iterator[Faulty]:
    yield good.broken("R20", "one byte less comes out than promised", UNCOMPRESSED=len(good.xml) + 1)
    yield good.packed("R20", "no gzip at all", good.xml)
    for share in (0.1, 0.5, 0.9):
        cut = int(len(good.data) * share)
        yield good.packed("R20", f"cut off after {share:.0%} of its bytes", good.data[:cut])
    yield good.packed("R20", "a wrong check sum", good.data[:-8] + bytes(4) + good.data[-4:])
    yield good.packed("R20", "two members", good.data + gzip.compress(b"", mtime=0))


def _doctype(good: _Good) -> Iterator[Faulty]:
    head, _, rest = good.xml.partition(DECLARATION_END)
    yield good.broken("R21", "a DOCTYPE", head + DECLARATION_END + DOCTYPE + rest)
    outside = b'<!DOCTYPE CS2Extract SYSTEM "http://127.0.0.1:9/extract.dtd">'
    yield good.broken("R21", "a DOCTYPE that points elsewhere", head + DECLARATION_END + outside + rest)


def _form(good: _Good) -> Iterator[Faulty]:
    yield good.broken("R20", "an element that is never closed", good.xml.replace(b"</Parties>", b"", 1))
    yield good.broken("R20", "cut off within the document", good.xml[: len(good.xml) // 2])
    yield good.broken("R20", "a byte that is no UTF-8", good.xml.replace(b'surname="', b'surname="\xff', 1))
    yield good.broken("R22", "another namespace", good.xml.replace(b"extract:4", b"extract:5"))
    yield good.broken("R22", "another root", good.xml.replace(b"CS2Extract", b"CS2Extrakt"))


def _schema(good: _Good) -> Iterator[Faulty]:
    """R23: in each element each required attribute, each date, each id."""
    tags = dict.fromkeys(re.findall(rb"<([A-Z]\w+) ", good.xml))
    for tag in tags:
        if tag not in {b"CS2Extract", b"Control"}:
            yield from _element(good, tag.decode())
    for name in ("Party", "Case"):
        key = "ref" if name == "Case" else "id"
        found = re.findall(rf'<{name} {key}="([^"]+)"'.encode(), good.xml)
        other = good.xml.replace(f'<{name} {key}="'.encode() + found[1], f'<{name} {key}="'.encode() + found[0], 1)
        yield good.broken("R23", f"a repeated {key} of {name}", other)


def _element(good: _Good, name: str) -> Iterator[Faulty]:
    opening = re.search(rf"<{name} [^>]*>".encode(), good.xml)
    text = opening.group().decode() if opening else ""
    for attribute in re.findall(r' (\w+)="', text):
        without = re.sub(rf' {attribute}="[^"]*"', "", text)
        if (name, attribute) not in OPTIONAL:
            yield good.broken(
                "R23", f"{name} without {attribute}", good.xml.replace(text.encode(), without.encode(), 1)
            )
    for attribute in re.findall(r' (\w+)="\d{4}-\d\d-\d\d"', text):
        zoned = re.sub(rf'( {attribute}="[^"]*)"', r'\1Z"', text)
        about = f"{name} with a time zone in {attribute}"
        yield good.broken("R23", about, good.xml.replace(text.encode(), zoned.encode(), 1))


def _counts(good: _Good) -> Iterator[Faulty]:
    yield good.broken("R11", "a wrong RECORDS in the trigger file", RECORDS=int(good.entries["RECORDS"]) + 1)


def _control(good: _Good) -> Iterator[Faulty]:
    """R25: each attribute of Control, by one, by a penny; and a figure that it sums."""
    [control] = re.findall(rb"<Control [^>]*>", good.xml)
    for attribute, value in re.findall(r'(\w+)="([^"]*)"', control.decode()):
        number = int(value.replace(".", "")) + 1
        more = money(number) if "." in value else str(number)
        wrong = control.replace(f'{attribute}="{value}"'.encode(), f'{attribute}="{more}"'.encode())
        yield good.broken("R25", f"{attribute} differs by one", good.xml.replace(control, wrong))
    more_cash = good.replaced(r'custodianCash="[^"]*"', 'custodianCash="1234567.89"')
    yield good.broken("R25", "a custodianCash that Control does not know", more_cash)


def _sequence(good: _Good) -> Iterator[Faulty]:
    """R04 to R06: after the good delivery."""
    number = int(good.entries["SEQUENCE"])
    later = good.xml.replace(f'sequence="{number}"'.encode(), f'sequence="{number + GAP}"'.encode(), 1)
    name = good.name.replace(f".S{number:06d}.", f".S{number + GAP:06d}.")
    yield good.broken(
        "R04", "numbers before this one are missing", later, SEQUENCE=number + GAP, FILE=name
    ).later(name)  # fmt: skip
    yield good.packed("R05", "the same file comes again", good.data).later(good.name)
    spaced = good.xml.replace(b"\n<", b"\n <", 1)
    yield good.broken("R06", "the number comes again with other bytes", spaced).later(good.name)


OPTIONAL = {
    ("Party", "nino"), ("Party", "forenames"), ("Party", "birth"), ("Address", "postcode"), ("Case", "awardEnd"),
    ("Relationship", "from"), ("Relationship", "to"), ("Assessment", "to"), ("Assessment", "netMonthly"),
    ("Assessment", "children"), ("Assessment", "nights"), ("Activity", "caseRef"), ("Activity", "to"),
    ("Activity", "partyRef"),
    *(
        ("Transaction", name)
        for name in (
            "from", "to", "assessmentRef", "monthly", "bankReference", "valueDate", "quotedReference", "payerRef",
            "method", "bankStatus", "disbursement", "reason", "effective", "reverses",
        )
    ),
}  # fmt: skip
"""Element and attribute that may be missing."""
