"""The change events of CS2 read a second time, from csa2003.md §5 alone: one row a message, all text.

Of a message that says what another one said before the first counts; what is compared is everything but its id. Which
events apply, and what they do to a balance, is said in csa2003_events.sql.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from xml.parsers import expat

import polars as pl

from integrationhub.errors import FileRejected
from integrationhub.migration.reconcile.engine import KeptMessage

ROWS = 20_000
NAMESPACE = "urn:synthetic:cs2:event:1 "

_SAID = ("caseRef", "caseSeq", "occurredAt")
_KINDS = ("id", "scheduleRef", "reverses", "amount", "reason", "disbursement", "to")
SCHEMA: Mapping[str, Any] = {
    "nth": pl.Int64, "delivery_id": pl.String, "kind": pl.String, "content": pl.String,
    **dict.fromkeys((*_SAID, *_KINDS), pl.String),
}  # fmt: skip


def empty() -> pl.DataFrame:
    """The table, without rows."""
    return pl.DataFrame(schema=SCHEMA)


def events(messages: Iterable[KeptMessage]) -> Iterator[pl.DataFrame]:
    """The messages, which come in the order in which they were taken, in batches."""
    numbered = enumerate(messages)
    while part := list(islice(numbered, ROWS)):
        rows = [{"nth": nth, "delivery_id": message.delivery_id, **_event(message.body())} for nth, message in part]
        yield pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _event(body: bytes) -> dict[str, Any]:
    elements: list[tuple[str, dict[str, str]]] = []
    texts: list[str] = []
    parser: Any = expat.ParserCreate("UTF-8", " ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = lambda name, attributes: elements.append((name.removeprefix(NAMESPACE), attributes))
    parser.CharacterDataHandler = texts.append
    try:
        parser.Parse(body, 1)
    except expat.ExpatError as exc:
        raise FileRejected("a kept message is not well-formed", code="XML_INVALID") from exc
    (_, root), (kind, attributes), *_ = [*elements, ("", {})]
    said = {name: value for name, value in root.items() if name != "messageId"}
    content = repr([sorted(said.items()), [(name, sorted(found.items())) for name, found in elements[1:]],
                    [text for text in texts if text.strip()]])  # fmt: skip
    own = {name: attributes.get(name) for name in _KINDS}
    return {"kind": kind, "content": content, **{name: root.get(name) for name in _SAID}, **own}


def _refuse(*_: object) -> None:
    raise FileRejected("a document type declaration; none is ever read", code="XML_DTD")
