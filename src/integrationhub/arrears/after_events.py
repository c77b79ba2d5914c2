"""Verdicts as they stand after the change events behind the accepted books (csa2003.md §5).

The rules run with an extract only; events add to the figures that the rules have come to. Two events that claim one
number make an exception of the case, whatever its verdict.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from integrationhub.arrears.book import RECEIVING_PARENT, SECRETARY_OF_STATE, Figures
from integrationhub.arrears.standing import Facts
from integrationhub.arrears.verdict import EXCEPTION, RECOMPUTED
from integrationhub.store.case_events import CaseEvent, EventState
from integrationhub.store.event_effects import Effect, Step, effects
from integrationhub.store.unit_of_work import Reading

CONTESTED = "EV"
"""Code of a case for which two events claim one number."""

_OWNERS = {"rp": RECEIVING_PARENT, "sos": SECRETARY_OF_STATE}


class AfterEvents:
    """The verdicts of some cases, or of all, with the events behind their books. A verdict is a row of the store."""

    def __init__(self, connection: Reading, case_ids: Collection[str] | None = None) -> None:
        self._effects = {effect.case_id: effect for effect in effects(connection, case_ids)}

    def effect(self, case_id: str) -> Effect | None:
        """What events do to a case; None where there are none."""
        return self._effects.get(case_id)

    def cases(self) -> Collection[str]:
        """Cases that have such events."""
        return self._effects.keys()

    def step(self, event: CaseEvent) -> Step | None:
        """What an event does; None when its case's book contains it."""
        effect = self._effects.get(event.case_id)
        steps = effect.steps if effect else ()
        return next((step for step in steps if step.event.case_seq == event.case_seq), None)

    def outcome(self, verdict: Any) -> str:  # noqa: ANN401 – a database row
        """The case's outcome."""
        return EXCEPTION if self.is_contested(verdict.case_id) else str(verdict.outcome)

    def causes(self, verdict: Any) -> list[str]:  # noqa: ANN401 – a database row
        """The codes of the outcome; those of corrections are no longer told of a case that events made an exception."""
        if not self.is_contested(verdict.case_id):
            return list(verdict.causes)
        return sorted({CONTESTED, *(verdict.causes if verdict.outcome == EXCEPTION else ())})

    def is_contested(self, case_id: str) -> bool:
        """Whether two events claim one number of the case."""
        effect = self._effects.get(case_id)
        return effect is not None and effect.state is EventState.CONFLICT

    def figures(self, verdict: Any, kind: str) -> Figures:  # noqa: ANN401 – a database row
        """The verdict's figures of one kind with what events add; what its source states stays as it was sent."""
        plain = figures(verdict, kind)
        effect = self._effects.get(verdict.case_id)
        return plain.plus(Figures(**effect.figures)) if effect and kind != "source" else plain

    def evidence(self, verdict: Any, kind: str) -> str:  # noqa: ANN401 – a database row
        """Where a recomputed or accepted figure comes from: the rules that corrected it, and the events behind."""
        clerical = str(verdict.case_key).startswith("CL:")
        if verdict.outcome == RECOMPUTED:
            text = f"corrected by the written rules {', '.join(verdict.causes)} (class AUTO)"
        elif kind == "ACCEPTED":
            text = "accepted as the source states it"
        else:
            text = "as keyed: there is no ledger" if clerical else "the sum of the ledger"
        effect = self._effects.get(verdict.case_id)
        applied = [step.event.case_seq for step in effect.steps if step.applies] if effect else []
        return f"{text}; then events {applied[0]} to {applied[-1]}" if applied else text

    def facts(self, verdict: Any) -> Facts:  # noqa: ANN401 – a database row
        """The facts of the verdict, with the receipts that events have added or taken back."""
        facts = Facts.of_document(verdict.facts)
        effect = self._effects.get(verdict.case_id)
        return facts_after(facts, effect.steps) if effect else facts


def figures(verdict: Any, kind: str) -> Figures:  # noqa: ANN401 – a database row
    """The verdict's figures of one kind: source, recomputed or accepted."""
    return Figures(*(getattr(verdict, f"{kind}_{name}") for name in Figures._fields))


def facts_after(facts: Facts, steps: Sequence[Step]) -> Facts:
    """The facts of a case with the receipts that events have added or taken back, and the owners they came to."""
    owners = {_OWNERS[step.figure] for step in steps if step.applies and step.figure in _OWNERS}
    paid = Counter((day, pence) for day, pence in facts.paid)
    paid.update(_dated(step.paid for step in steps))
    paid.subtract(_dated(step.returned for step in steps))
    left = sorted(receipt for receipt, times in paid.items() for _ in range(times))
    return replace(facts, owners=tuple(sorted({*facts.owners, *owners})), paid=tuple(left))


def _dated(receipts: Iterator[Any] | Collection[Any]) -> Iterator[tuple[str, int]]:
    """Receipts with a known value date, as the facts hold them."""
    return ((receipt[0].isoformat(), receipt[1]) for receipt in receipts if receipt and receipt[0])
