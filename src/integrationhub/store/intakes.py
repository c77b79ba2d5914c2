"""How the intake of each connector's messages stands, as its daemon last said: going, or waiting for what."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from integrationhub.store.dialect import upsert
from integrationhub.store.schema import INTAKES


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeState:
    """One connector's intake on one host. `waits_for` is the code of the trouble that holds it up, None while it goes.

    `host` names the machine; a daemon that was killed leaves its last word standing.
    """

    connector: str
    host: str
    waits_for: str | None = None
    since: datetime


class Intakes:
    """Intakes by connector and host."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, state: IntakeState) -> None:
        """Store how it stands now."""
        upsert(self._connection, INTAKES, asdict(state))

    def all(self) -> list[IntakeState]:
        """Every intake that ever had something to say, by connector and host."""
        statement = select(INTAKES).order_by(INTAKES.c.connector, INTAKES.c.host)
        return [IntakeState(**row) for row in self._connection.execute(statement).mappings()]
