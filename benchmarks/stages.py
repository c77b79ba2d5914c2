"""Where the time goes: functions of the hub wrapped so that each second belongs to the innermost one that runs.

Several threads may run stages at once; then the seconds of all stages are more than those on the clock.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from typing import Any

from benchmarks.results import Stage


class Stages:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._local = threading.local()
        self._lock = threading.Lock()

    def watch(self, place: str, stage: str) -> None:
        """Count the time in `module:function` or `module:Class.method` as that of a stage."""
        module, _, path = place.partition(":")
        owner: Any = import_module(f"integrationhub.{module}")
        *classes, name = path.split(".")
        for part in classes:
            owner = getattr(owner, part)
        setattr(owner, name, self._watched(getattr(owner, name), stage))

    def _watched(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the function takes and gives
            self._switch(stage)
            try:
                return function(*arguments, **options)
            finally:
                self._switch(None)

        return call

    def _switch(self, stage: str | None) -> None:
        """Enter a stage, or leave the innermost one; the time since the last switch is the innermost one's."""
        now, stack = time.perf_counter(), self._stack()
        if stack:
            with self._lock:
                self.seconds[stack[-1]] += now - self._local.since
        if stage is None:
            stack.pop()
        else:
            stack.append(stage)
        self._local.since = now

    def _stack(self) -> list[str]:
        if not hasattr(self._local, "stack"):
            self._local.stack = []
        stack: list[str] = self._local.stack
        return stack


def in_order(seconds: dict[str, float], names: Sequence[str]) -> list[Stage]:
    """The stages that took time, in the order of their names in `names`."""
    return [Stage(name=name, seconds=seconds[name]) for name in names if seconds.get(name, 0) > 0]
