"""Tables follow the canonical model, and long SQL says what it is for."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import make_url

from integrationhub.canonical.model import ENTITIES
from integrationhub.store.columns import Instant
from integrationhub.store.schema import CANONICAL
from integrationhub.store.sql import queries
from integrationhub.store.staging import ENTITY_STAGES

SQLITE = make_url("sqlite://").get_dialect()()
POSTGRES = make_url("postgresql+psycopg://").get_dialect()()
NOON = datetime(2015, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", ENTITIES)
def test_every_entity_has_a_table_and_a_staging_table_with_its_columns(name: str) -> None:
    columns = list(ENTITIES[name].names())
    assert [column.name for column in CANONICAL[name].columns] == columns
    assert [column.name for column in ENTITY_STAGES[name].columns] == columns


@pytest.mark.parametrize("name", ENTITIES)
def test_exactly_the_required_fields_may_not_be_null(name: str) -> None:
    entity = ENTITIES[name]
    required = {item.name for item in entity.all_fields() if item.required}
    assert {column.name for column in CANONICAL[name].columns if not column.nullable} == required


@pytest.mark.parametrize("file", ["exports", "invariants"])
def test_every_long_query_is_described_in_a_sentence(file: str) -> None:
    for query in queries(file).values():
        assert query.description.endswith(".")
        assert query.text.startswith("SELECT")


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Instant().process_bind_param(NOON.replace(tzinfo=None), SQLITE)


def test_moments_are_stored_in_utc() -> None:
    summer = NOON.astimezone(timezone(timedelta(hours=1)))
    assert Instant().process_bind_param(summer, SQLITE) == NOON.replace(tzinfo=None)
    assert Instant().process_bind_param(summer, POSTGRES) == NOON
    assert Instant().process_result_value(NOON.replace(tzinfo=None), SQLITE) == NOON
