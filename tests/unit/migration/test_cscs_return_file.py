import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given

from integrationhub.errors import FileRejected, InvariantBroken
from integrationhub.migration.handover.cscs import ReturnFile, name_of
from integrationhub.migration.handover.notices import Action, FileHead, Kind, Notice, NoticeDebt
from tests.unit.migration.strategies import heads, notices

COPYBOOK = Path(__file__).parents[3] / "connectors" / "csa1993" / "csa1993-return.cpy"
RETURNS = ReturnFile(COPYBOOK.read_text())
HEAD = FileHead(sequence=7, created=date(2015, 7, 2))
CLOSE = Notice(
    notice_id=42,
    action=Action.CLOSE,
    case_ref="1000000001",
    source_group=1234,
    target_ref="121000000005",
    custodian=10_000,
    effective=date(2015, 7, 2),
    debts=(
        NoticeDebt(owner="RECEIVING_PARENT", outstanding=95_773, suspended=30_000),
        NoticeDebt(owner="SECRETARY_OF_STATE", outstanding=-3_981),
    ),
)


def written(found: list[Notice], head: FileHead = HEAD) -> bytes:
    target = io.BytesIO()
    RETURNS.write(target, head, found)
    return target.getvalue()


def read(content: bytes) -> tuple[FileHead, list[Notice]]:
    head, found = RETURNS.read(io.BytesIO(content))
    return head, list(found)


def packed(raw: bytes) -> int:
    text = raw.hex()
    return int(text[:-1]) * (-1 if text[-1] == "d" else 1)


def text(raw: bytes) -> str:
    return raw.decode("cp037")


@given(heads, notices(), notices(answered=True))
def test_what_is_written_is_read_back(head: FileHead, asked: list[Notice], answered: list[Notice]) -> None:
    for found in (asked, answered):
        assert read(written(found, head)) == (head, found)


def test_every_field_stands_at_the_byte_that_the_document_names() -> None:
    content = written([CLOSE])
    assert len(content) == 4 * 80
    header, first, second, trailer = (content[start : start + 80] for start in range(0, 320, 80))
    assert text(header) == "RHCSCS0020000072015" + "0702NOTICE" + " " * 51
    assert text(first[:2]) == "RD"
    assert text(first[2:12]) == "0000000042"
    assert text(first[12:13]) == "C"
    assert text(first[13:23]) == "1000000001"
    assert int.from_bytes(first[23:27]) == 1234
    assert [text(row[27:28]) for row in (first, second)] == ["R", "S"]
    assert text(first[28:40]) == "121000000005"
    assert [packed(row[40:46]) for row in (first, second)] == [95_773, -3_981]
    assert [packed(row[46:52]) for row in (first, second)] == [30_000, 0]
    assert [packed(row[52:58]) for row in (first, second)] == [10_000, 0]
    assert packed(first[58:62]) == 115_183
    assert text(first[62:]) == " " * 18
    assert text(trailer[:17]) == "RT000007000000002"
    assert [packed(trailer[start : start + 8]) for start in (17, 25, 33, 41)] == [95_773, -3_981, 30_000, 10_000]
    assert text(trailer[49:]) == " " * 31


def test_a_case_without_debt_has_one_detail_without_owner() -> None:
    bare = Notice(notice_id=1, action=Action.FREEZE, case_ref="1000000001", source_group=5, effective=date(2015, 7, 2))
    content = written([bare])
    assert text(content[80 + 27 : 80 + 28]) == " "
    assert read(content)[1] == [bare]


def test_a_file_may_hold_header_and_trailer_only() -> None:
    assert read(written([])) == (HEAD, [])


def test_a_file_is_named_after_its_day_and_number() -> None:
    assert name_of(HEAD) == "CSCS.RETURN.D20150702.S000007.dat"


def test_the_same_notices_give_the_same_bytes() -> None:
    assert written([CLOSE]) == written([CLOSE])


def cut(content: bytes, start: int, new: bytes) -> bytes:
    return content[:start] + new + content[start + len(new) :]


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda content: content[:-1], "LENGTH_NOT_MULTIPLE"),
        (lambda content: content[80:], "HEADER_INVALID"),
        (lambda content: cut(content, 2, "CS2X".encode("cp037")), "HEADER_INVALID"),
        (lambda content: cut(content, 6, "003".encode("cp037")), "HEADER_INVALID"),
        (lambda content: cut(content, 23, "LETTER".encode("cp037")), "HEADER_INVALID"),
        (lambda content: content[:-80], "TRAILER_INVALID"),
        (lambda content: content + content[-80:], "TRAILER_INVALID"),
        (lambda content: cut(content, 240 + 2, "000008".encode("cp037")), "TRAILER_INVALID"),
        (lambda content: cut(content, 80, "RX".encode("cp037")), "RECORD_TYPE_UNKNOWN"),
        (lambda content: cut(content, 80 + 40, b"\xff" * 6), "PACKED_INVALID"),
        (lambda content: cut(content, 240 + 8, "000000009".encode("cp037")), "CONTROL_COUNT"),
        (lambda content: cut(content, 240 + 17, bytes(7) + b"\x0c"), "CONTROL_TOTAL"),
        (lambda content: cut(content, 160 + 28, "121000000006".encode("cp037")), "NOTICE_INVALID"),
        (lambda content: cut(content, 80 + 62, "X".encode("cp037")), "NOTICE_INVALID"),
        (lambda content: cut(content, 80 + 12, "X".encode("cp037")), "NOTICE_INVALID"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_with_its_reason(damage: Callable[[bytes], bytes], code: str) -> None:
    with pytest.raises(FileRejected) as refused:
        read(damage(written([CLOSE])))
    assert refused.value.code == code


def test_an_answer_that_rejects_one_owner_rejects_the_notice() -> None:
    content = written([CLOSE], FileHead(sequence=1, created=date(2015, 7, 3), kind=Kind.ANSWER))
    content = cut(cut(content, 80 + 62, "A".encode("cp037")), 160 + 62, "JB".encode("cp037"))
    (answer,) = read(content)[1]
    assert (answer.status, answer.reason) == ("J", "B")


@pytest.mark.parametrize(
    "wrong",
    [
        [CLOSE, CLOSE],
        [Notice(notice_id=1, action=Action.CLOSE, case_ref="1000000001", source_group=5, effective=date(2015, 7, 2))],
        [
            Notice(
                notice_id=1,
                action=Action.FREEZE,
                case_ref="1000000001",
                source_group=5,
                custodian=1,
                effective=date(2015, 7, 2),
            )
        ],
    ],
)
def test_notices_that_the_document_forbids_are_not_written(wrong: list[Notice]) -> None:
    with pytest.raises(InvariantBroken):
        written(wrong)
