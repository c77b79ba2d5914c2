"""Who moves: the case groups that a plan covers, what keeps groups out, and the waves, formed the same way every time.

Membership follows from the plan, the day and what is stored, never from chance or the order in which rows come: groups
are drawn in the order of a digest of their identifier. A wave that was approved keeps its groups, and a group whose
notice was printed for a wave stays in it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from math import ceil
from typing import Any

import polars as pl

from integrationhub.arrears.standing import ARREARS_ONLY, CLOSED, HELD
from integrationhub.migration import selection
from integrationhub.migration.plan import Plan, Wave
from integrationhub.migration.positions import Position

MIXED_SCHEME, HELD_GROUP, EVENTS_WAITING, NOTHING_TO_MOVE, OTHER_SEGMENT, OTHER_PLAN, NO_DEBT = (
    "MIXED_SCHEME", "HELD", "EVENTS_WAITING", "NOTHING_TO_MOVE", "OTHER_SEGMENT", "OTHER_PLAN", "BALANCE_WITHOUT_DEBT",
)  # fmt: skip

REASONS: Mapping[str, str] = {
    MIXED_SCHEME: "cases of schemes that this plan does not cover belong to the group; a plan over them all moves it",
    HELD_GROUP: "a case of the group is an exception, so the whole group is held for a person",
    EVENTS_WAITING: "a case waits for a change event that has not come",
    NOTHING_TO_MOVE: "no case of the group is on a system",
    OTHER_SEGMENT: "the plan does not move the group's segment",
    NO_DEBT: "an accepted balance belongs to no accepted debt, so it would be left behind",
    OTHER_PLAN: "the group is in the hands of another run",
}
"""Why groups stay out, besides the plan's own exclusions."""

NO_NOTICE = (ARREARS_ONLY, CLOSED)
"""Segments without a closure notice (arrears-errors.md §4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A case group in brief, as cohorts keep it: what selection asks, and what a wave reserves for it."""

    group_id: str
    segment: str
    told: int  # cases that get a serial number: those that move, and duplicates
    members: str
    digest: str
    asked: tuple[str, ...] = ()  # debts whose write-off needs representations
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """A case group that stays out, why, and for an exception its codes."""

    group_id: str
    code: str
    cases: int
    details: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Cohort:
    """The population of a plan. `waves`: name → groups in the order in which they move; `left` are in no wave."""

    cases_by_segment: Counter[str] = field(default_factory=Counter)
    groups_by_segment: Counter[str] = field(default_factory=Counter)
    members: dict[str, Member] = field(default_factory=dict)
    excluded: list[Excluded] = field(default_factory=list)
    waves: dict[str, list[Member]] = field(default_factory=dict)
    left: list[Member] = field(default_factory=list)

    def frame(self) -> pl.DataFrame:
        """The table `case_groups` of selections."""
        rows = [member.row for member in self.members.values()]
        return pl.DataFrame(rows, schema=dict(selection.CASE_GROUPS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What stands already: approved waves with their groups in order, those of them that are still or again to be
    moved, groups whose notice was printed for a wave, and groups that other runs have in hand.
    """

    waves: Mapping[str, Sequence[str]] = field(default_factory=dict)
    returned: Collection[str] = ()
    printed: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Collection[str] = ()


def form(plan: Plan, positions: Iterable[Position], begun: Begun) -> Cohort:
    """The cohort of a plan: population, exclusions, waves."""
    cohort = Cohort()
    ours = frozenset(plan.plan.schemes)
    for position in positions:
        if not position.kinds & ours:
            continue
        _count(cohort, position)
        reason = _reason(plan, position, begun)
        if reason is None:
            cohort.members[position.group_id] = member_of(position)
        else:
            details = position.exceptions if reason == HELD_GROUP else ()
            cohort.excluded.append(
                Excluded(group_id=position.group_id, code=reason, cases=len(position.cases), details=details)
            )
    _exclude_by_plan(plan, cohort)
    _form_waves(plan, cohort, begun)
    return cohort


def _count(cohort: Cohort, position: Position) -> None:
    cohort.groups_by_segment[position.segment] += 1
    for case in position.cases:
        cohort.cases_by_segment[case.segment or HELD] += 1


def _reason(plan: Plan, position: Position, begun: Begun) -> str | None:
    """The first reason that keeps a group out, if any."""
    if position.group_id in begun.elsewhere:
        return OTHER_PLAN
    if not position.kinds <= frozenset(plan.plan.schemes):
        return MIXED_SCHEME
    return hindrance(position) or (None if position.segment in plan.segments.order else OTHER_SEGMENT)


def hindrance(position: Position) -> str | None:
    """What in the group itself forbids to move it: asked when waves are formed, and again in the moment of moving."""
    if any(case.accepted is None for case in position.cases):
        return HELD_GROUP
    if position.waits:
        return EVENTS_WAITING
    if not all(case.is_covered for case in position.cases):
        return NO_DEBT
    return None if position.moving else NOTHING_TO_MOVE


def member_of(position: Position) -> Member:
    """The group in brief."""
    accepted = position.accepted()
    row = {
        "group_id": position.group_id,
        "segment": position.segment,
        "segment_frozen": position.segment_frozen,
        "schemes": "+".join(sorted(position.kinds)),
        "cases": len(position.cases),
        "moving_cases": len(position.moving),
        "recomputed_cases": sum(case.outcome == "RECOMPUTED" for case in position.cases),
        "debts": sum(debt.is_accepted for case in position.cases for debt in case.debts),
        "rp_pence": accepted.rp,
        "sos_pence": accepted.sos,
        "suspended_pence": accepted.susp_rp + accepted.susp_sos,
        "custodian_pence": accepted.custodian,
        "uncollectable": any(case.uncollectable for case in position.cases),
        "effective": min((case.effective for case in position.cases if case.effective), default=None),
    }
    return Member(
        group_id=position.group_id, segment=position.segment, told=len(position.told), members=position.members,
        digest=position.digest, row=row, asked=position.asked,
    )  # fmt: skip


def _exclude_by_plan(plan: Plan, cohort: Cohort) -> None:
    for rule in plan.exclusion:
        chosen = _chosen(rule.select, cohort)
        for group_id in [name for name in cohort.members if name in chosen]:
            member = cohort.members.pop(group_id)
            cohort.excluded.append(Excluded(group_id=group_id, code=rule.code, cases=member.row["cases"]))


def _chosen(select: str, cohort: Cohort) -> set[str]:
    found = selection.run(select, {"case_groups": cohort.frame()})
    return {str(value) for value in found["group_id"].to_list()}


def _form_waves(plan: Plan, cohort: Cohort, begun: Begun) -> None:
    taken = {group_id for groups in begun.waves.values() for group_id in groups}
    free = {name: member for name, member in cohort.members.items() if name not in taken}
    movable = len(cohort.members)
    for wave in plan.wave:
        if wave.name in begun.waves:
            again = [name for name in begun.waves[wave.name] if name in begun.returned and name in cohort.members]
            cohort.waves[wave.name] = [cohort.members[name] for name in again]
            continue
        ours = [member for name, member in free.items() if begun.printed.get(name) == wave.name]
        loose = {name: member for name, member in free.items() if name not in begun.printed}
        size = _size(wave, movable)
        room = None if size is None else max(0, size - len(ours))
        chosen = [*sorted(ours, key=_lot), *_draw(plan, wave, loose, cohort)[:room]]
        cohort.waves[wave.name] = chosen
        for member in chosen:
            del free[member.group_id]
    cohort.left = list(free.values())


def _size(wave: Wave, movable: int) -> int | None:
    if wave.share is not None:
        return max(1, ceil(wave.share * movable))
    return wave.size


def _draw(plan: Plan, wave: Wave, free: Mapping[str, Member], cohort: Cohort) -> list[Member]:
    """The groups that a wave may take, first to last: a pilot mixes segments, others take one after the other."""
    wanted = wave.segments or plan.segments.order
    found = [member for member in free.values() if member.segment in wanted]
    if wave.select:
        chosen = _chosen(wave.select, cohort)
        found = [member for member in found if member.group_id in chosen]
    if wave.pilot:
        return list(_evenly(found))
    return sorted(found, key=lambda member: (wanted.index(member.segment), _lot(member)))


def _lot(member: Member) -> bytes:
    return blake2b(member.group_id.encode(), digest_size=8, person=b"wave").digest()


def _evenly(members: Sequence[Member]) -> Iterator[Member]:
    """Groups so that every beginning of the list has the segments in the proportion of the whole."""
    by_segment: dict[str, list[Member]] = {}
    for member in sorted(members, key=_lot):
        by_segment.setdefault(member.segment, []).append(member)
    places = [
        ((place + 0.5) / len(group), segment, member)
        for segment, group in sorted(by_segment.items())
        for place, member in enumerate(group)
    ]
    yield from (member for _, _, member in sorted(places, key=lambda item: item[:2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """One trait: its share among the pilot's groups and among all that the plan can move, in per cent."""

    trait: str
    pilot: float
    population: float

    @property
    def apart(self) -> float:
        """How far apart, in percentage points."""
        return abs(self.pilot - self.population)


_TRAITS = {
    "more than one case": pl.col("cases") > 1,
    "several schemes": pl.col("schemes").str.contains("+", literal=True),
    "recomputed": pl.col("recomputed_cases") > 0,
    "suspended arrears": pl.col("suspended_pence") != 0,
    "custodian cash": pl.col("custodian_pence") != 0,
    "overpaid": (pl.col("rp_pence") < 0) | (pl.col("sos_pence") < 0),
    "uncollectable": pl.col("uncollectable"),
}


def likeness(cohort: Cohort, wave: str) -> list[Likeness]:
    """How a wave's mix compares with that of all groups the plan can move."""
    everybody = cohort.frame()
    pilot = everybody.filter(pl.col("group_id").is_in([member.group_id for member in cohort.waves[wave]]))
    segments = sorted(set(everybody["segment"].to_list()))
    traits = {f"segment {name}": pl.col("segment") == name for name in segments} | _TRAITS
    return [
        Likeness(trait=trait, pilot=_share(pilot, test), population=_share(everybody, test))
        for trait, test in traits.items()
    ]


def _share(frame: pl.DataFrame, test: pl.Expr) -> float:
    return 100 * frame.filter(test).height / frame.height if frame.height else 0.0


def verdict_on(pilot: Sequence[Likeness], *, groups: int, tolerance: float = 10) -> str:
    """What the comparison means, plainly. `tolerance`: percentage points that one trait may be apart."""
    apart = sorted((item for item in pilot if item.apart > tolerance), key=lambda item: -item.apart)
    if not groups:
        return "the pilot is empty: it says nothing about the population"
    if not apart:
        return f"the pilot's mix is like the population's: no trait is more than {tolerance:g} points apart"
    named = ", ".join(f"{item.trait} ({item.pilot:.0f} % against {item.population:.0f} %)" for item in apart[:5])
    return f"the pilot is NOT like the population: {named}; what it shows need not hold for the other waves"
