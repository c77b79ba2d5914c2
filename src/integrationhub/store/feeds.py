"""How far each connector's sequence has come, and what holds it up."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from integrationhub.store.dialect import insert_new, upsert
from integrationhub.store.schema import FEEDS, SKIPPED_NUMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One connector's feed. Stopped: a refused number holds up the later ones. Paused: an operator's wish."""

    connector: str
    last_sequence: int | None = None
    stopped_sequence: int | None = None
    stopped_code: str | None = None
    stopped_at: datetime | None = None
    paused: bool = False
    paused_at: datetime | None = None
    paused_by: str | None = None
    paused_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedNumber:
    """A sequence number that an operator passed over."""

    connector: str
    sequence: int
    reason: str
    skipped_by: str
    skipped_at: datetime


class Feeds:
    """Feeds by connector; one that was never seen is a feed at its beginning."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, connector: str) -> Feed:
        """The feed as it stands."""
        row = self._connection.execute(select(FEEDS).where(FEEDS.c.connector == connector)).mappings().first()
        return Feed(connector=connector) if row is None else Feed(**row)

    def lock(self, connector: str) -> Feed:
        """The feed, which nobody else can change until this transaction ends."""
        insert_new(self._connection, FEEDS, asdict(Feed(connector=connector)))
        statement = select(FEEDS).where(FEEDS.c.connector == connector).with_for_update()
        return Feed(**self._connection.execute(statement).mappings().one())

    def save(self, feed: Feed) -> None:
        """Store the feed as it stands now."""
        upsert(self._connection, FEEDS, asdict(feed))

    def all(self) -> list[Feed]:
        """Every feed that was ever seen, by connector."""
        return [Feed(**row) for row in self._connection.execute(select(FEEDS).order_by(FEEDS.c.connector)).mappings()]

    def skip(self, number: SkippedNumber) -> None:
        """Note that a number is passed over; Conflict when it was before."""
        self._connection.execute(SKIPPED_NUMBERS.insert().values(**asdict(number)))

    def skipped(self, connector: str) -> list[SkippedNumber]:
        """Numbers that were passed over, ascending."""
        statement = (
            select(SKIPPED_NUMBERS).where(SKIPPED_NUMBERS.c.connector == connector).order_by(SKIPPED_NUMBERS.c.sequence)
        )
        return [SkippedNumber(**row) for row in self._connection.execute(statement).mappings()]
