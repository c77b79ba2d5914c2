"""Lineage as a graph: source fields, named values between, canonical fields; as text, JSON and SVG."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from integrationhub.mapping.lineage import FieldExplanation

_ROW, _WIDTH, _BOX, _GAP, _TOP = 26, 300, 20, 150, 44
_COLUMNS = ("source fields", "values on the way", "canonical fields")
_CUT = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A box of the graph. `column`: 0 source field, 1 named value, 2 canonical field."""

    key: str
    label: str
    column: int
    tip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes, and edges from what is read to what is made of it."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, explanations: Iterable[FieldExplanation], *, title: str) -> "Graph":
        """The graph of these fields; what the hub fills by itself is left out."""
        nodes: dict[str, Node] = {}
        edges: dict[tuple[str, str], None] = {}
        for one in explanations:
            line = one.lineage
            target = Node(
                key=f"{line.entity}.{line.field}", label=f"{line.entity}.{line.field}", column=2, tip=line.expression
            )
            if not line.fields and not one.steps and not one.reasons and line.expression[:1] not in "'0123456789":
                continue
            nodes[target.key] = target
            steps = [
                Node(key=f"{line.entity}/{line.source}/{name}", label=name, column=1, tip=text)
                for name, text in one.steps
            ]
            sources = [Node(key=str(place), label=str(place), column=0) for place in line.fields]
            nodes |= {node.key: node for node in (*steps, *sources)}
            edges |= dict.fromkeys(_edges(target, steps, sources))
        return cls(title=title, nodes=tuple(nodes.values()), edges=tuple(edges))

    def as_dict(self) -> dict[str, Any]:
        """Nodes and edges for programs."""
        kinds = ("source", "value", "canonical")
        nodes = [
            {"id": node.key, "label": node.label, "kind": kinds[node.column], "expression": node.tip or None}
            for node in self.nodes
        ]
        return {"title": self.title, "nodes": nodes, "edges": [{"from": one, "to": two} for one, two in self.edges]}

    def svg(self) -> str:
        """A drawing in three columns, without scripts, fonts or anything from elsewhere."""
        places: dict[str, tuple[int, int]] = {}
        for column in range(3):
            for row, node in enumerate(node for node in self.nodes if node.column == column):
                places[node.key] = (10 + column * (_WIDTH + _GAP), _TOP + row * _ROW)
        height = max((y for _, y in places.values()), default=_TOP) + 2 * _ROW
        width = 20 + 3 * _WIDTH + 2 * _GAP
        size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
                f"<title>{escape(self.title)}</title>",
                *_headings(),
                *(_curve(places[one], places[two]) for one, two in self.edges),
                *(_box(node, *places[node.key]) for node in self.nodes),
                "</svg>\n",
            ]
        )


def _edges(target: Node, steps: Sequence[Node], sources: Sequence[Node]) -> Iterator[tuple[str, str]]:
    """Source fields lead to the first value on the way, values to what is made of them."""
    if not steps:
        yield from ((source.key, target.key) for source in sources)
        return
    named = {step.label: step for step in steps}
    yield from ((step.key, target.key) for step in steps if step.label in target.tip)
    for step in steps:
        for name, other in named.items():
            if other is not step and name in step.tip:
                yield other.key, step.key
    for source in sources:
        field = source.label.partition(".")[2].partition(" (")[0]
        readers = [step for step in steps if field in step.tip]
        yield from ((source.key, step.key) for step in readers)
        if not readers or field in target.tip:
            yield source.key, target.key


def _headings() -> Iterator[str]:
    for column, text in enumerate(_COLUMNS):
        x = 10 + column * (_WIDTH + _GAP)
        yield f'<text x="{x}" y="24" font-weight="bold" fill="#333">{text}</text>'


def _curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x1, y1), (x2, y2) = start, end
    x1, y1, y2 = x1 + _WIDTH, y1 + _BOX // 2, y2 + _BOX // 2
    if x2 <= x1:  # within one column
        return f'<path d="M{x1} {y1} C{x1 + 60} {y1} {x1 + 60} {y2} {x1} {y2}" fill="none" stroke="#bbb"/>'
    middle = (x1 + x2) // 2
    return f'<path d="M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}" fill="none" stroke="#7a9"/>'


def _box(node: Node, x: int, y: int) -> str:
    fill = ("#eef4fb", "#fdf6e3", "#eaf7ee")[node.column]
    label = node.label if len(node.label) <= _CUT else f"{node.label[: _CUT - 1]}…"
    tip = f"<title>{escape(node.tip)}</title>" if node.tip else ""
    return (
        f'<g>{tip}<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_BOX}" rx="4" fill="{fill}" stroke="#999"/>'
        f'<text x="{x + 6}" y="{y + 14}" fill="#111">{escape(label)}</text></g>'
    )
