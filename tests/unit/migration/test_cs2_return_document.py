import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from lxml import etree

from integrationhub.errors import FileRejected
from integrationhub.migration.handover.cs2 import ReturnDocument, name_of
from integrationhub.migration.handover.notices import Action, FileHead, Notice, NoticeDebt
from tests.unit.migration.strategies import heads, notices

SCHEMA = (Path(__file__).parents[3] / "connectors" / "csa2003" / "csa2003-handover.xsd").read_text()
RETURNS = ReturnDocument(SCHEMA)
HEAD = FileHead(sequence=3, created=date(2015, 7, 2))
CLOSE = Notice(
    notice_id=9,
    action=Action.CLOSE,
    case_ref="QQ123456A/01",
    target_ref="121000000007",
    custodian=15_000,
    effective=date(2015, 7, 2),
    debts=(NoticeDebt(owner="RECEIVING_PARENT", outstanding=-11_322, suspended=5),),
)


def written(found: list[Notice], head: FileHead = HEAD) -> bytes:
    target = io.BytesIO()
    RETURNS.write(target, head, found)
    return target.getvalue()


def read(content: bytes) -> tuple[FileHead, list[Notice]]:
    head, found = RETURNS.read(io.BytesIO(content))
    return head, list(found)


@given(heads, notices(cs2=True), notices(cs2=True, answered=True))
def test_what_is_written_is_read_back(head: FileHead, asked: list[Notice], answered: list[Notice]) -> None:
    for found in (asked, answered):
        assert read(written(found, head)) == (head, found)


def test_the_document_is_valid_and_says_what_the_notice_says() -> None:
    root = etree.fromstring(written([CLOSE]))
    etree.XMLSchema(etree.fromstring(SCHEMA.encode())).assertValid(root)
    notice, control = root
    assert notice.attrib == {
        "noticeId": "0000000009", "action": "CLOSE", "caseRef": "QQ123456A/01", "targetRef": "121000000007",
        "custodian": "150.00", "effective": "2015-07-02",
    }  # fmt: skip
    assert dict(notice[0].attrib) == {"owner": "RECEIVING_PARENT", "outstanding": "-113.22", "suspended": "0.05"}
    assert dict(control.attrib) == {
        "notices": "1", "outstandingRP": "-113.22", "outstandingSOS": "0.00", "suspended": "0.05",
        "custodian": "150.00",
    }  # fmt: skip


def test_a_file_is_named_after_its_day_and_number() -> None:
    assert name_of(HEAD) == "CS2.RETURN.D20150702.S000003.xml"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"<CS2Return", b"<!DOCTYPE CS2Return [<!ENTITY x 'y'>]><CS2Return", "XML_DTD"),
        (b"</CS2Return>", b"", "XML_INVALID"),
        (b"cs2:return:1", b"cs2:return:2", "XML_NAMESPACE"),
        (b'kind="NOTICE"', b'kind="LETTER"', "XML_SCHEMA"),
        (b'action="CLOSE"', b'action="FORGET"', "XML_SCHEMA"),
        (b'notices="1"', b'notices="2"', "CONTROL_COUNT"),
        (b'outstandingRP="-113.22"', b'outstandingRP="113.22"', "CONTROL_TOTAL"),
    ],
)
def test_a_damaged_document_is_refused_with_its_reason(old: bytes, new: bytes, code: str) -> None:
    content = written([CLOSE])
    assert old in content
    with pytest.raises(FileRejected) as refused:
        read(content.replace(old, new))
    assert refused.value.code == code
