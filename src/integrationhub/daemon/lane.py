"""One worker's share of a connector's messages: which go next, and how many at once.

Pure: no threads, no clock. What goes together is what had piled up while the worker was busy, so a batch is one message
when little comes and grows with load, up to bounds of count, bytes and the time that a batch has been seen to take.
Messages of one order key never overtake each other: one that waits for its next try holds up those behind it that have
its key, and nobody else.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from integrationhub.sdk.transport import Incoming

MOST = 500
"""Messages of a batch at most."""

MOST_BYTES = 8 * 1024 * 1024
"""Bytes of bodies of a batch at most; a bigger message goes alone."""

LONGEST_SECONDS = 2.0
"""How long a batch should take at most, told by the speed of those before."""


@dataclass(slots=True, kw_only=True)
class Item:
    """A message in hand. `together`: with how many it may go at most; 1 for a suspect. `deaths`: of workers that died
    with it alone in hand. `doubted`: a process that had it among many others is no more.

    `counted`: the try that comes next, or that is under way, stands in the ledger already. `arrived`: on the monotonic
    clock.
    """

    message: Incoming
    key: str | None = None
    together: int = MOST
    not_before: float = 0.0
    counted: bool = False
    arrived: float = 0.0
    deaths: int = 0
    doubted: bool = False

    @property
    def is_suspect(self) -> bool:
        """Whether it goes alone, each try counted before it begins."""
        return self.together == 1


class Lane:
    """Messages that wait for one worker, in order."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._most = MOST
        self._trust = 1  # how many of the doubted may go together

    def __len__(self) -> int:
        return len(self._items)

    @property
    def items(self) -> list[Item]:
        """All of them, in order."""
        return list(self._items)

    def add(self, item: Item) -> None:
        """A message that has arrived."""
        self._items.append(item)

    def put_back(self, items: Iterable[Item]) -> None:
        """These were not taken after all: they are next again, in their order."""
        self._items.extendleft(reversed(list(items)))

    def clear(self) -> None:
        """Forget all: the broker delivers them again."""
        self._items.clear()

    def take(self, now: float, *, most: int = MOST) -> list[Item]:
        """The next batch; empty when nothing may go now."""
        most = min(most, self._most)
        batch: list[Item] = []
        passed: list[Item] = []  # they wait for their next try, or behind one that does
        blocked: set[str] = set()
        size = 0
        while self._items:
            item = self._items[0]
            if item.not_before > now or item.key in blocked:
                if item.key is not None:
                    blocked.add(item.key)
                passed.append(self._items.popleft())
                continue
            most = min(most, item.together, self._trust if item.doubted else MOST)
            size += len(item.message.body)
            if batch and (len(batch) >= most or size > MOST_BYTES):
                break
            batch.append(self._items.popleft())
        self._items.extendleft(reversed(passed))
        if len(batch) == 1 and batch[0].doubted:
            batch[0].together = 1
        return batch

    def may_rest(self, now: float) -> bool:
        """Whether nothing may go now: there is nothing, or all of it waits for its next try or behind one that does."""
        blocked: set[str | None] = set()
        for item in self._items:
            if item.not_before <= now and (item.key is None or item.key not in blocked):
                return False
            blocked.add(item.key)
        return True

    def next_try(self, now: float) -> float | None:
        """When the first of those that wait for their next try may go; None when nobody waits."""
        return min((item.not_before for item in self._items if item.not_before > now), default=None)

    def went_well(self, batch: Iterable[Item]) -> None:
        """Nothing happened to the worker that had these: of the doubted, twice as many may go together now."""
        if any(item.doubted for item in batch):
            self._trust = min(MOST, 2 * self._trust)

    def went_wrong(self) -> None:
        """The worker died: the doubted begin again with one."""
        self._trust = 1

    def took(self, messages: int, seconds: float) -> None:
        """A batch of so many messages took so long: the next ones shall stay within LONGEST_SECONDS."""
        fitting = int(messages * LONGEST_SECONDS / seconds) if seconds > 0 else MOST
        if seconds > LONGEST_SECONDS:
            self._most = max(1, fitting)
        elif messages >= self._most:
            self._most = min(MOST, max(fitting, self._most), 2 * self._most)


def halves(items: list[Item]) -> list[Item]:
    """The items of a batch that failed, to be given in smaller parts, so that the one that fails is found."""
    together = max(1, len(items) // 2)
    for item in items:
        item.together = min(item.together, together)
    return items


def suspects(items: list[Item]) -> list[Item]:
    """The items that a worker had in hand when it died: each goes alone now, its tries counted."""
    for item in items:
        item.together = 1
        item.counted = False
    return items
