"""The report on accuracy as a picture: shares by book, before and after."""

from collections.abc import Iterator
from html import escape

from integrationhub.estate.accuracy import BOOKS, Accuracy, Book, percent

WIDTH, BAR, GAP, LEFT, ROOM_FOR_FIGURES = 760, 20, 8, 250, 130
TITLE_HEIGHT, BOOK_HEIGHT = 36, 26
BASELINE = 15  # of a label, below the top of its bar


def as_chart(accuracy: Accuracy) -> str:
    """Bars as SVG, with a title for people who can't see it."""
    title = f"Accuracy of {accuracy.cases:,} generated cases"
    drawn, top = [], TITLE_HEIGHT
    for key, book in accuracy.books.items():
        drawn.append(f'<text x="0" y="{top + BASELINE}" font-weight="bold">{escape(BOOKS[key])}</text>\n')
        top += BOOK_HEIGHT
        for name, part, whole, colour in _bars(book):
            drawn.append(_bar(top, name, part, whole, colour))
            top += BAR + GAP
        top += GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" font-family="sans-serif" '
        f'font-size="14">\n<title>{title}</title>\n<text x="0" y="20" font-weight="bold">{title}</text>\n'
        f"{''.join(drawn)}</svg>\n"
    )


def _bars(book: Book) -> Iterator[tuple[str, int, int, str]]:
    yield "before: right in the source", book.source_right, book.cases, "#b58840"
    yield "after: accepted and right, of accepted", book.accepted_right, book.accepted, "#00703c"
    yield "held for a person", book.held, book.cases, "#1d70b8"
    yield "silently wrong, of accepted", book.silently_wrong, book.accepted, "#d4351c"


def _bar(top: int, name: str, part: int, whole: int, colour: str) -> str:
    length = (WIDTH - LEFT - ROOM_FOR_FIGURES) * part / whole if whole else 0
    label = f"{part:,} ({percent(part, whole)})"
    return (
        f'<text x="0" y="{top + BASELINE}">{escape(name)}</text>\n'
        f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>\n'
        f'<text x="{LEFT + length + 6:.1f}" y="{top + BASELINE}">{escape(label)}</text>\n'
    )
