"""How the records of one 01 level are walked: the layout tree flattened to runs, tables and choices.

A *frame* is a record, a table element or a redefinition: something that starts at a known byte. Inside it, a *run* is a
stretch of bytes at a fixed distance from a base. The first run's base is the frame's start; behind a table whose
size varies a new run begins, whose base differs from row to row. So a field's place is (run, offset), whatever
OCCURS DEPENDING ON does in front of it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from integrationhub.decode.copybook.layout import Category, Item, Usage
from integrationhub.errors import ConfigurationError

Odo = Literal["shift", "max"]
"""`shift`: a table is as long as its count says and what stands behind it moves (COBOL's rule). `max`: a table always
takes its largest size."""

Redefines = Mapping[str, tuple[str, Mapping[str, str]]]
"""Redefined item → (field that decides, its value → the item that is meant)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an item stands: `offset` bytes behind the base of a run of a frame."""

    frame: int
    run: int
    offset: int
    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An OCCURS: where its first element stands, what counts the elements, and the frame of one element.

    `joined` marks single characters, which are read as one text of the parent. When the table's size varies, the run
    after `place.run` begins behind its last element.
    """

    place: Place
    name: str
    count: Place | None
    least: int
    most: int
    element: "Frame"
    joined: bool
    varies: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Redefinitions of the same bytes and the field that says which of them a row uses (None: all of them)."""

    place: Place
    decider: Place | None
    frames: "tuple[tuple[tuple[str, ...], Frame], ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One record, table element or redefinition; `tail` is the length of its last run."""

    number: int
    item: Item
    runs: tuple[tuple[Place, ...], ...]
    tables: tuple[Table, ...]
    choices: tuple[Choice, ...]
    columns: tuple[str, ...]
    tail: int

    @property
    def varies(self) -> bool:
        """Whether its rows differ in size."""
        return len(self.runs) > 1

    def all_tables(self) -> "Iterator[Table]":
        """Its tables that become tables of their own, those of redefinitions and of elements too, in source order."""
        for table in self.tables:
            if not table.joined:
                yield table
            yield from table.element.all_tables()
        for choice in self.choices:
            for _, frame in choice.frames:
                yield from frame.all_tables()


@dataclass(slots=True)
class _Draft:
    """A frame being planned; `run` and `offset` are where the next item goes."""

    number: int
    item: Item
    runs: list[list[Place]] = field(default_factory=lambda: [[]])
    tables: list[Table] = field(default_factory=list)
    areas: list[tuple[Place, str | None, tuple[tuple[tuple[str, ...], Frame], ...]]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    offset: int = 0

    def place(self, item: Item) -> Place:
        return Place(frame=self.number, run=len(self.runs) - 1, offset=self.offset, item=item)


def has_column(item: Item) -> bool:
    """Whether an elementary item says anything to the hub: fillers, indexes and pointers don't."""
    return not item.is_filler and item.usage not in {Usage.INDEX, Usage.POINTER}


class Planner:
    """Plans the frames of one 01 level; ConfigurationError when a redefinition or a count can't be followed."""

    def __init__(
        self,
        record: Item,
        *,
        redefines: Redefines,
        odo: Odo = "shift",
        joined: bool = True,
        fields: Callable[[Item], bool] = has_column,
    ) -> None:
        """`joined`: a table of single characters is one text. `fields` tells which elementary items have a column."""
        self._record = record
        self._fields = fields
        self._redefines = redefines
        self._odo = odo
        self._joined = joined
        self._open: list[int] = []
        self._frames = 0
        self._places: dict[str, Place] = {}

    def plan(self) -> Frame:
        """The frame of the whole record."""
        return self._frame(self._record)

    def _frame(self, item: Item) -> Frame:
        """The frame of one occurrence of an item."""
        self._frames += 1
        draft = _Draft(self._frames, item)
        self._open.append(draft.number)
        if item.is_group:
            self._group(draft, item)
        else:
            self._field(draft, item)
        choices = tuple(
            Choice(place=place, decider=None if name is None else self._visible(name, place), frames=frames)
            for place, name, frames in draft.areas
        )
        self._open.pop()
        return Frame(
            number=draft.number,
            item=item,
            runs=tuple(tuple(run) for run in draft.runs),
            tables=tuple(draft.tables),
            choices=choices,
            columns=tuple(draft.columns),
            tail=draft.offset,
        )

    def _group(self, draft: _Draft, group: Item) -> None:
        for area in _areas(group.children):
            draft.offset += area[0].slack
            if len(area) == 1:
                self._item(draft, area[0])
            else:
                self._area(draft, area)

    def _item(self, draft: _Draft, item: Item) -> None:
        if item.occurs is not None:
            self._table(draft, item)
        elif item.is_group:
            self._group(draft, item)
        else:
            self._field(draft, item)

    def _field(self, draft: _Draft, item: Item) -> None:
        if self._fields(item):
            place = draft.place(item)
            draft.runs[-1].append(place)
            draft.columns.append(item.key)
            self._places[item.key] = place
        draft.offset += item.length

    def _area(self, draft: _Draft, area: list[Item]) -> None:
        """Redefinitions of the same bytes: those the decider names, or all."""
        start = draft.offset
        place = draft.place(area[0])
        rule = self._redefines.get(area[0].key) or self._redefines.get(area[0].name)
        if rule is not None:
            name, values = rule
            chosen = [(item, tuple(v for v, target in values.items() if target == item.name)) for item in area]
            frames = [(meant, self._frame(item)) for item, meant in chosen if meant]
            draft.areas.append((place, name, tuple(frames)))
            draft.columns += [column for _, frame in frames for column in frame.columns]
        else:
            for item in area:
                draft.offset = start
                self._overlay(draft, item)
        draft.offset = start + max(item.extent for item in area)

    def _overlay(self, draft: _Draft, item: Item) -> None:
        if not item.varies or self._odo == "max":
            self._item(draft, item)
            return
        place, frame = draft.place(item), self._frame(item)
        draft.areas.append((place, None, (((), frame),)))
        draft.columns += frame.columns

    def _table(self, draft: _Draft, item: Item) -> None:
        if item.occurs is None:
            raise ValueError(item.name)
        place = draft.place(item)
        count = None if item.occurs.depending_on is None else self._counter(item)
        element = self._frame(item)
        varies = self._odo == "shift" and (count is not None or element.varies)
        joined = self._joined and item.category is Category.TEXT and item.length == 1
        if joined:
            draft.columns.append(item.key)
        draft.tables.append(
            Table(
                place=place,
                name=item.key,
                count=count,
                least=item.occurs.least,
                most=item.occurs.most,
                element=element,
                joined=joined,
                varies=varies,
            )
        )
        if varies:
            draft.runs.append([])
            draft.offset = 0
        else:
            draft.offset += item.extent

    def _counter(self, table: Item) -> Place:
        item = self._record.counting_field(table)
        place = self._places.get(item.key)
        if place is None or place.frame not in self._open:
            raise ConfigurationError(
                f"{table.name} of {self._record.name} is counted by {item.name}, which can't be seen from there",
                code="COPYBOOK_INVALID",
            )
        return place

    def _visible(self, name: str, area: Place) -> Place:
        """The place of a deciding field: in the frame of its area or one around it."""
        for place in self._places.values():
            if place.item.name == name and place.frame in self._open:
                return place
        raise ConfigurationError(
            f"{area.item.name} of {self._record.name} is decided by {name}, no field that can be seen from there",
            code="LAYOUT_INVALID",
        )


def _areas(items: Iterable[Item]) -> list[list[Item]]:
    """Siblings grouped by the bytes they share, in order."""
    areas: list[list[Item]] = []
    for item in items:
        if item.redefines is None:
            areas.append([item])
        else:
            areas[-1].append(item)
    return areas
