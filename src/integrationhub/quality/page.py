"""A quality profile as one HTML page: tables and charts drawn in place, nothing loaded from anywhere."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from integrationhub.quality.fields import FieldProfile
from integrationhub.quality.profile import QualityProfile

_GOOD, _FAIR, _POOR = 0.995, 0.95, 0.0
_COLOURS = ((_GOOD, "#2e7d4f"), (_FAIR, "#c98a00"), (_POOR, "#b3261e"))
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25rem .6rem }
td { border-top: 1px solid #ddd } figure { margin: 1rem 0 } figcaption { font-weight: 600 }
"""


def page(profile: QualityProfile) -> str:
    """The whole page."""
    title = f"Data quality of {profile.descriptor.name}"
    head = f"{len(profile.files)} files, {profile.records:,} records, as at {profile.as_at}"
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style></head>',
            f"<body><h1>{escape(title)}</h1><p>{escape(head)}. Before mapping; no personal value is shown.</p>",
            *_dimensions(profile),
            *_completeness(profile),
            *_codes(profile),
            *_days(profile),
            *_fields(profile),
            "</body></html>\n",
        ]
    )


def _colour(share: float) -> str:
    return next(colour for least, colour in _COLOURS if share >= least)


def bars(caption: str, values: Mapping[str, tuple[float, str]]) -> str:
    """A chart of horizontal bars: label → (share from 0 to 1, what stands behind the bar)."""
    height = 24 * len(values)
    rows = []
    for number, (label, (share, told)) in enumerate(values.items()):
        y, width = 24 * number, 420 * max(0.0, min(1.0, share))
        rows.append(
            f'<text x="255" y="{y + 16}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="265" y="{y + 4}" width="420" height="16" fill="#eee"/>'
            f'<rect x="265" y="{y + 4}" width="{width:.1f}" height="16" fill="{_colour(share)}"/>'
            f'<text x="695" y="{y + 16}">{escape(told)}</text>'
        )
    return (
        f'<figure><figcaption>{escape(caption)}</figcaption><svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 860 {height}" width="860" height="{height}" font-size="12">'
        f"<title>{escape(caption)}</title>{''.join(rows)}</svg></figure>"
    )


def columns(caption: str, counts: Mapping[str, int]) -> str:
    """A chart of upright columns: label → count."""
    most = max(counts.values(), default=1)
    step = max(8, min(40, 820 // max(1, len(counts))))
    parts = []
    for number, (label, count) in enumerate(counts.items()):
        tall = 100 * count / most
        x = 10 + step * number
        parts.append(
            f'<rect x="{x}" y="{110 - tall:.1f}" width="{step - 2}" height="{tall:.1f}" fill="#3a6ea5">'
            f"<title>{escape(label)}: {count:,}</title></rect>"
        )
        if number % max(1, 40 // step) == 0:
            parts.append(f'<text x="{x}" y="126" font-size="10">{escape(label)}</text>')
    return (
        f'<figure><figcaption>{escape(caption)}</figcaption><svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 860 132" width="860" height="132"><title>{escape(caption)}</title>{"".join(parts)}</svg>'
        "</figure>"
    )


def _dimensions(profile: QualityProfile) -> Iterator[str]:
    yield bars("Six dimensions", {one.name: (one.share, one.percent) for one in profile.scores})
    rows = [(one.name, one.percent, f"{one.total:,}", f"{one.faulty:,}", one.what) for one in profile.scores]
    yield _table(("dimension", "in order", "measured", "at fault", "what"), rows)


def _completeness(profile: QualityProfile) -> Iterator[str]:
    yield "<h2>Completeness</h2>"
    shares = {one.name: one for one in profile.fields.values() if one.rows and one.filled < one.rows}
    yield bars("Fields that are not always filled", {name: _filled(one) for name, one in shares.items()})


def _filled(one: FieldProfile) -> tuple[float, str]:
    share = one.filled / one.rows
    return share, f"{100 * share:.1f} % of {one.rows:,}"


def _codes(profile: QualityProfile) -> Iterator[str]:
    yield "<h2>Codes</h2>"
    for one in profile.fields.values():
        if one.coded is not None and one.codes:
            counts = {code or "blank": count for code, count in one.codes.most_common()}
            if one.unlisted:
                counts["not in the list"] = one.unlisted
            yield columns(one.name, counts)


def _days(profile: QualityProfile) -> Iterator[str]:
    yield "<h2>Dates by year</h2>"
    for one in profile.fields.values():
        if one.years:
            first, last = min(one.years), max(one.years)
            yield columns(
                f"{one.name}: {one.earliest} to {one.latest}",
                {str(year): one.years.get(year, 0) for year in range(first, min(last, first + 200) + 1)},
            )


def _fields(profile: QualityProfile) -> Iterator[str]:
    yield "<h2>All fields</h2>"
    headings = ("table", "field", "rows", "filled", "at fault", "placeholders", "earliest", "latest")
    yield _table(headings, profile.field_rows())


def _table(headings: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape('' if cell is None else str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
