"""A few rows are read value by value, many by expressions: what a record becomes may not depend on its company."""

from collections.abc import Mapping
from datetime import date

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.counter import lines
from benchmarks.mapping import FEED
from integrationhub.errors import ConfigurationError
from integrationhub.mapping import items, plan, tables
from integrationhub.mapping.compile import CompiledMapping, MappingContext
from integrationhub.mapping.compile import Mapping as Specs
from integrationhub.mapping.conversions import FEW, Environment, convert
from integrationhub.mapping.low_values import may_hold_low_values
from integrationhub.mapping.spec import Conversion, DateRule
from integrationhub.mapping.tables import layout_of
from integrationhub.records import LOW_VALUES, CanonicalBatch, DecodedBatch
from tests.unit.mapping.extract import CONTEXT, SAMPLE, decoded

PLACEHOLDERS = ("1900-01-01", "1980-02-29", "low-values", "zero", "nines")
RULES = {
    "packed": DateRule(format="cyyddd", sentinels=PLACEHOLDERS),
    "packed-end": DateRule(format="cyyddd", open=("nines",), exclusive=True),
    "display": DateRule(format="ccyymmdd", not_recorded=("zero",), sentinels=PLACEHOLDERS[:3]),
    "display-end": DateRule(format="ccyymmdd", open=("nines", "0001-01-02"), exclusive=True),
}
CODES = {"size": {"S": "SMALL", "L": "LARGE", "": "UNKNOWN", "7": "SEVEN"}, "none": {}}
TEXTS = st.text(alphabet=st.sampled_from("AB \x00£\t"), max_size=6)
CODED = st.sampled_from(["S", "L", "", "s", "SL", "7", "Y", "N"])
NUMBERS = st.one_of(st.integers(-3, 12), st.integers(-(2**53), 2**53), st.just(LOW_VALUES), st.just(9_999_999))
DAYS = st.dates().map(lambda day: day.year * 10_000 + day.month * 100 + day.day)
NEARLY_DAYS = st.tuples(DAYS, st.integers(-9, 40)).map(sum)
YEAR_DAYS = st.tuples(st.integers(0, 200), st.integers(0, 370)).map(lambda one: one[0] * 1_000 + one[1])
DATES = st.one_of(NEARLY_DAYS, YEAR_DAYS, st.sampled_from([19_000_101, 19_800_229, 10_101, 10_102, 80_060, 1]), NUMBERS)
READINGS = {
    "text": ({"as": "text"}, TEXTS),
    "plain": ({"as": "plain"}, TEXTS | st.text(max_size=4)),
    "code": ({"as": "code", "codes": "size"}, CODED),
    "code of no list": ({"as": "code", "codes": "none"}, CODED),
    "code of a number": ({"as": "code", "codes": "size"}, st.integers(5, 9)),
    "flag": ({"as": "flag", "yes": ["Y"], "no": ["N", ""]}, CODED),
    "int": ({"as": "int"}, NUMBERS),
    "int with empty": ({"as": "int", "empty": [0, 9]}, NUMBERS),
    "pence": ({"as": "pence"}, NUMBERS),
    "pence of a ratio": ({"as": "pence", "ratio": [7, 365]}, st.integers(-(10**12), 10**12)),
    "pounds": ({"as": "pounds"}, st.from_regex(r"-?[0-9]{0,11}\.?[0-9]{0,3}\n?", fullmatch=True) | TEXTS),
    "digits": ({"as": "digits", "length": 10}, NUMBERS),
    "digits with empty": ({"as": "digits", "length": 2, "empty": [0]}, NUMBERS),
    **{rule: ({"as": "date", "rule": rule}, DATES) for rule in RULES},
}


@pytest.mark.parametrize("name", READINGS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_value_is_read_alike_one_by_one_and_by_expression(name: str, data: st.DataObject) -> None:
    options, values = READINGS[name]
    column = pl.Series("v", data.draw(st.lists(st.none() | values, min_size=1, max_size=12)))
    found = convert(pl.col("v"), Conversion.model_validate(options), Environment(dates=RULES, codes=CODES))

    many = column.to_frame().select(found.value).to_series()

    assert many.dtype == found.dtype
    assert found.few(column.to_list()) == many.to_list()


@settings(deadline=None)
@given(st.lists(st.none() | TEXTS, max_size=100), st.integers(0, 5))
def test_low_values_are_seen_wherever_one_is(texts: list[str | None], first: int) -> None:
    padded = pa.array([*["\x00"] * first, *texts, *[""] * (FEW + 1)], pa.string()).slice(first)

    for column in (padded, padded.cast(pa.large_string())):
        found = may_hold_low_values({"T": pa.table({"A": column, "B": column})}, {"T": {"A"}})
        assert found == any("\x00" in text for text in texts if text)


def test_low_values_are_not_looked_for_in_other_fields_nor_in_few_rows() -> None:
    many = pa.table({"A": ["\x00"] * (FEW + 1), "B": ["x"] * (FEW + 1)})

    assert not may_hold_low_values({"T": many}, {"T": {"B"}, "U": {"A"}})
    assert may_hold_low_values({"T": many.slice(0, FEW)}, {"T": {"B"}})


@pytest.fixture(scope="module")
def table() -> pa.Table:
    rows = lines(3_000).to_pylist()
    for place, row in enumerate(rows):
        row["REMARK"] = (row["REMARK"], " a\x00b ", "\x00", None)[place % 7 if place % 7 < 4 else 0]
        row["POSTED"] = (row["POSTED"], 0, 19_000_101, 20_231_301)[place % 11 if place % 11 < 4 else 0]
    return pa.Table.from_pylist(rows)


@pytest.fixture(scope="module")
def mapping(table: pa.Table) -> CompiledMapping:
    return Specs.of_folder(FEED).compile(layout_of({"LINE": table}))


def mapped(mapping: CompiledMapping, table: pa.Table) -> CanonicalBatch:
    context = MappingContext(delivery_id="d" * 32, sequence=1, as_at=date(2015, 6, 30), source_system="COUNTER")
    return mapping.apply(DecodedBatch(tables={"LINE": table}), context)


@pytest.mark.parametrize("size", [1, FEW, FEW + 1, 1_000])
def test_rows_and_faults_are_those_of_the_whole_however_a_batch_is_cut(
    size: int, table: pa.Table, mapping: CompiledMapping
) -> None:
    some = table.slice(0, 4 * FEW if size <= FEW else 3_000)
    whole = mapped(mapping, some)
    parts = [mapped(mapping, some.slice(start, size)) for start in range(0, some.num_rows, size)]

    assert pl.concat([part.rows["ledger"] for part in parts]).equals(whole.rows["ledger"])
    assert pl.concat([part.faults for part in parts]).equals(whole.faults)
    assert pl.concat([part.notes for part in parts]).equals(whole.notes)
    assert whole.faults.height


def test_a_real_book_is_mapped_alike_value_by_value_and_by_expressions(
    csa1993: CompiledMapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = decoded(SAMPLE.read_bytes())
    found = []
    for few in (0, 10**9):
        for module in (plan, items, tables):
            monkeypatch.setattr(module, "FEW", few)
        found.append(csa1993.apply(book, CONTEXT))
    one, other = found

    assert one.faults.equals(other.faults)
    assert all(rows.equals(other.rows[name]) for name, rows in one.rows.items())
    assert all(one.rows[name].height for name in ("cases", "debts", "ledger", "receipts", "balances", "history"))


@pytest.mark.parametrize(
    ("name", "values"), [("AMOUNT", ["12"] * 3_000), ("REMARK", list(range(3_000))), ("POSTED", [20_150_630.0] * 3_000)]
)
def test_a_column_of_another_kind_is_refused_before_anything_is_read_from_it(
    name: str, values: list[object], table: pa.Table, mapping: CompiledMapping
) -> None:
    other = table.set_column(table.column_names.index(name), name, pa.array(values))

    for rows in (other, other.slice(0, 1)):
        with pytest.raises(ConfigurationError) as refused:
            mapped(mapping, rows)
        assert f"LINE.{name}: the conversion reads" in str(refused.value.faults)


def test_a_number_written_with_fewer_bits_is_read_alike(table: pa.Table, mapping: CompiledMapping) -> None:
    columns: Mapping[str, pa.DataType] = {"LINE-NO": pa.uint8(), "AMOUNT": pa.int32(), "KIND": pa.large_string()}
    narrow = pa.table(
        {name: table[name].cast(columns[name]) if name in columns else table[name] for name in table.column_names}
    )

    assert mapped(mapping, narrow).rows["ledger"].equals(mapped(mapping, table).rows["ledger"])
