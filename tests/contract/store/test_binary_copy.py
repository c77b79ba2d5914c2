"""What the binary form of COPY brings into a staging table is what the frame held."""

from collections.abc import Iterator
from datetime import date

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import select

from integrationhub.errors import InvariantBroken
from integrationhub.store import staging
from integrationhub.store.dialect import fetch_frame
from integrationhub.store.staging import ENTITY_STAGES
from integrationhub.store.unit_of_work import Store

TEXTS = some.text(some.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=12)
IDENTIFIERS = some.text("0123456789abcdef", min_size=32, max_size=32)
NUMBERS = some.integers(-(2**63), 2**63 - 1)
DATES = some.dates(date(1, 1, 1), date(9999, 12, 31))
COLUMNS = {
    "party_id": (IDENTIFIERS, pl.String),
    "surname": (TEXTS | some.none(), pl.String),
    "forenames": (TEXTS, pl.String),
    "birth_date": (DATES | some.none(), pl.Date),
    "nino_usable": (some.booleans() | some.none(), pl.Boolean),
    "nino": (some.none(), pl.String),
    "record_no": (NUMBERS, pl.Int64),
    "byte_offset": (NUMBERS | some.none(), pl.Int64),
    "delivery_id": (IDENTIFIERS | some.none(), pl.String),
}
ROWS = some.lists(some.tuples(*(values for values, _ in COLUMNS.values())), max_size=8)
SCHEMA = {name: dtype for name, (_, dtype) in COLUMNS.items()}


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    store = Store.open(postgres_url, create=True)
    yield store
    store.close()


def _there_and_back(store: Store, frame: pl.DataFrame) -> pl.DataFrame:
    stage = ENTITY_STAGES["parties"]
    with store.begin() as work:
        staging.prepare(work.connection, stage)
        staging.fill(work.connection, stage, frame)
        return fetch_frame(work.connection, select(*(stage.c[name] for name in frame.columns)), dict(frame.schema))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_every_value_arrives_as_it_left(store: Store, rows: list[tuple[object, ...]]) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")

    assert _there_and_back(store, frame).equals(frame)


def test_a_frame_of_several_pieces_arrives_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_ROWS_PER_COPY", 3)
    frame = pl.DataFrame(
        {
            "party_id": [f"{number:032x}" for number in range(10)],
            "surname": [None, "", "Ó", "d", "e", "f", None, None, None, "j"],
            "birth_date": [date(2000, 1, 1), *[None] * 8, date(1999, 12, 31)],
        }
    )

    assert _there_and_back(store, frame).equals(frame)


@pytest.mark.parametrize("wrong", ["", "0" * 31 + "g", "0" * 33, "0" * 30])
def test_what_is_no_identifier_is_refused_and_not_quoted(store: Store, wrong: str) -> None:
    frame = pl.DataFrame({"party_id": ["0" * 32, wrong]})

    with pytest.raises(InvariantBroken, match="party_id holds something that is no identifier"):
        _there_and_back(store, frame)
