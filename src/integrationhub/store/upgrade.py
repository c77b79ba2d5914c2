"""Schema revisions: which one a database has, which one this code needs, and the way from one to the other.

The revisions lie in `store/revisions` ("migration" always means moving cases). Alembic is imported only to upgrade: the
check at every start reads one row.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from integrationhub.errors import ConfigurationError
from integrationhub.store.schema import METADATA

HEAD = "0020"
"""The revision that this code works with."""

_SCRIPTS = Path(__file__).with_name("revisions")
_REMEDY = "run `integrationhub store upgrade`"
_UPGRADE_LOCK = 1_347_571_536  # any number that nothing else locks


def current(engine: Engine) -> str | None:
    """The revision of the database; None when it never had one."""
    with engine.connect() as connection:
        return _current(connection)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if revision is None else str(revision)


def is_empty(engine: Engine) -> bool:
    """Whether none of the hub's tables is there yet."""
    with engine.connect() as connection:
        return not set(inspect(connection).get_table_names()) & {"alembic_version", *METADATA.tables}


def require_head(engine: Engine) -> None:
    """ConfigurationError unless the database has the revision that this code works with."""
    found = current(engine)
    if found == HEAD:
        return
    if found is None:
        raise ConfigurationError("the database has no tables of the hub", code="STORE_EMPTY", remedy=_REMEDY)
    if found < HEAD:
        text_ = f"the database has schema revision {found}, this version of the hub needs {HEAD}"
        raise ConfigurationError(text_, code="STORE_REVISION", remedy=_REMEDY)
    raise ConfigurationError(
        f"the database has schema revision {found}, which is newer than this version of the hub ({HEAD})",
        code="STORE_REVISION",
        remedy="install the version of the hub that upgraded the database",
    )


def upgrade(engine: Engine) -> str | None:
    """Bring the database to HEAD, in one transaction, and give the revision it had; repeating changes nothing."""
    from alembic import command  # noqa: PLC0415 – takes 0.7 s to import, and most commands never upgrade
    from alembic.config import Config  # noqa: PLC0415 – the same

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # SQLite: the write lock is held already
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _UPGRADE_LOCK})
        before = _current(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before
