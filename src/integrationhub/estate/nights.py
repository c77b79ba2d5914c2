"""An estate over several nights: the first whole book, then whole books and corrections as the cases move on.

A night is worked out from the first book again, so nothing has to be kept between two files; what happens in which
night follows from the seed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property

from integrationhub.errors import ConfigurationError
from integrationhub.estate.book import Case, CaseGroup, Charge, Receipt, SourceGroup
from integrationhub.estate.case_groups import BOOKS, Family
from integrationhub.estate.clerical_cases import add_clerical
from integrationhub.estate.delivery import Delivery
from integrationhub.estate.dice import Dice
from integrationhub.estate.errors import derive_flags, spoil
from integrationhub.estate.events import History2003, histories
from integrationhub.estate.rules import SCHEME_1993, owner_runs
from integrationhub.estate.scene import charges, may_err
from integrationhub.estate.sound import rated

FIRST_SEQUENCE = 101
AS_AT = date(2015, 6, 30)
EARLIEST_AS_AT = date(2010, 1, 1)
LATEST_AS_AT = date(2099, 1, 1)  # the files' dates end with the century
CHANGE_SHARE = 0.05
NIGHT_LIMIT = 99
DAY = timedelta(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A case that goes from one case group's source group to another's."""

    ref: str
    origin: int
    target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What happens in a night, by index of the case group: one always changes; one is gone from a whole book; one is
    withdrawn and one gives a case to another in a correction.
    """

    number: int
    correction: bool
    changes: int
    gone: int | None = None
    withdrawn: int | None = None
    move: Move | None = None

    def absent(self) -> set[int | None]:
        """Case groups that are no longer in the book after this night."""
        return {self.gone, self.withdrawn}


@dataclass(slots=True, kw_only=True)
class Tonight:
    """A case group after a night, and the numbers of the source groups that the night has touched."""

    group: CaseGroup
    touched: set[int] = field(default_factory=set)


class Estate:
    """A synthetic estate: `groups` case groups that follow from `seed`; `kinds` has F or C for each later night."""

    def __init__(
        self,
        *,
        groups: int,
        seed: int,
        kinds: str = "",
        sequence: int = FIRST_SEQUENCE,
        as_at: date = AS_AT,
        books: Sequence[str] = ("93",),
    ) -> None:
        if set(kinds) - {"F", "C"} or len(kinds) > NIGHT_LIMIT:
            raise ConfigurationError("nights are named by letters F (whole book) and C (correction), at most 99")
        if not EARLIEST_AS_AT <= as_at <= LATEST_AS_AT:
            raise ConfigurationError(f"an estate is as at a day from {EARLIEST_AS_AT} to {LATEST_AS_AT}")
        self.groups = groups
        self.seed = seed
        self.kinds = kinds
        self.books = tuple(book for book in BOOKS if book in books)
        self._sequence = sequence
        self._as_at = as_at

    @property
    def last_night(self) -> int:
        """The number of the last night; the first book is night 0."""
        return len(self.kinds)

    def delivery(self, night: int) -> Delivery:
        """The file of a night."""
        correction = night > 0 and self.kinds[night - 1] == "C"
        return Delivery(sequence=self._sequence + night, as_at=self._as_at + timedelta(night), correction=correction)

    def file_names(self, night: int) -> list[str]:
        """The data files of all nights up to this one, book by book."""
        names = {"93": Delivery.csa1993_name, "03": Delivery.csa2003_name, "CL": Delivery.clerical_name}
        return [names[book](self.delivery(earlier)) for earlier in range(night + 1) for book in self.books]

    @cached_property
    def nights(self) -> tuple[Night, ...]:
        """What happens in the later nights."""
        planned: list[Night] = []
        for number, kind in enumerate(self.kinds, 1):
            planned.append(_Planner(self, number, tuple(planned)).plan(correction=kind == "C"))
        return tuple(planned)

    def case_group(self, index: int, night: int) -> Tonight | None:
        """Case group `index` after a night; None when it is no longer in the book."""
        return self.replay(index, self.nights[:night])

    def replay(self, index: int, nights: tuple[Night, ...]) -> Tonight | None:
        """The case group as it is after these nights."""
        family = Family(self.seed, index, self._as_at, self.books)
        state = Tonight(group=family.build())
        spoil(state.group, family)
        if "CL" in self.books:
            add_clerical(state.group, family)
        for night in nights:
            if index in night.absent():
                return None
            state.touched = set()
            self._take_in_events(state, night.number - 1)
            self._pass(state, night, nights[: night.number - 1])
        return state

    def histories(self, group: CaseGroup, night: int) -> Iterator[tuple[SourceGroup, History2003]]:
        """What happens to 2003 cases of a case group between the extract of this night and the next one."""
        as_at = self.delivery(night).as_at
        for source in group.source_groups:
            for history in histories(self.seed, night, source.cases, as_at):
                yield source, history

    def _take_in_events(self, state: Tonight, night: int) -> None:
        """A later extract contains what events have told since the last one."""
        for source, history in self.histories(state.group, night):
            history.merge()
            state.touched.add(source.number)

    def _pass(self, state: Tonight, night: Night, before: tuple[Night, ...]) -> None:
        """One night for one case group."""
        index = state.group.index
        if night.move and night.move.origin == index:
            source = _holder(state.group, night.move.ref)
            source.cases = [case for case in source.cases if case.ref != night.move.ref]
            state.touched.add(source.number)
        if night.move and night.move.target == index:
            origin = self.replay(night.move.origin, before)
            if origin:
                source = state.group.source_groups[0]
                _take_in(source, _find(origin.group, night.move.ref))
                derive_flags(state.group)
                state.touched.add(source.number)
        changes = bool(state.group.source_groups)
        if changes and (night.changes == index or Dice(self.seed, "change", night.number, index).chance(CHANGE_SHARE)):
            state.touched.add(_change(state.group, night.number, self._as_at + timedelta(night.number)))

    def withdrawn_groups(self, night: Night) -> Iterator[SourceGroup]:
        """The withdrawing records of a correction: status W and no cases."""
        if night.withdrawn is not None:
            state = self.replay(night.withdrawn, self.nights[: night.number - 1])
            for source in state.group.source_groups if state else ():
                yield replace(source, status="W", cases=[], history=[], orphan_roles=[])


def _holder(group: CaseGroup, ref: str) -> SourceGroup:
    return next(source for source in group.source_groups if any(case.ref == ref for case in source.cases))


def _find(group: CaseGroup, ref: str) -> Case:
    return next(case for case in group.cases() if case.ref == ref)


def _take_in(source: SourceGroup, case: Case) -> None:
    """A case comes to another parent's group: that parent takes the place of the one before, and of no partner."""
    roles = [role for role in case.roles if role.kind != "PTN"]
    case.roles = [
        replace(role, person=source.nrp, born=source.nrp.born) if role.kind == "NRP" else role for role in roles
    ]
    case.flags.clear()
    source.cases = sorted([*source.cases, case], key=lambda each: each.ref)


def _change(group: CaseGroup, night: int, as_at: date) -> int:
    """Let one case of the group move on: days charged and money received, or else a new note. Gives its group."""
    for source in group.source_groups:
        for case in source.cases:
            if _runs_soundly(case, as_at):
                _charge_on(case, as_at)
                _receive(case, source, group.index, night, as_at)
                return source.number
    source = group.source_groups[0]
    source.cases[0].note = f"Reviewed, £ figures unchanged (night {night})"
    return source.number


def _runs_soundly(case: Case, as_at: date) -> bool:
    found = charges(case.sent)
    return (
        may_err(case) and not case.areas and case.liability_end > as_at and bool(found)
        and found[-1].row == len(case.rows) and case.last_charged < as_at - DAY
    )  # fmt: skip


def _charge_on(case: Case, as_at: date) -> None:
    """Charge the days up to yesterday by the row in force."""
    last_charge = charges(case.sent)[-1]
    runs = [(case.last_charged + DAY, as_at - DAY, last_charge.owner)]
    if case.benefit_known:
        runs = list(owner_runs(*runs[0][:2], case.benefit_spans()))
    for first, last, owner in runs:
        charge: Charge = rated(
            case.rules, first=first, last=last, owner=owner, rate=last_charge.rate, row=last_charge.row
        )
        for ledger in case.ledgers():
            ledger.append(charge)
    case.last_charged = as_at - DAY


def _receive(case: Case, source: SourceGroup, index: int, night: int, as_at: date) -> None:
    """A receipt of today."""
    owner = charges(case.sent)[-1].owner
    receipt = Receipt(
        owner=owner, posted=as_at, pence=4_000 + 7 * night, bank_ref=f"BK{(index * 1_000 + 900 + night) % 10**10:010d}",
        value_date=as_at, quoted=case.rules.quote(case.ref), payer=source.nrp.party_id, method="SO", bank_status="C",
        held="K" if owner == "S" else "H",
    )  # fmt: skip
    for ledger in case.ledgers():
        ledger.append(receipt)


class _Planner:
    """Chooses the groups that something happens to in a night."""

    def __init__(self, estate: Estate, number: int, before: tuple[Night, ...]) -> None:
        self._estate = estate
        self._before = before
        self._number = number
        self._dice = Dice(estate.seed, "night", number)
        self._taken: set[int | None] = {group for night in before for group in night.absent()}

    def plan(self, *, correction: bool) -> Night:
        """The night's plan; what no group is fit for does not happen."""
        whole_book_gone = None if correction else self._choose(_one_book)
        withdrawn = (
            self._choose(lambda group: _one_book(group) and len(group.source_groups) == 1) if correction else None
        )
        move = self._move() if correction else None
        changes = self._choose(lambda group: bool(group.source_groups))
        return Night(
            number=self._number, correction=correction, gone=whole_book_gone, withdrawn=withdrawn, move=move,
            changes=-1 if changes is None else changes,
        )  # fmt: skip

    def _choose(self, fit: Callable[[CaseGroup], bool]) -> int | None:
        """A case group that is fit and that nothing happens to yet; None when there is none."""
        count = self._estate.groups
        start = self._dice.below(count) if count else 0
        for step in range(count):
            index = (start + step) % count
            if index in self._taken:
                continue
            state = self._estate.replay(index, self._before)
            if state and fit(state.group):
                self._taken.add(index)
                return index
        return None

    def _move(self) -> Move | None:
        origin = self._choose(lambda group: _movable(group) is not None)
        target = None if origin is None else self._choose(_may_take_in)
        if origin is None or target is None:
            return None
        state = self._estate.replay(origin, self._before)
        case = _movable(state.group) if state else None
        return Move(ref=case.ref, origin=origin, target=target) if case else None


def _one_book(group: CaseGroup) -> bool:
    """Whether the case group stands in the 1993 book alone."""
    return bool(group.source_groups) and not group.clerical and all(
        source.rules is SCHEME_1993 for source in group.source_groups
    )  # fmt: skip


def _one_source_group(group: CaseGroup) -> bool:
    return _one_book(group) and len(group.source_groups) == 1


def _may_take_in(group: CaseGroup) -> bool:
    return _one_book(group) and _is_plain(group.source_groups[0])


def _is_plain(source: SourceGroup) -> bool:
    """Whether nothing about the source group says something of all its cases."""
    return not source.orphan_lines and not source.orphan_roles and all("E06" not in case.flags for case in source.cases)


def _movable(group: CaseGroup) -> Case | None:
    """A sound case with a sibling, whose people link no groups and have one id each."""
    if not _one_book(group):
        return None
    parents = {source.nrp.party_id for source in group.source_groups}
    for source in group.source_groups:
        for case in source.cases if len(source.cases) > 1 and _is_plain(source) else ():
            others = {role.person.party_id for role in case.roles if role.kind in {"PWC", "QCH"}}
            doubled = any(other.duplicate_of == case.ref for other in source.cases)
            if not case.areas and not case.flags and may_err(case) and not doubled and not others & parents:
                return case
    return None
