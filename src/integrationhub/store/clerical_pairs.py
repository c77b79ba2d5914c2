"""Which cases are kept by hand and are on a system too (arrears-errors.md E03).

The clerical book is small beside the others, so its pairs are found whole each time: by the system reference that was
keyed, or, where none was, by the persons of both parents.
"""

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Select, select

from integrationhub.store.casework import CASES, IN_BOOK, links_of
from integrationhub.store.schema import CANONICAL


def kept_twice(connection: Connection) -> set[str]:
    """Clerical cases with a counterpart on a system that has not given it up, and the counterparts, by case_id."""
    clerical = _clerical(connection)
    found: set[str] = set()
    by_reference: defaultdict[str, set[str]] = defaultdict(set)
    for reference, case_id in _on_systems(connection, {reference for _, reference in clerical if reference}):
        by_reference[reference].add(case_id)
    unnamed = [case_id for case_id, reference in clerical if not reference]
    by_parents = _same_parents(connection, unnamed)
    for case_id, reference in clerical:
        twins = by_reference[reference] if reference else by_parents[case_id]
        if twins:
            found |= {case_id, *twins}
    return found


def _clerical(connection: Connection) -> list[tuple[str, str]]:
    """Clerical cases and the system references that were keyed, which may have blanks around them."""
    totals = CANONICAL["clerical_totals"]
    statement = select(CASES.c.case_id, totals.c.former_case_ref).join(totals, totals.c.case_id == CASES.c.case_id)
    rows = connection.execute(statement.where(CASES.c.state.in_(IN_BOOK)))
    return [(row.case_id, (row.former_case_ref or "").strip()) for row in rows]


def _held() -> Select[Any]:
    live = (CASES.c.state.in_(IN_BOOK), CASES.c.status != "OFF_SYSTEM", CASES.c.host_system != "CLERICAL")
    return select(CASES.c.source_ref, CASES.c.case_id).where(*live)


def _on_systems(connection: Connection, references: set[str]) -> list[tuple[str, str]]:
    ordered, found = sorted(references), []
    for start in range(0, len(ordered), 500):
        part = _held().where(CASES.c.source_ref.in_(ordered[start : start + 500]))
        found += [(row.source_ref, row.case_id) for row in connection.execute(part)]
    return found


def _same_parents(connection: Connection, case_ids: list[str]) -> dict[str, set[str]]:
    """case_id → cases on systems with the same person as each parent."""
    mine: defaultdict[str, dict[str, set[str]]] = defaultdict(lambda: {"NRP": set(), "PWC": set()})
    for link in links_of(connection, "case_id", case_ids):
        if link.role in {"NRP", "PWC"}:
            mine[link.case_id][link.role].add(link.person_id)
    people = {person for roles in mine.values() for person in roles["NRP"]}
    others: defaultdict[str, set[str]] = defaultdict(set)
    for link in links_of(connection, "person_id", people):
        if link.role == "NRP":
            others[link.person_id].add(link.case_id)
    candidates = {case_id for cases in others.values() for case_id in cases}
    carers: defaultdict[str, set[str]] = defaultdict(set)
    for link in links_of(connection, "case_id", candidates):
        if link.role == "PWC":
            carers[link.case_id].add(link.person_id)
    held = _held_of(connection, candidates)
    found: dict[str, set[str]] = {case_id: set() for case_id in case_ids}
    for case_id, roles in mine.items():
        for person in roles["NRP"]:
            found[case_id] |= {other for other in others[person] & held if carers[other] & roles["PWC"]}
    return found


def _held_of(connection: Connection, case_ids: set[str]) -> set[str]:
    ordered, found = sorted(case_ids), set()
    for start in range(0, len(ordered), 500):
        part = _held().where(CASES.c.case_id.in_(ordered[start : start + 500]))
        found |= {row.case_id for row in connection.execute(part)}
    return found
