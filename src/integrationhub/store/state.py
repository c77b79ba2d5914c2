"""The canonical state in a few figures: every debt's status and balance, suspense, and what was told to whom.

Shape: `state` of benefits-common.md §11. For a debt whose ledger is mastered elsewhere the balance is the source's. The
balance of a benefit debt is that of §10: the source's less what came in since its as-at date.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, exists, func, select

from integrationhub.store.account_tables import ACCOUNTS, MONEY
from integrationhub.store.schema import CANONICAL, OUTBOX
from integrationhub.store.shelf import DEBT_COLUMNS, debt_of

DEBTS, BALANCES = CANONICAL["debts"], CANONICAL["balances"]
RECEIPTS, ALLOCATIONS = CANONICAL["receipts"], CANONICAL["allocations"]
ROWS_AT_ONCE = 10_000


def read_state(connection: Connection, *, as_at: date) -> Mapping[str, Any]:
    """Debts by reference in their order, receipts in suspense, and events of the internal audience by type.

    Holds are judged on the day `as_at`.
    """
    suspense_pence, suspense_count = _suspense(connection)
    debts = {**dict(_benefit_debts(connection, as_at)), **_debts(connection)}
    return {
        "debts": dict(sorted(debts.items())),
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


def account_rows(connection: Connection) -> Iterator[tuple[Sequence[Any], int]]:
    """The rows of all benefit debts in the order of their references, DEBT_COLUMNS first, and what came in since."""
    since = (
        select(MONEY.c.debt_ref, func.sum(MONEY.c.amount_pence - MONEY.c.reversed_pence).label("pence"))
        .select_from(MONEY.join(ACCOUNTS, ACCOUNTS.c.ref == MONEY.c.debt_ref))
        .where(MONEY.c.value_date > ACCOUNTS.c.as_at)
        .group_by(MONEY.c.debt_ref)
        .subquery()
    )
    columns = [ACCOUNTS.c[name] for name in DEBT_COLUMNS]
    joined = ACCOUNTS.outerjoin(since, since.c.debt_ref == ACCOUNTS.c.ref)
    statement = select(*columns, func.coalesce(since.c.pence, 0).label("since")).select_from(joined)
    options = {"yield_per": ROWS_AT_ONCE}
    for row in connection.execute(statement.order_by(ACCOUNTS.c.ref), execution_options=options):
        yield tuple(row), int(row.since)


def _benefit_debts(connection: Connection, as_at: date) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for row, since in account_rows(connection):
        debt = debt_of(row[: len(DEBT_COLUMNS)])
        yield (
            debt.ref,
            {
                "status": debt.status,
                "source_balance_pence": debt.source_balance_pence,
                "balance_pence": debt.source_balance_pence - since,
                "recovery_allowed": debt.recovery_allowed(as_at),
            },
        )


def _suspense(connection: Connection) -> tuple[int, int]:
    """Pence that nobody's debt has got, and the number of receipts that ever waited for theirs."""
    allocated = exists().where(ALLOCATIONS.c.receipt_id == RECEIPTS.c.receipt_id)
    statement = select(func.coalesce(func.sum(RECEIPTS.c.pence), 0), func.count()).where(~allocated)
    pence, count = connection.execute(statement).one()
    waiting = select(func.coalesce(func.sum(MONEY.c.amount_pence - MONEY.c.reversed_pence), 0)).where(
        MONEY.c.debt_ref.is_(None), MONEY.c.case_ref.is_(None)
    )
    ever = select(func.count()).select_from(MONEY).where(MONEY.c.reason.is_not(None))
    return int(pence) + int(connection.execute(waiting).scalar_one()), int(count) + int(
        connection.execute(ever).scalar_one()
    )


def _events(connection: Connection) -> Mapping[str, int]:
    statement = (
        select(OUTBOX.c.type, func.count())
        .where(OUTBOX.c.audience == "internal")
        .group_by(OUTBOX.c.type)
        .order_by(OUTBOX.c.type)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}
