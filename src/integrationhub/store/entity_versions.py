"""Which message about a thing was applied last. Older ones are overtaken, and order is kept between processes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from integrationhub.errors import TransientError
from integrationhub.store.bulk import Same, Values, among, insert_rows
from integrationhub.store.schema import ENTITY_VERSIONS

_ADVANCE = """
ON CONFLICT (entity_id) DO UPDATE SET number = excluded.number, delivery_id = excluded.delivery_id,
    sha256 = excluded.sha256
WHERE entity_versions.number < excluded.number
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityVersion:
    """The last applied message about an entity."""

    entity_id: str
    number: int
    delivery_id: str
    sha256: str


class EntityVersions:
    """Versions by entity."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, entity_ids: Sequence[str]) -> dict[str, EntityVersion]:
        """The versions of these entities; nobody else can advance them until this transaction ends."""
        columns = [ENTITY_VERSIONS.c[name] for name in EntityVersion.__dataclass_fields__]
        statement = select(*columns).where(among(self._connection, ENTITY_VERSIONS.c.entity_id, entity_ids))
        # Everybody locks in one order.
        rows = self._connection.execute(statement.order_by(ENTITY_VERSIONS.c.entity_id).with_for_update())
        return {row.entity_id: EntityVersion(**row._mapping) for row in rows}

    def advance(self, connector: str, versions: Sequence[EntityVersion]) -> None:
        """These are the last ones now. TransientError: another process has gone further meanwhile."""
        ordered = sorted(versions, key=lambda version: version.entity_id)
        names = EntityVersion.__dataclass_fields__
        given: dict[str, Values] = {name: [getattr(version, name) for version in ordered] for name in names}
        given["connector"] = Same(connector)
        if insert_rows(self._connection, ENTITY_VERSIONS, given, conflict=_ADVANCE) != len(ordered):
            raise TransientError(
                "another process has just taken a message about the same thing",
                code="TAKEN_ELSEWHERE",
                remedy="the same batch can be taken again: it will know the message",
            )
