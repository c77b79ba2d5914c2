"""Units that carry their sender's id are taken once; the same id with another content needs a person."""

from collections.abc import Callable

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Note
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.sdk.messages import Fate

KEY_CONFLICT = "KEY_CONFLICT"
_SEEN = "seen"


def seen_key(unit: Unit) -> tuple[str, str, str]:
    """The note that tells whether the unit's id was seen."""
    return (unit.feed, _SEEN, unit.key)


def once(unit: Unit, book: Book, judge: Callable[[Unit, Book], Verdict]) -> Verdict:
    """The verdict of `judge` on a unit with a new id. Whatever was rejected counts as not seen."""
    known = book.note(*seen_key(unit))
    if known is not None:
        same = known.value["content"] == unit.content
        return Verdict.duplicate() if same else Verdict.exception(KEY_CONFLICT)
    verdict = judge(unit, book)
    if verdict.fate is not Fate.REJECTED:
        book.keep(Note(feed=unit.feed, kind=_SEEN, key=unit.key, value={"content": unit.content}))
    return verdict
