"""What a case's page says of the change events behind its accepted book."""

from collections.abc import Iterator

from integrationhub.arrears.page import Section
from integrationhub.arrears.words import delta, pounds
from integrationhub.store.case_events import CaseEvent, EventState
from integrationhub.store.event_effects import Effect, Step

OWNER_OF_FIGURE = {"rp": "RP", "sos": "SoS", "unk": "not known"}

_KINDS = {
    "Charge": "charge", "Receipt": "receipt", "Adjustment": "adjustment", "ReceiptReversed": "reversal of a receipt",
    "Address": "address", "RelationshipChange": "relationship", "Status": "status",
}  # fmt: skip


def events(effect: Effect) -> Section:
    """Every event that the book does not contain: number, day, what it says, and what it adds."""
    rows = tuple(
        (
            str(step.event.case_seq), step.event.occurred_on.isoformat(), _KINDS.get(step.event.kind, step.event.kind),
            "applied" if step.applies else "waits", said(step.event), _adds(step),
        )
        for step in effect.steps
    )  # fmt: skip
    return Section(
        title="Change events behind the book", sentences=tuple(_sentences(effect)),
        headings=("event", "posted", "kind", "state", "says", "changes"), rows=rows,
    )  # fmt: skip


def _sentences(effect: Effect) -> Iterator[str]:
    yield f"State {effect.state}; applied up to number {effect.applied_to_seq}."
    if effect.state is EventState.WAITING:
        missing = effect.applied_to_seq + 1
        yield f"Number {missing} is missing: nothing behind it applies, and the case cannot be transferred meanwhile."
    if effect.state is EventState.CONFLICT:
        yield "Two events claim one number: the first stays, and nothing of the case is accepted until that is settled."
    if effect.last_charged:
        yield f"Charged up to {effect.last_charged}."


def said(event: CaseEvent) -> str:
    """What an event says, without anything personal."""
    values = {name: str(value) for name, value in (event.said or {}).items()}
    protected = ", confidential" if values.get("confidential") in {"true", "1"} else ""
    texts = {
        "Charge": f"{values.get('from', '')} to {event.charged_to or 'not known'}, {values.get('monthly', '')} a month",
        "Receipt": f"value date {values.get('valueDate', '')}, {values.get('disbursement', '').lower()}",
        "Adjustment": f"{event.reason or ''} {values.get('effective', '')}".strip(),
        "ReceiptReversed": f"of transaction {event.reverses_ref}",
        "Address": f"an address of party {values.get('partyRef', '')}{protected}",
        "RelationshipChange": f"{values.get('relationshipRef', '')} ends; first day without it {values.get('to', '')}",
        "Status": values.get("status", ""),
    }
    return texts.get(event.kind, "")


def _adds(step: Step) -> str:
    if not step.applies:
        return "nothing yet"
    if step.is_lost:
        return "nothing: the case has no such schedule or transaction"
    return delta(step.figures.values())


def arithmetic(effect: Effect, sums: dict[str, int]) -> Iterator[tuple[str, ...]]:
    """Rows of the running balance, behind the ledger's; `sums` go on by owner."""
    for step in effect.steps:
        if step.figure is None:
            continue
        owner = OWNER_OF_FIGURE[step.figure]
        sums[owner] += step.figures[step.figure]
        adds = f"{owner} {pounds(step.figures[step.figure])}"
        yield (f"event {step.event.case_seq}", _KINDS[step.event.kind], adds, *map(pounds, sums.values()))
