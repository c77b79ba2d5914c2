"""The analyst's tools over applied messages: traced to their members, explained, covered, compared."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from integrationhub.bootstrap import Hub
from integrationhub.intake.places import member_spans
from integrationhub.store.schema import CANONICAL
from tests.contract.store.notices import CONNECTORS, message, notice, open_hub

NOW = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def hub(store_url: str, tmp_path: Path) -> Iterator[Hub]:
    with open_hub(store_url, tmp_path) as opened:
        opened.taker("debt-notices").take(
            [message(notice("D1", 7), message_id="a"), message(notice("D2", 3, surname="Größe"), message_id="b")],
            now=NOW,
        )
        yield opened


def debt_of(hub: Hub, reference: str) -> str:
    table = CANONICAL["debts"]
    with hub.store.read() as connection:
        return str(connection.execute(select(table.c.debt_id).where(table.c.source_ref == reference)).scalar_one())


def test_every_value_of_a_message_leads_to_the_bytes_of_its_member(hub: Hub) -> None:
    debt, balance = (found for found, _ in hub.analyst.traces(debt_of(hub, "D1")))

    body = json.dumps(notice("D1", 7)).encode()
    (pence,) = [field for field in balance.fields if field.name == "pence"]
    (source,) = pence.sources
    assert pence.value == 750
    assert (debt.within, debt.offset, debt.length) == ("message", 0, len(body))
    assert (source.path, source.hex) == ("$.debt.balance", b"7.50".hex())
    assert body[source.offset : source.offset + source.length] == b"7.50"


def test_a_message_is_explained_from_its_members(hub: Hub) -> None:
    (found,) = [one.as_dict() for one in hub.analyst.explanations(debt_of(hub, "D2"))]

    (row,) = found["rows"]
    (status,) = [field for field in row["fields"] if field["name"] == "status"]
    assert status["sources"][0]["decoded"] == "ACTIVE"
    assert found["record_type"] == "Notice"


def test_applied_messages_are_covered_profiled_and_compared(hub: Hub, tmp_path: Path) -> None:
    files, bench = hub.analyst.stored("debt-notices"), hub.analyst.workbench("debt-notices")
    shelf = tmp_path / "shelf" / "debt-notices"
    shutil.copytree(CONNECTORS / "mappings" / "debt-notices", shelf)
    debts = (shelf / "debts.toml").read_text(encoding="utf-8")
    (shelf / "debts.toml").write_text(debts.replace('from = "opened"', 'from = "asAt"'), encoding="utf-8")

    covered = bench.coverage(files).as_dict()
    profile = bench.quality(files).as_dict()
    changed = bench.difference(bench.mapping, hub.analyst.version("debt-notices", str(shelf)), files).as_dict()

    assert (covered["files"], covered["records"]) == (2, 2)
    assert profile["records"] == 2
    (entity,) = [one for one in changed["entities"] if one["changed"]]
    assert (entity["entity"], entity["changed"], [field["field"] for field in entity["fields"]]) == (
        "debts",
        2,
        ["opened"],
    )


@pytest.mark.parametrize(
    ("body", "path", "value"),
    [
        ('{"a": 1}', "a", "1"),
        ('\n{ "a" : { "b" : [1, {"c": 2}] , "d":"x,}"} , "e":null}', "a.d", "x,}"),
        ('{"é": "ü", "a": {"b": "ß€"}}', "a.b", "ß€"),
        ('{"a": {}, "b": -1.5e3}', "b", "-1.5e3"),
        ('{"a\\"b": true}', 'a"b', "true"),
    ],
)
def test_a_member_of_any_object_is_found_by_its_bytes(body: str, path: str, value: str) -> None:
    content = body.encode()
    start, end = member_spans(content)[path]

    assert content[start:end].decode() == value
