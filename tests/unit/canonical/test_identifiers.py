"""Identifiers of columns equal those of single keys, for few rows and for many, in runs and scattered."""

from datetime import date

import polars as pl
import pytest

from integrationhub.canonical.identifier_columns import FEW, derive_column
from integrationhub.canonical.identifiers import derive

SIZES = [0, 1, FEW, FEW + 1, 1_000]


def frame(rows: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "run": pl.Series([number // 7 for number in range(rows)], dtype=pl.Int64),
            "text": pl.Series([f"t{number % 3}" for number in range(rows)], dtype=pl.String),
            "day": pl.Series([date(2015, 1, 1 + number % 28) for number in range(rows)], dtype=pl.Date),
            "gap": pl.Series([None if number % 5 == 0 else number for number in range(rows)], dtype=pl.Int64),
        }
    )


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("names", [["run"], ["run", "text"], ["text", "day"]])
def test_a_column_of_identifiers_equals_deriving_row_by_row(rows: int, names: list[str]) -> None:
    keys = frame(rows)

    found = keys.select(derive_column(["case", "CSCS"], list(map(pl.col, names)))).to_series()

    assert found.to_list() == [derive("case", "CSCS", *key) for key in keys.select(names).iter_rows()]


@pytest.mark.parametrize("rows", SIZES)
def test_a_key_with_an_empty_part_has_no_identifier(rows: int) -> None:
    keys = frame(rows)

    found = keys.select(derive_column(["party", "CSCS"], [pl.col("gap")])).to_series()

    assert found.to_list() == [None if gap is None else derive("party", "CSCS", gap) for gap in keys["gap"]]


def test_parts_can_not_run_into_each_other() -> None:
    assert derive("a", "bc") != derive("ab", "c")
    assert len(derive("a")) == 32
