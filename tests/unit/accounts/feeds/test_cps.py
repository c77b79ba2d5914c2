"""The connector cps: deductions from benefit, recalls, and reasons for none (payments.md §6)."""

from dataclasses import dataclass, field, replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import JointDebtor
from integrationhub.accounts.feeds.cps import SOURCE
from tests.unit.accounts.conftest import EmptyShelf, MakeDebt
from tests.unit.accounts.feeds.in_memory import Judged, feed
from tests.unit.accounts.feeds.plain_debt import plain_debt

NAME = "CPS.RETURNS.000001.2026061.dat"
REF = "DM0010000017"
OWN = "QQ123456A"


def ebcdic(text: str) -> bytes:
    return text.encode("cp1146")


def packed(number: int, length: int, *, sign: str = "") -> bytes:
    return bytes.fromhex(f"{abs(number):0{2 * length - 1}d}{sign or ('D' if number < 0 else 'C')}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A detail record. `patches`: bytes by offset (from 0) that stand in the place of what follows from the rest."""

    key: int = 1
    kind: str = "D"
    nino: str = OWN
    surname: str = "Testcase"
    reference: str = REF
    day: int = 126062
    pence: int = 1000
    original: int = 0
    reason: str = ""
    patches: dict[int, bytes] = field(default_factory=dict)

    def content(self) -> bytes:
        whole = b"".join([
            ebcdic(f"50{self.key:015d}{self.kind}{self.nino:9}{self.surname:20}{self.reference:20}ESA"),
            packed(self.day, 4, sign="F"), packed(self.pence, 5),
            ebcdic(f"{self.original:015d}2026020120260228{self.reason:2}+000003824{'':38}"),
        ])  # fmt: skip
        for offset, patch in self.patches.items():
            whole = whole[:offset] + patch + whole[offset + len(patch) :]
        return whole


def header(*, sequence: int = 1, day: int = 126061, file_id: str = "CPSRETRN", layout: str = "03") -> bytes:
    return ebcdic(f"01{file_id}{sequence:06d}") + packed(day, 4, sign="F") + ebcdic(f"{layout}{'':138}")


def trailer(details: list[Detail], *, sequence: int = 1, count: int | None = None, more: int = 0) -> bytes:
    deductions, recalls = (sum(one.pence for one in details if one.kind == kind) for kind in "DR")
    number = len(details) if count is None else count
    totals = packed(deductions + more, 7) + packed(recalls, 7)
    return ebcdic(f"99{sequence:06d}") + number.to_bytes(4, "big") + totals + ebcdic(" " * 134)


def remittance(*details: Detail, sequence: int = 1, day: int = 126061) -> bytes:
    own = list(details)
    body = b"".join(one.content() for one in own)
    return header(sequence=sequence, day=day) + body + trailer(own, sequence=sequence)


def take(content: bytes, book: Book, name: str = NAME, *, records: int | None = None) -> Judged:
    return feed("cps").take(name, content, book, records=records)


def only(*details: Detail, book: Book) -> list[tuple[str, str | None]]:
    return list(take(remittance(*details), book).outcomes.values())


def test_a_deduction_is_a_receipt(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=OWN)
    judged = take(remittance(Detail()), book, records=3)
    assert judged.facts.canonical == {"seq": 1, "deductions_pence": 1000, "recalls_pence": 0}
    assert (judged.facts.sequence, judged.facts.as_at) == (1, date(2026, 3, 2))
    assert judged.verdicts["000000000000001"].canonical == {
        "type": "receipt", "source": "CPS", "amount_pence": 1000, "value_date": "2026-03-03", "debt_ref": REF,
    }  # fmt: skip


# the file

FIRST, LAST = header(), trailer([Detail()])
BODY = Detail().content()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (remittance(Detail())[:-1], "LENGTH_NOT_MULTIPLE"),
        (FIRST + BODY + BODY + LAST, "RECORD_COUNT"),
        (BODY + BODY + LAST, "HEADER_INVALID"),
        (header(file_id="OTHERFIL") + BODY + LAST, "HEADER_INVALID"),
        (header(layout="04") + BODY + LAST, "HEADER_INVALID"),
        (header(sequence=2) + BODY + LAST, "HEADER_INVALID"),
        (header(day=126062) + BODY + LAST, "HEADER_INVALID"),
        (FIRST + BODY + BODY, "TRAILER_INVALID"),
        (FIRST + FIRST + LAST, "TRAILER_INVALID"),
        (FIRST + LAST + LAST, "TRAILER_INVALID"),
        (FIRST + BODY + trailer([Detail()], sequence=2), "TRAILER_INVALID"),
        (FIRST + ebcdic("51") + BODY[2:] + LAST, "RECORD_TYPE_UNKNOWN"),
        (FIRST + BODY + trailer([Detail()], count=2), "CONTROL_COUNT"),
        (FIRST + BODY + trailer([Detail()], more=1), "CONTROL_TOTAL"),
        (FIRST + BODY + trailer([Detail(kind="R")]), "CONTROL_TOTAL"),
        (remittance(Detail(patches={74: b"\xaa"})), "CONTROL_TOTAL"),
        (remittance(Detail(patches={74: b"\x40\x40\x40\x40\x40"})), "CONTROL_TOTAL"),
        (remittance(Detail(patches={74: bytes(5)})), "CONTROL_TOTAL"),
    ],
)
def test_a_faulty_file_is_refused_as_a_whole(book: Book, content: bytes, code: str) -> None:
    assert take(content, book, records=3).refused == code


def test_the_name_of_a_file_must_have_a_day(book: Book) -> None:
    content = remittance(Detail(), day=126366)
    assert take(content, book, name="CPS.RETURNS.000001.2026366.dat").refused == "HEADER_INVALID"


# the records


@pytest.mark.parametrize(
    ("detail", "outcome", "suspended"),
    [
        (Detail(patches={2: b"\x40"}), ("REJECTED", "PACKED_INVALID"), False),
        (Detail(patches={112: b"\x40"}), ("REJECTED", "PACKED_INVALID"), False),
        (Detail(patches={112: b"\x40" * 10}), ("REJECTED", "PACKED_INVALID"), False),
        (Detail(patches={79: b"\xc1"}), ("REJECTED", "PACKED_INVALID"), False),
        (Detail(patches={70: b"\xaa"}), ("REJECTED", "PACKED_INVALID"), False),
        (Detail(patches={94: b"\x40" * 8}), ("LOADED", None), False),
        (Detail(patches={94: bytes(8)}), ("LOADED", None), False),
        (Detail(kind="X"), ("EXCEPTION", "UNKNOWN_CODE"), False),
        (Detail(day=0), ("EXCEPTION", "DATE_INVALID"), True),
        (Detail(day=126366), ("EXCEPTION", "DATE_INVALID"), True),
        (Detail(day=1), ("EXCEPTION", "DATE_INVALID"), True),
        (Detail(patches={70: b"\x40" * 4}), ("EXCEPTION", "DATE_INVALID"), True),
        (Detail(patches={70: bytes(4)}), ("EXCEPTION", "DATE_INVALID"), True),
        (Detail(kind="R", day=0), ("EXCEPTION", "DATE_INVALID"), False),
        (Detail(pence=0), ("EXCEPTION", "AMOUNT_RANGE"), False),
        (Detail(pence=-1), ("EXCEPTION", "AMOUNT_RANGE"), False),
        (Detail(kind="R", pence=0), ("EXCEPTION", "AMOUNT_RANGE"), False),
        (Detail(kind="N", pence=1), ("EXCEPTION", "AMOUNT_RANGE"), False),
        (Detail(patches={30: b"\x07"}), ("EXCEPTION", "TEXT_CONTROL_CHAR"), True),
        (Detail(patches={27: bytes(20)}), ("LOADED", None), False),
        (Detail(nino="", reference="NOBODY"), ("EXCEPTION", "UNMATCHED"), True),
        (Detail(nino="QQ999999A"), ("EXCEPTION", "NINO_MISMATCH"), True),
        (Detail(nino=""), ("LOADED", None), False),
        (Detail(reference=""), ("LOADED", None), False),
        (Detail(nino="QQ123456 "), ("LOADED", None), False),
        (Detail(kind="R", original=9), ("EXCEPTION", "REVERSAL_NO_ORIGINAL"), False),
    ],
)
def test_each_record_has_its_outcome_and_deducted_money_is_kept(
    book: Book, debt: MakeDebt, detail: Detail, outcome: tuple[str, str | None], suspended: bool
) -> None:
    debt(REF, nino=OWN)
    assert only(detail, book=book) == [outcome]
    assert [receipt.in_suspense for receipt in book.changes.receipts if receipt.in_suspense] == [True] * suspended


def test_money_without_a_day_has_that_of_the_file(book: Book) -> None:
    only(Detail(day=0), book=book)
    assert [receipt.value_date for receipt in book.changes.receipts] == [date(2026, 3, 2)]


@pytest.mark.parametrize(("day", "flags"), [(126092, set()), (126093, {"FUTURE_DATED"})])
def test_a_day_more_than_31_days_behind_the_file_is_flagged(
    book: Book, debt: MakeDebt, day: int, flags: set[str]
) -> None:
    debt(REF, nino=OWN)
    (verdict,) = take(remittance(Detail(day=day)), book).verdicts.values()
    assert (verdict.reason, set(verdict.flags)) == (None, flags)


def test_nothing_deducted_is_noted_with_its_reason(book: Book) -> None:
    (verdict,) = take(remittance(Detail(kind="N", pence=0, reason="NP")), book).verdicts.values()
    assert verdict.canonical == {"type": "nil_deduction", "reason": "NP"}


def test_a_joint_debtor_may_pay_and_a_debt_without_a_number_is_not_checked(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino="QQ111111A", joint=(JointDebtor(nino=OWN, share=5000, role="P"),))
    debt("DM0010000024")
    assert only(Detail(), Detail(key=2, reference="DM0010000024"), book=book) == [("LOADED", None)] * 2


def test_a_remittance_is_taken_once_and_its_number_stands_for_one_content(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=OWN)
    lost = Detail(key=2, reference="NOBODY", nino="")
    first = Detail()
    assert only(first, lost, book=book) == [("LOADED", None), ("EXCEPTION", "UNMATCHED")]
    assert only(first, lost, book=book) == [("DUPLICATE", None), ("DUPLICATE", None)]
    assert only(replace(first, pence=1001), replace(lost, pence=5), book=book) == [("EXCEPTION", "KEY_CONFLICT")] * 2
    assert only(replace(first, patches={130: b"\xc1"}), book=book) == [("DUPLICATE", None)]
    assert len(book.changes.receipts) == 2


def test_what_was_neither_loaded_nor_suspended_may_come_again(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=OWN)
    early = Detail(key=5, kind="R", original=1)
    assert only(early, book=book) == [("EXCEPTION", "REVERSAL_NO_ORIGINAL")]
    assert only(Detail(key=1), early, book=book) == [("LOADED", None), ("LOADED", None)]


def test_a_recall_takes_its_deduction_back_once_and_whole(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=OWN)
    take(remittance(Detail()), book)
    judged = take(
        remittance(
            Detail(key=2, kind="R", original=1, pence=999),
            Detail(key=3, kind="R", original=1, day=126065),
            Detail(key=4, kind="R", original=1),
        ),
        book,
    )
    assert [reason for _, reason in judged.outcomes.values()] == ["REVERSAL_NO_ORIGINAL", None, "REVERSAL_NO_ORIGINAL"]
    assert judged.verdicts["000000000000003"].canonical == {
        "type": "reversal", "source": "CPS", "amount_pence": -1000, "value_date": "2026-03-06", "debt_ref": REF,
        "of": "000000000000001",
    }  # fmt: skip
    assert book.balance(book.debt(REF) or plain_debt(REF)) == 10000


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("DR"), st.integers(1, 4), st.integers(1, 2)), max_size=15))
def test_recalls_undo_exactly_what_they_recall(steps: list[tuple[str, int, int]]) -> None:
    """Deductions and recalls in any order, of four numbers and two amounts, some of them twice."""
    book = Book(EmptyShelf())
    book.put(plain_debt(REF, nino=OWN))
    for kind, number, pounds in steps:
        key = number if kind == "D" else 100 + 10 * number + pounds
        only(Detail(key=key, kind=kind, original=number, pence=100 * pounds), book=book)
    receipts = {receipt.key: receipt for receipt in book.changes.receipts}
    assert len(receipts) == len(book.changes.receipts)
    recalled = [reversal.receipt.key for reversal in book.changes.reversals]
    assert len(recalled) == len(set(recalled))
    kept = sum(receipt.amount_pence for key, receipt in receipts.items() if key not in recalled)
    assert book.balance(book.debt(REF) or plain_debt(REF)) == 10000 - kept
    assert all(book.receipt(SOURCE, key) is not None for key in receipts)
