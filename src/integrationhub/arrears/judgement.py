"""Some cases judged, with everything that belongs together with them: read from the store, written nowhere.

What is given back can be handed from one process to another, and is all that is kept of a verdict.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from integrationhub.arrears.book import CLERICAL, Case, Line
from integrationhub.arrears.casework import Surroundings, build
from integrationhub.arrears.persons import LINKING_ROLES, PARENT_ROLES, Link, case_groups
from integrationhub.arrears.standing import facts_of
from integrationhub.arrears.verdict import Verdict, judge
from integrationhub.store import casework
from integrationhub.store.casework import Dossier
from integrationhub.store.unit_of_work import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCase:
    """A case's verdict and corrections as rows of the store, and for each code that makes it an exception the evidence.

    `reference` is one that is not personal.
    """

    case_id: str
    reference: str
    verdict: dict[str, Any]
    corrections: list[dict[str, Any]]
    exceptions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Case groups that were judged whole: all their cases, and the verdicts of those that are in a book."""

    case_ids: frozenset[str]
    cases: list[JudgedCase]


def judge_cases(connection: Reading, case_ids: Collection[str], surroundings: Surroundings) -> Judgement:
    """Judge these cases, which leave out nobody who belongs together with one of them (`together`)."""
    links = [Link._make(row) for row in casework.links_of(connection, "case_id", case_ids)]
    dossiers = build(Dossier(connection, case_ids), surroundings)
    judged = [
        judged_case(case, verdict, name)
        for group in case_groups(sorted(case_ids), links)
        for case, verdict, name in judge_group([dossiers[case_id] for case_id in group if case_id in dossiers])
    ]
    return Judgement(case_ids=frozenset(case_ids), cases=judged)


def judged_case(case: Case, verdict: Verdict, case_group_id: str) -> JudgedCase:
    """What is kept of a verdict."""
    personal = case.scheme != "1993" and case.system != CLERICAL
    return JudgedCase(
        case_id=case.case_id,
        reference=case.case_id if personal else case.ref,
        verdict=verdict_row(case, verdict, case_group_id),
        corrections=correction_rows(case),
        exceptions=tuple((code, evidence(case, code)) for code in verdict.exceptions),
    )


def evidence(case: Case, code: str) -> str:
    """What the rules have found under a code that makes the case an exception."""
    return "; ".join(item.evidence for item in case.findings if item.code == code and item.kind == "EXC")


def together(connection: Reading, case_ids: Iterable[str]) -> set[str]:
    """These cases and all that belong together with them along any chain."""
    found: set[str] = set()
    fresh = set(case_ids)
    while fresh:
        found |= fresh
        fresh = casework.reached(connection, fresh, parents=PARENT_ROLES, linking=LINKING_ROLES) - found
    return found


def judge_group(cases: Sequence[Case]) -> list[tuple[Case, Verdict, str]]:
    """Verdicts of one case group, with the group's identifier: that of its first case."""
    if not cases:
        return []
    ordered = sorted(cases, key=lambda case: (case.system, case.ref))
    name = min(case.case_id for case in cases)
    return [(case, verdict, name) for case, verdict in zip(ordered, judge(ordered), strict=True)]


def case_key(case: Case) -> str:
    """The case's key in exports; personal for the 2003 scheme, whose references hold a number."""
    book = "CL" if case.system == CLERICAL else {"1993": "93"}.get(case.scheme, "03")
    return f"{book}:{case.ref}"


def verdict_row(case: Case, verdict: Verdict, case_group_id: str) -> dict[str, Any]:
    """The verdict as the store keeps it."""
    accepted = verdict.accepted._asdict() if verdict.accepted else dict.fromkeys(case.header._fields)
    return {
        "case_id": case.case_id,
        "case_group_id": case_group_id,
        "group_id": case.group_id,
        "case_key": case_key(case),
        "outcome": verdict.outcome,
        "causes": list(verdict.causes),
        "flags": list(verdict.flags),
        "duplicate_of": case_key(case.duplicate_of) if case.duplicate_of else None,
        **{f"source_{name}": pence for name, pence in case.header._asdict().items()},
        **{f"recomputed_{name}": pence for name, pence in verdict.recomputed._asdict().items()},
        **{f"accepted_{name}": pence for name, pence in accepted.items()},
        "findings": [[item.code, item.kind, item.evidence] for item in case.findings],
        "facts": facts_of(case).as_document(),
    }


def correction_rows(case: Case) -> list[dict[str, Any]]:
    """The corrections as the store keeps them, in their order."""
    return [
        {
            "case_id": case.case_id, "position": position, "rule": item.rule, "action": item.action,
            "entry_id": item.entry_id or None, "line_no": item.line_no, "text": item.text,
            "line": line_document(item.line) if item.line else None,
            **{f"delta_{name}": pence for name, pence in item.delta._asdict().items()},
        }
        for position, item in enumerate(case.corrections, 1)
    ]  # fmt: skip


def line_document(line: Line) -> dict[str, Any]:
    """A corrected line as JSON."""
    days = {name: day.isoformat() for name in ("first", "last") if (day := getattr(line, name))}
    return {"kind": line.kind, "owner": line.owner, "pence": line.effect, "rate": line.rate, "row": line.row, **days}
