"""What a right product must say of the clerical cases (clerical.md §4)."""

from collections.abc import Iterator
from datetime import date

from integrationhub.estate.book import CaseGroup, ClericalCase, Figures
from integrationhub.estate.clerical_cases import UNREADABLE_BALANCE
from integrationhub.estate.edges import RECENT_MONTHS, months_before
from integrationhub.estate.outcomes import OWNERS, SECRETARY_OF_STATE, Judged, write_off
from integrationhub.estate.rules import SENTINELS


def judge_clerical(group: CaseGroup, day: date) -> list[Judged]:
    """Every clerical case of a case group, as at `day`."""
    return [_judge(case, day) for case in group.clerical]


def _judge(case: ClericalCase, day: date) -> Judged:
    owed = case.balances()
    real = Figures(rp=owed[0], sos=owed[1], custodian=case.custodian)
    told = 0 if case.keying == UNREADABLE_BALANCE else real.rp + case.off[0]
    source = real._replace(rp=told, sos=real.sos + case.off[1])
    accepted = None if case.exceptions else real
    segment = _segment(case, real, day) if accepted else None
    outcome = "EXCEPTION" if case.exceptions else "SOURCE"
    row: dict[str, object] = {
        "source": source._asdict(),
        "true": real._asdict(),
        "source_right": source.arrears() == real.arrears(),
        "injected": list(case.injected),
        "outcome": outcome,
        "causes": sorted(case.exceptions),
        "flags": sorted(case.flags),
        "accepted": accepted._asdict() if accepted else None,
        "segment": segment,
        "uncollectable": _uncollectable(case, real, day) if accepted else None,
        "debts": list(_debts(case, real, segment, day)) if accepted else [],
    }
    return Judged(
        key=case.key, source=source, real=real, accepted=accepted, outcome=outcome, segment=segment, row=row,
        linked=case.linked,
    )  # fmt: skip


def _segment(case: ClericalCase, figures: Figures, day: date) -> str:
    if case.liability_end < day:
        return "ARREARS_ONLY" if figures.rp + figures.sos > 0 else "CLOSED"
    return "3"


def _since_six_months(event: date | None, day: date) -> bool:
    return event is not None and event not in SENTINELS and months_before(day, RECENT_MONTHS) < event


def _within_six_months(event: date | None, day: date) -> bool:
    return event is not None and event <= day and _since_six_months(event, day)


def _uncollectable(case: ClericalCase, figures: Figures, day: date) -> bool:
    silent = not (_within_six_months(case.last_payment, day) or _within_six_months(case.last_contact, day))
    return figures.rp + figures.sos > 0 and silent


def _debts(case: ClericalCase, figures: Figures, segment: str | None, day: date) -> Iterator[dict[str, object]]:
    eligible = segment == "ARREARS_ONLY" and not _since_six_months(case.last_payment, day)
    for place, (code, owner, name) in enumerate(OWNERS):
        if case.charged[place] or case.received[place]:
            outstanding = getattr(figures, name)
            yield {
                "owner": owner,
                "payee": SECRETARY_OF_STATE if code == "S" else f"{case.ref}:PWC",
                "outstanding": outstanding,
                "suspended": 0,
                "writeoff": write_off(code, outstanding, eligible=eligible, begun=case.application, day=day),
            }
