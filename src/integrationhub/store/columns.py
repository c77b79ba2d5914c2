"""Column types that read the same in Python on both databases.

Identifiers are 32 hexadecimal digits in Python: PostgreSQL keeps them as 16-byte UUIDs, SQLite as text. Text
compares by bytes on both ("C" collation; SQLite's BINARY), so that exports sort alike. Instants are aware UTC.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CHAR, JSON, BigInteger, Boolean, Date, DateTime, Dialect, Integer, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from integrationhub.canonical.model import Type


class Identifier(TypeDecorator[str]):
    """128 bits as 32 lower-case hexadecimal digits."""

    impl = CHAR(32)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """UUID where the database has one."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=False))
        return dialect.type_descriptor(CHAR(32))

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 – SQLAlchemy passes it by name
        """Without PostgreSQL's hyphens."""
        return None if value is None else value.replace("-", "")

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """SQLite gives the text as it was written: a call for every value would be a tenth of a big read."""
        return super().result_processor(dialect, coltype) if dialect.name == "postgresql" else None


class Instant(TypeDecorator[datetime]):
    """A moment, aware and in UTC; SQLite keeps it as text without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC; a naive moment is refused, since nobody could say which hour it means."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 – SQLAlchemy passes it by name
    ) -> datetime | None:
        """Aware, whatever zone the database session has."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def words() -> TypeEngine[str]:
    """Text that sorts by its bytes."""
    return Text().with_variant(Text(collation="C"), "postgresql")


def counter() -> TypeEngine[int]:
    """A 64-bit number that the database hands out; SQLite numbers only plain INTEGER keys."""
    return BigInteger().with_variant(Integer(), "sqlite")


def document() -> TypeEngine[Any]:
    """JSON kept as it was written, keys in their order."""
    return JSON()


SQL_TYPES: dict[Type, Callable[[], TypeEngine[Any]]] = {
    Type.ID: Identifier,
    Type.TEXT: words,
    Type.CODE: words,
    Type.INT: BigInteger,
    Type.PENCE: BigInteger,
    Type.DATE: Date,
    Type.BOOL: Boolean,
}
"""What each canonical type is in a table."""


def opaque(value: object) -> str:
    """An identifier that came through raw SQL, as 32 hexadecimal digits."""
    return str(value).replace("-", "")
