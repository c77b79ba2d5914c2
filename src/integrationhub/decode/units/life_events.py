"""Life events in XML as rows: one an event (life-events.md)."""

from collections.abc import Generator, Mapping, Sequence
from typing import BinaryIO

import polars as pl

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.json_fields import day_number
from integrationhub.decode.xml.attributes import day, whole
from integrationhub.decode.xml.children import BLANKS, Children, digest_parts
from integrationhub.decode.xml.stranger import XML_SCHEMA, XmlFault
from integrationhub.decode.xml.tree import Node
from integrationhub.records import DecodedBatch, Reason
from integrationhub.sdk.units import AT_ONCE, ControlFact, FileFacts, FileInHand, Options

TABLE = "Event"
NAMESPACE = "urn:example:life-events:1"
_ATTRIBUTES = ("id", "type", "action", "status", "effective")
_TEXTS = (
    "deceasedNino", "newSurname", "newForenames", "newTitle", "sao", "pao", "street", "locality", "town",
    "administrativeArea", "postcode", "childSurname", "childForenames",
)  # fmt: skip
_DAYS = ("deceasedDate", "childDob")
_COLUMNS: Mapping[str, pl.DataType] = {
    **dict.fromkeys(("id", "content", "type", "action", "status"), pl.String()),
    "effective": pl.Int64(),
    "nino": pl.String(),
    "dob": pl.Int64(),
    **dict.fromkeys(("surname", "forenames", "personPostcode", *_TEXTS), pl.String()),
    **dict.fromkeys(_DAYS, pl.Int64()),
}


class Decoder:
    """Reads files of life events."""

    layout: Mapping[str, Mapping[str, pl.DataType]] = {TABLE: _COLUMNS}

    def decode(self, stream: BinaryIO, file: FileInHand) -> Generator[DecodedBatch, None, FileFacts]:
        """See `UnitDecoder`."""
        events = Children(stream, namespace=NAMESPACE, root="LifeEvents")
        rows: list[dict[str, object]] = []
        count, fault = 0, None
        try:
            for event in events:
                if event.name != "Event":
                    continue
                count += 1
                fault = fault or _fault_of(event)
                rows.append({"_record": count, "_offset": event.offset, **_row(event)})
                if len(rows) >= AT_ONCE:
                    yield _batch(rows)
                    rows = []
        except XmlFault as exc:
            return FileFacts(structure=Reason(code=exc.code, text=exc.text, offset=exc.offset))
        if rows and fault is None:
            yield _batch(rows)
        return _facts(events.root, count, file, fault)


def build(_options: Options) -> Decoder:
    """The decoder of the feed."""
    return Decoder()


def _facts(root: Node, count: int, file: FileInHand, fault: Reason | None) -> FileFacts:
    said = root.attributes
    sequence, stated = whole(said.get("seq")), whole(said.get("count"))
    made = day(said.get("created", _with_hyphens(file.named["as_at"])))
    if sequence is None or stated is None or made is None:
        return FileFacts(structure=Reason(code=XML_SCHEMA, text="seq, count or created is missing or none"))
    if fault is not None:
        return FileFacts(structure=fault)
    if sequence != int(file.named["sequence"]):
        return FileFacts(structure=Reason(code="HEADER_INVALID", text="seq is not the number in the file's name"))
    wrong = Reason(code="CONTROL_COUNT", text="count is not the number of events in the file")
    return FileFacts(
        sequence=sequence,
        control=wrong if stated != count else None,
        controls=(ControlFact(name="events", expected=stated, actual=count),),
        canonical={"seq": sequence},
        as_at=made,
    )


def _with_hyphens(digits: str) -> str:
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def _fault_of(event: Node) -> Reason | None:
    """What is missing of an event that must be there."""
    people = list(event.all("Person"))
    complete = (
        all(name in event.attributes for name in _ATTRIBUTES)
        and event.attributes["id"].strip(BLANKS)
        and len(people) == 1
        and people[0].first("Surname") is not None
    )
    text = "an event lacks an attribute, its person, or the person's surname"
    return None if complete else Reason(code=XML_SCHEMA, text=text, offset=event.offset)


def _row(event: Node) -> dict[str, object]:
    person = event.first("Person") or Node(name="Person", path="", offset=0, attributes={})
    details: dict[str, str] = {}
    for detail in event.all("Detail"):
        details.setdefault(detail.attributes.get("name", ""), detail.text.strip(BLANKS))
    said = event.attributes
    return {
        "id": said.get("id", "").strip(BLANKS),
        "content": derive("life-event", *digest_parts(event)),
        **{name: said.get(name) for name in ("type", "action", "status")},
        "effective": day_number(said.get("effective")),
        "nino": person.attributes.get("nino"),
        "dob": day_number(person.attributes.get("dob")),
        "surname": person.value("Surname"),
        "forenames": person.value("Forenames"),
        "personPostcode": person.value("Postcode"),
        **{name: details.get(name) or None for name in _TEXTS},
        **{name: day_number(details.get(name)) for name in _DAYS},
    }


def _batch(rows: Sequence[Mapping[str, object]]) -> DecodedBatch:
    schema = {"_record": pl.Int64(), "_offset": pl.Int64(), **_COLUMNS}
    return DecodedBatch(tables={TABLE: pl.DataFrame(rows, schema).to_arrow()})
