"""Chance that repeats itself: the same key throws the same numbers on every machine and in every order of asking.

Python promises that `Random.random()` gives the same numbers for the same seed in every version; its other methods may
change, so only that one is used.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """One stream of throws, named by its key: `Dice(seed, "group", 17)`."""

    __slots__ = ("_throw",)

    def __init__(self, *key: object) -> None:
        self._throw = Random("/".join(map(str, key))).random  # noqa: S311 - repeatable chance is the purpose

    def chance(self, share: float) -> bool:
        """True in `share` of the throws."""
        return self._throw() < share

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` − 1."""
        return int(self._throw() * limit)

    def between(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return low + int(self._throw() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, each as likely."""
        return items[int(self._throw() * len(items))]

    def weigh(self, choices: Sequence[tuple[T, float]]) -> T:
        """One of the items, as likely as its weight says."""
        left = self._throw() * sum(weight for _, weight in choices)
        for item, weight in choices:
            left -= weight
            if left < 0:
                return item
        return choices[-1][0]

    def day(self, first: date, last: date) -> date:
        """A day of the period, both ends included."""
        return first + timedelta(self.between(0, (last - first).days))

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in another order (Fisher and Yates)."""
        result = list(items)
        for upper in range(len(result) - 1, 0, -1):
            lower = self.below(upper + 1)
            result[upper], result[lower] = result[lower], result[upper]
        return result
