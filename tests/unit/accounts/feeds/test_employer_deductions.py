"""The connector employer-deductions: schedules of deductions from earnings (employer-deductions.md)."""

from datetime import date

import pytest

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import JointDebtor
from integrationhub.accounts.feeds.employer_deductions import SOURCE
from tests.unit.accounts.conftest import MakeDebt
from tests.unit.accounts.feeds.in_memory import Judged, feed

NAME = "DEA_TST001_001_20260307.csv"
REF = "DM0010000017"
OWN = "QQ123456A"
BOM = b"\xef\xbb\xbf"
COLUMNS = (
    "OrderType", "NINO", "Surname", "Initials", "Reference", "Pay Date", "Frequency", "Net Earnings",
    "Other Deductions", "Deduction", "Rate Type", "Reason",
)  # fmt: skip
USUAL = {
    "OrderType": "DEA", "NINO": OWN, "Surname": "Testcase", "Initials": "A", "Reference": REF, "Pay Date": "06/03/2026",
    "Frequency": "W", "Net Earnings": "300.00", "Other Deductions": "0.00", "Deduction": "33.00", "Rate Type": "S",
    "Reason": "",
}  # fmt: skip
Given = dict[str, str]


def row(**given: str) -> str:
    return ",".join((USUAL | {name.replace("_", " "): text for name, text in given.items()}).values())


def schedule(*rows: str, total: str, count: int | None = None, header: str = ",".join(COLUMNS)) -> bytes:
    return "\n".join([header, *rows, f"CONTROL,{len(rows) if count is None else count},{total}"]).encode("cp1252")


def take(content: bytes, book: Book, *, records: int | None = None, name: str = NAME) -> Judged:
    return feed("employer-deductions").take(name, content, book, records=records)


def one(book: Book, **given: str) -> Judged:
    return take(schedule(row(**given), total=given.get("Deduction") or "33.00"), book)


def test_a_deduction_is_a_receipt_of_the_pay_date(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=OWN)
    judged = one(book)
    assert judged.verdicts["TST001/001/1"].canonical == {
        "type": "receipt", "source": "EMPLOYER", "amount_pence": 3300, "value_date": "2026-03-06", "debt_ref": REF,
        "expected_pence": 3300,
    }  # fmt: skip
    assert judged.facts.canonical == {"employer": "TST001", "schedule": "001", "total_pence": 3300, "rows": 1}
    assert (judged.facts.series, judged.facts.sequence, judged.facts.as_at) == ("TST001", 1, date(2026, 3, 7))


# the file


@pytest.mark.parametrize(
    ("content", "surname"),
    [
        (BOM + schedule(row(), total="33.00").decode("cp1252").replace("Testcase", "Ünïtést").encode(), "Ünïtést"),
        (schedule(row(Surname="Ünïtést €"), total="33.00"), "Ünïtést €"),
        (schedule(row(Surname='"Ro""und, Ed"'), total="33.00"), 'Ro"und, Ed'),
        (schedule(row(Surname='"Line\nbreak"'), total="33.00"), "Line\nbreak"),
        (schedule(row(), total="33.00").replace(b"\n", b"\r\n\r\n") + b"\r\n  \r\n", "Testcase"),
    ],
)
def test_text_arrives_whatever_its_encoding_and_quoting(
    book: Book, debt: MakeDebt, content: bytes, surname: str
) -> None:
    debt(REF, nino=OWN)
    judged = take(content, book, records=3)
    assert (judged.refused, judged.units[0].values["surname"]) == (None, surname)
    assert judged.outcomes == {"TST001/001/1": ("LOADED", None)}


HEADERS = """\
Type,N.I. Number,Last Name,Forename(s),DWP Reference,Date-Paid,Pay/Frequency,Net Pay (£),Priority_Deductions,\
DEA Amount,Rate,No Deduction Reason
order_type,ninumber,family name,First Name,Debt Ref,payday,FREQ,Attachable Earnings,other orders,\
AMOUNT (£),Rate,reason code
Order Type,National Insurance Number,SURNAME,Initials,Case Reference,Pay Date,Freq,Net Earnings £,\
Other Deductions,Amount Deducted,Rate Type,Reason
"""


@pytest.mark.parametrize("header", HEADERS.splitlines())
def test_columns_are_known_by_all_their_names(book: Book, debt: MakeDebt, header: str) -> None:
    debt(REF, nino=OWN)
    assert take(schedule(row(), total="33.00", header=header), book).outcomes == {"TST001/001/1": ("LOADED", None)}


def test_columns_may_stand_in_any_order_and_unknown_ones_are_ignored(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=OWN)
    names = [*reversed(COLUMNS), "Employer Name"]
    cells = ",".join({**USUAL, "Employer Name": "Canary"}[name] for name in names)
    assert take(schedule(cells, total="33.00", header=",".join(names)), book).refused is None
    optional = ("OrderType", "Initials", "Other Deductions", "Rate Type", "Reason")
    few = [name for name in COLUMNS if name not in optional]
    content = schedule(",".join(USUAL[name] for name in few), total="33.00", header=",".join(few))
    assert list(take(content, book, name="DEA_TST001_002_20260307.csv").outcomes.values()) == [("LOADED", None)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (BOM + schedule(row(Surname="\xfc"), total="33.00"), "ENCODING_INVALID"),
        (schedule(row(), total="33.00").replace(b"Testcase", b"T\x81st"), "ENCODING_INVALID"),
        (schedule(row(), total="33.00").replace(b"Testcase", b"T\0\x81st"), "ENCODING_INVALID"),
        (schedule(row(), total="33.00").replace(b"Testcase", b"T\0st"), "TEXT_CONTROL_CHAR"),
        (schedule(row(Surname='"Open'), total="33.00"), "RECORD_COUNT"),
        (schedule(row(), row(), total="66.00"), "RECORD_COUNT"),
        (schedule(row(), total="33.00", header=",".join(COLUMNS).replace("NINO", "Number")), "HEADER_INVALID"),
        (schedule(row(), total="33.00", header=",".join(COLUMNS).replace("Initials", "Amount")), "HEADER_INVALID"),
        (schedule(row(), total="33.00").replace(b"CONTROL", b"SUM"), "CONTROL_MISSING"),
        (schedule(row(), total="33.00").rpartition(b"CONTROL")[0] + b"TOTAL,1,33\n" + row().encode(), "RECORD_COUNT"),
        (schedule(row(), total="33.00", count=2), "CONTROL_COUNT"),
        (schedule(row(), total="33.00").replace(b"CONTROL,1", b"CONTROL,one"), "CONTROL_COUNT"),
        (schedule(row(), total="33.00").replace(b"CONTROL,1", b"CONTROL," + b"1" * 5000), "CONTROL_COUNT"),
        (schedule(row(Deduction="9" * 20), total="9" * 20), "CONTROL_TOTAL"),
        (schedule(row(), total="33.01"), "CONTROL_TOTAL"),
        (schedule(row(), total=""), "CONTROL_TOTAL"),
        (schedule(row(Deduction="33.000"), total="33.00"), "CONTROL_TOTAL"),
    ],
)
def test_a_faulty_schedule_is_refused_as_a_whole(book: Book, content: bytes, code: str) -> None:
    assert take(content, book, records=3).refused == code


def test_an_empty_schedule_has_no_heading_and_one_that_ends_with_a_row_no_control(book: Book) -> None:
    assert take(b"", book).refused == "HEADER_INVALID"
    assert take(b"", book, records=1).refused == "RECORD_COUNT"
    assert take((",".join(COLUMNS) + "\n" + row()).encode(), book).refused == "CONTROL_MISSING"
    between = "\n".join([",".join(COLUMNS), "Total,1,33.00", row()]).encode()
    assert take(between, book).refused == "CONTROL_MISSING"
    assert take(schedule(total="0"), book).refused is None


@pytest.mark.parametrize("word", ["CONTROL", "control", "Total", " TOTAL "])
def test_the_control_row_may_be_called_control_or_total(book: Book, word: str) -> None:
    assert take(schedule(row(), total='"£33"').replace(b"CONTROL", word.encode()), book).refused is None


# the rows


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"Reason": ",more"}, "FIELD_COUNT"),
        ({"Surname": "=cmd()"}, "TEXT_FORMULA"),
        ({"Surname": "  +1"}, "TEXT_FORMULA"),
        ({"Initials": "@A"}, "TEXT_FORMULA"),
        ({"Initials": "-A"}, "TEXT_FORMULA"),
        ({"Reference": "\tDM0010000017"}, "TEXT_FORMULA"),
        ({"Reference": '"\rDM0010000017"'}, "TEXT_FORMULA"),
        ({"Surname": "Test\x7fcase"}, "TEXT_CONTROL_CHAR"),
        ({"Frequency": "W\x07"}, "TEXT_CONTROL_CHAR"),
        ({"OrderType": "DEX"}, "UNKNOWN_CODE"),
        ({"Frequency": "D"}, "UNKNOWN_CODE"),
        ({"Frequency": ""}, "UNKNOWN_CODE"),
        ({"Rate_Type": "X"}, "UNKNOWN_CODE"),
        ({"Reason": "ZZ"}, "UNKNOWN_CODE"),
        ({"Net_Earnings": ""}, "MONEY_FORMAT"),
        ({"Net_Earnings": '"1,23.50"'}, "MONEY_FORMAT"),
        ({"Net_Earnings": "300.001"}, "MONEY_FORMAT"),
        ({"Net_Earnings": "£-300.00"}, "AMOUNT_RANGE"),
        ({"Net_Earnings": "-£300.00"}, "MONEY_FORMAT"),
        ({"Net_Earnings": "٣٠٠"}, "MONEY_FORMAT"),
        ({"Other_Deductions": "-0.01"}, "AMOUNT_RANGE"),
        ({"Net_Earnings": "10000000.00"}, "AMOUNT_RANGE"),
        ({"Net_Earnings": "9" * 20}, "AMOUNT_RANGE"),
        ({"Pay_Date": "31/02/2026"}, "DATE_INVALID"),
        ({"Pay_Date": "6/3/2026"}, "DATE_INVALID"),
        ({"Pay_Date": "08/03/2026"}, "DATE_INVALID"),
        ({"Pay_Date": ""}, "DATE_INVALID"),
        ({"NINO": "ZZ12"}, "NINO_FORMAT"),
        ({"NINO": ""}, "NINO_FORMAT"),
        ({"NINO": "TN010170M"}, "NINO_FORMAT"),
        ({"NINO": "PP123456A"}, "NINO_FORMAT"),
        ({"Pay_Date": "07/04/2013"}, "NO_RATE"),
        ({"Other_Deductions": "87.02"}, "PROTECTED_EARNINGS"),
        ({"Reference": "NOBODY", "NINO": "QQ999999A"}, "UNMATCHED"),
        ({"NINO": "QQ999999A"}, "NINO_MISMATCH"),
    ],
)
def test_a_faulty_row_is_set_aside_with_its_money(book: Book, debt: MakeDebt, given: Given, reason: str) -> None:
    debt(REF, nino=OWN)
    judged = take(BOM + "\n".join([",".join(COLUMNS), row(**given), "CONTROL,1,33.00"]).encode(), book)
    assert judged.refused is None
    assert judged.outcomes == {"TST001/001/1": ("EXCEPTION", reason)}
    (receipt,) = book.changes.receipts
    day = (
        date(2026, 3, 7) if reason == "DATE_INVALID" else date(2013, 4, 7) if reason == "NO_RATE" else date(2026, 3, 6)
    )
    assert (receipt.in_suspense, receipt.amount_pence, receipt.value_date) == (True, 3300, day)


def test_a_row_with_fewer_cells_is_filled_up(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=OWN)
    short = row().rsplit(",", 2)[0]
    assert take(schedule(short, total="33.00"), book).outcomes == {"TST001/001/1": ("LOADED", None)}


@pytest.mark.parametrize(
    "given",
    [
        {"NINO": "qq 12 34 56 a"}, {"NINO": "QQ123456"}, {"OrderType": ""}, {"Rate_Type": ""}, {"Frequency": "Weekly"},
        {"Net_Earnings": "£300"}, {"Other_Deductions": ""}, {"Deduction": "£33.0"},
    ],
)  # fmt: skip
def test_a_row_may_be_written_in_many_ways(book: Book, debt: MakeDebt, given: Given) -> None:
    debt(REF, nino=OWN)
    assert one(book, **given).outcomes == {"TST001/001/1": ("LOADED", None)}


@pytest.mark.parametrize(
    ("frequency", "net", "taken"),
    [("Fortnightly", "600.00", "66.00"), ("Four-weekly", '"1,200.00"', "132.00"), ("4-weekly", "1200", "132"),
     ("Monthly", "1000", "70")],
)  # fmt: skip
def test_frequencies_have_words_too(book: Book, debt: MakeDebt, frequency: str, net: str, taken: str) -> None:
    debt(REF, nino=OWN, source_balance_pence=100_000)
    (verdict,) = one(book, Frequency=frequency, Net_Earnings=net, Deduction=taken).verdicts.values()
    assert (verdict.reason, set(verdict.flags)) == (None, set())


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        ({"Deduction": "33.01"}, {"ROUNDING"}),
        ({"Deduction": "32.99"}, {"ROUNDING"}),
        ({"Deduction": "33.02"}, {"OVER_DEDUCTED"}),
        ({"Deduction": "32.98"}, {"UNDER_DEDUCTED"}),
        ({"Deduction": "66.00", "Rate_Type": "H"}, set()),
        ({"Deduction": "20.00", "Other_Deductions": "100.00"}, set()),
        ({"Deduction": "20.01", "Other_Deductions": "100.00"}, {"ROUNDING"}),
        ({"Deduction": "120.00", "OrderType": "DEO"}, {"OVERPAID"}),
    ],
)
def test_what_differs_from_the_rate_is_flagged(book: Book, debt: MakeDebt, given: Given, flags: set[str]) -> None:
    debt(REF, nino=OWN)
    (verdict,) = one(book, **given).verdicts.values()
    assert (verdict.reason, set(verdict.flags)) == (None, flags)


def test_an_order_of_child_maintenance_has_no_rate_and_no_first_day(book: Book) -> None:
    given = {"OrderType": "DEO", "Reference": "121000000018", "Pay_Date": "01/04/2013", "Deduction": "120.01"}
    (verdict,) = one(book, **given).verdicts.values()
    assert verdict.canonical == {
        "type": "receipt", "source": "EMPLOYER", "amount_pence": 12001, "value_date": "2013-04-01",
        "case_ref": "121000000018",
    }  # fmt: skip
    more = take(
        schedule(row(**given | {"Deduction": "120.02"}), total="120.02"), book, name=NAME.replace("_001_", "_002_")
    )
    assert list(more.outcomes.values()) == [("EXCEPTION", "PROTECTED_EARNINGS")]


@pytest.mark.parametrize(
    ("given", "outcome", "flags", "life_event"),
    [
        ({"Reason": "BT", "Net_Earnings": "100.00"}, ("LOADED", None), set(), None),
        ({"Reason": "BT"}, ("LOADED", None), {"UNDER_DEDUCTED"}, None),
        ({"Reason": "LE"}, ("LOADED", None), set(), "EMPLOYMENT_ENDED"),
        ({"Reason": "SI", "Deduction": ""}, ("LOADED", None), set(), None),
        ({"Reason": "NP", "Reference": "NOBODY"}, ("LOADED", None), set(), None),
        ({"Reason": "PE", "OrderType": "DEO"}, ("LOADED", None), set(), None),
        ({"Reason": ""}, ("EXCEPTION", "NIL_NO_REASON"), set(), None),
        ({"Reason": "XX"}, ("EXCEPTION", "UNKNOWN_CODE"), set(), None),
    ],
)
def test_a_row_without_deduction_needs_a_reason(
    book: Book, given: Given, outcome: tuple[str, str | None], flags: set[str], life_event: str | None
) -> None:
    judged = take(schedule(row(**{"Deduction": "0.00"} | given), total="0"), book)
    (verdict,) = judged.verdicts.values()
    assert (list(judged.outcomes.values()), set(verdict.flags)) == ([outcome], flags)
    assert (verdict.canonical or {}).get("life_event") == life_event
    assert book.changes.receipts == []


def test_what_an_earlier_row_of_the_file_says_may_be_a_repeat(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=OWN)
    rows = [row(), row(Deduction="33.01"), row(NINO="QQ 12 34 56"), row(Reference=f"DWP {REF}"), row()]
    outcomes = take(schedule(*rows, total="165.01"), book).outcomes
    assert [reason for _, reason in outcomes.values()] == [None, None, "POSSIBLE_DUPLICATE", None, "POSSIBLE_DUPLICATE"]


def test_the_first_fault_in_the_order_of_the_document_is_told(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=OWN)
    steps: list[tuple[Given, str]] = [
        ({"NINO": "QQ999999A"}, "NINO_MISMATCH"),
        ({"Reference": "NOBODY"}, "UNMATCHED"),
        ({"Other_Deductions": "99999.00"}, "PROTECTED_EARNINGS"),
        ({"Pay_Date": "07/04/2013"}, "NO_RATE"),
        ({"NINO": "QQ"}, "NINO_FORMAT"),
        ({"Pay_Date": "07/04/2033"}, "DATE_INVALID"),
        ({"Other_Deductions": "-1"}, "AMOUNT_RANGE"),
        ({"Net_Earnings": "much"}, "MONEY_FORMAT"),
        ({"Frequency": "?"}, "UNKNOWN_CODE"),
        ({"Surname": "\x7f"}, "TEXT_CONTROL_CHAR"),
        ({"Initials": "=A"}, "TEXT_FORMULA"),
        ({"Reason": ",more"}, "FIELD_COUNT"),
    ]
    given: Given = {}
    for step, reason in steps:
        given |= step
        number = steps.index((step, reason)) + 1
        judged = take(schedule(row(**given), total="33.00"), book, name=f"DEA_TST001_{number:03d}_20260307.csv")
        assert [found for _, found in judged.outcomes.values()] == [reason]


def test_a_joint_debtor_may_pay_and_a_debt_without_a_number_is_not_checked(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino="QQ111111A", joint=(JointDebtor(nino=OWN, share=5000, role="P"),))
    debt("DM0010000024")
    judged = take(schedule(row(), row(Reference="DM0010000024"), total="66.00"), book)
    assert [outcome for outcome, _ in judged.outcomes.values()] == ["LOADED", "LOADED"]


def test_a_row_that_was_posted_is_not_posted_again(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=OWN)
    one(book)
    assert one(book).outcomes == {"TST001/001/1": ("DUPLICATE", None)}
    assert book.receipt(SOURCE, "TST001/001/1") is not None
