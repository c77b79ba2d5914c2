"""What must hold of the book of accounts over all of it: money, balances, links, provenance.

Receipts in = allocated + in suspense + gone back: that follows for the sum of everything from what holds for each
receipt. Examples are references of debts and opaque identifiers.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, exists, func, or_, select, union_all
from sqlalchemy.sql.expression import CompoundSelect

from integrationhub.accounts.beforehand import SETUP
from integrationhub.accounts.entries import CLOSED_STATUSES, OPEN_STATUSES
from integrationhub.canonical.identifiers import derive
from integrationhub.store.account_tables import ACCOUNT_PEOPLE, ACCOUNTS, MONEY, MONEY_BACK, MONEY_MARKS, NOTES
from integrationhub.store.deliveries import State
from integrationhub.store.schema import DELIVERIES

_AT_ONCE = 10_000
_KEYS = {"accounts": ACCOUNTS.c.ref, "money": MONEY.c.receipt_id, "money_back": MONEY_BACK.c.receipt_id}
_KEYS |= {"notes": NOTES.c.note_id}


def money_is_somewhere() -> Select[Any]:
    """Receipts that are on a debt and a case, or nowhere without a reason; of which more or less went back than their
    reversals say, or more than came.
    """
    back = (
        select(MONEY_BACK.c.receipt_id, func.sum(MONEY_BACK.c.amount_pence).label("pence"))
        .group_by(MONEY_BACK.c.receipt_id)
        .subquery()
    )
    joined = MONEY.outerjoin(back, back.c.receipt_id == MONEY.c.receipt_id)
    nowhere = and_(MONEY.c.debt_ref.is_(None), MONEY.c.case_ref.is_(None), MONEY.c.reason.is_(None))
    twice = and_(MONEY.c.debt_ref.is_not(None), MONEY.c.case_ref.is_not(None))
    other = MONEY.c.reversed_pence != -func.coalesce(back.c.pence, 0)
    too_much = or_(MONEY.c.reversed_pence < 0, MONEY.c.reversed_pence > MONEY.c.amount_pence)
    return select(MONEY.c.receipt_id).select_from(joined).where(or_(nowhere, twice, other, too_much))


def reversals_have_receipts() -> Select[Any]:
    """Reversals of nothing, or that bring money in."""
    known = exists().where(MONEY.c.receipt_id == MONEY_BACK.c.receipt_id)
    return select(MONEY_BACK.c.receipt_id).where(or_(~known, MONEY_BACK.c.amount_pence >= 0))


def balances_follow() -> Select[Any]:
    """Debts whose source balance is not what its parts make; one that was written off may name none of them."""
    made = (
        ACCOUNTS.c.original_pence
        + ACCOUNTS.c.adjusted_pence
        - ACCOUNTS.c.recovered_pence
        - ACCOUNTS.c.written_off_pence
    )
    closed = ACCOUNTS.c.status.in_(("CLEARED", "WRITTEN_OFF"))
    unfounded = and_(ACCOUNTS.c.status != "WRITTEN_OFF", ACCOUNTS.c.source_balance_pence != made)
    still_owed = and_(closed, ACCOUNTS.c.source_balance_pence != 0)
    unknown = ACCOUNTS.c.status.not_in((*OPEN_STATUSES, *CLOSED_STATUSES))
    return select(ACCOUNTS.c.ref).where(or_(unfounded, still_owed, unknown))


def links_lead_somewhere() -> CompoundSelect[Any]:
    """Receipts on debts that nobody knows, and people who are liable for such."""
    debt = ACCOUNTS.alias("debt")
    return union_all(
        select(MONEY.c.debt_ref).where(MONEY.c.debt_ref.is_not(None), ~exists().where(debt.c.ref == MONEY.c.debt_ref)),
        select(ACCOUNT_PEOPLE.c.ref).where(~exists().where(debt.c.ref == ACCOUNT_PEOPLE.c.ref)),
    )


def marks_lead_somewhere() -> Select[Any]:
    """Marks of receipts that are not there."""
    known = exists().where(MONEY.c.receipt_id == MONEY_MARKS.c.receipt_id)
    return select(MONEY_MARKS.c.receipt_id).where(~known)


def provenance(connection: Connection) -> Iterator[str]:
    """Rows whose delivery does not exist, or was never taken; what was known beforehand came with none."""
    for table in (ACCOUNTS, MONEY, MONEY_BACK, NOTES):
        statement = _without_delivery(table)
        for row in connection.execute(statement, execution_options={"yield_per": _AT_ONCE}):
            yield str(row[0])


def _without_delivery(table: Table) -> Select[Any]:
    # A repeat moves no debt and no money, but a feed may have to remember that it came.
    taken = (State.LOADING, State.ACCEPTED, *((State.DUPLICATE,) if table is NOTES else ()))
    known = exists().where(DELIVERIES.c.delivery_id == table.c.delivery_id, DELIVERIES.c.state.in_(taken))
    return select(_KEYS[table.name]).where(~known, table.c.mapping_id != SETUP)


def receipts_are_themselves(connection: Connection) -> Iterator[str]:
    """Receipts whose identifier isn't the one of their source and key."""
    columns = select(MONEY.c.receipt_id, MONEY.c.source, MONEY.c.key)
    for identifier, source, key in connection.execute(columns, execution_options={"yield_per": _AT_ONCE}):
        if identifier != derive("money", source, key):
            yield identifier


COMPOSED: Mapping[str, Callable[[], Select[Any] | CompoundSelect[Any]]] = {
    "money-in-is-allocated-in-suspense-or-back": money_is_somewhere,
    "money-goes-back-from-where-it-came": reversals_have_receipts,
    "balances-follow-from-their-parts": balances_follow,
    "money-and-people-belong-to-known-debts": links_lead_somewhere,
    "marks-belong-to-known-receipts": marks_lead_somewhere,
}
"""Run inside the database."""

STREAMED: Mapping[str, Callable[[Connection], Iterator[str]]] = {
    "accounts-have-provenance": provenance,
    "receipts-follow-from-their-keys": receipts_are_themselves,
}
"""Gone through row by row."""
