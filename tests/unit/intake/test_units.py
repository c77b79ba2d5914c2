"""Unit forms: a mapping spec fills them, and what comes out is units, with their parts and their faults."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import polars as pl
import pytest

from integrationhub.accounts.unit import Unit
from integrationhub.canonical import units
from integrationhub.canonical.units.form import form, pence, text
from integrationhub.intake.units.rows import Arrived, frames_of, units_of
from integrationhub.mapping.compile import Mapping, MappingContext
from integrationhub.records import DecodedBatch

ROW = """
connector = "toy"
entity = "toy_rows"
version = "1"
title = "Rows of a toy feed"
owner = "tests"

[[sources]]
table = "ROW"

[fields]
source_ref = { from = "KEY", as = "text" }
amount = { from = "AMOUNT", as = "pence", missing = "null" }
content = { from = "KEY", as = "text" }

[[checks]]
code = "AMOUNT_RANGE"
must = "[AMOUNT] > 0"
field = "AMOUNT"
text = "an amount that is not positive"
"""

PART = """
connector = "toy"
entity = "toy_parts"
version = "1"
title = "Parts of toy rows"
owner = "tests"

[[sources]]
table = "PART"

[fields]
name = { from = "NAME", as = "text" }
"""


@pytest.fixture(autouse=True)
def _toy_forms(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    toy = (
        form("toy_rows", "Rows", pence("amount", "an amount")),
        form("toy_parts", "Parts", text("name", "a name"), part_of="toy_rows"),
    )
    monkeypatch.setattr(units, "_declared", lambda: iter(toy))
    units.forms.cache_clear()
    units.targets.cache_clear()
    yield
    monkeypatch.undo()
    units.forms.cache_clear()
    units.targets.cache_clear()


def judged(rows: pl.DataFrame, parts: pl.DataFrame) -> list[Unit]:
    mapping = Mapping.load([ROW, PART]).compile()
    context = MappingContext(delivery_id="d1", sequence=0, as_at=date(2026, 3, 1), source_system="TOY")
    batch = mapping.apply(DecodedBatch(tables={"ROW": rows.to_arrow(), "PART": parts.to_arrow()}), context)
    arrived = Arrived(feed="toy", delivery_id="d1", at=datetime(2026, 3, 1, tzinfo=UTC), as_at=None)
    return units_of(frames_of(batch), arrived)


def rows(*values: tuple[int, str, int]) -> pl.DataFrame:
    schema = {"_record": pl.Int64, "_offset": pl.Int64, "KEY": pl.String, "AMOUNT": pl.Int64}
    return pl.DataFrame([(record, record * 10, key, amount) for record, key, amount in values], schema, orient="row")


def parts(*values: tuple[int, str]) -> pl.DataFrame:
    schema = {"_record": pl.Int64, "_offset": pl.Int64, "NAME": pl.String}
    return pl.DataFrame([(record, 0, name) for record, name in values], schema, orient="row")


def test_rows_become_units_in_file_order_with_their_parts_beside_them() -> None:
    first, second = judged(rows((1, "A", 5), (2, "B", 6)), parts((2, "x"), (2, "y")))

    assert (first.key, first.record, first.offset, first.kind) == ("A", 1, 10, "toy_rows")
    assert first.values == {"amount": 5, "kind": None, "toy_parts": ()}
    assert second.values["toy_parts"] == ({"name": "x"}, {"name": "y"})
    assert first.mapping_id.startswith("toy/toy_rows@1+")


def test_a_key_may_repeat_in_a_file() -> None:
    assert [unit.key for unit in judged(rows((1, "A", 5), (2, "A", 6)), parts())] == ["A", "A"]


def test_a_value_that_breaks_a_rule_is_a_fault_of_its_own_unit() -> None:
    good, bad = judged(rows((1, "A", 5), (2, "B", -1)), parts())

    assert good.faults == frozenset()
    assert bad.faults == {"AMOUNT_RANGE"}
