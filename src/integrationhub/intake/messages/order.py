"""The order of messages about one thing: which apply, which are overtaken, repeated, contradicting, or early.

number < the last      SUPERSEDED
number = the last      DUPLICATE, or EXCEPTION where the content differs
number > the last      applies; without gaps only the next one does, and others wait
no numbers             messages count in the order in which they come
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from integrationhub.intake.messages.arrival import Arrival
from integrationhub.intake.messages.notice import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that can be read. `position`: which of its batch; below 0, it was held in an earlier one."""

    arrival: Arrival
    notice: Notice
    position: int

    @property
    def delivery_id(self) -> str:
        """Its delivery."""
        return self.arrival.delivery_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A message that applies. `turn`: how many of the batch about the same thing apply before it."""

    message: Message
    number: int
    turn: int


class Place(Enum):
    """Where a message stands among those about the same thing."""

    NEXT = auto()  # it applies
    OLD = auto()
    REPEAT = auto()
    CONTRADICTION = auto()
    EARLY = auto()
    FAULTY = auto()  # it would apply, but for what it says


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A message's place; of a repeat or contradiction also the delivery that was there first."""

    place: Place
    first: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The last message that was applied to a thing."""

    number: int
    delivery_id: str
    sha256: str


@dataclass(slots=True, kw_only=True)
class Line:
    """All messages about one thing, as far as they matter."""

    last: Last | None
    held: dict[int, Message] = field(default_factory=dict)
    turns: int = 0


@dataclass(slots=True, kw_only=True)
class Order:
    """Puts the messages of a batch in order. `faulty`: deliveries that are known to apply no change.

    `same_content`: whether a message says the same as a delivery that came before.
    """

    lines: Mapping[str, Line]
    gapless: bool
    same_content: Callable[[Arrival, str, str], bool]
    faulty: frozenset[str] = frozenset()
    applied: list[Applied] = field(default_factory=list)
    standings: dict[int, Standing] = field(default_factory=dict)  # by position

    def put(self, message: Message) -> None:
        """Find the message's place, and that of those that waited for it."""
        line = self.lines[message.notice.entity_id]
        standing = self._standing(line, message)
        self.standings[message.position] = standing
        if standing.place is Place.EARLY:
            line.held[self._number(line, message)] = message
        elif standing.place is Place.NEXT:
            self._apply(line, message)
            self._release(line)

    def _standing(self, line: Line, message: Message) -> Standing:
        number, last = self._number(line, message), line.last
        if last is not None and number < last.number:
            return Standing(place=Place.OLD)
        taken = last if last is not None and number == last.number else None
        if taken is None and number in line.held:
            waiting = line.held[number]
            taken = Last(number=number, delivery_id=waiting.delivery_id, sha256=waiting.arrival.sha256)
        if taken is not None:
            is_same = self.same_content(message.arrival, taken.delivery_id, taken.sha256)
            return Standing(place=Place.REPEAT if is_same else Place.CONTRADICTION, first=taken.delivery_id)
        if self.gapless and number != self._next(line):
            return Standing(place=Place.EARLY)
        return Standing(place=Place.FAULTY if message.delivery_id in self.faulty else Place.NEXT)

    def _number(self, line: Line, message: Message) -> int:
        given = message.notice.number
        return self._next(line) if given is None else given

    @staticmethod
    def _next(line: Line) -> int:
        return 1 if line.last is None else line.last.number + 1

    def _apply(self, line: Line, message: Message) -> None:
        number = self._number(line, message)
        self.applied.append(Applied(message=message, number=number, turn=line.turns))
        line.turns += 1
        line.last = Last(number=number, delivery_id=message.delivery_id, sha256=message.arrival.sha256)

    def _release(self, line: Line) -> None:
        while (message := line.held.pop(self._next(line), None)) is not None:
            if message.delivery_id in self.faulty:
                self.standings[message.position] = Standing(place=Place.FAULTY)
                return
            self.standings[message.position] = Standing(place=Place.NEXT)
            self._apply(line, message)


def in_turns(applied: Sequence[Applied]) -> Iterator[list[Applied]]:
    """The applied messages in parts, each of which has at most one about a thing, and speaks of one day."""
    parts: dict[tuple[int, object], list[Applied]] = {}
    for one in applied:
        parts.setdefault((one.turn, one.message.notice.as_at or one.message.arrival.at.date()), []).append(one)
    for key in sorted(parts, key=lambda key: key[0]):
        yield parts[key]
