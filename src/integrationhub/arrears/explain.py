"""One readable page a case: source ledger, findings with evidence, corrected ledger, arithmetic line by line.

The case group is read and judged anew, so the page shows what the rules do, not what was noted when they ran.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from integrationhub.arrears.arithmetic import weekly
from integrationhub.arrears.book import CHARGE, CLERICAL, OPEN, RECEIPT, REVERSAL, Case, Figures, Line, Row
from integrationhub.arrears.casework import Surroundings, build
from integrationhub.arrears.judging import case_key, judge_group, together
from integrationhub.arrears.page import Page, Section
from integrationhub.arrears.policy import Thresholds
from integrationhub.arrears.standing import facts_of, standing
from integrationhub.arrears.verdict import EXCEPTION, Verdict
from integrationhub.store import casework, clerical_pairs
from integrationhub.store.casework import Dossier
from integrationhub.store.unit_of_work import Reading

_FIGURES = ("receiving parent", "Secretary of State", "owner not known", "suspended, receiving parent",
            "suspended, Secretary of State", "held as custodian")  # fmt: skip
_SHORT = {"RECEIVING_PARENT": "RP", "SECRETARY_OF_STATE": "SoS"}


def explain(connection: Reading, case_id: str, *, day: date, thresholds: Thresholds) -> Page:
    """The page of one case that is in a book, as at a day."""
    case_ids, _ = together(connection, [case_id])
    sent = _read(connection, case_ids)[case_id]
    judged = judge_group(list(_read(connection, case_ids).values()))
    case, verdict = next((case, verdict) for case, verdict, _ in judged if case.case_id == case_id)
    sections = [_outcome(case, verdict, len(judged))]
    if case.system != CLERICAL:
        sections += [_assessment("Assessment as sent", sent), _ledger("Source ledger", sent)]
    sections += [_findings(case), _corrections(case)]
    if case.system != CLERICAL:
        sections += [_assessment("Assessment as corrected", case), _ledger("Corrected ledger", case), _arithmetic(case)]
    sections.append(_figures(case, verdict))
    if verdict.outcome != EXCEPTION:
        sections.append(_standing(case, verdict, day, thresholds))
    return Page(title=f"Arrears of case {case_key(case)}", sections=sections)


def _read(connection: Reading, case_ids: Iterable[str]) -> dict[str, Case]:
    surroundings = Surroundings(
        kept_twice=clerical_pairs.kept_twice(connection), orphan_payers=casework.orphan_payers(connection)
    )
    return build(Dossier(connection, set(case_ids)), surroundings)


def pounds(pence: int | None) -> str:
    """Pence as pounds: -1,234.50."""
    if pence is None:
        return "–"
    sign = "-" if pence < 0 else ""
    return f"{sign}{abs(pence) // 100:,}.{abs(pence) % 100:02d}"


def _day(day: date | None) -> str:
    return "not known" if day is None else "open" if day == OPEN else day.isoformat()


def _outcome(case: Case, verdict: Verdict, members: int) -> Section:
    sentences = [
        f"Outcome: {verdict.outcome}." + (f" Codes: {', '.join(verdict.causes)}." if verdict.causes else ""),
        f"Flags: {', '.join(verdict.flags) or 'none'}.",
        f"Scheme {case.scheme}, status {case.status}; the case group has {members} case{'s' * (members > 1)}.",
        f"Liability from {_day(case.effective)} to {_day(case.liability_end)}.",
        f"Charged up to {_day(case.last_charged)}.",
    ]
    if verdict.outcome == EXCEPTION:
        sentences.append("Nothing is accepted; the whole case group is held for a person.")
    if case.duplicate_of:
        sentences.append(f"The case is a duplicate of {case_key(case.duplicate_of)} and owes nothing.")
    return Section(title="Outcome", sentences=tuple(sentences))


def _assessment(title: str, case: Case) -> Section:
    rows = tuple(_assessment_row(case, row) for row in case.rows)
    periods = ("a week",) if case.scheme == "1993" else ("a month", "a week")
    return Section(title=title, headings=("row", "from", "to", "kind", *periods, "formula gives"), rows=rows)


def _assessment_row(case: Case, row: Row) -> tuple[str, ...]:
    formula = "no inputs" if row.due is None else pounds(row.due)
    amounts = [pounds(row.amount)] + ([] if case.scheme == "1993" else [pounds(weekly(case.scheme, row.amount))])
    return (str(row.number), _day(row.first), _day(row.last), row.basis, *amounts, formula)


def _ordered(lines: Iterable[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (line.number or 2**62, line.first or date.max))


def _ledger(title: str, case: Case) -> Section:
    rows = tuple(
        (
            str(line.number or "new"), line.kind, _SHORT.get(line.owner, line.owner), _what(line), pounds(line.stored),
            pounds(0 if line.returned else line.effect), pounds(line.suspends) if line.suspends else "",
        )
        for line in _ordered(case.lines)
    )  # fmt: skip
    headings = ("line", "kind", "owner", "what", "amount", "on balance", "on suspended")
    return Section(title=title, headings=headings, rows=rows, sentences=() if rows else ("No lines.",))


def _what(line: Line) -> str:
    if line.kind == CHARGE:
        days = f"{_day(line.first)} to {_day(line.last)} at {pounds(line.rate)}, row {line.row}"
        return f"{days}, reversed" if line.undone else days
    if line.kind == RECEIPT:
        state = "treated as reversed" if line.returned else "reversed" if line.undone else "held" if line.held else ""
        return f"value date {_day(line.value_date)}{', ' * bool(state)}{state}"
    if line.kind == REVERSAL:
        return f"of line {line.undoes.number}" if line.undoes else "of a line that is not there"
    return f"{line.reason or ''} {_day(line.effective)}".strip()


def _findings(case: Case) -> Section:
    rows = tuple((item.code, item.kind, item.evidence) for item in case.findings)
    return Section(
        title="Findings", headings=("code", "class", "evidence") if rows else (), rows=rows,
        sentences=() if rows else ("None.",),
    )  # fmt: skip


def _corrections(case: Case) -> Section:
    rows = tuple(
        (item.rule, item.action, str(item.line_no or ""), item.text, _delta(item.delta)) for item in case.corrections
    )
    return Section(
        title="Corrections", headings=("rule", "action", "line", "why", "changes") if rows else (), rows=rows,
        sentences=() if rows else ("None.",),
    )  # fmt: skip


def _delta(delta: Figures) -> str:
    parts = [f"{name} {pounds(pence)}" for name, pence in zip(_FIGURES, delta, strict=True) if pence]
    return ", ".join(parts) or "nothing"


def _arithmetic(case: Case) -> Section:
    """How every charge comes to its amount, and the running balance of each owner."""
    sums = dict.fromkeys(("RP", "SoS", "not known"), 0)
    rows = []
    for line in _ordered(case.lines):
        owner = _SHORT.get((line.undoes or line).owner, "not known")
        effect = 0 if line.returned else line.effect
        sums[owner] += effect
        rows.append((str(line.number or "new"), _sum_of(case, line), f"{owner} {pounds(effect)}",
                     *map(pounds, sums.values())))  # fmt: skip
    return Section(title="Arithmetic", headings=("line", "calculation", "adds", *sums), rows=tuple(rows))


def _sum_of(case: Case, line: Line) -> str:
    if line.kind != CHARGE or line.first is None or line.last is None:
        return line.kind.lower()
    days = (line.last - line.first).days + 1
    if case.scheme == "1993":
        return f"{line.rate} p × {days} days ÷ 7 = {line.effect} p, cut to whole pence"
    a_week = weekly(case.scheme, line.rate)
    return f"{line.rate} p × 3 ÷ 13 = {a_week} p a week; × {days} days ÷ 7 = {line.effect} p, to the nearest penny"


def _figures(case: Case, verdict: Verdict) -> Section:
    accepted: Sequence[int | None] = verdict.accepted or [None] * len(_FIGURES)
    columns = zip(_FIGURES, case.header, case.sent, verdict.recomputed, accepted, strict=True)
    rows = tuple((name, *map(pounds, values)) for name, *values in columns)
    return Section(
        title="Figures", headings=("", "source header", "source ledger", "recomputed", "accepted"), rows=rows
    )


def _standing(case: Case, verdict: Verdict, day: date, thresholds: Thresholds) -> Section:
    assert verdict.accepted is not None
    stands = standing(facts_of(case), verdict.accepted, day, thresholds)
    label = "uncollectable" if stands.uncollectable else "no label"
    rows = tuple(
        (item["owner"], pounds(item["outstanding"]), pounds(item["suspended"]), item["writeoff"])
        for item in stands.debts
    )
    return Section(
        title=f"Standing on {day}",
        sentences=(f"Segment {stands.segment}; {label}.",),
        headings=("debt", "outstanding", "suspended", "write-off class") if rows else (),
        rows=rows,
    )
