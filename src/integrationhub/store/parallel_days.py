"""Which waves run in parallel with their sources, and whether a book has come since they were last compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from integrationhub.store.deliveries import Kind, State
from integrationhub.store.schema import DELIVERIES
from integrationhub.store.transfer_decisions import PARALLEL_DAYS, TRANSFER_RUNS
from integrationhub.store.transfer_moves import TRANSFER_GROUPS


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveInParallel:
    """A wave of which groups have moved and wait for sign-off. `compared_at`: the last time, None: never."""

    plan: str
    run_id: str
    wave: str
    compared_at: datetime | None


def waves_in_parallel(connection: Connection) -> list[WaveInParallel]:
    """Every such wave, of all plans, in a fixed order."""
    run, group, day = TRANSFER_RUNS, TRANSFER_GROUPS, PARALLEL_DAYS
    same = (day.c.run_id == group.c.run_id) & (day.c.wave == group.c.wave)
    keys = (run.c.plan, run.c.run_id, group.c.wave)
    statement = (
        select(*keys, func.max(day.c.compared_at).label("compared_at"))
        .select_from(group.join(run, run.c.run_id == group.c.run_id).outerjoin(day, same))
        .where(group.c.state == "LOADED")
        .group_by(*keys)
        .order_by(*keys)
    )
    return [WaveInParallel(**row._asdict()) for row in connection.execute(statement)]


def newest_book(connection: Connection, connectors: Sequence[str]) -> datetime | None:
    """When the last file of these connectors was accepted."""
    table = DELIVERIES
    chosen = (table.c.kind == Kind.FILE.value) & (table.c.state == State.ACCEPTED.value)
    statement = select(func.max(table.c.completed_at)).where(chosen, table.c.connector.in_(connectors))
    found: datetime | None = connection.execute(statement).scalar_one()
    return found
