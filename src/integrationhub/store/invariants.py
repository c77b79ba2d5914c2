"""Everything that must hold over the whole store, checked over all of it and never over a sample.

DOMAIN.md's invariants as far as their data exists. Each check streams or runs inside the database; memory does not grow
with the store. Examples are opaque identifiers, so a report can be shown to anybody.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, or_, select, text, union_all
from sqlalchemy.sql.expression import CompoundSelect, TextClause

from integrationhub.canonical.identifiers import derive
from integrationhub.canonical.model import ENTITIES, LEDGER_CONTENT, Entity
from integrationhub.store import account_invariants, judged_invariants
from integrationhub.store.deliveries import Kind, State
from integrationhub.store.schema import CANONICAL, DELIVERIES
from integrationhub.store.sealed import broken_seals
from integrationhub.store.sql import queries

EXAMPLES = 5
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One invariant: whether it holds, how many rows break it, and some of these by identifier."""

    invariant: str
    holds: bool
    count: int
    examples: tuple[str, ...] = ()


def check(connection: Connection) -> list[Finding]:
    """Every invariant over everything that the connection sees, in a fixed order."""
    found = [_finding(name, broken(connection)) for name, broken in _STREAMED.items()]
    found += [_in_database(connection, name, query()) for name, query in _COMPOSED.items()]
    return found + [_in_database(connection, name, text(query.text)) for name, query in queries("invariants").items()]


def _finding(name: str, broken: Iterator[str]) -> Finding:
    examples = tuple(islice(broken, EXAMPLES))
    count = len(examples) + sum(1 for _ in broken)
    return Finding(invariant=name, holds=not count, count=count, examples=examples)


def _in_database(connection: Connection, name: str, query: TextClause | Select[Any] | CompoundSelect[Any]) -> Finding:
    # Only broken rows leave the database: none, as a rule.
    result = connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    return _finding(name, (str(row[0]) for row in result))


def _mirrors() -> Select[Any]:
    """Entries that take back another but don't say the same with opposite signs."""
    back, entry = CANONICAL["ledger"].alias("back"), CANONICAL["ledger"].alias("entry")
    signed = ("pence", "suspended_pence", "stored_pence")
    same = (*(name for name in LEDGER_CONTENT if name not in (*signed, "kind")), "source_ref", "group_id", "digest")
    differs = [back.c[name].is_distinct_from(entry.c[name]) for name in same]
    differs += [back.c[name].is_distinct_from(-entry.c[name]) for name in signed]
    joined = back.outerjoin(entry, entry.c.entry_id == back.c.cancels_entry_id)
    wrong = or_(back.c.kind != "REVERSAL", entry.c.entry_id.is_(None), entry.c.cancels_entry_id.is_not(None), *differs)
    return select(back.c.entry_id).select_from(joined).where(back.c.cancels_entry_id.is_not(None), wrong)


def _provenance() -> CompoundSelect[Any]:
    """Rows whose delivery doesn't exist or was never loaded."""
    loaded = DELIVERIES.c.state.in_((State.LOADING, State.ACCEPTED))
    return union_all(
        *(
            select(table.c[ENTITIES[name].key]).where(
                ~exists().where(DELIVERIES.c.delivery_id == table.c.delivery_id, loaded)
            )
            for name, table in CANONICAL.items()
        )
    )


def _links() -> CompoundSelect[Any]:
    """Rows that point to a row that doesn't exist."""
    return union_all(
        *(
            select(CANONICAL[entity.name].c[entity.key]).where(_dangling(entity.name, item.name, item.references))
            for entity in ENTITIES.values()
            for item in entity.fields
            if item.references and _must_exist(entity, item.references)
        )
    )


def _must_exist(entity: Entity, referenced: str) -> bool:
    # A source may name parties in groups, addresses, receipts and history that it has no role record of, and keep a
    # schedule on which nothing is owed and nothing was ever booked: that makes no debt.
    if referenced == "debts" and entity.name == "schedules":
        return False
    return referenced != "parties" or entity.name == "roles"


def _dangling(name: str, field: str, referenced: str) -> ColumnElement[bool]:
    column = CANONICAL[name].c[field]
    target = CANONICAL[referenced].alias("target")
    return and_(column.is_not(None), ~exists().where(target.c[ENTITIES[referenced].key] == column))


def _marks() -> CompoundSelect[Any]:
    """Rows that say why a date is empty although it isn't."""
    parts = []
    for name, table in CANONICAL.items():
        marked = [column for column in table.columns if f"{column.name}_mark" in table.columns]
        wrong = [and_(column.is_not(None), table.c[f"{column.name}_mark"].is_not(None)) for column in marked]
        if wrong:
            parts.append(select(table.c[ENTITIES[name].key]).where(or_(*wrong)))
    return union_all(*parts)


def _codes() -> CompoundSelect[Any]:
    """Rows with a code that its list doesn't have."""
    parts = []
    for name, entity in ENTITIES.items():
        table = CANONICAL[name]
        unknown = [table.c[item.name].not_in(item.codes) for item in entity.fields if item.codes]
        if unknown:
            parts.append(select(table.c[entity.key]).where(or_(*unknown)))
    return union_all(*parts)


def _natural_keys(connection: Connection) -> Iterator[str]:
    """Rows whose identifier isn't the one of their natural key."""
    kinds = {"parties": "party", "groups": "group", "cases": "case"}
    lone = _lone_groups(connection)
    for name, kind in kinds.items():
        table, key = CANONICAL[name], ENTITIES[name].key
        for identifier, system, ref in _stream(
            connection, select(table.c[key], table.c.source_system, table.c.source_ref)
        ):
            if identifier != derive(kind, system, ref) and identifier not in lone:
                yield identifier
    debts = CANONICAL["debts"]
    columns = (debts.c.debt_id, debts.c.source_system, debts.c.application_ref, debts.c.legal_owner)
    arrears = select(*columns).where(debts.c.kind == "CHILD_MAINTENANCE_ARREARS")
    for identifier, *parts in _stream(connection, arrears):
        if identifier != derive("debt", *parts):
            yield identifier


def _lone_groups(connection: Connection) -> set[str]:
    """Groups of a case without owner: their key is the case's reference, which is personal and not their own."""
    groups, cases = CANONICAL["groups"], CANONICAL["cases"]
    joined = groups.join(cases, cases.c.group_id == groups.c.group_id)
    lone = select(groups.c.group_id, groups.c.source_system, cases.c.source_ref).select_from(joined)
    rows = _stream(connection, lone.where(groups.c.nrp_party_id.is_(None)))
    return {group for group, system, ref in rows if group == derive("group", system, f"alone/Case/{ref}")}


def _outcomes(connection: Connection) -> Iterator[str]:
    """Accepted files whose records and outcomes don't add up; a message is one record, and its state its outcome."""
    accepted = select(DELIVERIES.c.delivery_id, DELIVERIES.c.report).where(
        DELIVERIES.c.state == State.ACCEPTED, DELIVERIES.c.kind == Kind.FILE
    )
    for identifier, report in _stream(connection, accepted):
        if not report or sum(report["outcomes"].values()) != report["records"]:
            yield identifier


def _stream(connection: Connection, statement: Select[Any]) -> Iterator[Any]:
    yield from connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE})


_STREAMED: dict[str, Callable[[Connection], Iterator[str]]] = {
    "ledger-is-unaltered": broken_seals,
    "identifiers-follow-from-natural-keys": _natural_keys,
    "every-record-has-one-outcome": _outcomes,
    **account_invariants.STREAMED,
}

_COMPOSED: dict[str, Callable[[], Select[Any] | CompoundSelect[Any]]] = {
    "entries-are-taken-back-whole": _mirrors,
    "every-row-has-provenance": _provenance,
    "every-link-leads-somewhere": _links,
    "marks-stand-for-empty-dates-only": _marks,
    "codes-stand-in-their-lists": _codes,
    "accepted-balances-follow-from-corrections": judged_invariants.accepted_follows,
    "accepted-differs-from-source-with-a-cause-only": judged_invariants.differences_have_causes,
    "recomputed-balances-are-the-corrected-ledger": judged_invariants.recomputed_is_corrected_ledger,
    "verdicts-are-of-the-stored-source": judged_invariants.source_is_as_stored,
    **account_invariants.COMPOSED,
}
