"""Values of JSON messages as columns: types, sentinels of faults, and what is unusable."""

from typing import Any

import pytest

from integrationhub.decode.json_body import LONG
from integrationhub.decode.json_table import JsonTable, Row
from integrationhub.errors import RecordRejected
from integrationhub.sdk.descriptor import JsonField, JsonLayout

TABLE = JsonTable(
    JsonLayout(
        format="json",
        table="T",
        fields={
            "text": JsonField(path="a.text"),
            "code": JsonField(path="code", values=("X", "Y"), required=False),
            "count": JsonField(path="count", type="integer", required=False),
            "flag": JsonField(path="flag", type="boolean", required=False),
            "pence": JsonField(path="pence", type="pence", required=False),
            "money": JsonField(path="money", type="money", required=False),
            "day": JsonField(path="day", type="date", required=False),
        },
    )
)


def row(**values: object) -> Row:
    return TABLE.row({"a": {"text": "x"}, **values})


@pytest.mark.parametrize(
    ("name", "given", "held"),
    [
        ("money", "0", 0),
        ("money", "-12.5", -1250),
        ("money", "9999999.99", 999_999_999),
        ("day", "2024-02-29", 20_240_229),
        ("day", "9999-12-31", 99_991_231),
        ("flag", True, "true"),
        ("flag", False, "false"),
        ("pence", -1, -1),
        ("code", None, None),
    ],
)
def test_a_value_becomes_what_a_column_holds(name: str, given: object, held: object) -> None:
    assert row(**{name: given}).values[name] == held
    assert row(**{name: given}).faults == []


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [
        ("money", "1,00", "MONEY_FORMAT"),
        ("money", "1.", "MONEY_FORMAT"),
        ("money", "+1", "MONEY_FORMAT"),
        ("money", "1.005", "MONEY_FORMAT"),
        ("money", "\u0661", "MONEY_FORMAT"),
        ("money", "1\n", "MONEY_FORMAT"),
        ("money", "99999999.99", "AMOUNT_RANGE"),
        ("pence", 1_000_000_000, "AMOUNT_RANGE"),
        ("pence", LONG, "AMOUNT_RANGE"),
        ("day", "2023-02-29", "DATE_INVALID"),
        ("day", "20240229", "DATE_INVALID"),
        ("day", "2024-02-29T00:00", "DATE_INVALID"),
    ],
)
def test_a_value_that_cannot_be_held_is_a_fault_of_its_row(name: str, given: object, code: str) -> None:
    found = row(**{name: given})
    assert (found.values[name], list(found.faults)) == (None, [(name, code)])


@pytest.mark.parametrize(
    "values",
    [
        {"a": {}}, {"a": None}, {"a": "text"}, {"a": {"text": None}}, {"a": {"text": 1}}, {"code": "Z"},
        {"count": True}, {"count": 1.0}, {"count": "1"}, {"count": LONG}, {"flag": 0}, {"pence": "1"},
        {"pence": 1.5}, {"money": 1},
    ],
)  # fmt: skip
def test_a_value_of_another_json_type_makes_the_message_unusable(values: dict[str, Any]) -> None:
    with pytest.raises(RecordRejected) as raised:
        row(**values)
    assert raised.value.code == "SCHEMA_INVALID"


def test_texts_are_composed_and_hold_no_control_characters() -> None:
    assert TABLE.row({"a": {"text": "e\u0301 \t"}}).values["text"] == "\u00e9 \t"
    assert list(TABLE.row({"a": {"text": "x\x00"}}).faults) == [("text", "TEXT_CONTROL_CHAR")]
    assert list(TABLE.row({"a": {"text": "x\x85"}}).faults) == [("text", "TEXT_CONTROL_CHAR")]


def test_rows_make_one_batch_in_their_order_with_their_faults() -> None:
    batch = TABLE.batch([row(money="1"), row(money="?"), row(day="2024-02-29", flag=True)])
    table = batch.tables["T"]
    assert table.column("_record").to_pylist() == [1, 2, 3]
    assert table.column("money").to_pylist() == [100, None, None]
    assert batch.faults.select("record", "table", "field", "code").rows() == [(2, "T", "money", "MONEY_FORMAT")]
    assert TABLE.batch([row()]).faults.is_empty()
