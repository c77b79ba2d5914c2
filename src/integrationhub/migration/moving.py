"""The steps that move case groups: freeze → allocate → load, each group whole and in one transaction.

    locked groups of the run + their positions now → rows of the transfer tables → proof of the sums → state

Every step is taken once an attempt; a group that has taken it is passed over, so a killed run goes on where its last
transaction ended. A group that may not move any more is held with the reason and leaves nothing behind. Nothing here
writes events: a load is silent (handover.md §5).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from integrationhub.arrears.policy import Thresholds
from integrationhub.arrears.standing import closure_clock
from integrationhub.canonical.identifiers import derive
from integrationhub.errors import InvariantBroken
from integrationhub.identity import Actor
from integrationhub.migration.cohort import NO_NOTICE, hindrance
from integrationhub.migration.plan import Clocks
from integrationhub.migration.positions import MOVED, CasePosition, DebtPosition, Position, Positions
from integrationhub.migration.taking_back import hold, step_row
from integrationhub.store import transfer_reading as reading
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Reading, Work

GONE, MEMBERS_CHANGED, BALANCE_MOVED, NOTICE_MISSING, NOTICE_RUNS, NOT_HEARD, HEARING_RUNS = (
    "GONE", "MEMBERS_CHANGED", "BALANCE_MOVED", "NOTICE_MISSING", "NOTICE_RUNS", "NOT_HEARD", "HEARING_RUNS",
)  # fmt: skip

REFUSALS: Mapping[str, str] = {
    GONE: "the group is in no book any more",
    MEMBERS_CHANGED: "other cases belong to the group than those that were rehearsed and approved",
    BALANCE_MOVED: "a correction or an event has changed a balance since the group was frozen",
    NOTICE_MISSING: "no closure notice of the group was recorded as printed",
    NOTICE_RUNS: "the liability has not ended yet by the group's closure notice",
    NOT_HEARD: "nobody recorded that the write-off notice of one of the group's debts was received",
    HEARING_RUNS: "somebody may still be heard about the write-off of one of the group's debts",
}
"""Why an approved group does not move, besides what keeps groups out of waves."""

SYSTEMS_TOLD = ("CSCS", "CS2")
"""Sources that get notices; for clerical cases the crosswalk is enough (handover.md §3)."""

_FREEZE_DIGIT = 1
"""A notice's number is its case's serial number and one digit for the action: the same again on every repeat."""

SILENT: Callable[[str], None] = lambda _point: None  # noqa: E731 – a default


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What holds for all groups of a live run or a rehearsal of one wave."""

    run_id: str
    plan_hash: str
    target: str
    prefix: str
    first_serial: int
    day: date
    thresholds: Thresholds
    clocks: Clocks
    hears: bool = False  # groups wait until everybody was heard who is to be heard before a write-off
    actor: Actor
    freeze_only: bool = False

    def positions(self, connection: Reading) -> Positions:
        """Positions of groups as they are now."""
        return Positions(connection, self.day, self.thresholds)


@dataclass(slots=True)
class Moved:
    """What became of some groups: `held` counts codes."""

    groups: int = 0
    cases: int = 0
    held: Counter[str] = field(default_factory=Counter)
    pence: Counter[str] = field(default_factory=Counter)  # by kind of entry and owner, or CUSTODIAN
    forecasts: dict[str, str] = field(default_factory=dict)  # group → LOADED, FROZEN or the code for which it is held

    def add(self, other: "Moved") -> None:
        """Take another batch into account."""
        self.groups += other.groups
        self.cases += other.cases
        self.held += other.held
        for name, pence in other.pence.items():
            self.pence[name] += pence
        self.forecasts |= other.forecasts


Rows = dict[str, list[dict[str, Any]]]


def move(
    work: Work, group_ids: Collection[str], orders: Orders, *, at: datetime, checkpoint: Callable[[str], None] = SILENT
) -> Moved:
    """Move these groups of the run as far as they may go; nothing is committed. InvariantBroken: a sum is wrong."""
    found = [row for row in work.transfers.lock(orders.run_id, group_ids) if row.state in ("APPROVED", "FROZEN")]
    positions = {position.group_id: position for position in orders.positions(work.connection).of(group_ids)}
    waiting = _Waiting.of(work, positions.values(), orders)
    result, fit = Moved(), []
    for row in found:
        code = _unfit(row, positions.get(row.case_group_id), waiting)
        if code is None:
            fit.append((row, positions[row.case_group_id]))
        else:
            hold(work, row, code, REFUSALS.get(code), actor=orders.actor, at=at)
            result.held[code] += 1
        result.forecasts[row.case_group_id] = code or ("FROZEN" if orders.freeze_only else "LOADED")
    _freeze(work, [pair for pair in fit if pair[0].state == "APPROVED"], orders, at=at)
    checkpoint("transfer frozen")
    if not orders.freeze_only:
        result.pence = _load(work, fit, orders, at=at)
        checkpoint("transfer loaded")
    result.groups, result.cases = len(fit), sum(len(position.cases) for _, position in fit)
    return result


def _unfit(row: Stored, position: Position | None, waiting: "_Waiting") -> str | None:
    """Why a group may not move now, if it may not."""
    if position is None:
        return GONE
    if position.members != row.members:
        return MEMBERS_CHANGED
    moved = row.state == "FROZEN" and position.digest != row.digest
    return hindrance(position) or (BALANCE_MOVED if moved else waiting.too_early(position))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """What groups wait for: the day on which notices were printed, and write-off notices that were received."""

    orders: Orders
    printed: Mapping[str, date]
    received: Mapping[str, Stored]

    @classmethod
    def of(cls, work: Work, positions: Collection[Position], orders: Orders) -> "_Waiting":
        ids = [position.group_id for position in positions]
        asked = [debt for position in positions for debt in position.asked]
        return cls(
            orders=orders,
            printed=reading.printed(work.connection, ids) if orders.clocks.waits_for != "NONE" else {},
            received=reading.representations(work.connection, asked) if orders.hears else {},
        )

    def too_early(self, position: Position) -> str | None:
        return self._notice(position) or (self._hearing(position) if self.orders.hears else None)

    def _notice(self, position: Position) -> str | None:
        if self.orders.clocks.waits_for == "NONE" or position.segment in NO_NOTICE:
            return None
        printed = self.printed.get(position.group_id)
        if printed is None:
            return NOTICE_MISSING
        ends = closure_clock(printed, self.orders.thresholds).liability_ends
        return NOTICE_RUNS if self.orders.clocks.waits_for == "LIABILITY_END" and ends > self.orders.day else None

    def _hearing(self, position: Position) -> str | None:
        """The last day of the representations is theirs, too (arrears-errors.md §4)."""
        if any(debt not in self.received for debt in position.asked):
            return NOT_HEARD
        notices = [self.received[debt] for debt in position.asked]
        runs = any(notice.response is None and notice.deadline >= self.orders.day for notice in notices)
        return HEARING_RUNS if runs else None


Fit = Sequence[tuple[Stored, Position]]


def _freeze(work: Work, fit: Fit, orders: Orders, *, at: datetime) -> None:
    """The source is told to stop, the figures are accepted, references allocated: all in the moment of acceptance."""
    rows: Rows = {"steps": [], "references": [], "cases": [], "notices": []}
    digests = {}
    for row, position in fit:
        if position.digest != row.digest:
            digests[row.case_group_id] = position.digest
        steps = ("FREEZE", "ALLOCATE")
        rows["steps"] += [
            step_row(row, step, "DONE", actor=orders.actor, at=at, digest=position.digest) for step in steps
        ]
        _accept(rows, row, position, orders, at)
    work.transfers.set_digests(orders.run_id, digests)
    work.transfers.add_moves(rows)
    work.transfers.set_state(orders.run_id, [row.case_group_id for row, _ in fit], "FROZEN", at=at)


def _accept(rows: Rows, row: Stored, position: Position, orders: Orders, at: datetime) -> None:
    serials = serials_of(row, position)
    shared = {"run_id": orders.run_id, "case_group_id": row.case_group_id, "attempt": row.attempt}
    references = references_of(position, serials, orders.prefix)
    for case in position.cases:
        serial = serials.get(case.case_id)
        of_case = {**shared, "case_id": case.case_id}
        rows["cases"].append({**of_case, **_accepted(case, serial, references), "accepted_on": at.date()})
        if case.relation == MOVED:
            rows["references"].append({**of_case, "reference": references[case.case_id], "allocated_at": at})
        if serial is not None and case.host in SYSTEMS_TOLD:
            notice = {"notice_id": serial * 10 + _FREEZE_DIGIT, "system": case.host, "action": "FREEZE"}
            rows["notices"].append({**of_case, **notice, "made_on": at.date()})


def serials_of(row: Stored, position: Position) -> dict[str, int]:
    """Case → its number, reserved with the approval; of cases that move and of duplicates."""
    return {case.case_id: row.first_serial + place for place, case in enumerate(position.told)}


def references_of(position: Position, serials: Mapping[str, int], prefix: str) -> dict[str, str]:
    """Case → target reference: its own, or that of the case it duplicates."""
    own = {case.case_id: f"{prefix}{serials[case.case_id]:09d}" for case in position.moving}
    copies = {
        case.case_id: own[case.duplicate_of]
        for case in position.cases
        if case.duplicate_of is not None and case.duplicate_of in own
    }
    return own | copies


def _accepted(case: CasePosition, serial: int | None, references: Mapping[str, str]) -> dict[str, Any]:
    figures = case.accepted
    if figures is None:
        raise InvariantBroken("a case without accepted figures was about to move", code="TRANSFER_HELD")
    return {
        "serial": serial, "reference": references.get(case.case_id), "relation": case.relation, "kind": case.kind,
        "host_system": case.host, "outcome": case.outcome, "causes": list(case.causes),
        "segment": case.segment or "CLOSED", "uncollectable": case.uncollectable, **figures._asdict(),
    }  # fmt: skip


def _load(work: Work, fit: Fit, orders: Orders, *, at: datetime) -> Counter[str]:
    """The target gets the debts; the source's accounts come to nothing. Pence by kind of entry and owner."""
    rows: Rows = {"steps": [], "debts": [], "entries": [], "mastery": []}
    for row, position in fit:
        rows["steps"].append(step_row(row, "LOAD", "DONE", actor=orders.actor, at=at, digest=position.digest))
        references = references_of(position, serials_of(row, position), orders.prefix)
        for case in position.told:
            book = _Book(row=row, case=case, orders=orders, at=at)
            rows["entries"] += book.entries()
            if case.relation == MOVED:
                debts = [debt for debt in case.debts if debt.is_accepted]
                rows["debts"] += [book.debt(debt, references[case.case_id]) for debt in debts]
                rows["mastery"] += [book.mastery(debt) for debt in debts]
    work.transfers.add_moves(rows)
    groups = [row.case_group_id for row, _ in fit]
    prove(work, [position for _, position in fit], orders)
    work.transfers.set_state(orders.run_id, groups, "LOADED", at=at)
    pence: Counter[str] = Counter()
    for entry in rows["entries"]:
        pence[f"{entry['kind']} {entry['legal_owner'] or entry['account_kind']}"] += entry["pence"]
    return pence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """What one case's move puts into the books."""

    row: Stored
    case: CasePosition
    orders: Orders
    at: datetime

    def entries(self) -> Iterator[dict[str, Any]]:
        """Entries of all its accounts: what the source says, what was corrected, out of the source, into the target."""
        for debt in self.case.debts:
            source, accepted = (debt.source, debt.source_suspended), (debt.accepted, debt.accepted_suspended)
            yield from self._account("DEBT", debt.debt_id, debt.owner, source, accepted, moves=debt.is_accepted)
        custodian = (self.case.source_custodian, 0), (self.case.custodian, 0)
        if custodian != ((0, 0), (0, 0)):
            yield from self._account("CUSTODIAN", self.case.case_id, None, *custodian, moves=self.case.custodian != 0)

    def _account(
        self,
        kind: str,
        account: str,
        owner: str | None,
        source: tuple[int, int],
        accepted: tuple[int, int],
        *,
        moves: bool,
    ) -> Iterator[dict[str, Any]]:
        corrected = (accepted[0] - source[0], accepted[1] - source[1])
        out = (-accepted[0], -accepted[1])
        hosts = {"TRANSFER_IN": self.orders.target}
        steps = {"OPENING": source, "ADJUSTMENT": corrected}
        if moves:
            steps |= {"TRANSFER_OUT": out, "TRANSFER_IN": accepted}
        for name, (pence, suspended) in steps.items():
            if (pence, suspended) == (0, 0) and name in ("OPENING", "ADJUSTMENT"):
                continue
            host = hosts.get(name, self.case.host)
            yield {
                "entry_id": derive("transfer entry", self.row.run_id, account, kind, name, self.row.attempt),
                **self._shared(), "account": account, "account_kind": kind, "legal_owner": owner, "host_system": host,
                "kind": name, "pence": pence, "suspended_pence": suspended,
                "causes": list(self.case.causes) if name == "ADJUSTMENT" else [],
                "effective": self.orders.day, "recorded_at": self.at, "reverses": None,
            }  # fmt: skip

    def _shared(self) -> dict[str, Any]:
        return {
            "run_id": self.row.run_id, "case_group_id": self.row.case_group_id, "attempt": self.row.attempt,
            "case_id": self.case.case_id,
        }  # fmt: skip

    def debt(self, debt: DebtPosition, reference: str) -> dict[str, Any]:
        """The debt as the target gets it: the scheme stays, the host system changes."""
        return {
            **self._shared(), "debt_id": debt.debt_id, "reference": reference, "legal_owner": debt.owner,
            "scheme": self.case.scheme, "host_system": self.orders.target, "pence": debt.accepted,
            "suspended_pence": debt.accepted_suspended, "uncollectable": self.case.uncollectable,
            "write_off_class": debt.write_off or "NONE",
        }  # fmt: skip

    def mastery(self, debt: DebtPosition) -> dict[str, Any]:
        """From now on the target masters the debt."""
        shared = {name: value for name, value in self._shared().items() if name != "case_id"}
        return {**shared, "debt_id": debt.debt_id, "master": self.orders.target, "since": self.at, "until": None}


def prove(work: Work, positions: Sequence[Position], orders: Orders) -> None:
    """Read the sums back: every account at a source is empty, every account at the target holds what was accepted.

    One that held something in an earlier attempt, and of which nothing is accepted any more, holds nothing.
    """
    wanted: dict[str, tuple[int, int]] = {}
    for case in (case for position in positions for case in position.moving):
        wanted |= {debt.debt_id: (debt.accepted, debt.accepted_suspended) for debt in case.debts if debt.is_accepted}
        if case.custodian:
            wanted[case.case_id] = (case.custodian, 0)
    groups = [position.group_id for position in positions]
    for row in reading.balances_of_groups(work.connection, orders.run_id, groups):
        expected = wanted.pop(row.account, (0, 0)) if row.host_system == orders.target else (0, 0)
        if expected != (int(row.pence), int(row.suspended_pence)):
            raise InvariantBroken(
                f"account {row.account} at {row.host_system} does not hold what was accepted; nothing was moved",
                code="TRANSFER_SUM",
                remedy="report this; the groups of this transaction are as they were",
            )
    if wanted:
        raise InvariantBroken(f"{len(wanted)} accounts did not reach the target", code="TRANSFER_SUM")
