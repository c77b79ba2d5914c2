"""What change events alter in debts, as the world is told of it: the same frames as a delivery's own changes.

The world knows a debt by the balance that its source states, with the events behind it added. A case that is held as an
exception accepts no event, so nothing is told of its events.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Connection, and_, select

from integrationhub.canonical.identifiers import derive
from integrationhub.store.bulk import among
from integrationhub.store.debts import BALANCES, CHANGE_SCHEMA, CHANGED, CREATED, DEBTS, REMOVED
from integrationhub.store.event_effects import Effect, effects
from integrationhub.store.judged import VERDICTS
from integrationhub.store.schema import CANONICAL, CASE_EVENTS

CASES = CANONICAL["cases"]

_FIGURES = {"RECEIVING_PARENT": ("rp", "susp_rp"), "SECRETARY_OF_STATE": ("sos", "susp_sos"), "UNKNOWN": ("unk", None)}
_AMOUNTS = {"balance_pence": "pence", "suspended_pence": "suspended_pence"}

Told = Mapping[str, Effect]
"""Effects by case of those cases whose events are told of."""


def with_kept_events(connection: Connection, case_ids: Collection[str]) -> set[str]:
    """Those of these cases for which an event was ever kept."""
    chosen = among(connection, CASE_EVENTS.c.case_id, sorted(case_ids))
    return set(connection.execute(select(CASE_EVENTS.c.case_id).distinct().where(chosen)).scalars())


def told(connection: Connection, case_ids: Collection[str]) -> Told:
    """The effects of these cases that the world is told of."""
    found = {effect.case_id: effect for effect in effects(connection, case_ids)}
    held = select(VERDICTS.c.case_id).where(
        among(connection, VERDICTS.c.case_id, sorted(found)), VERDICTS.c.outcome == "EXCEPTION"
    )
    exceptions = set(connection.execute(held).scalars()) if found else set()
    return {case_id: effect for case_id, effect in found.items() if case_id not in exceptions}


def with_events(connection: Connection, changes: pl.DataFrame, *, before: Told, after: Told) -> pl.DataFrame:
    """The changes of a transaction (store.debts.CHANGE_SCHEMA) with what events added to the same debts, before it and
    after it.
    """
    concerned = sorted({*before, *after})
    if not concerned:
        return changes
    own = {row["debt_id"]: row for row in changes.to_dicts()}
    found = [
        _change(debt, own.pop(debt["debt_id"], None), _added(before, debt), _added(after, debt))
        for debt in _debts(connection, concerned)
    ]
    rows = [*own.values(), *(change for change in found if change)]
    return pl.DataFrame(rows, schema=dict(CHANGE_SCHEMA)).sort("debt_id")


def _debts(connection: Connection, case_ids: Sequence[str]) -> Iterable[dict[str, Any]]:
    """Every debt that these cases have or may come to have by an event, with the balance that its source states."""
    stored = {(row["case_id"], row["legal_owner"]): row for row in _stored(connection, case_ids)}
    for case in connection.execute(select(CASES).where(among(connection, CASES.c.case_id, case_ids))):
        for owner in _FIGURES:
            yield stored.get((case.case_id, owner)) or _unborn(case, owner)


def _stored(connection: Connection, case_ids: Sequence[str]) -> Iterable[dict[str, Any]]:
    source = and_(BALANCES.c.debt_id == DEBTS.c.debt_id, BALANCES.c.kind == "SOURCE")
    names = [name for name in CHANGE_SCHEMA if name in DEBTS.c]
    statement = select(*(DEBTS.c[name] for name in names), BALANCES.c.pence, BALANCES.c.suspended_pence)
    statement = statement.select_from(DEBTS.outerjoin(BALANCES, source))
    for row in connection.execute(statement.where(among(connection, DEBTS.c.case_id, case_ids))):
        yield {name: getattr(row, name) for name in names} | {
            "new_pence": row.pence, "new_suspended_pence": row.suspended_pence, "is_there": row.status != "REMOVED",
        }  # fmt: skip


def _unborn(case: Any, owner: str) -> dict[str, Any]:  # noqa: ANN401 – a database row
    return {
        "debt_id": derive("debt", case.source_system, case.source_ref, owner), "case_id": case.case_id,
        "group_id": case.group_id, "source_system": case.source_system, "source_ref": case.source_ref,
        "scheme": case.scheme, "legal_owner": owner, "kind": "CHILD_MAINTENANCE_ARREARS", "cause": "NOT_APPLICABLE",
        "status": "ACTIVE", "new_pence": None, "new_suspended_pence": None, "is_there": False,
    }  # fmt: skip


def _added(side: Told, debt: Mapping[str, Any]) -> tuple[bool, int, int]:
    """Whether events have come to a debt, and the pence and suspended pence that they add."""
    effect = side.get(debt["case_id"])
    pence, suspended = _FIGURES[debt["legal_owner"]]
    if effect is None:
        return False, 0, 0
    touched = any(step.applies and step.figure == pence for step in effect.steps)
    return touched, effect.figures[pence], effect.figures[suspended] if suspended else 0


def _change(
    debt: Mapping[str, Any],
    change: Mapping[str, Any] | None,
    before: tuple[bool, int, int],
    after: tuple[bool, int, int],
) -> Mapping[str, Any] | None:
    """The change of one debt, None where nothing is to be told. `change`: the same from the books alone."""
    if change and change["change"] == REMOVED:
        return change
    existed = before[0] or (change["change"] != CREATED if change else debt["is_there"])
    if not (existed or change or after[0]):
        return None
    side = "old" if change else "new"
    source = change or debt
    values = {
        "old_pence": (source[f"{side}_pence"] or 0) + before[1],
        "old_suspended_pence": (source[f"{side}_suspended_pence"] or 0) + before[2],
        "new_pence": (debt["new_pence"] or 0) + after[1],
        "new_suspended_pence": (debt["new_suspended_pence"] or 0) + after[2],
    }
    names = [name for name in (change["changed"] if change else ()) if name not in _AMOUNTS]
    names += [name for name, key in _AMOUNTS.items() if values[f"old_{key}"] != values[f"new_{key}"]]
    if existed and not names:
        return None
    kept = {name: debt[name] for name in CHANGE_SCHEMA if name in debt}
    return {**kept, **values, "change": CHANGED if existed else CREATED, "changed": names if existed else []}
