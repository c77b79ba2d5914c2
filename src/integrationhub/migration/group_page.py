"""One case group as people look at it: who is in it (masked), how its cases belong together, its debts with three
balances, where it stands in transfers, and what has been done with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from integrationhub.arrears.policy import Policy
from integrationhub.errors import NotFound
from integrationhub.migration.positions import CasePosition, Position, Positions
from integrationhub.store import casework, transfer_sources
from integrationhub.store import transfer_reading as reading
from integrationhub.store.unit_of_work import Reading, Store

MASK = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDesk:
    """Shows case groups of a store; changes nothing."""

    store: Store
    arrears: Policy

    def show(self, reference: str, *, as_at: date | None = None) -> dict[str, Any]:
        """The group with this identifier, or that of a case called so. NotFound: there is none, or several."""
        with self.store.read() as connection:
            cases = casework.cases_called(connection, reference)
            wanted = reference.replace("-", "").lower()
            found = transfer_sources.groups_called(connection, wanted, cases)
            if len(found) != 1:
                several = "several case groups have" if found else "no case group has"
                raise NotFound(
                    f"{several} that reference", code="NO_GROUP", remedy="give an identifier of `arrears groups`"
                )
            day = as_at or casework.latest_as_at(connection) or date.max
            (position,) = Positions(connection, day, self.arrears.on(day)).of(found)
            return _page(connection, position, day)


def _page(connection: Reading, position: Position, day: date) -> dict[str, Any]:
    case_ids = [case.case_id for case in position.cases]
    return {
        "group": position.group_id,
        "as_at": day.isoformat(),
        "segment": position.segment,
        "segment_frozen": position.segment_frozen,
        "exceptions": list(position.exceptions),
        "parties": _parties(connection, case_ids),
        "cases": [_case(case) for case in position.cases],
        "references": dict(reading.references_of_cases(connection, case_ids)),
        "runs": [
            {"plan": row.plan, "run": row.run_id, "wave": row.wave, "state": row.state, "reason": row.reason}
            for row in reading.runs_of_group(connection, position.group_id)
        ],
        "history": [
            {"at": row.at.isoformat(), "step": row.step, "outcome": row.outcome, "by": row.taken_by,
             "authenticated": row.authenticated, "reason": row.reason}
            for row in reading.steps_of_group(connection, position.group_id)
        ],
    }  # fmt: skip


def _parties(connection: Reading, case_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Persons by opaque identifier with their parts in the cases: what links them. Names stay out."""
    parts: dict[str, set[tuple[str, str]]] = {}
    for row in casework.links_of(connection, "case_id", case_ids):
        parts.setdefault(row.person_id, set()).add((row.case_id, row.role))
    return [
        {"person": person, "name": MASK, "parts": [{"case": case, "role": role} for case, role in sorted(found)]}
        for person, found in sorted(parts.items())
    ]


def _case(case: CasePosition) -> dict[str, Any]:
    return {
        "case": case.case_id,
        "scheme": case.scheme,
        "host_system": case.host,
        "outcome": case.outcome,
        "causes": list(case.causes),
        "segment": case.segment,
        "relation": case.relation,
        "duplicate_of": case.duplicate_of,
        "custodian_pence": case.custodian if case.accepted else None,
        "debts": [
            {"debt": debt.debt_id, "owner": debt.owner, "source_pence": debt.source,
             "recomputed_pence": debt.recomputed, "accepted_pence": debt.accepted if case.accepted else None,
             "suspended_pence": debt.accepted_suspended if case.accepted else None, "write_off": debt.write_off}
            for debt in case.debts
        ],
    }  # fmt: skip
