"""Scanned mail: archives as a whole, and documents by the checks in their order."""

import io
import zipfile
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from html import escape

import pytest

from integrationhub.accounts.beforehand import confidential
from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Hold
from integrationhub.intake.units.bench import item_of
from tests.unit.accounts.conftest import MakeDebt
from tests.unit.accounts.feeds.files import Files
from tests.unit.accounts.feeds.messages import said

NAMED = "SCAN.00000011.20260325.zip"
REF, NINO = "DM0010000017", "QQ000001A"
PDF, TIF = b"%PDF-1.4 page", b"II*\0 page"
FORMS = {
    "DM01": {"nino": NINO, "debt_ref": REF, "instalment": "5", "frequency": "W"},
    "DM02": {"nino": NINO, "surname": "Testcase", "pao": "4", "postcode": "zz34ab"},
    "DM03": {"nino": NINO, "debt_ref": REF, "grounds": "NOT_MINE"},
    "DM04": {"debt_ref": REF},
    "CM01": {"case_ref": "121000000018"},
    "ZZ99": {},
}


@pytest.fixture(scope="module")
def feed() -> Files:
    return Files("paper-forms")


def field(name: str, text: str, confidence: str = "") -> str:
    source = f'source="OCR" confidence="{confidence}"' if confidence else 'source="KEYED"'
    return f'<Field name="{name}" {source}>{escape(text)}</Field>'


def page(number: int = 1, file: str = "img/D1_001.pdf", content: bytes = PDF) -> str:
    return f'<Page n="{number}" file="{file}" sha256="{sha256(content).hexdigest()}"/>'


def document(
    form: str = "DM04", *fields: str, pages: str | None = None, name: str = "D1", barcode: str = "", **changes: str
) -> str:
    """A form; `fields` come before its own, of which `changes` are others."""
    own = {name: text for name, text in {**FORMS.get(form, {}), **changes}.items() if text != "-"}
    keyed = "".join(field(name, text) for name, text in own.items())
    head = f'id="{name}" form="{form}" received="2026-03-24" barcode="{barcode}"'
    return f"<Document {head}>{page() if pages is None else pages}{''.join(fields)}{keyed}</Document>"


def index(*documents: str, batch: str = "00000011", count: int | None = None, pages: int | None = None) -> bytes:
    told = "".join(documents)
    counts = f'documents="{len(documents) if count is None else count}" pages="{pages or told.count("<Page")}"'
    head = f'xmlns="urn:example:scan:1" batch="{batch}" scanned="2026-03-25" {counts}'
    return f"<ScanBatch {head}>{told}</ScanBatch>".encode()


def archive(*documents: str, members: Mapping[str, bytes] | None = None, listing: bytes | None = None) -> bytes:
    """A batch of these documents, with one page image unless other members are given."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("index.xml", index(*documents) if listing is None else listing)
        for name, image in ({"img/D1_001.pdf": PDF} if members is None else members).items():
            made.writestr(name, image)
    return content.getvalue()


def without_index() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("img/D1_001.pdf", PDF)
    return content.getvalue()


WRONG = {"img/D1_001.tif": PDF}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (archive(document()), None),
        (b"no archive", "ARCHIVE_INVALID"),
        (archive(document(), members={"../x": PDF}), "ARCHIVE_PATH"),
        (without_index(), "INDEX_MISSING"),
        (archive(listing=b"<!DOCTYPE a><a/>"), "XML_DTD"),
        (archive(listing=index(document())[:-2]), "XML_INVALID"),
        (archive(listing=index(document()).replace(b"scan:1", b"scan:2")), "XML_NAMESPACE"),
        (archive(listing=index(document()).replace(b' pages="1"', b"")), "XML_SCHEMA"),
        (archive(document().replace(' received="2026-03-24"', "")), "XML_SCHEMA"),
        (archive(document("DM04", '<Field name="nino" source="OCR">x</Field>')), "XML_SCHEMA"),
        (archive(document("DM04", field("nino", NINO, "100.1"))), "XML_SCHEMA"),
        (archive(document("DM04", field("nino", NINO, "99.12"))), "XML_SCHEMA"),
        (archive(document("DM04", '<Field name="nino" source="GUESS">x</Field>')), "XML_SCHEMA"),
        (archive(document().replace('n="1"', 'n="one"')), "XML_SCHEMA"),
        (archive(listing=index(document(), batch="00000012", count=7)), "HEADER_INVALID"),
        (archive(listing=index(document(), count=2), members={}), "CONTROL_COUNT"),
        (archive(listing=index(document(), pages=2)), "CONTROL_COUNT"),
        (archive(document(), members={"img/other.pdf": PDF}), "PAGE_MISSING"),
        (archive(document(), members={"img/D1_001.pdf": b"x", "img/other.pdf": PDF}), "PAGE_UNLISTED"),
        (archive(document(), members={"img/D1_001.pdf": b"x"}), "SHA_MISMATCH"),
        (archive(document(pages=page(file="img/D1_001.tif")), members=WRONG), "IMAGE_TYPE"),
        (archive(document(pages=page(content=b"GIF89a")), members={"img/D1_001.pdf": b"GIF89a"}), "IMAGE_TYPE"),
        (archive(document(pages=page(file="img/x.png")), members={"img/x.png": PDF}), "IMAGE_TYPE"),
        (archive(document(pages=page(file="a.tif", content=TIF)), members={"a.tif": TIF}), None),
    ],
)
def test_a_batch_that_is_not_in_order_is_refused_as_a_whole(feed: Files, content: bytes, expected: str | None) -> None:
    assert feed.refusal(NAMED, content) == expected


def unsure(form: str, name: str, confidence: str, text: str = "x") -> str:
    """A form on which a machine read one field."""
    return document(form, field(name, text, confidence), **{name: "-"})


@pytest.mark.parametrize(
    ("paper", "expected"),
    [
        (document("ZZ99"), "EXCEPTION UNKNOWN_FORM"),
        (document("DM99", nino="X"), "EXCEPTION UNKNOWN_FORM"),
        (document("DM01", instalment="-", frequency="D"), "EXCEPTION FIELD_MISSING"),
        (document("DM03", grounds=" "), "EXCEPTION FIELD_MISSING"),
        (unsure("DM01", "nino", "97.9", "\x85"), "EXCEPTION LOW_CONFIDENCE"),
        (unsure("DM01", "nino", "98", NINO), "LOADED"),
        (unsure("DM04", "debt_ref", "98.0", REF), "LOADED"),
        (unsure("CM01", "case_ref", "97.9"), "EXCEPTION LOW_CONFIDENCE"),
        (unsure("DM01", "instalment", "94.9", "5"), "EXCEPTION LOW_CONFIDENCE"),
        (unsure("DM01", "instalment", "95", "5"), "LOADED"),
        (unsure("DM01", "first_date", "94.9", "01/04/2026"), "EXCEPTION LOW_CONFIDENCE"),
        (unsure("DM01", "frequency", "89.9", "W"), "EXCEPTION LOW_CONFIDENCE"),
        (unsure("DM01", "frequency", "90", "W"), "LOADED"),
        (unsure("DM02", "surname", "89.9"), "EXCEPTION LOW_CONFIDENCE"),
        (unsure("DM02", "street", "89.9"), "EXCEPTION LOW_CONFIDENCE"),
        (unsure("DM02", "postcode", "94.9", "ZZ3 4AB"), "EXCEPTION LOW_CONFIDENCE"),
        (unsure("DM03", "free_text", "0"), "LOADED"),
        (document("DM04", field("surname", "x", "1")), "LOADED"),
        (document("DM04", field("first_date", "never"), field("colour", "\x85", "1")), "LOADED"),
        (document("DM02", pao="4\x85", nino="X"), "EXCEPTION TEXT_CONTROL_CHAR"),
        (document("DM01", frequency="D", instalment="5,00"), "EXCEPTION UNKNOWN_CODE"),
        (document("DM03", grounds="WHIM"), "EXCEPTION UNKNOWN_CODE"),
        (document("DM01", instalment="5.0", first_date="x"), "EXCEPTION MONEY_FORMAT"),
        (document("DM01", instalment="5.00"), "LOADED"),
        (document("DM01", first_date="2026-04-01", nino="X"), "EXCEPTION DATE_INVALID"),
        (document("DM02", effective_date="30/02/2026"), "EXCEPTION DATE_INVALID"),
        (document("DM02", nino="X", postcode="X"), "EXCEPTION NINO_FORMAT"),
        (document("DM02", postcode="X"), "EXCEPTION ADDRESS_INVALID"),
        (document("DM04", barcode="DM0010000024", debt_ref="?"), "EXCEPTION BARCODE_CONFLICT"),
        (document("DM04", barcode=REF), "LOADED"),
        (document("CM01", barcode=REF), "EXCEPTION BARCODE_CONFLICT"),
        (document("DM02", barcode=REF), "LOADED"),
        (document("DM04", debt_ref="DM0000000003"), "EXCEPTION DEBT_UNKNOWN"),
        (document("CM01", case_ref="121000000129"), "EXCEPTION DEBT_UNKNOWN"),
        (document("CM01", case_ref="121000000573"), "LOADED"),
        (document("DM02", nino="QQ000009A"), "EXCLUDED NOT_A_DEBTOR"),
        (document("DM04", nino="QQ000009A"), "EXCEPTION NOT_DEBTOR"),
        (document("DM03", nino="QQ000009A"), "EXCEPTION NOT_DEBTOR"),
        (document("DM01", nino="TN010170M"), "EXCEPTION NOT_DEBTOR"),
        (document("DM01", debt_ref="DM0010000031"), "EXCEPTION DEBT_CLOSED"),
        (document("DM01", debt_ref="DM0010000038", instalment="0"), "EXCEPTION HOLD_ACTIVE"),
        (document("DM01", instalment="100.01", first_date="01/01/2020"), "EXCEPTION AMOUNT_RANGE"),
        (document("DM01", instalment="100"), "LOADED"),
        (document("DM01", first_date="24/03/2026"), "LOADED"),
        (document("DM01", first_date="23/03/2026"), "EXCEPTION DATE_INVALID"),
        (document("DM01", first_date="25/05/2026"), "LOADED"),
        (document("DM01", first_date="26/05/2026"), "EXCEPTION DATE_INVALID"),
    ],
)
def test_checks_are_made_in_the_order_of_the_document(
    feed: Files, book: Book, debt: MakeDebt, paper: str, expected: str
) -> None:
    debt(REF, nino=NINO)
    debt("DM0010000031", nino=NINO, status="CLEARED", source_balance_pence=0)
    held = Hold(code="BS", start=date(2026, 3, 1), end=date(2026, 3, 24), origin="debt-manager")
    debt("DM0010000038", nino=NINO, holds=(held,))
    assert [said(verdict) for verdict in feed.take(NAMED, archive(paper), book)] == [expected]


def shown(feed: Files, book: Book, *papers: str) -> list[object]:
    return [verdict.canonical for verdict in feed.take(NAMED, archive(*papers), book)]


def test_each_form_becomes_what_it_is_for(feed: Files, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    papers = [
        document("DM01", name="A", first_date="01/04/2026"), document("DM02", name="B", effective_date="20/03/2026"),
        document("DM04", name="C"), document("CM01", name="D"), document("DM03", name="E"),
    ]  # fmt: skip
    assert shown(feed, book, *papers) == [
        {
            "type": "plan_offer", "debt_ref": REF, "instalment_pence": 500, "frequency": "WEEKLY", "instalments": 20,
            "first_date": "2026-04-01", "status": "PROPOSED",
        },
        {
            "type": "life_event", "kind": "ADDRESS_CHANGED", "effective_date": "2026-03-20", "postcode": "ZZ3 4AB",
        },
        {"type": "evidence", "debt_ref": REF, "pages": 1},
        {"type": "evidence", "case_ref": "121000000018", "pages": 1},
        {"type": "hold", "debt_ref": REF, "code": "DI", "from": "2026-03-24", "to": None},
    ]  # fmt: skip


def test_a_document_is_known_by_its_pages_and_fields(feed: Files, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    for paper, expected in (
        (document(), "LOADED"),
        (document(barcode=REF), "DUPLICATE"),
        (document("DM04", field("free_text", "more")), "EXCEPTION KEY_CONFLICT"),
    ):
        assert [said(verdict) for verdict in feed.take(NAMED, archive(paper), book)] == [expected]


def test_a_paper_address_of_a_confidential_party_waits_for_a_person(feed: Files, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    for note in confidential([NINO[:8], "QQ000009"]):
        book.keep(note)
    papers = [document("DM02", name="A"), document("DM02", name="B", nino="QQ000009A"), document("DM04", name="C")]
    assert [said(verdict) for verdict in feed.take(NAMED, archive(*papers), book)] == [
        "EXCEPTION CONFIDENTIAL_PARTY", "EXCLUDED NOT_A_DEBTOR", "LOADED",
    ]  # fmt: skip


def test_what_waits_for_a_person_names_its_pages_unless_a_name_may_say_more(feed: Files, book: Book) -> None:
    told, odd = page(), page(2, "img/QQ000001A.pdf")
    content = archive(document("ZZ99", pages=told + odd), members={"img/D1_001.pdf": PDF, "img/QQ000001A.pdf": PDF})
    (unit,) = feed.units(NAMED, content)
    text = item_of(unit, feed.judge.judge(unit, book), at=unit.at).text
    assert text.endswith("UNKNOWN_FORM; pages img/D1_001.pdf #2")
