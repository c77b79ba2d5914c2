"""What a consumer of the hub's events checks.

The promise: every event comes at least once, unchanged each time, and
those of a subject come in the order of their numbers, repeats aside.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came: distinct events, repeats, and what broke the promise."""

    distinct: int
    repeats: int
    out_of_order: int
    changed: int


def judged(bodies: Iterable[bytes]) -> Heard:
    """Whether the promise was kept."""
    seen: dict[str, bytes] = {}
    last: dict[tuple[str, str], int] = {}
    repeats = out_of_order = changed = 0
    for body in bodies:
        event = json.loads(body)
        name, thread, number = event["id"], (event["subject"], event["audience"]), int(event["sequence"])
        if name in seen:
            repeats += 1
            changed += seen[name] != body
            continue
        seen[name] = body
        out_of_order += number != last.get(thread, 0) + 1
        last[thread] = number
    return Heard(distinct=len(seen), repeats=repeats, out_of_order=out_of_order, changed=changed)
