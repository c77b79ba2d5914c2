"""What must hold of verdicts: the three balances of a case follow from each other, from the ledger and from itemised
corrections (DOMAIN.md, invariants 1 and 6).

Only cases whose verdict is up to date are compared with what is stored: one that waits to be judged may differ.
"""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, exists, func, or_, select

from integrationhub.store.casework import linked_as_stored
from integrationhub.store.judged import CORRECTIONS, FIGURES, GROUP_CONTENTS, JUDGING_QUEUE, LINKED_GROUPS, VERDICTS
from integrationhub.store.schema import CANONICAL

CASES, GROUPS, DEBTS = CANONICAL["cases"], CANONICAL["groups"], CANONICAL["debts"]
LEDGER, BALANCES = CANONICAL["ledger"], CANONICAL["balances"]

_BY_OWNER = {"rp": "RECEIVING_PARENT", "sos": "SECRETARY_OF_STATE"}
_IN_LEDGER = ("rp", "sos", "unk", "susp_rp", "susp_sos")


def accepted_follows() -> Select[Any]:
    """Accepted cases whose figures are not those of the source with the itemised corrections."""
    deltas = _deltas()
    wrong = [_accepted(name) != _source(name) + func.coalesce(deltas.c[name], 0) for name in FIGURES]
    joined = VERDICTS.outerjoin(deltas, deltas.c.case_id == VERDICTS.c.case_id)
    return select(VERDICTS.c.case_id).select_from(joined).where(VERDICTS.c.outcome != "EXCEPTION", or_(*wrong))


def differences_have_causes() -> Select[Any]:
    """Accepted cases that differ from their source without a correction that names rule and evidence, or that are
    accepted although they are exceptions, or not accepted although they are none.
    """
    corrected = exists().where(
        CORRECTIONS.c.case_id == VERDICTS.c.case_id, CORRECTIONS.c.rule != "", CORRECTIONS.c.text != ""
    )
    differs = or_(*(_accepted(name) != _source(name) for name in FIGURES))
    is_held = VERDICTS.c.outcome == "EXCEPTION"
    missing = or_(*(_accepted(name).is_(None) for name in FIGURES))
    given = or_(*(_accepted(name).is_not(None) for name in FIGURES))
    unexplained = and_(differs, or_(VERDICTS.c.outcome != "RECOMPUTED", ~corrected))
    return select(VERDICTS.c.case_id).where(or_(and_(is_held, given), and_(~is_held, missing), unexplained))


def recomputed_is_corrected_ledger() -> Select[Any]:
    """Accepted cases with a ledger whose recomputed figures are not its sums with the corrections of its lines."""
    sums, deltas = _ledger_sums(), _deltas(CORRECTIONS.c.action != "HEADER")
    wrong = [
        VERDICTS.c[f"recomputed_{name}"] != func.coalesce(sums.c[name], 0) + func.coalesce(deltas.c[name], 0)
        for name in _IN_LEDGER
    ]
    joined = (
        _with_groups()
        .outerjoin(sums, sums.c.case_id == VERDICTS.c.case_id)
        .outerjoin(deltas, deltas.c.case_id == VERDICTS.c.case_id)
    )
    judged = (VERDICTS.c.outcome != "EXCEPTION", VERDICTS.c.duplicate_of.is_(None), CASES.c.host_system != "CLERICAL")
    return select(VERDICTS.c.case_id).select_from(joined).where(*judged, _settled(), or_(*wrong))


def source_is_as_stored() -> Select[Any]:
    """Cases that were judged by other source figures than those that are stored."""
    sums = _source_sums()
    wrong = [_source(name) != func.coalesce(sums.c[name], 0) for name in _IN_LEDGER]
    wrong.append(_source("custodian") != CASES.c.source_custodian_pence)
    joined = _with_groups().outerjoin(sums, sums.c.case_id == VERDICTS.c.case_id)
    has_ledger = CASES.c.host_system != "CLERICAL"
    return select(VERDICTS.c.case_id).select_from(joined).where(has_ledger, _settled(), or_(*wrong))


def _accepted(name: str) -> ColumnElement[int]:
    return VERDICTS.c[f"accepted_{name}"]


def _source(name: str) -> ColumnElement[int]:
    return VERDICTS.c[f"source_{name}"]


def _deltas(*chosen: ColumnElement[bool]) -> FromClause:
    sums = [func.sum(CORRECTIONS.c[f"delta_{name}"]).label(name) for name in FIGURES]
    return select(CORRECTIONS.c.case_id, *sums).where(*chosen).group_by(CORRECTIONS.c.case_id).subquery()


def _sums(owner: ColumnElement[str], pence: ColumnElement[int], suspended: ColumnElement[int]) -> list[Any]:
    def total(value: ColumnElement[int], chosen: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((chosen, value), else_=0))

    named = [total(pence, owner == code).label(name) for name, code in _BY_OWNER.items()]
    named.append(total(pence, owner.not_in(_BY_OWNER.values())).label("unk"))
    return named + [total(suspended, owner == code).label(f"susp_{name}") for name, code in _BY_OWNER.items()]


def _ledger_sums() -> FromClause:
    # An entry and the one that takes it back add up to nothing, so all entries together are the live ones.
    columns = _sums(LEDGER.c.owner, LEDGER.c.pence, LEDGER.c.suspended_pence)
    return select(LEDGER.c.case_id, *columns).group_by(LEDGER.c.case_id).subquery()


def _source_sums() -> FromClause:
    columns = _sums(DEBTS.c.legal_owner, BALANCES.c.pence, BALANCES.c.suspended_pence)
    source = and_(BALANCES.c.debt_id == DEBTS.c.debt_id, BALANCES.c.kind == "SOURCE")
    return (
        select(DEBTS.c.case_id, *columns).select_from(DEBTS.join(BALANCES, source)).group_by(DEBTS.c.case_id).subquery()
    )


def _with_groups() -> FromClause:
    """Verdicts with their cases and source groups, and how those are linked."""
    return (
        VERDICTS.join(CASES, CASES.c.case_id == VERDICTS.c.case_id)
        .join(GROUPS, GROUPS.c.group_id == CASES.c.group_id)
        .join(LINKED_GROUPS, LINKED_GROUPS.c.group_id == GROUPS.c.group_id)
        .outerjoin(GROUP_CONTENTS, GROUP_CONTENTS.c.group_id == GROUPS.c.group_id)
    )


def _settled() -> ColumnElement[bool]:
    """Whether the case's group is linked as it is stored, and the case does not wait to be judged."""
    waits = exists().where(JUDGING_QUEUE.c.case_id == VERDICTS.c.case_id)
    return and_(linked_as_stored(), ~waits)
