"""What reconciliation and evidence read of transfers: accounts as they moved, decisions as they were taken."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, case, func, select

from integrationhub.sdk.descriptor.answers import FEED as ANSWERS
from integrationhub.store.handover import HANDOVER_FILES
from integrationhub.store.judged import VERDICTS
from integrationhub.store.schema import CANONICAL, DELIVERIES
from integrationhub.store.transfer_decisions import (
    CLOSURE_NOTICES,
    GATE_OVERRIDES,
    GATE_VERDICTS,
    PARALLEL_DAYS,
    REPRESENTATIONS,
    TRANSFER_APPROVALS,
    TRANSFER_PLANS,
    TRANSFER_REHEARSALS,
    TRANSFER_RUNS,
    TRANSFER_SIGN_OFFS,
)
from integrationhub.store.transfer_moves import (
    HANDOVER_NOTICES,
    MOVED,
    TRANSFER_ENTRIES,
    TRANSFER_GROUPS,
    TRANSFER_STEPS,
    TRANSFERRED_CASES,
)

CASES = CANONICAL["cases"]
ROWS_AT_ONCE = 10_000

KINDS = {"OPENING": "opening", "ADJUSTMENT": "adjustment", "TRANSFER_OUT": "moved_out", "TRANSFER_IN": "moved_in"}
"""Kind of entry → column of `moved_accounts`."""

ACCOUNT_SCHEMA: Mapping[str, pl.DataType] = {
    **dict.fromkeys(
        ("source_system", "source_ref", "case_id", "scheme", "wave", "segment", "account_kind", "owner"), pl.String()
    ),
    **{name: pl.Int64() for kind in KINDS.values() for name in (f"{kind}_pence", f"{kind}_suspended_pence")},
    **dict.fromkeys(("correction_pence", "correction_suspended_pence"), pl.Int64()),
}
"""Columns of `moved_accounts`, pence signed; `correction_…`: what the written rules have added to the source's figure.
A case without any account has a row without kind. `source_ref` may be personal.
"""


def moved_accounts(connection: Connection, run_id: str, wave: str | None = None) -> Iterator[pl.DataFrame]:
    """Accounts of groups that the target masters, with what their live entries add up to by kind."""
    entry, group, moved = TRANSFER_ENTRIES, TRANSFER_GROUPS, TRANSFERRED_CASES
    booked = and_(*(entry.c[name] == moved.c[name] for name in ("run_id", "case_id", "attempt")))
    keys = [
        CASES.c.source_system,
        CASES.c.source_ref,
        moved.c.case_id,
        moved.c.kind.label("scheme"),
        group.c.wave,
        group.c.segment,
        entry.c.account_kind,
        entry.c.legal_owner.label("owner"),
    ]
    sums: list[ColumnElement[Any]] = []
    for kind, name in KINDS.items():
        for amount in ("pence", "suspended_pence"):
            value = case((entry.c.kind == kind, entry.c[amount]), else_=0)
            sums.append(func.sum(value).label(f"{name}_{amount}"))
    corrections = [func.coalesce(func.max(_correction(entry, suspended=part)), 0) for part in (False, True)]
    statement = (
        select(*keys, *sums, *corrections)
        .select_from(
            moved.join(group, _same_attempt(moved, group))
            .join(CASES, CASES.c.case_id == moved.c.case_id)
            .outerjoin(VERDICTS, VERDICTS.c.case_id == moved.c.case_id)
            .outerjoin(entry, and_(booked, entry.c.kind != "REVERSAL"))
        )
        .where(moved.c.run_id == run_id, moved.c.relation != "STAYS", group.c.state.in_(MOVED))
        .group_by(*keys)
    )
    if wave is not None:
        statement = statement.where(group.c.wave == wave)
    result = connection.execute(statement, execution_options={"yield_per": ROWS_AT_ONCE})
    yield pl.DataFrame(schema=dict(ACCOUNT_SCHEMA))
    for part in result.partitions():
        rows = [(*row[:8], *map(int, row[8:])) for row in part]  # PostgreSQL sums to numeric
        yield pl.DataFrame(rows, schema=dict(ACCOUNT_SCHEMA), orient="row")


def _correction(entry: Table, *, suspended: bool) -> ColumnElement[Any]:
    """What the case's verdict adds to what its source states of the account; nothing of a case without a verdict."""
    columns, of_owner = VERDICTS.c, {"RECEIVING_PARENT": "rp", "SECRETARY_OF_STATE": "sos"}
    owners = [
        (entry.c.legal_owner == owner, _added(f"susp_{name}" if suspended else name))
        for owner, name in of_owner.items()
    ]
    if suspended:
        return case(*owners, else_=0)
    custody = (entry.c.account_kind == "CUSTODIAN", _added("custodian"))
    return case(custody, *owners, else_=-columns.source_unk)  # nobody's balance is never accepted as it is


def _added(figure: str) -> ColumnElement[Any]:
    accepted, source = VERDICTS.c[f"accepted_{figure}"], VERDICTS.c[f"source_{figure}"]
    return func.coalesce(accepted, source) - source


def _same_attempt(moved: Table, group: Table) -> ColumnElement[bool]:
    return and_(*(group.c[name] == moved.c[name] for name in ("run_id", "case_group_id", "attempt")))


def moved_systems(connection: Connection, run_id: str, wave: str | None = None) -> set[str]:
    """Source systems of the cases that the target masters."""
    group, moved = TRANSFER_GROUPS, TRANSFERRED_CASES
    statement = (
        select(CASES.c.source_system)
        .distinct()
        .select_from(moved.join(group, _same_attempt(moved, group)).join(CASES, CASES.c.case_id == moved.c.case_id))
        .where(moved.c.run_id == run_id, moved.c.relation == "MOVED", group.c.state.in_(MOVED))
    )
    if wave is not None:
        statement = statement.where(group.c.wave == wave)
    return set(connection.execute(statement).scalars())


def decisions(connection: Connection, run_id: str) -> dict[str, list[dict[str, Any]]]:
    """Every decision about a run, table by table, in the order of their keys."""
    run = connection.execute(select(TRANSFER_RUNS).where(TRANSFER_RUNS.c.run_id == run_id)).one()
    verdicts = select(GATE_VERDICTS.c.verdict_id).where(GATE_VERDICTS.c.run_id == run_id)
    wanted: dict[str, tuple[Table, ColumnElement[bool]]] = {
        "runs": (TRANSFER_RUNS, TRANSFER_RUNS.c.run_id == run_id),
        "plans": (TRANSFER_PLANS, TRANSFER_PLANS.c.plan == run.plan),
        "rehearsals": (TRANSFER_REHEARSALS, TRANSFER_REHEARSALS.c.run_id == run_id),
        "approvals": (TRANSFER_APPROVALS, TRANSFER_APPROVALS.c.run_id == run_id),
        "gates": (GATE_VERDICTS, GATE_VERDICTS.c.run_id == run_id),
        "overrides": (GATE_OVERRIDES, GATE_OVERRIDES.c.verdict_id.in_(verdicts)),
        "sign_offs": (TRANSFER_SIGN_OFFS, TRANSFER_SIGN_OFFS.c.run_id == run_id),
        "parallel_days": (PARALLEL_DAYS, PARALLEL_DAYS.c.run_id == run_id),
    }
    return {name: _rows(connection, table, chosen) for name, (table, chosen) in wanted.items()}


def _dicts(connection: Connection, statement: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(statement).mappings()]


def _rows(connection: Connection, table: Table, chosen: ColumnElement[bool]) -> list[dict[str, Any]]:
    statement = select(table).where(chosen)
    order = [table.c.number] if "number" in table.c and table is not TRANSFER_RUNS else list(table.primary_key)
    return _dicts(connection, statement.order_by(*order))


def steps(connection: Connection, run_id: str) -> list[dict[str, Any]]:
    """Wave, step, outcome: how many groups, of how many people's doing, first and last moment."""
    step, group = TRANSFER_STEPS, TRANSFER_GROUPS
    own = and_(group.c.run_id == step.c.run_id, group.c.case_group_id == step.c.case_group_id)
    keys = [group.c.wave, step.c.step, step.c.outcome, step.c.taken_by]
    statement = (
        select(
            *keys, func.count().label("groups"), func.min(step.c.at).label("first"), func.max(step.c.at).label("last")
        )
        .select_from(step.join(group, own))
        .where(step.c.run_id == run_id)
        .group_by(*keys)
        .order_by(*keys)
    )
    return _dicts(connection, statement)


def groups_by_state(connection: Connection, run_id: str) -> list[dict[str, Any]]:
    """Wave, segment, state, reason: groups and cases."""
    group = TRANSFER_GROUPS
    keys = [group.c.wave, group.c.segment, group.c.state, group.c.reason]
    statement = (
        select(*keys, func.count().label("groups"), func.sum(group.c.cases).label("cases"))
        .where(group.c.run_id == run_id)
        .group_by(*keys)
        .order_by(*keys)
    )
    return _dicts(connection, statement)


def notices_by_answer(connection: Connection, run_id: str) -> list[dict[str, Any]]:
    """System, action, answer: notices."""
    notice = HANDOVER_NOTICES
    keys = [notice.c.system, notice.c.action, notice.c.answer, notice.c.answer_reason]
    statement = select(*keys, func.count().label("notices")).where(notice.c.run_id == run_id)
    return _dicts(connection, statement.group_by(*keys).order_by(*keys))


def handed_files(connection: Connection) -> list[dict[str, Any]]:
    """Files that were made for source systems."""
    columns = [HANDOVER_FILES.c[name] for name in ("system", "sequence", "name", "created_on", "sha256", "records")]
    statement = select(*columns).order_by(HANDOVER_FILES.c.system, HANDOVER_FILES.c.sequence)
    return _dicts(connection, statement)


def inputs(connection: Connection, connectors: tuple[str, ...]) -> list[dict[str, Any]]:
    """Accepted files of connectors and of their sources' answers, by connector and number."""
    table = DELIVERIES
    feeds = (*connectors, *(ANSWERS.format(connector=name) for name in connectors))
    columns = [table.c[name] for name in ("connector", "name", "sequence", "as_at", "sha256", "bytes", "records")]
    statement = (
        select(*columns)
        .where(table.c.connector.in_(feeds), table.c.kind == "FILE", table.c.state == "ACCEPTED")
        .order_by(table.c.connector, table.c.sequence, table.c.name)
    )
    return _dicts(connection, statement)


def messages(connection: Connection, connectors: tuple[str, ...]) -> list[dict[str, Any]]:
    """Connector and outcome: messages, first and last moment."""
    table = DELIVERIES
    keys = [table.c.connector, table.c.outcome]
    counted = [func.count().label("messages"), func.min(table.c.received_at).label("first")]
    statement = select(*keys, *counted, func.max(table.c.received_at).label("last")).where(
        table.c.connector.in_(connectors), table.c.kind == "MESSAGE"
    )
    return _dicts(connection, statement.group_by(*keys).order_by(*keys))


def representations(connection: Connection, run_id: str) -> list[dict[str, Any]]:
    """Wave and answer: write-off notices that were received for debts of the run's groups, and until when they ran."""
    notice, group = REPRESENTATIONS, TRANSFER_GROUPS
    keys = [group.c.wave, notice.c.response]
    counted = [func.count().label("notices"), func.min(notice.c.received_on).label("first_received")]
    statement = (
        select(*keys, *counted, func.max(notice.c.deadline).label("last_deadline"))
        .select_from(notice.join(group, group.c.case_group_id == notice.c.case_group_id))
        .where(group.c.run_id == run_id)
    )
    return _dicts(connection, statement.group_by(*keys).order_by(*keys))


def closure_notices(connection: Connection, plan: str) -> list[dict[str, Any]]:
    """Day and segment: cases whose closure notice was recorded as printed."""
    table = CLOSURE_NOTICES
    keys = [table.c.printed_on, table.c.segment, table.c.recorded_by]
    statement = select(*keys, func.count().label("cases")).where(table.c.plan == plan).group_by(*keys).order_by(*keys)
    return _dicts(connection, statement)
