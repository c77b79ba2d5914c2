"""Frames are made fit before they are staged."""

import polars as pl
import pytest

from integrationhub.canonical.frames import schema
from integrationhub.canonical.model import ENTITIES
from integrationhub.errors import InvariantBroken
from integrationhub.store.frames import VERSION_STEP, conform

PARTIES = ENTITIES["parties"]


def _party(record: int, surname: str, *, key: str = "p", sequence: int = 4, delivery: str = "d") -> dict[str, object]:
    return {
        "party_id": key,
        "surname": surname,
        "delivery_id": delivery,
        "record_no": record,
        "version": sequence * VERSION_STEP + record,
    }


def _conformed(*rows: dict[str, object]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=schema(PARTIES))
    return conform(PARTIES, frame, delivery_id="d", sequence=4)


def test_columns_come_in_the_tables_order_and_rows_in_file_order() -> None:
    frame = _conformed(_party(9, "B", key="q"), _party(2, "A"))
    assert frame.columns == list(PARTIES.names())
    assert frame["record_no"].to_list() == [2, 9]


def test_of_a_party_that_comes_twice_the_later_record_stays() -> None:
    assert _conformed(_party(9, "LATER"), _party(2, "EARLIER"))["surname"].to_list() == ["LATER"]


@pytest.mark.parametrize("row", [_party(1, "A", sequence=3), _party(1, "A", sequence=5), _party(1, "A", delivery="e")])
def test_rows_of_another_file_are_refused(row: dict[str, object]) -> None:
    with pytest.raises(InvariantBroken) as refused:
        _conformed(_party(1, "A"), row)
    assert refused.value.code == "FOREIGN_ROWS"


def test_the_last_record_number_of_a_file_still_belongs_to_it() -> None:
    assert _conformed(_party(VERSION_STEP - 1, "A")).height == 1


def test_a_ledger_frame_may_come_without_its_seals() -> None:
    ledger = ENTITIES["ledger"]
    unsealed = pl.DataFrame(schema=schema(ledger)).drop("entry_id", "digest")
    assert conform(ledger, unsealed, delivery_id="d", sequence=4).columns == list(ledger.names())


def test_a_column_that_is_missing_is_an_error_not_a_null() -> None:
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        conform(PARTIES, pl.DataFrame(schema=schema(PARTIES)).drop("surname"), delivery_id="d", sequence=4)
