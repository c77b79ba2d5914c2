"""A comparison of speeds says something only if what is compared does the same."""

import pytest

from benchmarks import mapping
from benchmarks.counter import lines
from integrationhub.mapping.compile import Mapping
from integrationhub.mapping.tables import layout_of


@pytest.mark.parametrize("size", [1, 100, 3_000])
def test_the_function_that_goes_row_by_row_gives_the_rows_and_faults_of_the_mapping(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapping, "SECONDS", 0.0)
    table = lines(3_000)
    compiled = Mapping.of_folder(mapping.FEED).compile(layout_of({"LINE": table}))

    rates = mapping.counter_rates(compiled, table.slice(0, size))

    assert set(rates) == {"mapping", "tables", "rows"}
