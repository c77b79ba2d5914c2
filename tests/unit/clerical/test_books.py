"""Clerical books: file checks, double entry, readable and unreadable cells (clerical.md §1–§3)."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.decode.csvbook.values import UNREADABLE, read_value
from integrationhub.receive.folder import find_files
from tests.unit.clerical.books import COLUMNS, CONNECTOR, SAMPLE, book, both, pack, row
from tests.unit.clerical.conftest import Ask, Take

GOOD = book(both(row()))


def codes(take: Take, path: Path) -> tuple[str, list[str]]:
    report = take(path)
    return report.verdict.value, [reason.code for reason in report.reasons]


def test_the_sample_has_the_controls_that_it_promises_and_two_cases_keyed_differently(take: Take, ask: Ask) -> None:
    report = take(SAMPLE)
    controls = {control.name: control.actual for control in report.controls}
    assert {"rows": 20, "rp": 9572148, "sos": 774920, "custodian": 6645}.items() <= controls.items()
    assert report.outcomes == {"LOADED": 16, "EXCEPTION": 4}
    assert ask("SELECT code, source_ref FROM worklist ORDER BY 2") == [("DE", "CL0001010"), ("DE", "CL0001013")]
    assert ask("SELECT count(*), sum(keyings_agree) FROM clerical_totals") == [(10, 8)]


@pytest.mark.parametrize(
    ("content", "keys", "code"),
    [
        (GOOD, {"CUSTODIAN": None}, "R01"),
        (GOOD, {"BALANCE_RP": "12.5"}, "R01"),
        (GOOD, {"BYTES": 1}, "R02"),
        (GOOD, {"SHA256": "0" * 64}, "R03"),
        (GOOD.replace(b"Key,", b"Keys,", 1), {}, "R30"),
        (GOOD.replace(b"\r\n1,", b"\r\n1,,", 1), {}, "R30"),
        (GOOD.replace(b"Alpha", b"Al\x81pha", 1), {}, "R30"),
        (GOOD.replace(b"Alpha", b"Al\0pha", 1), {}, "R30"),
        (GOOD.replace(b"Alpha", b'"Al"pha', 1), {}, "R30"),
        (GOOD + b'3,"', {}, "R30"),
        (b"", {}, "R30"),
        (GOOD, {"RECORDS": 3}, "R11"),
        (GOOD, {"BALANCE_RP": 100001}, "R25"),
        (GOOD, {"BALANCE_SOS": 1}, "R25"),
        (GOOD, {"CUSTODIAN": 99}, "R25"),
        (GOOD.replace(b"Key,", b"Keys,", 1), {"RECORDS": 3, "CUSTODIAN": 99}, "R30"),
        (GOOD, {"RECORDS": 3, "CUSTODIAN": 99}, "R11"),
    ],
)
def test_each_check_of_the_file_has_its_code_and_its_place_in_the_order(
    tmp_path: Path, take: Take, *, content: bytes, keys: dict[str, object], code: str
) -> None:
    report = take(pack(tmp_path, content, records=2, **keys))  # type: ignore[arg-type]
    assert (report.verdict.value, [reason.code for reason in report.reasons]) == ("REJECTED", [code])
    assert sum(report.outcomes.values()) == 0


def test_a_row_with_another_number_of_fields_is_named_by_row_and_byte(tmp_path: Path, take: Take) -> None:
    content = GOOD.replace(b"\r\n2,", b"\r\n2,,", 1)
    reason = take(pack(tmp_path, content, records=2)).reasons[0]
    assert (reason.record, reason.offset) == (2, content.index(b"\r\n2,,") + 2)


@pytest.mark.parametrize(
    "second",
    [
        {"NRP_Surname": "TESTCASE"},
        {"NRP_Surname": "  Testcase "},
        {"NRP_NINO": "qq 00 00 01 a"},
        {"NRP_Born": "01/02/1960"},
        {"Charged_RP": "1204.50"},
        {"Custodian_Cash": "1"},
        {"Notes": "other words"},
        {"Keyed_On": "02/07/2015"},
    ],
)
def test_keyings_agree_by_value(tmp_path: Path, take: Take, ask: Ask, second: dict[str, str]) -> None:
    assert codes(take, pack(tmp_path, book(both(row(), **second)), records=2)) == ("ACCEPTED", [])
    assert ask("SELECT keyings_agree, charged_rp_pence, balance_rp_pence FROM clerical_totals") == [(1, 120450, 100000)]
    assert ask("SELECT surname FROM parties WHERE source_ref = 'CL0000001:NRP'") == [("Testcase",)]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (both(row(), NRP_Forenames="Beta"), "R31"),
        (both(row(), Charged_RP="£1,204.51"), "R31"),
        (both(row(), Charged_RP="1204.5"), "R31"),
        (both(row(), Keyed_By="CLK001"), "R31"),
        (both(row(), Key="1"), "R31"),
        ([*both(row()), row(Key="2", Keyed_By="CLK003")], "R31"),
        ([row()], "R31"),
        (both(row(Scheme="2012")), "R33"),
        (both(row(Children="0")), "R33"),
        (both(row(Application_Date="30/02/1999")), "R33"),
        (both(row(Weekly_Amount="€20.00")), "R33"),
        (both(row(PWC_Surname="")), "R33"),
    ],
)
def test_a_case_that_was_not_keyed_alike_is_an_exception_and_takes_part_all_the_same(
    tmp_path: Path, take: Take, ask: Ask, rows: list[dict[str, str]], code: str
) -> None:
    held = sum(100 for cells in rows if cells["Key"] == "1")
    keys = {"BALANCE_RP": held * 1000, "CUSTODIAN": held}
    report = take(pack(tmp_path, book(rows), records=len(rows), **keys))
    assert (report.verdict.value, {reason.code for reason in report.reasons}) == ("ACCEPTED", {code})
    assert report.outcomes == {"LOADED": 0, "EXCEPTION": len(rows)}
    assert ask("SELECT code, state FROM worklist") == [("DE", "OPEN")]
    assert ask("SELECT keyings_agree FROM clerical_totals") == [(0,)]
    assert ask("SELECT count(*) FROM roles") == [(2,)]


def test_a_case_without_first_keying_stands_by_its_second(tmp_path: Path, take: Take, ask: Ask) -> None:
    rows = [row(Key="2", Weekly_Amount="£9.00")]
    take(pack(tmp_path, book(rows), records=1, BALANCE_RP=0, CUSTODIAN=0))
    assert ask("SELECT key_no, weekly_pence FROM clerical_totals") == [(2, 900)]


def test_a_case_that_comes_keyed_alike_leaves_the_worklist(tmp_path: Path, take: Take, ask: Ask) -> None:
    take(pack(tmp_path, book(both(row(), Children="3")), records=2))
    take(pack(tmp_path, GOOD, records=2, sequence=102))
    assert ask("SELECT state FROM worklist") == [("RESOLVED",)]


def test_a_case_that_stays_keyed_differently_waits_on_with_its_age_and_owner(
    tmp_path: Path, hub: Hub, take: Take, ask: Ask
) -> None:
    take(pack(tmp_path, book(both(row(), Children="3")), records=2))
    ((item, opened),) = ask("SELECT exception_id, opened_at FROM worklist")
    with hub.store.begin() as work:
        work.worklist.assign(item, "CLK009")
        work.commit()
    hub.clock = lambda: datetime(2026, 1, 2, tzinfo=UTC)

    for sequence in (102, 103):
        other = row(Clerical_Ref="CL0000002")
        content = book([*both(other), *both(row(), Weekly_Amount="£9.00")])
        take(pack(tmp_path, content, records=4, sequence=sequence, BALANCE_RP=200000, CUSTODIAN=200))

    columns = "exception_id, opened_at, state, owner, record_no, field"
    waiting = ask(f"SELECT {columns} FROM worklist WHERE state != 'RESOLVED'")  # noqa: S608 - our own names
    assert waiting == [(item, opened, "ASSIGNED", "CLK009", 4, "Weekly Amount")]
    assert ask("SELECT count(*) FROM outbox WHERE type = 'worklist.opened'") == [(1,)]
    set_aside = ask("SELECT count(DISTINCT delivery_id), count(*) FROM worklist WHERE entity = 'groups'")
    assert set_aside == [(3, 3)]  # of every file it is known what it set aside


def test_a_case_that_a_check_of_the_mapping_refuses_is_set_aside_and_the_totals_hold(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shutil.copytree(CONNECTOR, shelf / "connectors" / "clerical")
    shutil.copytree(CONNECTOR.parents[1] / "mappings", shelf / "mappings")
    with (shelf / "mappings" / "clerical" / "clerical_totals.toml").open("a", encoding="utf-8") as spec:
        spec.write('\n[[checks]]\ncode = "MANY_CHILDREN"\nmust = "[Children] <= 2"\nfield = "Children"\n')
        spec.write('text = "more than two children"\n')
    rows = [*both(row(Children="3")), *both(row(Clerical_Ref="CL0000002"))]
    data = pack(tmp_path, book(rows), records=4, BALANCE_RP=200000, CUSTODIAN=200)
    settings = Settings(data_dir=tmp_path / "hub", synthetic_identities=True)
    with Hub(settings, Catalogue.standard(directory=shelf), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as hub:
        pipeline = hub.pipeline("clerical")
        report = pipeline.take(find_files([data], pipeline.descriptor.delivery)[0])
        with hub.store.read() as connection:
            loaded = connection.execute(text("SELECT source_ref FROM cases")).all()
            waiting = connection.execute(text("SELECT code, source_ref FROM worklist")).all()
    assert (report.verdict.value, [reason.code for reason in report.reasons]) == ("ACCEPTED", ["MANY_CHILDREN"])
    assert report.outcomes == {"LOADED": 2, "EXCEPTION": 2}
    assert ([*loaded], [*waiting]) == ([("CL0000002",)], [("DE", "CL0000001")])
    (receiving,) = (control for control in report.controls if control.name == "rp")
    assert (receiving.loaded, receiving.set_aside) == (100000, 100000)


def test_no_reason_repeats_a_cell(tmp_path: Path, take: Take) -> None:
    report = take(pack(tmp_path, book(both(row(), NRP_NINO="QQ000009B", NRP_Surname="Secret")), records=2))
    assert not {"QQ0000", "Secret", "Testcase"} & {word for reason in report.reasons for word in reason.text.split()}


@pytest.mark.parametrize("text", ["=1+1", "+441", "-2", "@SUM(A1)", "\tx", "\rx", "=1  +  1", '=cmd|"/c calc"!A1'])
def test_a_cell_that_looks_like_a_formula_is_data(tmp_path: Path, take: Take, ask: Ask, text: str) -> None:
    assert codes(take, pack(tmp_path, book(both(row(Notes=text))), records=2)) == ("ACCEPTED", [])
    assert ask("SELECT notes FROM clerical_totals") == [(text,)]


def test_letters_of_windows_1252_and_line_breaks_in_quotes_arrive_whole(tmp_path: Path, take: Take, ask: Ask) -> None:
    rows = both(row(NRP_Surname="Müller-Šmíd’s".replace("í", "i"), Notes='two\r\nlines, "quoted" at £5'))
    assert codes(take, pack(tmp_path, book(rows), records=2)) == ("ACCEPTED", [])
    assert ask("SELECT surname FROM parties ORDER BY source_ref")[0] == ("Müller-Šmid’s",)


@pytest.mark.parametrize(
    ("text", "pence"),
    [
        ("£1,204.50", 120450), ("-£1,204.50", -120450), ("(£1,204.50)", -120450), ("1204", 120400), ("0", 0),
        ("-5.00", -500), ("12,34", UNREADABLE), ("1204.5", UNREADABLE), ("€5", UNREADABLE), ("£-5", UNREADABLE),
        ("1.234", UNREADABLE), ("(-5.00)", UNREADABLE), ("1e3", UNREADABLE), ("٣", UNREADABLE), ("", None),
    ],
)  # fmt: skip
def test_money_is_read_as_the_document_writes_it(text: str, pence: object) -> None:
    assert read_value("money", text) is pence or read_value("money", text) == pence


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1/2/1999", 19990201), ("01/02/1999", 19990201), ("29/02/2000", 20000229), ("29/02/1900", UNREADABLE),
        ("1/2/99", UNREADABLE), ("1999-02-01", UNREADABLE), ("00/01/1999", UNREADABLE), ("", None),
    ],
)  # fmt: skip
def test_dates_are_read_as_the_document_writes_them(text: str, day: object) -> None:
    assert read_value("date", text) is day or read_value("date", text) == day


def test_a_sentinel_in_the_application_date_is_marked(tmp_path: Path, take: Take, ask: Ask) -> None:
    take(pack(tmp_path, book(both(row(Application_Date="01/01/1900"))), records=2))
    assert ask("SELECT effective_date, effective_date_mark FROM cases") == [(None, "SENTINEL")]


def test_the_columns_are_those_of_the_document() -> None:
    assert (len(COLUMNS), COLUMNS[0], COLUMNS[-1]) == (31, "Row", "Notes")


@pytest.mark.parametrize(
    ("cells", "causes"),
    [
        ({"Application_Date": "30/02/1999"}, ["DE"]),
        ({"Application_Date": "01/01/1900"}, ["E06"]),
        ({"Balance_RP": "€5.00"}, ["DE"]),
        ({"Balance_RP": "€5.00", "Balance_SoS": "1.00"}, ["DE", "E07"]),
        ({"Balance_SoS": "1.00"}, ["E07"]),
    ],
)
def test_a_cell_that_cannot_be_read_is_no_evidence_of_anything_else(
    tmp_path: Path, hub: Hub, take: Take, ask: Ask, *, cells: dict[str, str], causes: list[str]
) -> None:
    owed = {"BALANCE_RP": 0 if "Balance_RP" in cells else 100_000, "BALANCE_SOS": 100 if "Balance_SoS" in cells else 0}
    take(pack(tmp_path, book(both(row(**cells))), records=2, **owed))
    hub.judge_waiting()

    assert [json.loads(named) for (named,) in ask("SELECT causes FROM verdicts")] == [causes]
