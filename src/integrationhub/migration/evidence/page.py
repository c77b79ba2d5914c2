"""Evidence as one HTML page for people: tables and charts drawn in place, nothing loaded from anywhere."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integrationhub.migration.evidence.pack import Cell, Chart, Section

MOST_ROWS = 500
"""Rows of a table that the page shows; all of them stand in evidence.json."""

_STYLE = """
body { font: 16px/1.5 sans-serif; color: #0b0c0c; max-width: 75em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.7em; } h2 { font-size: 1.25em; margin-top: 2.2em; border-bottom: 2px solid #1d70b8; }
nav a { margin-right: 1em; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25em 1em .25em 0; border-bottom: 1px solid #d8dadc; vertical-align: top; }
td.number, th.number { text-align: right; } figure { margin: 1.2em 0; } figcaption { font-weight: 600; }
.note { color: #505a5f; } @media print { body { margin: 0; max-width: none; font-size: 11px; } }
"""
_LABELS, _WIDTH, _LINE = 320, 420, 26


def html(title: str, sections: "Sequence[Section]") -> str:
    """The whole page."""
    return "\n".join(_lines(title, sections)) + "\n"


def _lines(title: str, sections: "Sequence[Section]") -> Iterator[str]:
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
    yield f"<body><h1>{escape(title)}</h1>"
    yield (
        '<p class="note">Every figure here stands in evidence.json as well. MANIFEST.sha256 has the hash of each file, '
        "MANIFEST.sig the signature over it: <code>integrationhub migrate evidence verify</code> checks both.</p>"
    )
    links = (f'<a href="#{escape(section.key)}">{escape(section.title)}</a>' for section in sections)
    yield f"<nav>{''.join(links)}</nav>"
    for section in sections:
        yield f'<section id="{escape(section.key)}"><h2>{escape(section.title)}</h2><p>{escape(section.sentence)}</p>'
        yield from (_figure(chart) for chart in section.charts)
        if section.columns:
            yield from _table(section)
        yield "</section>"
    yield "</body></html>"


def _table(section: "Section") -> Iterator[str]:
    yield "<table><thead><tr>"
    for name in section.columns:
        heading = name.removesuffix("_pence").replace("_", " ") + (" (£)" if name.endswith("_pence") else "")
        yield f"<th{_kind(name.endswith('_pence'))}>{escape(heading)}</th>"
    yield "</tr></thead><tbody>"
    for row in section.rows[:MOST_ROWS]:
        cells = (_cell(name, value) for name, value in zip(section.columns, row, strict=True))
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table>"
    if len(section.rows) > MOST_ROWS:
        yield f'<p class="note">{len(section.rows) - MOST_ROWS:,} more rows in evidence.json.</p>'


def _cell(name: str, value: "Cell") -> str:
    number = isinstance(value, int) and not isinstance(value, bool)
    return f"<td{_kind(number)}>{escape(told(value, pence=name.endswith('_pence')))}</td>"


def _kind(number: object) -> str:
    return ' class="number"' if number else ""


def told(value: "Cell", *, pence: bool = False) -> str:
    """A cell's value as people read it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value / 100:,.2f}" if pence else f"{value:,}"
    return value


def _figure(chart: "Chart") -> str:
    most = max((abs(value) for value in chart.bars.values()), default=0) or 1
    bars = []
    for place, (label, value) in enumerate(chart.bars.items()):
        y, width = _LINE * place, _WIDTH * abs(value) // most
        colour = "#1d70b8" if value >= 0 else "#d4351c"
        sign = "£" if chart.unit == "pence" else ""
        bars.append(
            f'<text x="{_LABELS - 8}" y="{y + 17}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{_LABELS}" y="{y + 4}" width="{width}" height="18" fill="{colour}"/>'
            f'<text x="{_LABELS + width + 8}" y="{y + 17}">{sign}{told(value, pence=chart.unit == "pence")}</text>'
        )
    title, height = escape(chart.title), _LINE * len(chart.bars)
    return (
        f'<figure><figcaption>{title}</figcaption><svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 900 {height}" width="900" height="{height}" font-size="13"><title>{title}</title>'
        f"{''.join(bars)}</svg></figure>"
    )
