"""The load: notices about debts of the connector `debt-notices`, 1 KB each, numbered through.

Notice n states a balance of n pence, so a balance in the store tells by which message it was written. Notices about one
debt have rising versions in the order of n; those about many debts are mixed as a seeded chance has it.
"""

import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.load.publisher import LoadMessage

CONNECTOR = "debt-notices"
CONNECTORS = Path(__file__).parents[1] / "connectors"
QUEUE = f"integrationhub.{CONNECTOR}"
EXCHANGE = "notices"
ROUTING_KEY = "debt.changed"
BYTES = 1024
LARGE = 200 * 1024
"""Kept among the originals, not in the inbox itself."""

HUGE = 9 * 1024 * 1024
"""More than a batch may hold, and more than the hub takes."""

A_ROUND = 1000
POISON = "load-poison"
"""Message id of the one that kills whoever takes it, under INTEGRATIONHUB_TEST_CRASH_AT = `taking load-poison`."""


def message_id(number: int) -> str:
    return f"load-{number:08}"


def reference(debt: int) -> str:
    return f"LD{debt:08}"


def notice(number: int, *, debt: int, version: int, size: int = BYTES, name: str | None = None) -> LoadMessage:
    """Notice `number` as it is published."""
    said = {
        "version": version,
        "asAt": "2026-01-31",
        "debt": {
            "reference": reference(debt), "kind": "OVERPAYMENT", "cause": "CLAIMANT_ERROR", "status": "ACTIVE",
            "opened": "2024-02-29", "balance": f"{number // 100}.{number % 100:02}", "suspended": "0",
        },
        "debtor": {
            "reference": f"P-{reference(debt)}", "nino": "QQ123456A", "surname": "Example", "forenames": "Alex",
            "birthDate": "1980-02-29",
        },
        "remarks": "",
    }  # fmt: skip
    said["remarks"] = "x" * (size - len(json.dumps(said)))
    return LoadMessage(
        message_id=name or message_id(number),
        body=json.dumps(said).encode(),
        exchange=EXCHANGE,
        routing_key=ROUTING_KEY,
        headers={"x-debt": reference(debt)},
    )


def notices(count: int, *, a_debt: int = 5, seed: int = 1, first: int = 1) -> Iterator[LoadMessage]:
    """`count` notices, on average `a_debt` about each debt."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    debts = max(1, count // a_debt)
    versions: Counter[int] = Counter()
    for number in range(first, first + count):
        debt = first + chance.randrange(debts)
        versions[debt] += 1
        yield notice(number, debt=debt, version=versions[debt])


def notices_until(over: threading.Event, *, at_least: int = 0) -> Iterator[LoadMessage]:
    """Notices until it is over, and no fewer than `at_least`; a round's debts are its own, so that no memory grows."""
    first = 1
    while first <= at_least or not over.is_set():
        for message in notices(A_ROUND, first=first, seed=first):
            if first > at_least and over.is_set():
                return
            yield message
        first += A_ROUND


def disturbed(messages: Iterator[LoadMessage], *, every: int, seed: int = 1) -> Iterator[LoadMessage]:
    """The same as careless sources send them: now and then one of the last fifty once more, one behind those that were
    to follow it, and (a tenth as often) an oversized one; the first of these is bigger than the hub takes.
    """
    chance = random.Random(seed)  # noqa: S311 - not a secret
    recent: list[LoadMessage] = []
    late: list[LoadMessage] = []
    sizes = itertools.chain([HUGE], itertools.repeat(LARGE))
    for number, usual in enumerate(messages):
        message = usual if number % (10 * every) != every else oversized(usual, next(sizes))
        kind = chance.randrange(2 * every)
        if kind == 0 and not late:
            late.append(message)
            continue
        yield message
        recent = [*recent[-49:], message]
        if kind == 1:
            yield chance.choice(recent)
        if late and chance.randrange(5) == 0:
            yield late.pop()
    yield from late


def oversized(message: LoadMessage, size: int) -> LoadMessage:
    """The message, so big."""
    said = json.loads(message.body)
    return replace(message, body=json.dumps({**said, "remarks": "x" * (size - len(message.body))}).encode())
