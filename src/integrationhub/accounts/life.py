"""Life events that people and registers tell: kept as evidence, and told to the world without a person's reference."""

from collections.abc import Mapping
from typing import Any

from integrationhub.accounts.book import Book
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.canonical.identifiers import derive


def told(unit: Unit, canonical: Mapping[str, Any], book: Book, *flags: str) -> Verdict:
    """The verdict on a life event that is good; subscribers hear of it under an opaque reference."""
    book.tell(
        "life-event.received",
        {
            "event_ref": derive("life-event", unit.feed, unit.key),
            "kind": canonical["kind"],
            "status": canonical.get("status"),
            "effective_date": canonical["effective_date"],
        },
    )
    return Verdict.loaded({"type": "life_event", **canonical}, *flags)
