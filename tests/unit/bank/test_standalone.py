"""Payment files judged by their public standard alone, in the styles that banks have."""

import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import mt940 as second_opinion
import pytest
from click.testing import CliRunner

from integrationhub.catalogue import Catalogue
from integrationhub.cli import program
from integrationhub.errors import ConfigurationError
from integrationhub.intake.units.alone import StandaloneCheck
from integrationhub.sdk.descriptor import load_descriptor
from tests.unit.bank.make import Statement, balance, document, entry, part
from tests.unit.bank.world import CONNECTOR, ROOT, SAMPLES

WRAPPED = """{1:F01AAAABB2AXXXX0000000000}{2:I940AAAABB2AXXXXN}{4:
:20:STMT1
:25:NL00BANK0123456789EUR
:28C:00042/00001
:60F:C160101EUR1000,00
:61:1601040104C12,50NTRFEREF//16004012345678
/TRCD/00100/
:86:/EREF/INV 1//CNTP/NL00BANK0000000001/AAAABB2A/A Payer///REMI/USTD//
Invoice 1/
:61:1601040104D2,25NDDTEREF//16004012345679
/TRCD/01016/
:86:/EREF/C2/
:62F:C160104EUR1010,25
:64:C160104EUR1010,25
:65:C160105EUR1010,25
:86:/SUM/1/1/2,25/12,50/
-}{5:{CHK:000000000000}}
"""

PADDED = """:940:
:20:940S160104
:25:NL00BANK0123456789 EUR
:28C:0
:60F:C160101EUR000000001000,00
:61:160104C000000000012,50N541NONREF
NL00BANK0000000001
:86:/ORDP//NAME/A PAYER/REMI/Rent/ISDT/2016-01-04
:62F:C160104EUR000000001012,50
:20:940S160105
:25:NL00BANK0123456789 EUR
:28C:0
:60F:C160104EUR000000001012,50
:62F:C160105EUR000000001012,50
"""

TEXTS_AROUND = """BANKNL2A
940
BANKNL2A
:20:BANK
:25:000000001
:28:00101/1
:60F:C160101EUR100,
:61:1601040104C10,N192NONREF
:86:PAYMENT                        1
-
BANKNL2A
940
BANKNL2A
:20:BANK
:25:000000001
:28:00102/1
:60F:C160104EUR110,
:61:1601050105D60,N426NONREF
:86:CARD
-
""".replace("-\nBANKNL2A", ":62F:C160104EUR110,\n-\nBANKNL2A", 1).replace("CARD\n-", "CARD\n:62F:C160105EUR50,\n-")

PAGES = """:20:STARTUMS
:25:10020030/1234567
:28C:00000/001
:60F:C020315EUR0,00
:61:0203170320CR5000,00S051NONREF
:86:166?00GUTSCHRIFT?109310?20SVWZ+RENT?21MARCH?30GENODEF1?31DE00?32A PAYER?34000
:61:0203170320RC
1000,00NRTINONREF
:86:159?00RETURN
:62M:C020317EUR4000,00
-
:20:STARTUMS
:25:10020030/1234567
:28C:00000/002
:60M:C020317EUR4000,00
:61:020322DR0,50N   BANKCHARGE
:61:020322EC99,99NTRFNONREF
:62F:C0203223999,50
-
"""

NO_END = """:20:MT940/1
:25:0000123456
:28C:3/1
:60F:C160201INR0,00
:61:1602080208CR1338474,92NMSC89962273
:86:-TX BRN-REF NO.1 /RLZ
:61:1602120212DR390000,00NCHK73401
:62F:C160229INR948474,92"""

EXPECTED: dict[str, tuple[str, list[tuple[int, int]], int]] = {
    "wrapped": (WRAPPED, [(101025, 101025)], 2),
    "padded": (PADDED, [(101250, 101250), (101250, 101250)], 1),
    "texts around": (TEXTS_AROUND, [(11000, 11000), (5000, 5000)], 2),
    "pages": (PAGES, [(400000, 400000), (399950, 399950)], 4),
    "no end": (NO_END, [(94847492, 94847492)], 2),
}


def judged(content: bytes | str, tmp_path: Path, name: str = "anything.dat") -> dict[str, Any]:
    """The report on a file with this content."""
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return StandaloneCheck(load_descriptor(CONNECTOR)).judge(path).as_dict()


def balances(report: dict[str, Any]) -> list[tuple[int, int]]:
    """The controls of statements' balances."""
    controls = [control for control in report["controls"] if control["name"] == "statement balance"]
    return [(control["expected"], control["actual"]) for control in controls]


@pytest.mark.parametrize("style", EXPECTED)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_mt940_is_taken_as_banks_write_it(style: str, ends: str, tmp_path: Path) -> None:
    content, controls, records = EXPECTED[style]
    report = judged(content.replace("\n", ends), tmp_path)
    assert (report["verdict"], report["reasons"]) == ("ACCEPTED", [])
    assert (balances(report), report["records"]) == (controls, records)


@pytest.mark.parametrize("style", ["wrapped", "padded", "texts around"])
def test_a_second_reader_finds_the_same_entries(style: str, tmp_path: Path) -> None:
    content, _, _ = EXPECTED[style]
    report = judged(content, tmp_path)
    amounts = [
        item.data["amount"].amount
        for statement in second_opinion.parse_statements(content)
        for item in statement.transactions
        if "amount" in item.data
    ]
    totals = report["totals"]
    assert totals["credits"]["count"] + totals["debits"]["count"] == len(amounts)
    assert totals["credits"]["pence"] - totals["debits"]["pence"] == sum(amounts, Decimal(0)) * 100


def test_each_statement_of_mt940_has_its_own_balance(tmp_path: Path) -> None:
    report = judged(PADDED.replace("000000001012,50\n:20:940S160105", "000000001012,49\n:20:940S160105"), tmp_path)
    assert (report["verdict"], report["reasons"][0]["code"]) == ("REJECTED", "BALANCE_MISMATCH")
    assert balances(report) == [(101249, 101250), (101250, 101250)]
    assert set(report["outcomes"].values()) == {0}


@pytest.mark.parametrize("kind", ["052", "053", "054"])
@pytest.mark.parametrize("version", ["01", "02", "04", "08", "13"])
def test_camt_of_any_kind_and_version_is_taken(kind: str, version: str, tmp_path: Path) -> None:
    one = Statement(
        entries=[entry(1250, currency="CHF"), entry(225, "DBIT", status=None), entry(status="PDNG", code=True)],
        opening=None, closing=11025, balances=balance("PRCD", 10000), account="<Othr><Id>1</Id></Othr>", kind=kind,
        number=None,
    )  # fmt: skip
    report = judged(document(one, version=version), tmp_path)
    assert (report["verdict"], balances(report)) == ("ACCEPTED", [(11025, 11025)])
    assert report["totals"]["credits"] == {"count": 1, "pence": 1250}
    assert report["totals"]["debits"] == {"count": 1, "pence": 225}
    assert report["outcomes"]["LOADED"] == 2
    assert report["outcomes"]["EXCLUDED"] == 1


def test_several_statements_have_a_balance_each_unless_they_say_none(tmp_path: Path) -> None:
    statements = [
        Statement(entries=[entry(100)], opening=0, closing=100),
        Statement(entries=[entry(100)], opening=None, closing=100),
        Statement(entries=[entry(300, "DBIT")], opening=100, closing=-200),
        Statement(opening=5, closing=5),
    ]
    report = judged(document(*statements), tmp_path)
    assert balances(report) == [(100, 100), (-200, -200), (5, 5)]
    assert (report["verdict"], report["records"]) == ("ACCEPTED", 3)


def summed_up(summary: str) -> Statement:
    """A sound statement but for what it says of its entries."""
    return Statement(entries=[entry(100)], closing=100, summary=summary)


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (Statement(entries=[entry(100)], closing=99), "BALANCE_MISMATCH"),
        (summed_up("<TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries>"), "CONTROL_COUNT"),
        (summed_up("<TtlNtries><Sum>1.01</Sum></TtlNtries>"), "CONTROL_TOTAL"),
        (summed_up("<TtlDbtNtries><Sum>1</Sum></TtlDbtNtries>"), "CONTROL_TOTAL"),
        (Statement(entries=[entry(amount="x")], closing=0), "XML_SCHEMA"),
    ],
)  # fmt: skip
def test_an_inconsistent_file_is_refused(one: Statement, code: str, tmp_path: Path) -> None:
    report = judged(document(one), tmp_path)
    assert (report["verdict"], [reason["code"] for reason in report["reasons"]]) == ("REJECTED", [code])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "MT940_STRUCTURE"),
        (b"hello", "MT940_STRUCTURE"),
        (b":20:x\0", "TEXT_CONTROL_CHAR"),
        (b"<a/>", "XML_NAMESPACE"),
        (b"<a>", "XML_INVALID"),
        (b"<!DOCTYPE a><a/>", "XML_DTD"),
        ("<!DOCTYPE a><a/>".encode("utf-16"), "XML_DTD"),
        (document(Statement(), version="02").replace("camt.053", "camt.055").encode(), "XML_NAMESPACE"),
        (document(Statement()).replace("camt.053", "pain.002").encode(), "XML_SCHEMA"),
    ],
)
def test_what_is_no_bank_file_is_refused_with_what_it_lacks(content: bytes, code: str, tmp_path: Path) -> None:
    assert [reason["code"] for reason in judged(content, tmp_path)["reasons"]] == [code]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_the_encoding_of_a_document_changes_nothing(encoding: str, tmp_path: Path) -> None:
    text = document(Statement(entries=[entry(100, parts=[part("Jürgen")])], closing=100))
    declared = {"utf-16": "UTF-16", "iso-8859-1": "ISO-8859-1"}.get(encoding, "UTF-8")
    report = judged(text.replace("UTF-8", declared, 1).encode(encoding), tmp_path)
    assert (report["verdict"], balances(report)) == ("ACCEPTED", [(100, 100)])


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.[tx][xm]*")), ids=lambda path: path.name)
def test_our_own_samples_are_sound_by_their_standard_too(sample: Path, tmp_path: Path) -> None:
    if sample.suffix != ".ctl":
        report = judged(sample.read_bytes(), tmp_path)
        assert report["verdict"] == "ACCEPTED"
        assert report["sha256"] == hashlib.sha256(sample.read_bytes()).hexdigest()


def test_the_command_needs_neither_settings_nor_trigger_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a").write_text(WRAPPED)
    (folder / "b").write_text(WRAPPED.replace("1010,25", "1010,24"))
    result = CliRunner().invoke(program, ["check", "bank", "--standalone", "files", "--json"], standalone_mode=False)
    assert result.return_value == 7
    assert [line.count('"ACCEPTED"') for line in result.stdout.splitlines()] == [1, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files"]


def test_a_feed_without_a_public_standard_says_so() -> None:
    with pytest.raises(ConfigurationError, match="no public standard"):
        StandaloneCheck(Catalogue.standard(directory=ROOT).connector("csa1993"))
