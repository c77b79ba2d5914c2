"""One readable page a case: source ledger, findings with evidence, corrected ledger, arithmetic line by line.

The case group is read and judged anew, so the page shows what the rules do, not what was noted when they ran.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from integrationhub.arrears.after_events import CONTESTED, facts_after
from integrationhub.arrears.arithmetic import weekly
from integrationhub.arrears.book import CHARGE, CLERICAL, RECEIPT, REVERSAL, Case, Figures, Line, Row
from integrationhub.arrears.casework import Surroundings, build
from integrationhub.arrears.event_page import arithmetic, events
from integrationhub.arrears.judgement import case_key, judge_group, together
from integrationhub.arrears.page import Page, Section
from integrationhub.arrears.policy import Thresholds
from integrationhub.arrears.standing import facts_of, standing
from integrationhub.arrears.verdict import EXCEPTION, Verdict
from integrationhub.arrears.words import FIGURES, OWNERS, day_text, delta, pounds
from integrationhub.store import casework, clerical_pairs
from integrationhub.store.case_events import EventState
from integrationhub.store.casework import Dossier
from integrationhub.store.event_effects import Effect, effects
from integrationhub.store.unit_of_work import Reading


def explain(connection: Reading, case_id: str, *, day: date, thresholds: Thresholds) -> Page:
    """The page of one case that is in a book, as at a day."""
    case_ids = together(connection, [case_id])
    sent = _read(connection, case_ids)[case_id]
    judged = judge_group(list(_read(connection, case_ids).values()))
    case, verdict = next((case, verdict) for case, verdict, _ in judged if case.case_id == case_id)
    effect = next(effects(connection, [case_id]), None)
    held = verdict.outcome == EXCEPTION or (effect is not None and effect.state is EventState.CONFLICT)
    sections = [_outcome(case, verdict, len(judged), contested=held and verdict.outcome != EXCEPTION)]
    if case.system != CLERICAL:
        sections += [_assessment("Assessment as sent", sent), _ledger("Source ledger", sent)]
    sections += [_findings(case), _corrections(case)]
    if case.system != CLERICAL:
        sections += [_assessment("Assessment as corrected", case), _ledger("Corrected ledger", case)]
        sections += [events(effect)] if effect else []
        sections.append(_arithmetic(case, effect))
    sections.append(_figures(case, verdict, effect, held=held))
    if not held:
        sections.append(_standing(case, verdict, effect, day, thresholds))
    return Page(title=f"Arrears of case {case_key(case)}", sections=sections)


def _read(connection: Reading, case_ids: Iterable[str]) -> dict[str, Case]:
    surroundings = Surroundings(
        kept_twice=clerical_pairs.kept_twice(connection), orphan_payers=casework.orphan_payers(connection)
    )
    return build(Dossier(connection, set(case_ids)), surroundings)


def _outcome(case: Case, verdict: Verdict, members: int, *, contested: bool) -> Section:
    outcome, causes = (EXCEPTION, (CONTESTED,)) if contested else (verdict.outcome, verdict.causes)
    sentences = [
        f"Outcome: {outcome}." + (f" Codes: {', '.join(causes)}." if causes else ""),
        f"Flags: {', '.join(verdict.flags) or 'none'}.",
        f"Scheme {case.scheme}, status {case.status}; the case group has {members} case{'s' * (members > 1)}.",
        f"Liability from {day_text(case.effective)} to {day_text(case.liability_end)}.",
        f"Charged up to {day_text(case.last_charged)}.",
    ]
    if outcome == EXCEPTION:
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
    return (str(row.number), day_text(row.first), day_text(row.last), row.basis, *amounts, formula)


def _ordered(lines: Iterable[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (line.number or 2**62, line.first or date.max))


def _ledger(title: str, case: Case) -> Section:
    rows = tuple(
        (
            str(line.number or "new"), line.kind, OWNERS.get(line.owner, line.owner), _what(line), pounds(line.stored),
            pounds(0 if line.returned else line.effect), pounds(line.suspends) if line.suspends else "",
        )
        for line in _ordered(case.lines)
    )  # fmt: skip
    headings = ("line", "kind", "owner", "what", "amount", "on balance", "on suspended")
    return Section(title=title, headings=headings, rows=rows, sentences=() if rows else ("No lines.",))


def _what(line: Line) -> str:
    if line.kind == CHARGE:
        days = f"{day_text(line.first)} to {day_text(line.last)} at {pounds(line.rate)}, row {line.row}"
        return f"{days}, reversed" if line.undone else days
    if line.kind == RECEIPT:
        state = "treated as reversed" if line.returned else "reversed" if line.undone else "held" if line.held else ""
        return f"value date {day_text(line.value_date)}{', ' * bool(state)}{state}"
    if line.kind == REVERSAL:
        return f"of line {line.undoes.number}" if line.undoes else "of a line that is not there"
    return f"{line.reason or ''} {day_text(line.effective)}".strip()


def _findings(case: Case) -> Section:
    rows = tuple((item.code, item.kind, item.evidence) for item in case.findings)
    return Section(
        title="Findings", headings=("code", "class", "evidence") if rows else (), rows=rows,
        sentences=() if rows else ("None.",),
    )  # fmt: skip


def _corrections(case: Case) -> Section:
    rows = tuple(
        (item.rule, item.action, str(item.line_no or ""), item.text, delta(item.delta)) for item in case.corrections
    )
    return Section(
        title="Corrections", headings=("rule", "action", "line", "why", "changes") if rows else (), rows=rows,
        sentences=() if rows else ("None.",),
    )  # fmt: skip


def _arithmetic(case: Case, effect: Effect | None) -> Section:
    """How every charge comes to its amount, and the running balance of each owner; events behind the ledger."""
    sums = dict.fromkeys(("RP", "SoS", "not known"), 0)
    rows = []
    for line in _ordered(case.lines):
        owner = OWNERS.get((line.undoes or line).owner, "not known")
        pence = 0 if line.returned else line.effect
        sums[owner] += pence
        rows.append((str(line.number or "new"), _sum_of(case, line), f"{owner} {pounds(pence)}",
                     *map(pounds, sums.values())))  # fmt: skip
    rows += list(arithmetic(effect, sums)) if effect else []
    return Section(title="Arithmetic", headings=("line", "calculation", "adds", *sums), rows=tuple(rows))


def _sum_of(case: Case, line: Line) -> str:
    if line.kind != CHARGE or line.first is None or line.last is None:
        return line.kind.lower()
    days = (line.last - line.first).days + 1
    if case.scheme == "1993":
        return f"{line.rate} p × {days} days ÷ 7 = {line.effect} p, cut to whole pence"
    a_week = weekly(case.scheme, line.rate)
    return f"{line.rate} p × 3 ÷ 13 = {a_week} p a week; × {days} days ÷ 7 = {line.effect} p, to the nearest penny"


def _figures(case: Case, verdict: Verdict, effect: Effect | None, *, held: bool) -> Section:
    columns: dict[str, Sequence[int | None]] = {
        "source header": case.header, "source ledger": case.sent, "recomputed": verdict.recomputed,
    }  # fmt: skip
    if effect:
        columns["events"] = _added(effect)
        columns["recomputed, with events"] = verdict.recomputed.plus(_added(effect))
    columns["accepted"] = (
        [None] * len(FIGURES) if held or verdict.accepted is None else _after(verdict.accepted, effect)
    )
    rows = tuple((name, *map(pounds, values)) for name, *values in zip(FIGURES, *columns.values(), strict=True))
    return Section(title="Figures", headings=("", *columns), rows=rows)


def _added(effect: Effect) -> Figures:
    return Figures(**effect.figures)


def _after(figures: Figures, effect: Effect | None) -> Figures:
    return figures.plus(_added(effect)) if effect else figures


def _standing(case: Case, verdict: Verdict, effect: Effect | None, day: date, thresholds: Thresholds) -> Section:
    assert verdict.accepted is not None
    facts = facts_after(facts_of(case), effect.steps) if effect else facts_of(case)
    stands = standing(facts, _after(verdict.accepted, effect), day, thresholds)
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
