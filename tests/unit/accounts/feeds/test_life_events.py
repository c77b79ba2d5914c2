"""Life events: files as a whole, and events by the checks in their order."""

from datetime import date
from html import escape

import pytest

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Hold, JointDebtor
from integrationhub.accounts.people import NAME, person_note
from tests.unit.accounts.conftest import MakeDebt
from tests.unit.accounts.feeds.files import NOON, Files
from tests.unit.accounts.feeds.messages import said

NAMED = "LIFE.000001.20260320.xml"
REF, NINO = "DM0010000017", "QQ000001A"
SPACE = "urn:example:life-events:1"


@pytest.fixture(scope="module")
def feed() -> Files:
    return Files("life-events")


def event(number: int = 1, type: str = "DEATH", *, details: dict[str, str] | None = None, **changes: str) -> str:  # noqa: A002 - the attribute's name
    """An event; `changes` of its attributes, or else of its person (an attribute or an element)."""
    own = {"id": f"LE{number}", "type": type, "action": "NOTIFY", "status": "VERIFIED", "effective": "2026-03-09"}
    person = {"nino": NINO, "dob": "1970-01-01"}
    inside = {"Surname": "Testcase"}
    for name, value in changes.items():
        next((part for part in (own, person, inside) if name in part), inside)[name] = value
    given = {name: value for name, value in person.items() if value}
    body = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in inside.items())
    detail = "".join(f'<Detail name="{name}">{escape(value)}</Detail>' for name, value in (details or {}).items())
    return f"<Event {_attributes(own)}><Person {_attributes(given)}>{body}</Person>{detail}</Event>"


def _attributes(values: dict[str, str]) -> str:
    return " ".join(f'{name}="{escape(value)}"' for name, value in values.items())


def document(*events: str, count: str | None = None, root: str = "LifeEvents", **changes: str) -> bytes:
    own = {"xmlns": SPACE, "seq": "000001", "created": "2026-03-20", "count": count or str(len(events)), **changes}
    shown = _attributes({name: value for name, value in own.items() if value != "-"})
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} {shown}>{"".join(events)}</{root}>'.encode()


def take(feed: Files, book: Book, *events: str) -> list[str]:
    return [said(verdict) for verdict in feed.take(NAMED, document(*events), book)]


DTD = '<!DOCTYPE x [<!ENTITY a "b">]>'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (document(), None),
        (document(event()), None),
        (document(event()).decode().replace("UTF-8", "ISO-8859-1").encode("latin-1"), None),
        (document(event()).decode().replace("UTF-8", "UTF-16").encode("utf-16"), None),
        (document(event()).replace(b"?>", b"?>" + DTD.encode()), "XML_DTD"),
        (document(event()).replace(b"UTF-8", b"UTF-7"), "XML_INVALID"),
        (document(event())[:-3], "XML_INVALID"),
        (b"", "XML_INVALID"),
        (document("<a>" * 64 + "</a>" * 64, count="0"), "XML_INVALID"),
        (document(event(), root="Events"), "XML_NAMESPACE"),
        (document(event(), xmlns="urn:example:life-events:2"), "XML_NAMESPACE"),
        (document(event(), xmlns="urn:example:life-events:2")[:-3], "XML_INVALID"),
        (document(event(), seq="-"), "XML_SCHEMA"),
        (document(event(), count="one"), "XML_SCHEMA"),
        (document(event(), created="yesterday"), "XML_SCHEMA"),
        (document(event(), created="-"), None),
        (document(event().replace(' status="VERIFIED"', "")), "XML_SCHEMA"),
        (document(event().replace("<Surname>Testcase</Surname>", "")), "XML_SCHEMA"),
        (document("<Event/>", seq="000002"), "XML_SCHEMA"),
        (document(event(), seq="000002", count="7"), "HEADER_INVALID"),
        (document(event(), count="2"), "CONTROL_COUNT"),
    ],
)
def test_a_file_that_is_not_in_order_is_refused_as_a_whole(feed: Files, content: bytes, expected: str | None) -> None:
    assert feed.refusal(NAMED, content) == expected


ADDRESS = {"pao": "7", "postcode": "ZZ9 9ZZ"}
CHILD = {"childDob": "2026-03-02", "childSurname": "Babe", "childForenames": "Test"}
WIDOW = {"deceasedNino": "QQ000009A", "deceasedDate": "2026-03-01"}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (event(type="WEDDING", effective="x"), "EXCEPTION UNKNOWN_CODE"),
        (event(action="FORGET"), "EXCEPTION UNKNOWN_CODE"),
        (event(status="GUESSED"), "EXCEPTION UNKNOWN_CODE"),
        (event(Surname="a\x85b", effective="2026-02-30"), "EXCEPTION TEXT_CONTROL_CHAR"),
        (event(Surname="Testcase\x85"), "EXCEPTION TEXT_CONTROL_CHAR"),
        (event(effective="2026-02-30", nino="X"), "EXCEPTION DATE_INVALID"),
        (event(dob="01/01/1970"), "EXCEPTION DATE_INVALID"),
        (event(effective="2026-03-20"), "LOADED"),
        (event(effective="2026-03-21"), "EXCEPTION DATE_INVALID"),
        (event(effective="1969-12-31"), "EXCEPTION DATE_INVALID"),
        (event(type="BIRTH", effective="2026-04-20", details=CHILD), "LOADED"),
        (event(type="BIRTH", effective="2026-04-21", details=CHILD), "EXCEPTION DATE_INVALID"),
        (event(type="BIRTH", details={**CHILD, "childDob": "2026-13-01"}), "EXCEPTION DATE_INVALID"),
        (event(nino="QQ00001A", dob="1911-11-11"), "EXCEPTION NINO_FORMAT"),
        (event(nino="QQ000003A"), "EXCLUDED NOT_A_DEBTOR"),
        (event(dob=""), "LOADED"),
        (event(dob="1911-11-11", Surname="TEST-case"), "EXCEPTION DOB_CONFLICT"),
        (event(dob="1911-11-11", Surname="Other"), "EXCEPTION IDENTITY_CONFLICT"),
        (event(nino="", Postcode="zz11aa"), "EXCEPTION IDENTITY_WEAK"),
        (event(nino="TN010170M", Postcode="ZZ1 1AA"), "EXCEPTION IDENTITY_WEAK"),
        (event(nino="", Postcode="ZZ1 1AB"), "EXCLUDED NOT_A_DEBTOR"),
        (event(nino=""), "EXCLUDED NOT_A_DEBTOR"),
        (event(nino="", dob="", Postcode="ZZ1 1AA"), "EXCLUDED NOT_A_DEBTOR"),
        (event(type="BEREAVEMENT", details={"deceasedNino": "QQ000009A"}), "EXCEPTION DETAIL_MISSING"),
        (event(type="BEREAVEMENT", details=WIDOW), "LOADED"),
        (event(type="NAME_CHANGE", details={"newSurname": " "}), "EXCEPTION DETAIL_MISSING"),
        (event(type="ADDRESS_CHANGE", details={"pao": "7"}), "EXCEPTION DETAIL_MISSING"),
        (event(type="ADDRESS_CHANGE", details={"postcode": "ZZ9 9ZZ", "street": "x"}), "EXCEPTION DETAIL_MISSING"),
        (event(type="ADDRESS_CHANGE", details={"postcode": "ZZ9 9ZZ", "sao": "1"}), "LOADED"),
        (event(type="BIRTH", details={"childDob": "2026-03-02"}), "EXCEPTION DETAIL_MISSING"),
        (event(action="RETRACT"), "EXCEPTION RETRACT_UNKNOWN"),
        (event(type="BIRTH", action="RETRACT", details=CHILD), "EXCEPTION RETRACT_UNKNOWN"),
    ],
)
def test_checks_are_made_in_the_order_of_the_document(
    feed: Files, book: Book, debt: MakeDebt, told: str, expected: str
) -> None:
    debt(REF, nino=NINO)
    assert take(feed, book, told) == [expected]


def test_the_same_event_in_another_spelling_is_a_repeat_and_another_with_its_id_a_conflict(
    feed: Files, book: Book, debt: MakeDebt
) -> None:
    debt(REF, nino=NINO)
    spaced = event().replace('id="LE1" type="DEATH"', 'type="DEATH"   id="LE1"').replace(">Testcase<", ">\n Testcase <")
    assert take(feed, book, event(), spaced, event(effective="2026-03-08")) == [
        "LOADED", "DUPLICATE", "EXCEPTION KEY_CONFLICT",
    ]  # fmt: skip


def holds(book: Book, ref: str = REF) -> tuple[Hold, ...]:
    debt = book.debt(ref)
    assert debt is not None
    return debt.holds


def test_a_death_holds_the_debtors_debts_and_counts_open_ones(feed: Files, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    debt("DM0010000024", nino=NINO, status="CLEARED")
    debt("DM0010000031", joint=(JointDebtor(nino=NINO, share=0, role="P"),))
    (verdict,) = feed.take(NAMED, document(event(Surname="Newly")), book)
    assert verdict.canonical == {
        "type": "life_event", "kind": "DEATH", "status": "VERIFIED", "effective_date": "2026-03-09", "nino": NINO,
        "holds_set": 1,
    }  # fmt: skip
    assert set(verdict.flags) == {"JOINT_DEBTOR", "SURNAME_DIFFERS"}
    hold = Hold(code="DE", start=date(2026, 3, 9), end=None, origin="life-events")
    assert [holds(book, ref) for ref in (REF, "DM0010000024", "DM0010000031")] == [(hold,), (hold,), ()]
    assert NINO not in str(book.changes.told)


def test_a_verified_death_stands_and_a_notified_one_gives_way(feed: Files, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    told = [
        event(1, status="NOTIFIED", effective="2026-03-01"), event(2, status="NOTIFIED", effective="2026-03-03"),
        event(3, effective="2026-03-02"), event(4, effective="2026-03-02"), event(5, effective="2026-03-03"),
        event(6, status="NOTIFIED", effective="2026-03-03"), event(7, status="NOTIFIED", effective="2026-03-02"),
    ]  # fmt: skip
    verdicts = feed.take(NAMED, document(*told), book)
    assert [" ".join([said(verdict), *verdict.flags]) for verdict in verdicts] == [
        "LOADED", "LOADED", "LOADED", "LOADED ALREADY_KNOWN", "EXCEPTION DEATH_DATE_CONFLICT",
        "EXCEPTION DEATH_DATE_CONFLICT", "LOADED ALREADY_KNOWN",
    ]  # fmt: skip
    assert [hold.start for hold in holds(book)] == [date(2026, 3, 2)]


def test_a_retracted_death_ends_the_holds_that_it_set_and_no_other(feed: Files, book: Book, debt: MakeDebt) -> None:
    own = Hold(code="DE", start=date(2026, 3, 1), end=None, origin="debt-manager")
    debt(REF, nino=NINO, holds=(own,))
    (_, retracted, again) = feed.take(
        NAMED, document(event(1), event(2, action="RETRACT"), event(3, action="RETRACT")), book
    )
    assert retracted.canonical == {
        "type": "life_event", "kind": "DEATH_RETRACTED", "status": "VERIFIED", "effective_date": "2026-03-09",
        "nino": NINO,
    }  # fmt: skip
    assert said(again) == "EXCEPTION RETRACT_UNKNOWN"
    assert holds(book) == (own,)
    assert take(feed, book, event(4, effective="2026-03-05")) == ["LOADED"]


def test_other_events_are_retracted_only_where_one_was_loaded(feed: Files, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    moves = [event(n, type="ADDRESS_CHANGE", action=a, details=ADDRESS) for n, a in ((1, "NOTIFY"), (2, "RETRACT"))]
    assert take(feed, book, *moves) == ["LOADED", "LOADED"]


def test_a_bereavement_tells_whether_the_dead_was_a_debtor(feed: Files, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    debt("DM0010000024", nino="QQ000009A")
    (verdict,) = feed.take(NAMED, document(event(type="BEREAVEMENT", details=WIDOW)), book)
    assert set(verdict.flags) == {"DECEASED_IS_DEBTOR"}
    assert not holds(book, "DM0010000024")


def test_an_older_name_is_history_and_the_current_one_is_compared(feed: Files, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    new, old = (
        event(number, type="NAME_CHANGE", effective=day, details={"newSurname": name})
        for number, day, name in ((1, "2026-02-14", "Newtest"), (2, "2026-02-13", "Oldtest"))
    )
    born = event(3, type="BIRTH", Surname="Newtest", details=CHILD)
    verdicts = feed.take(NAMED, document(new, old, born), book)
    assert [set(verdict.flags) for verdict in verdicts] == [set(), {"HISTORIC", "SURNAME_DIFFERS"}, set()]
    held = person_note(NAME, NINO, book)
    assert held is not None
    assert held["surname"] == "Newtest"


def test_a_birth_date_that_is_none_is_flagged(feed: Files, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    (verdict,) = feed.take(NAMED, document(event(dob="1900-01-01")), book)
    assert set(verdict.flags) == {"DOB_SENTINEL"}


def test_events_of_a_file_are_numbered_with_their_places(feed: Files) -> None:
    content = document(event(1), event(2))
    units = feed.units(NAMED, content)
    assert [(unit.key, unit.record, unit.as_at) for unit in units] == [
        ("LE1", 1, date(2026, 3, 20)), ("LE2", 2, date(2026, 3, 20)),
    ]  # fmt: skip
    assert all(content[unit.offset :].startswith(b"<Event") for unit in units)
    assert units[0].at == NOON
