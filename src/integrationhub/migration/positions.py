"""Case groups as a transfer sees them: what is accepted for each case, what moves, what keeps the group in place.

    stored rows → CasePosition, DebtPosition → Position

A position is worked out anew whenever it is needed. Its `digest` covers what a transfer may not ignore (cases, their
outcome, their accepted figures), so that a frozen group that has changed shows itself.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from integrationhub.arrears.after_events import AfterEvents
from integrationhub.arrears.book import CLERICAL, RECEIVING_PARENT, SECRETARY_OF_STATE, Figures
from integrationhub.arrears.policy import Thresholds
from integrationhub.arrears.standing import Standing, group_segment, standing
from integrationhub.arrears.verdict import EXCEPTION
from integrationhub.canonical.identifiers import derive
from integrationhub.store import transfer_reading as reading
from integrationhub.store import transfer_sources
from integrationhub.store.case_events import EventState
from integrationhub.store.transfer_sources import GroupSources
from integrationhub.store.unit_of_work import Reading

MOVED, DUPLICATE_OF, STAYS = "MOVED", "DUPLICATE_OF", "STAYS"
"""What becomes of a case: it gets a reference of its own, it points to that of another case, it is on no system."""

_FIGURE = {RECEIVING_PARENT: "rp", SECRETARY_OF_STATE: "sos", "UNKNOWN": "unk", "MIXED": "unk"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtPosition:
    """One debt in pence, suspended part included and apart: as the source says, as recomputed, as accepted.
    `is_accepted`: it is among the accepted debts, so it moves, also with nothing or less than nothing outstanding.
    """

    debt_id: str
    owner: str
    source: int
    source_suspended: int
    recomputed: int
    accepted: int
    accepted_suspended: int
    is_accepted: bool
    write_off: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePosition:
    """One case. `kind` is what plans call its scheme. `accepted` is None for an exception."""

    case_id: str
    system: str
    host: str
    scheme: str
    kind: str
    effective: date | None
    outcome: str
    causes: tuple[str, ...]
    relation: str
    duplicate_of: str | None  # a case_id
    segment: str | None
    uncollectable: bool
    accepted: Figures | None
    source_custodian: int
    debts: tuple[DebtPosition, ...]
    waits: bool

    @property
    def is_covered(self) -> bool:
        """Whether its accepted debts hold every penny of its accepted figures."""
        figures = self.accepted or Figures()
        held = [debt for debt in self.debts if debt.is_accepted]
        owed = sum(debt.accepted for debt in held), sum(debt.accepted_suspended for debt in held)
        return owed == (figures.rp + figures.sos + figures.unk, figures.susp_rp + figures.susp_sos)

    @property
    def custodian(self) -> int:
        """Accepted custodian cash."""
        return self.accepted.custodian if self.accepted else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One case group; `cases` in the order of their identifiers. `segment` is the frozen one where a notice was
    printed.
    """

    group_id: str
    cases: tuple[CasePosition, ...]
    segment: str
    segment_frozen: bool
    members: str
    digest: str

    @property
    def kinds(self) -> frozenset[str]:
        """The schemes of its cases, as plans call them."""
        return frozenset(case.kind for case in self.cases)

    @property
    def moving(self) -> list[CasePosition]:
        """The cases that get a target reference."""
        return [case for case in self.cases if case.relation == MOVED]

    @property
    def told(self) -> list[CasePosition]:
        """The cases that the source is told about: those that move, and their duplicates."""
        return [case for case in self.cases if case.relation != STAYS]

    @property
    def asked(self) -> tuple[str, ...]:
        """Its debts of which somebody is to be heard before a write-off."""
        debts = (debt for case in self.cases for debt in case.debts)
        return tuple(debt.debt_id for debt in debts if debt.write_off == "REPRESENTATION")

    @property
    def exceptions(self) -> tuple[str, ...]:
        """Codes of what holds the group for a person."""
        held = (code for case in self.cases if case.outcome == EXCEPTION for code in case.causes)
        return tuple(sorted(set(held)))

    @property
    def waits(self) -> bool:
        """Whether a case waits for a change event that is missing."""
        return any(case.waits for case in self.cases)

    def accepted(self) -> Figures:
        """The accepted figures of all its cases."""
        total = Figures()
        for case in self.cases:
            total = total.plus(case.accepted or Figures())
        return total


class Positions:
    """Positions of case groups on a day; those whose notice was printed by then keep their segment."""

    def __init__(self, connection: Reading, day: date, thresholds: Thresholds) -> None:
        self._connection = connection
        self._day = day
        self._thresholds = thresholds

    def of(self, group_ids: Collection[str]) -> Iterator[Position]:
        """Those of these groups that exist, in the order of their identifiers."""
        sources = transfer_sources.of_groups(self._connection, group_ids)
        case_ids = {row.case_id for rows in sources.cases.values() for row in rows}
        events = AfterEvents(self._connection, case_ids)
        frozen = reading.frozen_segments(self._connection, self._day, group_ids)
        for group_id in sorted(sources.cases):
            yield self._position(group_id, sources, events, frozen.get(group_id))

    def all(self, *, at_once: int = 2_000) -> Iterator[Position]:
        """All of them, in the order of their identifiers."""
        last = ""
        while ids := transfer_sources.group_ids(self._connection, after=last, limit=at_once):
            yield from self.of(ids)
            last = ids[-1]

    def _position(self, group_id: str, sources: GroupSources, events: AfterEvents, frozen: str | None) -> Position:
        rows = sorted(sources.cases[group_id], key=lambda row: row.case_id)
        keys = {row.case_key: row.case_id for row in rows}
        cases = tuple(self._case(row, keys, sources.debts.get(row.case_id, []), events) for row in rows)
        worked_out = group_segment([case.segment for case in cases], self._thresholds.precedence)
        return Position(
            group_id=group_id, cases=cases, segment=frozen or worked_out, segment_frozen=frozen is not None,
            members=derive("members", *(case.case_id for case in cases)), digest=_digest(cases),
        )  # fmt: skip

    def _case(self, row: Any, keys: Mapping[str, str], debts: Sequence[Any], events: AfterEvents) -> CasePosition:  # noqa: ANN401 – a database row
        outcome = events.outcome(row)
        accepted = None if outcome == EXCEPTION else events.figures(row, "accepted")
        facts = events.facts(row)
        stands = standing(facts, accepted, self._day, self._thresholds) if accepted else None
        duplicate = keys.get(row.duplicate_of) if row.duplicate_of else None
        effect = events.effect(row.case_id)
        owed = _Owed(accepted=accepted, recomputed=events.figures(row, "recomputed"), stands=stands)
        return CasePosition(
            case_id=row.case_id, system=row.source_system, host=row.host_system, scheme=row.scheme,
            kind=CLERICAL if row.host_system == CLERICAL else row.scheme, effective=row.effective_date,
            outcome=outcome, causes=tuple(events.causes(row)),
            relation=DUPLICATE_OF if duplicate else STAYS if facts.off else MOVED, duplicate_of=duplicate,
            segment=stands.segment if stands else None, uncollectable=bool(stands and stands.uncollectable),
            accepted=accepted, source_custodian=row.source_custodian, debts=tuple(_debts(row, debts, owed)),
            waits=effect is not None and effect.state is EventState.WAITING,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owed:
    accepted: Figures | None
    recomputed: Figures
    stands: Standing | None


def _debts(row: Any, stored: Sequence[Any], owed: _Owed) -> Iterator[DebtPosition]:  # noqa: ANN401 – a database row
    by_owner = {debt.legal_owner: debt for debt in stored}
    listed = {debt["owner"]: debt["writeoff"] for debt in owed.stands.debts} if owed.stands else {}
    for owner in sorted({*by_owner, *listed}):
        debt = by_owner.get(owner)
        figure = _FIGURE[owner]
        accepted = owed.accepted if figure != "unk" else None
        yield DebtPosition(
            debt_id=debt.debt_id if debt else derive("debt", row.source_system, row.source_ref, owner),
            owner=owner,
            source=(debt.pence or 0) if debt else 0,
            source_suspended=(debt.suspended_pence or 0) if debt else 0,
            recomputed=getattr(owed.recomputed, figure),
            accepted=getattr(accepted, figure) if accepted else 0,
            accepted_suspended=getattr(accepted, f"susp_{figure}") if accepted else 0,
            is_accepted=owner in listed,
            write_off=listed.get(owner),
        )


def _digest(cases: Sequence[CasePosition]) -> str:
    """Of what a transfer may not ignore: who belongs to the group, and what is accepted for each."""
    parts = [
        (case.case_id, case.relation, case.waits, "HELD" if case.accepted is None else tuple(case.accepted))
        for case in cases
    ]
    return derive("position", *parts)
