"""One outcome a case: the rules over a case group, in the document's order (arrears-errors.md §1, §2).

E10, E04, E03 → E13 → E02 → E14 → E06 → E11 → E05 → E01 → E09 → E08 → E07; flags at any time
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from integrationhub.arrears.book import CLERICAL, Case, Figures, total
from integrationhub.arrears.rules import charges, flags, headers, links, receipts

SOURCE, RECOMPUTED, EXCEPTION = "SOURCE", "RECOMPUTED", "EXCEPTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a case comes to. `recomputed` are the figures of the corrected ledger whatever the outcome; `accepted` is
    None for an exception.
    """

    outcome: str
    causes: tuple[str, ...]
    exceptions: tuple[str, ...]
    flags: tuple[str, ...]
    recomputed: Figures
    accepted: Figures | None


def judge(group: Sequence[Case]) -> list[Verdict]:
    """The verdicts of all cases of one case group, in its order. The cases keep findings, corrections and ledgers."""
    for case in group:
        _look_at(case)
    links.duplicates(group)
    links.empty_duplicates(group)
    live = [case for case in group if case.duplicate_of is None]
    ledgers = [case for case in live if case.system != CLERICAL]
    for case in live:
        links.kept_twice(case)
    receipts.duplicate_receipts(ledgers)
    receipts.misplaced_receipts(ledgers)
    for case in ledgers:
        _correct(case)
    return [_verdict(case) for case in group]


def _look_at(case: Case) -> None:
    """Findings on the case as it was sent."""
    flags.flags(case)
    if case.system == CLERICAL:
        links.clerical(case)
    else:
        headers.lines_as_sent(case)
        links.orphans(case)


def _correct(case: Case) -> None:
    """The rules that look at one case alone."""
    receipts.dishonoured_receipts(case)
    charges.dates(case)
    charges.after_the_end(case)
    charges.coverage(case)
    charges.assessments(case)
    charges.owners(case)
    headers.suspended(case)
    headers.balances(case)
    flags.doubted(case)


def _verdict(case: Case) -> Verdict:
    exceptions, automatic = case.codes("EXC"), case.codes("AUTO")
    outcome = EXCEPTION if exceptions else RECOMPUTED if automatic else SOURCE
    recomputed = case.header if case.system == CLERICAL else total(line.figures() for line in case.lines)
    accepted = {EXCEPTION: None, RECOMPUTED: recomputed, SOURCE: case.header}[outcome]
    return Verdict(
        outcome=outcome,
        causes=tuple(exceptions or automatic),
        exceptions=tuple(exceptions),
        flags=tuple(case.codes("FLAG")),
        recomputed=recomputed,
        accepted=accepted,
    )


def corrected(case: Case) -> Figures:
    """The header and every correction added up: equal to the corrected ledger's sums whatever the rules did."""
    return total([case.header, *(item.delta for item in case.corrections)])


def held(verdicts: Iterable[Verdict]) -> bool:
    """Whether a case group is held for a person: one exception holds them all."""
    return any(verdict.outcome == EXCEPTION for verdict in verdicts)
