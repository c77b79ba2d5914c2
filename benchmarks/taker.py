"""Messages from their bodies to a commit, without a broker: what one transaction costs, by the size of its batch.

Debt notices of 1 KB (tests/connectors) are taken in batches of 1, 10, 100 and 500: as many as one canonical row each
(`debt-lines`), and as five (`debt-notices`). Limit: the very statements that the transactions sent, with their
parameters ready, sent again to an empty database: so the ratio is the database's share of the time.
"""

import gc
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from unittest.mock import patch

import psycopg

from benchmarks.results import Result, Rival
from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.sdk.messages import Fate
from integrationhub.sdk.transport import Incoming
from integrationhub.store.engine import open_point_engine
from integrationhub.store.unit_of_work import Store
from tests.services.servers import start_postgres

CONNECTORS = Path(__file__).parent.parent / "tests" / "connectors"
NOW = datetime(2026, 2, 1, tzinfo=UTC)
BATCHES = {1: 300, 10: 100, 100: 30, 500: 20}
"""Size of a batch → how many of them."""

GOAL, STRETCH = 0.60, 0.75
_WARM = 3  # batches before the clock starts

Statement = tuple[Any, Any]


def run(_records: int) -> Iterator[Result]:
    """A result for each connector, database and size, in messages a second."""
    server = start_postgres()
    try:
        for connector in ("debt-lines", "debt-notices"):
            for size, batches in BATCHES.items():
                yield _on_postgres(server.new_database, connector, size, batches)
    finally:
        server.stop()
    for connector in ("debt-lines", "debt-notices"):
        for size, batches in BATCHES.items():
            with tempfile.TemporaryDirectory() as folder:
                times = _take(f"sqlite:///{folder}/hub.sqlite3", Path(folder), connector, size, batches)
            yield _result(f"{connector} into SQLite", size, times, None)


def _on_postgres(new_database: Any, connector: str, size: int, batches: int) -> Result:  # noqa: ANN401
    sent: list[list[Statement]] = []
    with tempfile.TemporaryDirectory() as folder, _recorded(sent):
        _take(new_database(), Path(folder), connector, size, batches)
    with tempfile.TemporaryDirectory() as folder:
        times = _take(new_database(), Path(folder), connector, size, batches)
    return _result(f"{connector} into PostgreSQL, fsync off", size, times, _again(new_database(), sent, batches))


def _result(name: str, size: int, times: Sequence[float], limit: Sequence[float] | None) -> Result:
    messages, seconds = size * len(times), sum(times)
    p50, p99 = median(times) * 1e3, quantiles(times, n=100)[98] * 1e3
    rivals = []
    if limit is not None:
        rate = messages / sum(limit)
        rivals = [Rival(name="the same statements alone", rate=rate, limit=True, goal=GOAL, stretch=STRETCH)]
    return Result(
        name=f"{name}, {size} at once",
        workload=f"{messages:,} messages of 1 KB; a transaction takes {p50:.2f} ms (p50), {p99:.2f} ms (p99)",
        unit="messages",
        rate=messages / seconds,
        seconds=seconds,
        rows=messages,
        rivals=rivals,
    )


def _take(url: str, folder: Path, connector: str, size: int, batches: int) -> list[float]:
    """Seconds of each batch."""
    settings = Settings(
        data_dir=folder,
        database_url=url.replace("postgresql://", "postgresql+psycopg://"),
        synthetic_identities=True,
        catalogue_folders=(CONNECTORS,),
    )
    times = []
    with Hub(settings, Catalogue.standard(folders=[CONNECTORS])) as hub:
        taker = hub.taker(connector)
        gc.collect()
        gc.freeze()
        for number in range(batches + _WARM):
            batch = [_message(number * size + place) for place in range(size)]
            start = time.perf_counter()
            outcomes = taker.take(batch, now=NOW)
            times.append(time.perf_counter() - start)
            assert {outcome.fate for outcome in outcomes} == {Fate.LOADED}
        gc.unfreeze()
    return times[_WARM:]


@contextmanager
def _recorded(sent: list[list[Statement]]) -> Iterator[None]:
    """Note every statement of every transaction."""
    execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit
    now: list[Statement] = []

    def noted(self: Any, query: Any, params: Any = None, **options: Any) -> Any:  # noqa: ANN401
        now.append((query, params))
        return execute(self, query, params, **options)

    def ended(self: Any) -> None:  # noqa: ANN401
        sent.append([*now])
        now.clear()
        commit(self)

    with patch.object(psycopg.Cursor, "execute", noted), patch.object(psycopg.Connection, "commit", ended):
        yield


def _again(url: str, sent: Sequence[Sequence[Statement]], batches: int) -> list[float]:
    """Send the last so many transactions to a database of its own; seconds of each."""
    Store.open(url, create=True).close()
    times = []
    engine = open_point_engine(url)
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        for statements in sent[-batches - _WARM :]:
            start = time.perf_counter()
            with driver.cursor() as cursor:
                for query, params in statements:
                    if cursor.execute(query, params, prepare=True).description is not None:
                        cursor.fetchall()
            driver.commit()
            times.append(time.perf_counter() - start)
    engine.dispose()
    return times[-batches:]


def _message(number: int) -> Incoming:
    said = {
        "version": 1,
        "asAt": "2026-01-31",
        "debt": {
            "reference": f"DN{number:010}", "kind": "OVERPAYMENT", "cause": "CLAIMANT_ERROR", "status": "ACTIVE",
            "opened": "2024-02-29", "balance": f"{number % 10_000}.50", "suspended": "0.00",
        },
        "debtor": {
            "reference": f"P{number:09}", "nino": "QQ123456A", "surname": "Example", "forenames": "Alex Sam",
            "birthDate": "1980-02-29", "address": {"line1": "1 Example Street", "postcode": "ZZ1 1ZZ"},
        },
        "history": [{"at": f"2026-01-0{day}", "what": "letter sent to the debtor"} for day in range(1, 8)],
    }  # fmt: skip
    return Incoming(
        tag=number,
        queue="integrationhub.debt-lines",
        exchange="lines",
        routing_key="debt.changed",
        message_id=f"8f14e45f-ceea-467f-ab1e-{number:012}",
        body=json.dumps(said).encode(),
        content_type="application/json",
        headers={"x-debt": f"DN{number:010}"},
    )
