"""Processes that judge: each reads and computes for itself, none writes.

A task is some whole case groups, so no two tasks have a case in common. Tasks are handed out a few ahead of the
answers: memory does not grow with the queue.
"""

import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context
from types import TracebackType
from typing import Self

from integrationhub.arrears.casework import Surroundings
from integrationhub.arrears.judgement import Judgement, judge_cases
from integrationhub.errors import TransientError
from integrationhub.store.unit_of_work import Store

AHEAD = 2
"""Tasks that wait for each process, beside the one it works on."""


class Judges:
    """Some processes over one store. Use as a context manager; leaving it ends them."""

    def __init__(self, *, url: str, processes: int, surroundings: Surroundings) -> None:
        self._url = url
        self._processes = processes
        self._surroundings = surroundings
        # Started from nothing, not forked: a daemon has threads and connections that no copy may have.
        self._pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin)

    def judge(self, batches: Iterable[set[str]]) -> Iterator[Judgement]:
        """What becomes of each batch, in their order. TransientError: a process has died."""
        waiting: deque[Future[Judgement]] = deque()
        try:
            for batch in batches:
                waiting.append(self._pool.submit(_judge, self._url, batch, self._surroundings))
                if len(waiting) > self._processes * AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as exc:
            raise TransientError(
                "a process that judged cases has died",
                code="JUDGE_DIED",
                remedy="`integrationhub arrears judge` goes on where it stopped; look for a lack of memory",
            ) from exc

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """An interrupt at the terminal reaches every process; only the one that hands out the work answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@cache
def _store(url: str) -> Store:
    return Store.open(url)


def _judge(url: str, case_ids: set[str], surroundings: Surroundings) -> Judgement:
    with _store(url).read() as connection:
        return judge_cases(connection, case_ids, surroundings)
