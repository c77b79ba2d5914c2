"""Pauses that grow with each failure in a row, and vary: those who wait for one service don't all come back at once."""

from tenacity import RetryCallState, Retrying, wait_random_exponential


class Pauses:
    """Each `next` is longer than the one before, by chance and on average, up to a longest."""

    def __init__(self, *, first: float, longest: float) -> None:
        self._wait = wait_random_exponential(multiplier=first, max=longest)
        self._state = RetryCallState(Retrying(), None, (), {})
        self.reset()

    def reset(self) -> None:
        """It went well: begin anew with the shortest."""
        self._state.attempt_number = 0

    def next(self) -> float:
        """Seconds to wait."""
        self._state.attempt_number += 1
        return self._wait(self._state)
