"""Scanned mail as rows: one a document of a batch (paper-forms.md).

A batch is a zip archive of page images and an index in XML. All of it is checked before any of it is believed.
"""

import io
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import polars as pl

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.archives.zipped import Archive, Member
from integrationhub.decode.json_fields import NO_DAY, number_of
from integrationhub.decode.xml.attributes import day, whole
from integrationhub.decode.xml.children import BLANKS, Children
from integrationhub.decode.xml.stranger import XML_SCHEMA, XmlFault
from integrationhub.decode.xml.tree import Node
from integrationhub.records import DecodedBatch, Reason
from integrationhub.sdk.units import AT_ONCE, ControlFact, FileFacts, FileInHand, Options

TABLE = "Document"
NAMESPACE = "urn:example:scan:1"
INDEX = "index.xml"
TEXTS = (
    "nino", "debt_ref", "case_ref", "surname", "pao", "street", "town", "postcode", "grounds", "frequency",
    "instalment", "free_text",
)  # fmt: skip
DAYS = ("first_date", "effective_date")
_COLUMNS: Mapping[str, pl.DataType] = {
    **dict.fromkeys(("id", "content", "form", "barcode", "given", "pages"), pl.String()),
    "received": pl.Int64(),
    "pageCount": pl.Int64(),
    **dict.fromkeys(TEXTS, pl.String()),
    "instalmentPence": pl.Int64(),
    **dict.fromkeys(DAYS, pl.Int64()),
    **dict.fromkeys((f"{name}Confidence" for name in (*TEXTS, *DAYS)), pl.Int64()),
}

_CONFIDENCE = re.compile(r"([0-9]{1,3})(?:\.([0-9]))?")
_SURE = 1000
"""Tenths of a percent: what a machine is sure of."""

_MONEY = re.compile(r"([0-9]{1,7})(?:\.([0-9]{2}))?")
_DAY = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_PAGE = re.compile(r"img/[A-Z][0-9]{1,12}_[0-9]{3}\.(?:pdf|tif)")
"""The names that the document gives to images; others may say anything, and are not told."""

_IMAGES: Mapping[str, tuple[bytes, ...]] = {"pdf": (b"%PDF-",), "tif": (b"II*\0", b"MM\0*")}
"""How images of each kind begin, by the ends of their names."""


class Decoder:
    """Reads batches of scanned mail."""

    layout: Mapping[str, Mapping[str, pl.DataType]] = {TABLE: _COLUMNS}

    def decode(self, stream: BinaryIO, file: FileInHand) -> Generator[DecodedBatch, None, FileFacts]:
        """See `UnitDecoder`."""
        archive = Archive(stream)
        if archive.fault is not None:
            return FileFacts(structure=archive.fault)
        if INDEX not in archive.members:
            return FileFacts(structure=Reason(code="INDEX_MISSING", text=f"the archive has no {INDEX}"))
        batch = _Batch()
        try:
            batch.read(archive.read(INDEX))
        except XmlFault as exc:
            return FileFacts(structure=Reason(code=exc.code, text=exc.text, offset=exc.offset))
        found = next((fault for fault in _faults(batch, archive.members, file) if fault is not None), None)
        if found is not None:
            return FileFacts(structure=found)
        for start in range(0, len(batch.rows), AT_ONCE):
            yield _pieces(batch.rows[start : start + AT_ONCE])
        documents, pages = len(batch.rows), len(batch.pages)
        return FileFacts(
            canonical={"documents": documents, "pages": pages},
            controls=(
                ControlFact(name="documents", expected=whole(batch.root["documents"]), actual=documents),
                ControlFact(name="pages", expected=whole(batch.root["pages"]), actual=pages),
            ),
        )


def build(_options: Options) -> Decoder:
    """The decoder of the feed."""
    return Decoder()


@dataclass(slots=True)
class _Batch:
    """What the index says: its root's attributes, documents as rows, pages as (file, SHA-256)."""

    root: Mapping[str, str] = field(default_factory=dict)
    rows: list[dict[str, object]] = field(default_factory=list)
    pages: list[tuple[str, str]] = field(default_factory=list)
    unfit: bool = False

    def read(self, index: bytes) -> None:
        """Read the index. XmlFault: it is refused."""
        documents = Children(io.BytesIO(index), namespace=NAMESPACE, root="ScanBatch")
        for document in documents:
            if document.name == "Document":
                self._add(document)
        self.root = documents.root.attributes
        known = "batch" in self.root and None not in (whole(self.root.get("documents")), whole(self.root.get("pages")))
        if self.unfit or not known:
            raise XmlFault(XML_SCHEMA, "the index lacks an attribute, or one is of another type")

    def _add(self, document: Node) -> None:
        pages, fields = list(document.all("Page")), list(document.all("Field"))
        self.unfit = self.unfit or not (
            _is_whole(document) and all(map(_is_page, pages)) and all(map(_is_field, fields))
        )
        if self.unfit:
            return
        named = [(page.attributes["file"], page.attributes["sha256"].lower()) for page in pages]
        self.pages += named
        self.rows.append({"_record": len(self.rows) + 1, "_offset": document.offset, **_row(document, named, fields)})


def _is_whole(document: Node) -> bool:
    said = document.attributes
    return bool(said.get("id", "").strip(BLANKS)) and "form" in said and day(said.get("received")) is not None


def _is_page(page: Node) -> bool:
    said = page.attributes
    return "file" in said and "sha256" in said and whole(said.get("n")) is not None


def _is_field(one: Node) -> bool:
    said = one.attributes
    source = said.get("source")
    return "name" in said and (
        source == "KEYED" or (source == "OCR" and _confidence(said.get("confidence")) is not None)
    )


def _confidence(text: str | None) -> int | None:
    """Tenths of a percent, 0 to 1000; None: it is none."""
    found = _CONFIDENCE.fullmatch(text or "")
    tenths = None if found is None else int(found[1]) * 10 + int(found[2] or 0)
    return tenths if tenths is not None and tenths <= _SURE else None


def _faults(batch: _Batch, members: Mapping[str, Member], file: FileInHand) -> Iterator[Reason | None]:
    """The checks of the index against name and archive, in the order of the document."""
    root, pages = batch.root, batch.pages
    counts = (whole(root["documents"]), whole(root["pages"])) == (len(batch.rows), len(pages))
    listed = {name for name, _ in pages}
    yield _unless(root["batch"] == file.named["batch"], "HEADER_INVALID", "the batch is not the one in the file's name")
    yield _unless(counts, "CONTROL_COUNT", "documents or pages are not as many as the index says")
    yield _unless(listed <= members.keys(), "PAGE_MISSING", "a page of the index is not in the archive")
    yield _unless(members.keys() <= listed | {INDEX}, "PAGE_UNLISTED", "a member of the archive is not in the index")
    right = all(members[name].sha256 == sha256 for name, sha256 in pages)
    yield _unless(right, "SHA_MISMATCH", "a page has another SHA-256 than the index says")
    yield _unless(all(map(_is_image, (members[name] for name in listed))), "IMAGE_TYPE", "a page is no such image")


def _unless(holds: bool, code: str, text: str) -> Reason | None:  # noqa: FBT001 - a check and what it says
    return None if holds else Reason(code=code, text=text)


def _is_image(member: Member) -> bool:
    _, _, kind = member.name.rpartition(".")
    return member.head.startswith(_IMAGES.get(kind, ())) if kind in _IMAGES else False


def _row(document: Node, pages: Sequence[tuple[str, str]], fields: Sequence[Node]) -> dict[str, object]:
    said: dict[str, Node] = {}
    for one in fields:
        said.setdefault(one.attributes["name"], one)
    texts = {name: one.text.strip(BLANKS) or None for name, one in said.items()}
    received = day(document.attributes["received"])
    assert received is not None
    return {
        "id": document.attributes["id"].strip(BLANKS),
        "content": _content(pages, fields),
        "form": document.attributes["form"],
        "barcode": document.attributes.get("barcode"),
        "received": number_of(received),
        "given": " ".join(sorted(name for name, text in texts.items() if text is not None)),
        "pages": " ".join(name if _PAGE.fullmatch(name) else f"#{n}" for n, (name, _) in enumerate(pages, start=1)),
        "pageCount": len(pages),
        **{name: texts.get(name) for name in TEXTS},
        "instalmentPence": _pence(texts.get("instalment")),
        **{name: _day_number(texts.get(name)) for name in DAYS},
        **{f"{name}Confidence": _sureness(said.get(name)) for name in (*TEXTS, *DAYS)},
    }


def _content(pages: Sequence[tuple[str, str]], fields: Sequence[Node]) -> str:
    """A digest of what makes two documents the same: the contents of their pages, and their fields."""
    told = [(one.attributes["name"], one.text.strip(BLANKS), *sorted(one.attributes.items())) for one in fields]
    return derive("document", *(sha256 for _, sha256 in pages), *map(repr, told))


def _sureness(one: Node | None) -> int | None:
    """How sure a machine was; None for what a person keyed in, and for what isn't there."""
    is_read = one is not None and one.attributes["source"] == "OCR"
    return _confidence(one.attributes.get("confidence")) if one is not None and is_read else None


def _pence(text: str | None) -> int | None:
    found = _MONEY.fullmatch(text or "")
    return None if found is None else int(found[1]) * 100 + int(found[2] or 0)


def _day_number(text: str | None) -> int | None:
    if text is None:
        return None
    found = _DAY.fullmatch(text)
    return NO_DAY if found is None else int(found[3] + found[2] + found[1])


def _pieces(rows: Sequence[Mapping[str, object]]) -> DecodedBatch:
    schema = {"_record": pl.Int64(), "_offset": pl.Int64(), **_COLUMNS}
    return DecodedBatch(tables={TABLE: pl.DataFrame(rows, schema).to_arrow()})
