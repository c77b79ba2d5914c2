"""The connector bacs: submissions, unpaid items, advices of banks (payments.md §1, §2)."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationhub.accounts.book import Book
from integrationhub.accounts.feeds.bacs.collections import SOURCE
from integrationhub.intake.report import FileReport
from integrationhub.intake.units.alone import StandaloneCheck
from tests.unit.accounts.conftest import EmptyShelf, MakeDebt
from tests.unit.accounts.feeds.bacs_files import NAME, Line, arudd, item, labels, messaging, submission, trailers
from tests.unit.accounts.feeds.in_memory import Judged, feed
from tests.unit.accounts.feeds.plain_debt import plain_debt

REF = "DM0010000017"


def take(content: bytes, book: Book, name: str = NAME, *, records: int | None = None) -> Judged:
    return feed("bacs").take(name, content, book, records=records)


def advise(content: bytes, book: Book, number: int = 1) -> Judged:
    return feed("bacs").take(f"BACSADV.20260316.{number}.xml", content, book)


# submissions


@pytest.mark.parametrize("code", ["01", "17", "18", "19"])
def test_a_collection_is_a_receipt_of_the_next_working_day(book: Book, debt: MakeDebt, code: str) -> None:
    debt(REF)
    (verdict,) = take(submission(Line(code=code, reference=f"DWP {REF}")), book).verdicts.values()
    assert verdict.canonical == {
        "type": "receipt", "source": "BACS_COLLECTION", "amount_pence": 1000, "value_date": "2026-03-10",
        "debt_ref": REF, "reference": f"DWP {REF}",
    }  # fmt: skip
    assert book.balance(book.debt(REF) or debt(REF)) == 9000


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (Line(code="99", reference="CONTRA"), None),
        (Line(code="17", reference="CONTRA X"), None),
        (Line(code="01", reference="CONTRA"), ("EXCEPTION", "UNMATCHED")),
        (Line(code="99", reference="REFUND"), ("EXCLUDED", "OUTGOING_PAYMENT")),
        (Line(code="0N", pence=0), ("EXCLUDED", "INSTRUCTION")),
        (Line(code="0C", pence=0), ("EXCLUDED", "INSTRUCTION")),
        (Line(code="0S", pence=0), ("EXCLUDED", "INSTRUCTION")),
        (Line(code="20"), ("EXCEPTION", "UNKNOWN_CODE")),
        (Line(code="17", pence=0), ("EXCLUDED", "ZERO_AMOUNT")),
        (Line(code="17", reference="NOBODY"), ("EXCEPTION", "UNMATCHED")),
        (Line(code="17", reference=f"{REF}\x07"), ("EXCEPTION", "TEXT_CONTROL_CHAR")),
        (Line(code="17", payer="TEST\x7fPAYER"), ("EXCEPTION", "TEXT_CONTROL_CHAR")),
    ],
)
def test_each_line_has_the_outcome_of_its_code(
    book: Book, debt: MakeDebt, line: Line, outcome: tuple[str, str] | None
) -> None:
    debt(REF)
    judged = take(submission(Line(), line), book)
    assert judged.outcomes.get("000101/2") == outcome
    assert judged.verdicts["000101/2"].reason == (outcome[1] if outcome else "CONTRA")


def test_lines_are_numbered_from_one_with_contras_and_the_file_tells_what_it_collects(book: Book) -> None:
    lines = [Line(pence=5), Line(code="99", reference="CONTRA", pence=12), Line(pence=7), Line(code="0N", pence=0)]
    judged = take(submission(*lines), book)
    assert set(judged.outcomes) == {"000101/1", "000101/3", "000101/4"}
    assert judged.facts.canonical == {"serial": "000101", "collections_pence": 12}
    assert (judged.facts.debits.count, judged.facts.debits.pence) == (3, 12)
    assert (judged.facts.credits.count, judged.facts.credits.pence) == (1, 12)


def test_in_a_file_of_several_days_each_line_has_its_own(book: Book) -> None:
    """Of 12 March 2026, a Thursday, and 13 March; 2 April, before Good Friday and Easter Monday."""
    lines = [Line(day=" 26071"), Line(day=" 26072"), Line(day=" 26092")]
    take(submission(*lines, multi=True), book)
    receipts = [book.receipt(SOURCE, f"000101/{number}") for number in (1, 2, 3)]
    days = [receipt.value_date for receipt in receipts if receipt]
    assert days == [date(2026, 3, 13), date(2026, 3, 16), date(2026, 4, 7)]


def test_a_line_of_no_calendar_day_is_set_aside_with_its_money(book: Book) -> None:
    judged = take(submission(Line(day=" 26366"), multi=True), book)
    assert judged.outcomes == {"000101/1": ("EXCEPTION", "DATE_INVALID")}
    receipt = book.receipt(SOURCE, "000101/1")
    assert receipt is not None
    assert (receipt.in_suspense, receipt.value_date) == (True, date(2026, 3, 10))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_end_as_they_like(book: Book, end: str) -> None:
    whole = submission(Line(), end=end)
    assert take(whole, book, records=8).refused is None
    assert take(whole.removesuffix(end.encode()), book, records=8).refused is None


def _changed(place: int, text: str) -> bytes:
    rows = submission(Line()).decode().splitlines()
    rows[place] = text
    return "\n".join(rows).encode()


GOOD = Line().text(multi=False)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (submission(Line())[:-82], "BACS_STRUCTURE"),
        (submission(Line()) + b"more\n", "BACS_STRUCTURE"),
        (_changed(0, labels()[1]), "BACS_STRUCTURE"),
        (_changed(1, labels()[2]), "BACS_STRUCTURE"),
        (_changed(2, labels()[3]), "BACS_STRUCTURE"),
        (_changed(2, labels()[2].replace("00100", "00101")), "BACS_STRUCTURE"),
        (_changed(2, labels(multi=True)[2]), "BACS_STRUCTURE"),
        (_changed(3, labels()[3] + " "), "BACS_STRUCTURE"),
        (_changed(3, labels()[3].replace("DAILY", "OTHER")), "BACS_STRUCTURE"),
        (_changed(4, GOOD + " "), "BACS_STRUCTURE"),
        (_changed(4, GOOD[:35] + "0000000100A" + GOOD[46:]), "BACS_STRUCTURE"),
        (_changed(4, GOOD[:35] + "         10" + GOOD[46:]), "BACS_STRUCTURE"),
        (_changed(4, GOOD[:64] + "é" + GOOD[66:]), "BACS_STRUCTURE"),
        (_changed(5, f"{'EOF2':80}"), "BACS_STRUCTURE"),
        (_changed(7, f"{'UTL1':80}"), "BACS_STRUCTURE"),
        (submission(Line(), serial="000102"), "BACS_STRUCTURE"),
        (submission(Line(), date="026068"), "BACS_STRUCTURE"),
        (submission(Line(), date=" 26366"), "BACS_STRUCTURE"),
        (submission(Line(day="026068"), multi=True), "BACS_STRUCTURE"),
        (submission(Line(), user="999902"), "WRONG_ADDRESSEE"),
        (_changed(4, GOOD[:64] + "\0" + GOOD[65:]), "TEXT_CONTROL_CHAR"),
        (_changed(7, trailers([Line(), Line()])[2]), "CONTROL_COUNT"),
        (_changed(7, trailers([Line(pence=999)])[2]), "CONTROL_TOTAL"),
        (_changed(7, trailers([Line(code="99")])[2]), "CONTROL_COUNT"),
        (b"", "BACS_STRUCTURE"),
    ],
)
def test_a_faulty_submission_is_refused_as_a_whole(book: Book, content: bytes, code: str) -> None:
    assert take(content, book).refused == code


def test_the_checks_of_a_submission_come_in_their_order(book: Book) -> None:
    everything = submission(Line(), user="999902").replace(b"DM0010000017", b"\0M0010000017")[:-82]
    assert take(everything, book, records=99).refused == "RECORD_COUNT"
    assert take(everything, book).refused == "TEXT_CONTROL_CHAR"
    assert take(submission(Line(), user="999902")[:-82], book).refused == "BACS_STRUCTURE"
    wrong = submission(Line(), user="999902").replace(b"UTL10000000001000", b"UTL10000000001001")
    assert take(wrong, book).refused == "WRONG_ADDRESSEE"


def test_a_line_that_was_posted_is_not_posted_again(book: Book, debt: MakeDebt) -> None:
    debt(REF)
    take(submission(Line()), book)
    assert take(submission(Line()), book).outcomes == {"000101/1": ("DUPLICATE", None)}
    assert len(book.changes.receipts) == 1


# the public standard alone


BANK_FILE = """\
VOL1BURQ66                           ****830000                                3
HDR1 A606005Z0001                      F     01 03325              033250
UHL1 03325606005    00000000         000              TEST
1234566717531500300000000000000000000000288615NW-CHASE  PSC-0302Payment refund
1234566717531509960800629696666000000000008939NORTHERN DIY   E  A1234BY 09/12/86      AND MORE THAN HAS ROOM
123456671753150Y1              0000 000000038510000C000000000000000C000000056571776C000000038474276C 04036
UTL100000002886150000000008939000000100000010000001
"""


def test_a_banks_file_is_judged_by_the_standard_alone(book: Book) -> None:
    judged = feed("bacs").take("BACS18.000001.txt", BANK_FILE.encode(), book, standalone=True)
    assert judged.refused is None
    assert [(control.name, control.expected, control.actual) for control in judged.facts.controls] == [
        ("debit count", 1, 1), ("credit count", 1, 1), ("debit value", 288615, 288615), ("credit value", 8939, 8939),
    ]  # fmt: skip
    assert (judged.facts.credits.pence, judged.facts.debits.pence) == (8939, 288615)
    assert judged.outcomes["BURQ66/3"] == ("EXCLUDED", "BALANCE_RECORD")


def alone(tmp_path: Path, content: bytes, name: str = "whatever") -> FileReport:
    path = tmp_path / name
    path.write_bytes(content)
    return StandaloneCheck(feed("bacs").descriptor).judge(path)


def test_files_are_recognised_by_their_content_and_reported_with_their_totals(tmp_path: Path) -> None:
    bank = alone(tmp_path, BANK_FILE.encode())
    assert (bank.verdict, bank.records, bank.outcomes) == ("ACCEPTED", 3, {"LOADED": 2, "EXCLUDED": 1})
    assert (bank.credits.pence, bank.debits.pence) == (8939, 288615)
    returned = alone(tmp_path, arudd(item(), item(), user="123456"))
    assert (returned.verdict, returned.records, returned.debits.pence) == ("ACCEPTED", 2, 2000)
    assert [control.actual for control in returned.controls] == [2, 2000]
    assert alone(tmp_path, messaging("ADDACS", {}, {}, user="123456")).outcomes == {"LOADED": 2}
    assert alone(tmp_path, submission(Line(), user="123456"), "x.csv").verdict == "ACCEPTED"
    broken = alone(tmp_path, arudd(item(), totals=(1, "11.00")))
    assert (broken.verdict, broken.reasons[0].code, broken.records) == ("REJECTED", "CONTROL_TOTAL", 1)
    assert alone(tmp_path, b"NINO,Surname").reasons[0].code == "FORMAT_UNKNOWN"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("UTL10000000288615", "UTL10000000288616", "CONTROL_TOTAL"),
        ("00000010000001\n", "00000020000001\n", "CONTROL_COUNT"),
        ("UHL1", "XXXX", "BACS_STRUCTURE"),
        ("UTL1", "EOF1", "BACS_STRUCTURE"),
        ("00000288615", "0000028861X", "BACS_STRUCTURE"),
    ],
)
def test_an_inconsistent_bank_file_is_refused(book: Book, old: str, new: str, code: str) -> None:
    content = BANK_FILE.replace(old, new).encode()
    assert feed("bacs").take("BACS18.000001.txt", content, book, standalone=True).refused == code


def test_a_code_that_only_some_banks_credit_stands_where_the_trailer_has_it(book: Book) -> None:
    returned = BANK_FILE.replace("1234566717531509960", "123456671753150RA60")
    as_debit = returned[: returned.index("UTL1")] + "UTL10000000297554000000000000000000020000000"
    found = [
        feed("bacs").take("BACS18.000001.txt", text.encode(), book, standalone=True) for text in (returned, as_debit)
    ]
    assert [(judged.refused, judged.facts.credits.pence) for judged in found] == [(None, 8939), (None, 0)]


def test_several_accounts_of_a_bank_file_have_a_trailer_each(book: Book) -> None:
    volume, _, rest = BANK_FILE.partition("\n")
    judged = feed("bacs").take("BACS18.000001.txt", f"{volume}\n{rest}{rest}".encode(), book, standalone=True)
    assert (judged.refused, len(judged.facts.controls), judged.facts.debits.pence) == (None, 8, 2 * 288615)


# unpaid items


def collected(book: Book, debt: MakeDebt, *lines: Line) -> None:
    debt(REF)
    take(submission(*(lines or [Line()])), book)


def test_an_unpaid_item_takes_its_collection_back(book: Book, debt: MakeDebt) -> None:
    collected(book, debt)
    judged = advise(arudd(item(ref=f" {REF} ")), book)
    assert judged.facts.canonical == {"advice": "001"}
    assert judged.verdicts["001/2026-03-16/1"].canonical == {
        "type": "reversal", "source": "ARUDD", "amount_pence": -1000, "value_date": "2026-03-16", "debt_ref": REF,
        "of": "000101/1", "reason": "0128",
    }  # fmt: skip
    assert book.balance(book.debt(REF) or debt(REF)) == 10000


def test_what_was_in_suspense_goes_back_from_suspense(book: Book) -> None:
    take(submission(Line(reference="NOBODY")), book)
    (verdict,) = advise(arudd(item(ref="NOBODY")), book).verdicts.values()
    assert verdict.canonical is not None
    assert (verdict.canonical["suspense"], verdict.canonical["debt_ref"]) == (True, None)


@pytest.mark.parametrize("given", [{"ref": "OTHER"}, {"originalProcessingDate": "2026-03-10"}, {"valueOf": "10.01"}])
def test_an_item_without_its_collection_needs_a_person(book: Book, debt: MakeDebt, given: dict[str, str]) -> None:
    collected(book, debt)
    judged = advise(arudd(item(**given), totals=(1, given.get("valueOf", "10.00"))), book)
    assert list(judged.outcomes.values()) == [("EXCEPTION", "UNPAID_NO_ORIGINAL")]
    assert book.changes.reversals == []


def test_an_item_in_another_currency_takes_nothing_back(book: Book, debt: MakeDebt) -> None:
    collected(book, debt)
    assert list(advise(arudd(item(currency="EUR")), book).outcomes.values()) == [("EXCEPTION", "CURRENCY")]


def test_the_oldest_collection_goes_back_first_and_each_once(book: Book, debt: MakeDebt) -> None:
    collected(book, debt, Line(), Line())
    judged = advise(arudd(item(), item(), item()), book)
    assert [verdict.canonical and verdict.canonical["of"] for verdict in judged.verdicts.values()] == [
        "000101/1", "000101/2", None,
    ]  # fmt: skip
    assert judged.outcomes["001/2026-03-16/3"] == ("EXCEPTION", "UNPAID_NO_ORIGINAL")


def test_the_same_in_another_advice_is_a_repeat_once_all_are_taken_back(book: Book, debt: MakeDebt) -> None:
    collected(book, debt, Line(), Line())
    advise(arudd(item()), book)
    second = advise(arudd(item(), number="002", day="2026-03-17"), book)
    assert list(second.outcomes.values()) == [("LOADED", None)]
    third = advise(arudd(item(), number="003", day="2026-03-18"), book)
    assert list(third.outcomes.values()) == [("DUPLICATE", None)]
    other_reason = advise(arudd(item(returnCode="1016"), number="004", day="2026-03-19"), book)
    assert list(other_reason.outcomes.values()) == [("EXCEPTION", "UNPAID_NO_ORIGINAL")]


def test_an_advice_that_comes_again_under_another_name_changes_nothing(book: Book, debt: MakeDebt) -> None:
    collected(book, debt, Line(), Line())
    advise(arudd(item()), book)
    assert list(advise(arudd(item()), book, number=2).outcomes.values()) == [("DUPLICATE", None)]
    assert len(book.changes.reversals) == 1


def test_a_payer_who_died_is_noted_and_holds_nothing(book: Book, debt: MakeDebt) -> None:
    collected(book, debt)
    (verdict,) = advise(arudd(item(returnCode="1013")), book).verdicts.values()
    assert verdict.canonical is not None
    assert verdict.canonical["life_event"] == "DEATH_NOTIFIED"
    noted = [note.about for note in book.changes.notes.values() if note.kind == "life_event"]
    assert noted == [REF]
    assert (book.debt(REF) or debt(REF)).holds == ()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (arudd(item(), user="999902"), "WRONG_ADDRESSEE"),
        (arudd(item(), totals=(2, "10.00")), "CONTROL_TOTAL"),
        (arudd(item(), totals=(1, "10.01")), "CONTROL_TOTAL"),
        (arudd(item(valueOf="10.0"), totals=(1, "10.00")), "XML_SCHEMA"),
        (arudd(item(valueOf="1,000.00")), "XML_SCHEMA"),
        (arudd(item(originalProcessingDate="09/03/2026")), "XML_SCHEMA"),
        (arudd(item(), day="2026"), "XML_SCHEMA"),
        (arudd(item(), day="2026-02-30"), "XML_SCHEMA"),
        (arudd(item()).replace(b' ref="DM', b' reff="DM'), "XML_SCHEMA"),
        (arudd(item()).replace(b"<Totals", b"<Total"), "XML_SCHEMA"),
        (arudd(item()).replace(b"ARUDD>", b"OTHER>"), "XML_SCHEMA"),
        (arudd(item()).replace(b"<BACSDocument", b"<BACSDocument xmlns='urn:x'"), "XML_NAMESPACE"),
        (arudd(item()).replace(b"BACSDocument", b"Document"), "XML_NAMESPACE"),
        (arudd(item())[:-5], "XML_INVALID"),
        (b"<!DOCTYPE x>" + arudd(item()), "XML_DTD"),
        (b"<?xml version='1.0' encoding='UTF-7'?>" + arudd(item()), "XML_INVALID"),
        (b"<BACSDocument>" + b"<a>" * 100 + b"</a>" * 100 + b"</BACSDocument>", "XML_INVALID"),
        (b"", "XML_INVALID"),
        (messaging("ADDACS", {}, user="999902"), "WRONG_ADDRESSEE"),
        (messaging("ADDACS", {"effective-date": "soon"}), "XML_SCHEMA"),
        (messaging("ADDACS", {}).replace(b"aosn", b"aosm"), "XML_SCHEMA"),
        (messaging("ADDACS", {}).replace(b"<MessagingHeader", b"<Header"), "XML_SCHEMA"),
    ],
)
def test_a_faulty_advice_is_refused_as_a_whole(book: Book, content: bytes, code: str) -> None:
    assert advise(content, book).refused == code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_an_advice_may_be_in_any_agreed_encoding(book: Book, debt: MakeDebt, encoding: str) -> None:
    collected(book, debt)
    declared = f"<?xml version='1.0' encoding='{encoding}'?>" + arudd(item(ref=f"{REF} é")).decode()
    assert advise(declared.encode(encoding), book).refused is None


def test_an_advice_for_anybody_is_judged_by_its_totals_alone(book: Book) -> None:
    content = arudd(item(currency="EUR"), user="123456").replace(b" sortCode=", b" other=")
    judged = feed("bacs").take("BACSADV.20260316.1.xml", content, book, standalone=True)
    assert judged.refused is None
    assert [(one.expected, one.actual) for one in judged.facts.controls] == [(1, 1), (1000, 1000)]
    assert (judged.facts.debits.count, judged.facts.debits.pence) == (1, 1000)


# what banks say of instructions


@pytest.mark.parametrize(
    ("kind", "reasons", "status"),
    [
        ("ADDACS", "012", "CANCELLED"),
        ("ADDACS", "3C", "TRANSFERRED"),
        ("ADDACS", "B", "CLOSED"),
        ("ADDACS", "D", "DISPUTED"),
        ("ADDACS", "E", "AMENDED"),
        ("ADDACS", "R", "REINSTATED"),
        ("AUDDIS", "12", "CANCELLED"),
        ("AUDDIS", "3C", "TRANSFERRED"),
        ("AUDDIS", "B", "CLOSED"),
        ("AUDDIS", "567FGHIKLMNOPQ", "NOT_ACCEPTED"),
        ("ADDACS", "45678AFGHIKLMNOPQ", None),
        ("AUDDIS", "0489ADER", None),
    ],
)
def test_each_reason_gives_the_mandate_its_status(
    book: Book, debt: MakeDebt, kind: str, reasons: str, status: str | None
) -> None:
    debt(REF)
    verdicts = advise(messaging(kind, *({"reason-code": reason} for reason in reasons)), book).verdicts
    found = {verdict.canonical["mandate_status"] if verdict.canonical else None for verdict in verdicts.values()}
    assert found == {status}
    assert {verdict.reason for verdict in verdicts.values()} == {None if status else "UNKNOWN_CODE"}


@pytest.mark.parametrize(
    ("kind", "given", "outcome"),
    [
        ("ADDACS", {"reference": "NOBODY"}, ("EXCEPTION", "UNMATCHED")),
        ("ADDACS", {"reference": "NOBODY", "reason-code": "?"}, ("EXCEPTION", "UNMATCHED")),
        ("ADDACS", {"record-type": "N"}, ("EXCEPTION", "UNKNOWN_CODE")),
        ("ADDACS", {"effective-date": "2026-02-30"}, ("EXCEPTION", "DATE_INVALID")),
        ("ADDACS", {"effective-date": "9999-12-31"}, ("LOADED", None)),
        ("AUDACC", {"reference": "", "reason-code": ""}, ("EXCLUDED", "FILE_REPORT")),
        ("AUDREJ", {"record-type": "R"}, ("EXCLUDED", "FILE_REPORT")),
        ("DDICA", {}, ("EXCEPTION", "UNKNOWN_CODE")),
    ],
)
def test_each_advice_has_the_outcome_of_its_kind(
    book: Book, debt: MakeDebt, kind: str, given: dict[str, str], outcome: tuple[str, str | None]
) -> None:
    debt(REF)
    assert advise(messaging(kind, given), book).outcomes == {"BACSADV.20260316.1.xml/1": outcome}


def test_a_death_is_noted_and_bank_details_stay_with_the_mandate(book: Book, debt: MakeDebt) -> None:
    debt(REF)
    given = {"reason-code": "2", "payer-new-sort-code": "000077", "payer-new-account-number": "00099999"}
    (verdict,) = advise(messaging("ADDACS", given), book).verdicts.values()
    assert verdict.canonical == {
        "type": "mandate", "debt_ref": REF, "mandate_status": "CANCELLED", "effective_date": "2026-03-18",
        "life_event": "DEATH_NOTIFIED",
    }  # fmt: skip
    mandate = next(note for note in book.changes.notes.values() if note.kind == "mandate")
    assert (mandate.about, mandate.value["new_account"], mandate.value["payer_sort_code"]) == (
        REF,
        "00099999",
        "000088",
    )


# property


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.integers(1, 2)), max_size=12))
def test_what_unpaid_items_take_back_is_never_more_than_was_collected(steps: list[tuple[bool, int, int]]) -> None:
    """Any order of collections (3 amounts, 2 references, one of them unknown) and unpaid items of the same."""
    book = Book(EmptyShelf())
    book.put(plain_debt(REF))
    for number, (collects, amount, who) in enumerate(steps):
        reference = REF if who == 1 else "NOBODY"
        serial = f"{number:06d}"
        if collects:
            content = submission(Line(pence=amount * 100, reference=reference), serial=serial)
            take(content, book, name=f"BACS18.{serial}.txt")
        else:
            pounds = f"{amount}.00"
            advise(arudd(item(ref=reference, valueOf=pounds), number=serial, totals=(1, pounds)), book, number=number)
    posted = {receipt.key: receipt for receipt in book.changes.receipts}
    taken = [reversal.receipt.key for reversal in book.changes.reversals]
    assert len(taken) == len(set(taken))
    assert all(
        reversal.amount_pence == -posted[reversal.receipt.key].amount_pence for reversal in book.changes.reversals
    )
    left = [receipt for key, receipt in posted.items() if key not in taken and receipt.debt_ref == REF]
    assert book.balance(plain_debt(REF)) == 10000 - sum(receipt.amount_pence for receipt in left)
