"""Return files of CS2: one XML document, UTF-8, not compressed (handover.md §3, csa2003-handover.xsd).

Written element by element; read in one stream that is validated against the schema on the way. A document type
declaration is refused before a parser sees it; nothing is ever resolved or fetched.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, BinaryIO

from lxml import etree

from integrationhub.decode.xml.prolog import SCANNED, has_doctype
from integrationhub.errors import FileRejected
from integrationhub.migration.handover.notices import Action, FileHead, Kind, Notice, NoticeDebt, Totals, in_order

NAMESPACE = "urn:synthetic:cs2:return:1"
ROOT, NOTICE, DEBT, CONTROL = (f"{{{NAMESPACE}}}{name}" for name in ("CS2Return", "Notice", "Debt", "Control"))
PIECE = 1 << 16


def name_of(head: FileHead) -> str:
    """The data file's name."""
    return f"CS2.RETURN.D{head.created:%Y%m%d}.S{head.sequence:06d}.xml"


class ReturnDocument:
    """Writes and reads files of one schema."""

    def __init__(self, schema: str) -> None:
        self._schema = etree.XMLSchema(etree.fromstring(schema.encode()))

    def write(self, target: BinaryIO, head: FileHead, notices: Iterable[Notice]) -> int:
        """Write a whole file and give its number of notices."""
        totals = Totals()
        attributes = {"sequence": str(head.sequence), "kind": head.kind.value, "created": head.created.isoformat()}
        with etree.xmlfile(target, encoding="UTF-8") as document:
            document.write_declaration()
            with document.element(ROOT, attributes, nsmap={None: NAMESPACE}):
                for notice in in_order(notices):
                    totals.add(notice.debts, custodian=notice.custodian, lines=1)
                    document.write(_element(notice))
                document.write(etree.Element(CONTROL, _control(totals)))
        target.write(b"\n")
        return totals.lines

    def read(self, source: BinaryIO) -> tuple[FileHead, Iterator[Notice]]:
        """What a file says of itself, and its notices as they are read; the schema and `Control` are judged when they
        are used up.

        FileRejected: `XML_DTD`, `XML_INVALID`, `XML_NAMESPACE`, `XML_SCHEMA`, `CONTROL_COUNT`, `CONTROL_TOTAL`;
        nothing that was read before counts then.
        """
        events = self._events(source)
        _, root = next(events, (None, None))
        if root is None:  # libxml2 with a schema passes over a document without any element
            raise FileRejected("the document has no root element", code="XML_INVALID")
        if root.tag != ROOT:
            raise FileRejected("the root element is not that of a return file", code="XML_NAMESPACE")
        try:
            kind, created = Kind(root.get("kind")), date.fromisoformat(root.get("created"))
            head = FileHead(sequence=int(root.get("sequence")), created=created, kind=kind)
        except (TypeError, ValueError) as exc:
            raise FileRejected("the root element lacks what it must say of the file", code="XML_SCHEMA") from exc
        return head, _notices(events)

    def records_in(self, _size: int) -> None:
        """Nothing: a document's size doesn't tell what is in it, its Control element does."""

    def _events(self, source: BinaryIO) -> "Iterator[tuple[str, Any]]":
        parser: Any = etree.XMLPullParser(
            events=("start", "end"),
            schema=self._schema,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        piece = source.read(SCANNED)
        if has_doctype(piece):
            raise FileRejected("a document type declaration; none is ever read", code="XML_DTD")
        try:
            while piece:
                parser.feed(piece)
                yield from parser.read_events()
                piece = source.read(PIECE)
            parser.close()
        except etree.XMLSyntaxError as exc:
            broken = any(entry.domain == etree.ErrorDomains.SCHEMASV for entry in exc.error_log)
            code = "XML_SCHEMA" if broken else "XML_INVALID"
            raise FileRejected(f"line {exc.lineno}: the document is not valid", code=code) from None


def _notices(events: "Iterator[tuple[str, Any]]") -> Iterator[Notice]:
    totals, control, whole = Totals(), None, False
    for event, element in events:
        if event != "end":
            continue
        if element.tag == NOTICE:
            notice = _valid_notice(element)
            totals.add(notice.debts, custodian=notice.custodian, lines=1)
            yield notice
            _forget(element)
        elif element.tag == CONTROL:
            control = dict(element.attrib)
        whole = element.tag == ROOT
    if not whole:  # libxml2 with a schema passes over a root that is never closed
        raise FileRejected("the document ends before its root element does", code="XML_INVALID")
    if control is None:
        raise FileRejected("the document has no Control element", code="XML_SCHEMA")
    expected = _control(totals)
    wrong = [name for name, value in expected.items() if _pence(control[name]) != _pence(value)]
    if wrong:
        code = "CONTROL_COUNT" if wrong[0] == "notices" else "CONTROL_TOTAL"
        raise FileRejected(f"Control's {wrong[0]} differs from what the notices add up to", code=code)


def _forget(element: Any) -> None:  # noqa: ANN401 - lxml ships no types
    """Drop what has been read, so that no tree grows."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _element(notice: Notice) -> Any:  # noqa: ANN401 - as above
    attributes = {
        "noticeId": f"{notice.notice_id:010d}",
        "action": notice.action.value,
        "caseRef": notice.case_ref,
        "targetRef": notice.target_ref,
        "custodian": pounds(notice.custodian) if notice.action is Action.CLOSE else None,
        "effective": notice.effective.isoformat(),
        "status": notice.status,
        "reason": notice.reason,
    }
    element = etree.Element(NOTICE, {name: value for name, value in attributes.items() if value is not None})
    for debt in sorted(notice.debts, key=lambda debt: debt.owner):
        figures = {"outstanding": pounds(debt.outstanding), "suspended": pounds(debt.suspended)}
        etree.SubElement(element, DEBT, {"owner": debt.owner, **figures})
    return element


def _valid_notice(element: Any) -> Notice:  # noqa: ANN401 - as above
    """The notice; libxml2 hands elements out before it says that they are not valid."""
    try:
        return _notice(element)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise FileRejected("a notice is not valid against the schema", code="XML_SCHEMA") from exc


def _notice(element: Any) -> Notice:  # noqa: ANN401 - as above
    values: Mapping[str, Any] = dict(element.attrib)
    return Notice(
        notice_id=int(values["noticeId"]),
        action=Action(values["action"]),
        case_ref=values["caseRef"],
        target_ref=values.get("targetRef"),
        custodian=_pence(values.get("custodian", "0")),
        effective=date.fromisoformat(values["effective"].strip()[:10]),
        debts=tuple(
            NoticeDebt(
                owner=debt.get("owner"),
                outstanding=_pence(debt.get("outstanding")),
                suspended=_pence(debt.get("suspended")),
            )
            for debt in element
        ),
        status=values.get("status"),
        reason=values.get("reason"),
    )


def _control(totals: Totals) -> dict[str, str]:
    return {
        "notices": str(totals.lines),
        "outstandingRP": pounds(totals.outstanding["RECEIVING_PARENT"]),
        "outstandingSOS": pounds(totals.outstanding["SECRETARY_OF_STATE"]),
        "suspended": pounds(totals.suspended),
        "custodian": pounds(totals.custodian),
    }


def pounds(pence: int) -> str:
    """Pence as decimal pounds, e.g. `-12.30`."""
    sign = "-" if pence < 0 else ""
    return f"{sign}{abs(pence) // 100}.{abs(pence) % 100:02d}"


def _pence(text: str) -> int:
    """Decimal pounds (xs:decimal with at most two places) as pence."""
    plain = text.strip()
    whole, _, part = plain.lstrip("+-").partition(".")
    value = int(whole or 0) * 100 + int(part.ljust(2, "0")[:2] or 0)
    return -value if plain.startswith("-") else value
