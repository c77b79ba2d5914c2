"""Every check of csa2003.md §1, its code, its place, and their order. Whatever is refused leaves nothing behind."""

import gzip
import re
import tracemalloc
import zlib
from pathlib import Path

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.intake.report import FileReport
from integrationhub.receive.folder import find_files
from tests.unit.csa2003.conftest import Ask, Take
from tests.unit.csa2003.extracts import RECORDS, SAMPLE, XML, document, pack

DOCTYPE = '<!DOCTYPE CS2Extract [<!ENTITY a "x">]>'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def refused(report: FileReport, code: str) -> None:
    assert (report.verdict.value, [reason.code for reason in report.reasons]) == ("REJECTED", [code])
    assert sum(report.outcomes.values()) == 0


def test_the_sample_is_accepted_with_the_controls_that_it_promises(take: Take) -> None:
    report = take(SAMPLE)
    controls = {control.name: control.expected for control in report.controls}
    assert report.verdict.value == "ACCEPTED"
    assert report.outcomes == {"LOADED": RECORDS, "EXCEPTION": 0}
    assert all(control.holds for control in report.controls)
    wanted = {"records": 1341, "cases": 48, "rp": 39828552, "sos": -1353971, "unk": 0, "suspended": 135045}
    assert {**wanted, "custodian": 8015351}.items() <= controls.items()


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"UNCOMPRESSED": None}, "R01"),
        ({"UNCOMPRESSED": "many"}, "R01"),
        ({"SEQUENCE": 102}, "R01"),
        ({"ASAT": "2015-06-29"}, "R01"),
        ({"BYTES": 5}, "R02"),
        ({"SHA256": "0" * 64}, "R03"),
        ({"UNCOMPRESSED": len(XML.encode()) - 1}, "R24"),
        ({"UNCOMPRESSED": (1 << 30) + 1}, "R24"),
        ({"UNCOMPRESSED": len(XML.encode()) + 1}, "R20"),
        ({"RECORDS": 1340}, "R11"),
    ],
)
def test_what_the_trigger_file_says_is_checked(
    tmp_path: Path, take: Take, ask: Ask, keys: dict[str, object], code: str
) -> None:
    refused(take(pack(tmp_path, XML, **keys)), code)  # type: ignore[arg-type]
    assert ask("SELECT count(*) FROM cases") == [(0,)]


@pytest.mark.parametrize(
    "packed",
    [
        XML.encode(),
        gzip.compress(XML.encode())[:-9],
        gzip.compress(XML.encode())[:-8] + bytes(8),
        gzip.compress(XML.encode()) + gzip.compress(b""),
        gzip.compress(XML.encode()) + b"\0",
        zlib.compress(XML.encode()),
        b"",
    ],
    ids=["no gzip", "cut off", "wrong CRC", "two members", "bytes behind", "zlib", "nothing"],
)
def test_a_damaged_container_is_refused(tmp_path: Path, take: Take, packed: bytes) -> None:
    refused(take(pack(tmp_path, XML, packed=packed)), "R20")


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (XML.replace("</Parties>", "</Partys>"), "R20"),
        (XML + "<more/>", "R20"),
        (XML.replace(" sex=", " sex=\x00=", 1), "R20"),
        (XML.replace("Synthetic note", "&unknown;", 1), "R20"),
        (XML.replace('version="1.0"', 'version="1.1"', 1), "R20"),
        (XML.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"', 1), "R20"),
        (XML.replace("cs2:extract:4", "cs2:extract:5"), "R22"),
        (HEAD + "<Other/>", "R22"),
        (XML.replace('sex="M"', 'sex="X"', 1), "R23"),
        (XML.replace(' birth="1978-07-24"', ' birth="1978-07-24Z"'), "R23"),
        (XML.replace(' birth="1978-07-24"', ' birth="1978-02-30"'), "R23"),
        (XML.replace('id="1-164K"', 'id="1-1648"', 1), "R23"),
        (re.sub(r'Address id="[^"]*"', 'Address id="1-1648"', XML, count=1), "R23"),
        (XML.replace('Case ref="QQ130047D/01"', 'Case ref="QQ119701B/01"', 1), "R23"),
        (XML.replace(' amount="-240.19"', ' amount="-240.195"'), "R23"),
        (XML.replace('parties="172"', 'parties="173"'), "R25"),
        (XML.replace('balanceRP="398285.52"', 'balanceRP="398285.53"'), "R25"),
        (XML.replace('custodian="80153.51"', 'custodian="80153.50"'), "R25"),
    ],
)
def test_each_fault_of_the_document_has_its_code(tmp_path: Path, take: Take, ask: Ask, xml: str, code: str) -> None:
    assert xml != XML
    refused(take(pack(tmp_path, xml)), code)
    assert ask("SELECT count(*) FROM parties") == [(0,)]


def test_a_fault_of_the_schema_names_element_and_byte(tmp_path: Path, take: Take) -> None:
    xml = XML.replace('sex="F"', 'sex="X"', 1)
    reason = take(pack(tmp_path, xml)).reasons[0]
    assert reason.record == 2
    assert xml.encode()[reason.offset or 0 :].startswith(b'<Party id="1-164K"')


def test_a_value_that_no_column_holds_is_named_by_its_attribute(tmp_path: Path, take: Take) -> None:
    reason = take(pack(tmp_path, XML.replace('birth="1978-07-24"', 'birth="1978-07-24+01:00"'))).reasons[0]
    assert (reason.code, reason.record, reason.field) == ("R23", 1, "birth")


@pytest.mark.parametrize(
    ("first", "then", "code"),
    [
        ({"xml": XML[:-5], "UNCOMPRESSED": 100}, "more bytes than promised, and cut off", "R24"),
        ({"xml": HEAD + DOCTYPE + "<Other>"}, "a DOCTYPE, and not well-formed", "R21"),
        ({"xml": XML.replace("cs2:extract:4", "x") + "<"}, "not well-formed, and another root", "R20"),
        ({"xml": HEAD + "<Other/>", "records": 7}, "another root, and another count", "R22"),
        ({"xml": XML.replace('sex="M"', 'sex="X"', 1), "records": 7}, "invalid, and another count", "R23"),
        ({"xml": XML.replace('parties="172"', 'parties="1"'), "records": 7}, "count, and control", "R11"),
    ],
)
def test_the_first_check_in_the_documents_order_is_reported(
    tmp_path: Path, take: Take, first: dict[str, object], then: str, code: str
) -> None:
    assert then
    refused(take(pack(tmp_path, str(first.pop("xml")), **first)), code)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037"])
def test_a_doctype_is_refused_in_every_encoding(tmp_path: Path, take: Take, encoding: str) -> None:
    xml = XML.replace("<CS2Extract", DOCTYPE + "<CS2Extract", 1)
    refused(take(pack(tmp_path, xml.encode(encoding))), "R21")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp037", "latin-1"])
def test_another_encoding_than_utf_8_is_refused(tmp_path: Path, take: Take, encoding: str) -> None:
    xml = XML.replace("Synthetic note", "caf\xe9", 1)
    refused(take(pack(tmp_path, xml.encode(encoding))), "R20")


@pytest.mark.parametrize(
    "prolog",
    [
        DOCTYPE,
        '<!DOCTYPE CS2Extract SYSTEM "file:///etc/hostname">',
        '<!DOCTYPE CS2Extract PUBLIC "x" "http://127.0.0.1:9/x.dtd">',
        "<!-- \xe9 --><?pi x?>\n" + DOCTYPE,
        "<!--" + "x" * 200_000 + "-->" + DOCTYPE,
        '<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
        "<!DOCTYPE",
    ],
    ids=["internal", "file", "address", "behind comments", "far behind", "billion laughs", "unfinished"],
)
def test_a_doctype_is_refused_wherever_it_hides(tmp_path: Path, take: Take, prolog: str) -> None:
    xml = XML.replace("<CS2Extract", prolog + "<CS2Extract", 1).replace("Synthetic note", "&a;", 1)
    refused(take(pack(tmp_path, xml)), "R21")


def test_the_word_doctype_in_a_comment_is_none(tmp_path: Path, take: Take) -> None:
    xml = XML.replace("<CS2Extract", f"<!-- {DOCTYPE} --><CS2Extract", 1)
    assert take(pack(tmp_path, xml)).verdict.value == "ACCEPTED"


def test_comments_and_instructions_cut_no_text(tmp_path: Path, take: Take, ask: Ask) -> None:
    xml = XML.replace("Synthetic note", "Syn<!-- x -->thetic<?pi y?> note", 1)
    assert take(pack(tmp_path, xml)).verdict.value == "ACCEPTED"
    assert ask("SELECT count(*) FROM cases WHERE note LIKE 'Synthetic note%'")[0][0] == XML.count("Synthetic note")


def test_an_inclusion_is_an_unknown_element_and_reads_nothing(tmp_path: Path, take: Take) -> None:
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname" parse="text"/>'
    refused(take(pack(tmp_path, XML.replace("<Parties>", f"<Parties>{include}", 1))), "R23")


def test_a_schema_location_is_not_followed(tmp_path: Path, take: Take) -> None:
    hint = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd" '
    xml = XML.replace("<CS2Extract ", f"<CS2Extract {hint}", 1)
    assert take(pack(tmp_path, xml)).verdict.value == "ACCEPTED"


@pytest.mark.parametrize(
    "body",
    ["<a>" * 100_000 + "</a>" * 100_000, "<a>" * 500_000, "<Party><x/></Party>" * 1000],
    ids=["closed", "never closed", "broad"],
)
def test_deep_or_wild_nesting_is_refused(tmp_path: Path, take: Take, body: str) -> None:
    refused(take(pack(tmp_path, XML.replace("<Parties>", f"<Parties>{body}", 1))), "R23")


def test_huge_text_is_refused(tmp_path: Path, take: Take) -> None:
    refused(take(pack(tmp_path, XML.replace("Synthetic note", "x" * 12_000_000, 1))), "R23")


def test_a_tag_without_end_is_refused_before_it_fills_memory(tmp_path: Path, take: Take) -> None:
    refused(take(pack(tmp_path, XML.replace('nino="QQ119701B"', f'nino="{"x" * 20_000_000}"', 1))), "R23")


def test_a_bomb_is_left_unread_as_soon_as_it_shows(tmp_path: Path, take: Take) -> None:
    bomb = gzip.compress(bytes(300_000_000), compresslevel=1)
    tracemalloc.start()
    refused(take(pack(tmp_path, XML, packed=bomb)), "R24")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000


def test_an_empty_book_is_valid(tmp_path: Path, take: Take) -> None:
    report = take(pack(tmp_path, document({}, {}), records=0))
    assert (report.verdict.value, report.records) == ("ACCEPTED", 0)


def test_no_reason_repeats_a_value_of_the_file(tmp_path: Path, take: Take) -> None:
    for number, xml in enumerate(
        (
            XML.replace('ref="QQ119701B/01"', 'ref="QQ119701B/1"', 1),
            XML.replace('Case ref="QQ130047D/01"', 'Case ref="QQ119701B/01"', 1),
            XML.replace('nino="QQ119701B"', 'nino="QQ119701B" nino="QQ119701B"', 1),
        )
    ):
        report = take(pack(tmp_path / str(number), xml))
        assert report.verdict.value == "REJECTED"
        assert "QQ1197" not in str(report.reasons)


@pytest.mark.parametrize(("limit", "verdict"), [(len(XML.encode()) - 1, "REJECTED"), (len(XML.encode()), "ACCEPTED")])
def test_the_limit_of_uncompressed_bytes_is_a_setting(tmp_path: Path, limit: int, verdict: str) -> None:
    settings = Settings(data_dir=tmp_path / "hub", synthetic_identities=True, uncompressed_limit=limit)
    with Hub(settings, Catalogue.standard()) as hub:
        pipeline = hub.pipeline("csa2003")
        (item,) = find_files([pack(tmp_path, XML)], pipeline.descriptor.delivery)
        report = pipeline.take(item)
    assert report.verdict.value == verdict
    assert [reason.code for reason in report.reasons] == (["R24"] if verdict == "REJECTED" else [])
