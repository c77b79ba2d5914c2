"""The revisions make exactly the tables that the code works with."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from integrationhub.errors import ConfigurationError
from integrationhub.store import upgrade
from integrationhub.store.engine import open_engine
from integrationhub.store.schema import METADATA
from integrationhub.store.unit_of_work import Store


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    engine = open_engine(store_url)
    yield engine
    engine.dispose()


def _definitions(connection: Connection) -> list[tuple[str, ...]]:
    """Tables, columns and indexes as the database itself describes them."""
    inspector = inspect(connection)
    names = sorted(set(inspector.get_table_names()) & set(METADATA.tables))
    columns = sorted(  # a revision adds a column at the end, where the code may name it earlier
        (name, column["name"], str(column["type"]), getattr(column["type"], "collation", ""), column["nullable"])
        for name in names
        for column in inspector.get_columns(name)
    )
    keys = [(name, str(inspector.get_pk_constraint(name)["constrained_columns"])) for name in names]
    links = [(name, str(link["referred_table"])) for name in names for link in inspector.get_foreign_keys(name)]
    if connection.dialect.name == "postgresql":
        indexes = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, indexname"
    else:
        indexes = "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index' ORDER BY 1, name"
    wanted = [tuple(row) for row in connection.execute(text(indexes)) if row[0] in names]
    return [*columns, *keys, *links, *wanted]


def _made_by_revisions(engine: Engine) -> list[tuple[str, ...]]:
    upgrade.upgrade(engine)
    with engine.connect() as connection:
        return _definitions(connection)


def _made_from_metadata(engine: Engine) -> list[tuple[str, ...]]:
    with engine.begin() as connection:
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
        return _definitions(connection)


def test_revisions_and_metadata_make_the_same_tables_columns_and_indexes(engine: Engine) -> None:
    assert _made_by_revisions(engine) == _made_from_metadata(engine)


def test_alembic_finds_nothing_left_to_change_after_the_upgrade(engine: Engine) -> None:
    upgrade.upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_head_is_the_newest_revision_that_ships() -> None:
    assert ScriptDirectory(str(upgrade._SCRIPTS)).get_current_head() == upgrade.HEAD


def test_upgrading_twice_changes_nothing_and_tells_what_was_there(engine: Engine) -> None:
    assert upgrade.upgrade(engine) is None
    assert upgrade.upgrade(engine) == upgrade.HEAD


def test_an_empty_database_is_refused_with_the_command_that_helps(store_url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Store.open(store_url)
    assert refused.value.remedy == "run `integrationhub store upgrade`"


def test_an_older_revision_is_refused_even_where_an_empty_database_would_be_created(
    engine: Engine, store_url: str
) -> None:
    upgrade.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(ConfigurationError, match="0001") as refused:
        Store.open(store_url, create=True)
    assert refused.value.remedy == "run `integrationhub store upgrade`"


def test_a_newer_revision_is_refused_and_the_hub_to_install_is_named(engine: Engine, store_url: str) -> None:
    upgrade.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="newer"):
        Store.open(store_url)


def test_a_database_with_tables_of_others_only_counts_as_empty(engine: Engine, store_url: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE broker_queues (name TEXT)"))
    store = Store.open(store_url, create=True)
    store.close()
    assert upgrade.current(engine) == upgrade.HEAD
