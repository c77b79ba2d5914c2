"""The canonical state in a few figures: every debt's status and balance, suspense, and what was told to whom.

Shape: `state` of benefits-common.md §11. For a debt whose ledger is mastered elsewhere the balance is the source's.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, exists, func, select

from integrationhub.store.schema import CANONICAL, OUTBOX

DEBTS, BALANCES = CANONICAL["debts"], CANONICAL["balances"]
RECEIPTS, ALLOCATIONS = CANONICAL["receipts"], CANONICAL["allocations"]


def read_state(connection: Connection) -> Mapping[str, Any]:
    """Debts by reference in their order, receipts in suspense, and events of the internal audience by type."""
    suspense_pence, suspense_count = _suspense(connection)
    return {
        "debts": _debts(connection),
        "suspense_pence": suspense_pence,
        "suspense_count": suspense_count,
        "events_internal": _events(connection),
    }


def _debts(connection: Connection) -> Mapping[str, Mapping[str, Any]]:
    source = (BALANCES.c.debt_id == DEBTS.c.debt_id) & (BALANCES.c.kind == "SOURCE")
    statement = (
        select(DEBTS.c.debt_id, DEBTS.c.status, BALANCES.c.pence)
        .select_from(DEBTS.outerjoin(BALANCES, source))
        .order_by(DEBTS.c.debt_id)
    )
    return {
        row.debt_id: {
            "status": row.status,
            "source_balance_pence": row.pence,
            "balance_pence": row.pence,
            "recovery_allowed": row.status == "ACTIVE",
        }
        for row in connection.execute(statement)
    }


def _suspense(connection: Connection) -> tuple[int, int]:
    """Pence and number of receipts that no debt was found for."""
    allocated = exists().where(ALLOCATIONS.c.receipt_id == RECEIPTS.c.receipt_id)
    statement = select(func.coalesce(func.sum(RECEIPTS.c.pence), 0), func.count()).where(~allocated)
    pence, count = connection.execute(statement).one()
    return int(pence), int(count)


def _events(connection: Connection) -> Mapping[str, int]:
    statement = (
        select(OUTBOX.c.type, func.count())
        .where(OUTBOX.c.audience == "internal")
        .group_by(OUTBOX.c.type)
        .order_by(OUTBOX.c.type)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}
