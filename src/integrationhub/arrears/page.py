"""A page of sections, as text for a terminal or as one self-contained HTML file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

_STYLE = """
body { font: 16px/1.5 sans-serif; color: #0b0c0c; max-width: 70em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #b1b4b6; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25em .75em .25em 0; border-bottom: 1px solid #d8dadc; vertical-align: top; }
th { font-weight: 600; } caption { text-align: left; color: #505a5f; padding-bottom: .5em; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, sentences, and a table when `headings` are given."""

    title: str
    sentences: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A title and its sections."""

    title: str
    sections: Sequence[Section] = field(default_factory=tuple)

    def text(self) -> str:
        """The page for a terminal or a text file: aligned, nothing cut off."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from (self.title, "=" * len(self.title))
        for section in self.sections:
            yield from ("", section.title, "-" * len(section.title), *section.sentences)
            if section.headings:
                yield from _table([section.headings, *section.rows])

    def html(self) -> str:
        """The page as HTML; everything that came from data is escaped, nothing is fetched from elsewhere."""
        sections = "".join(map(_section, self.sections))
        return (
            f'<!doctype html>\n<html lang="en-GB">\n<meta charset="utf-8">\n<title>{escape(self.title)}</title>\n'
            f"<style>{_STYLE}</style>\n<main>\n<h1>{escape(self.title)}</h1>\n{sections}</main>\n</html>\n"
        )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _section(section: Section) -> str:
    sentences = "".join(f"<p>{escape(sentence)}</p>\n" for sentence in section.sentences)
    table = ""
    if section.headings:
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in section.headings)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in section.rows)
        table = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"
    return f"<section>\n<h2>{escape(section.title)}</h2>\n{sentences}{table}</section>\n"
