"""What the store should hold after a run of files, worked out the slow and obvious way."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select

from integrationhub.store.schema import CANONICAL
from integrationhub.store.unit_of_work import Store
from tests.contract.store.book import Case, File, Group


@dataclass(slots=True, kw_only=True)
class Stored:
    """A case as the model keeps it."""

    group: str
    case: Case
    state: str = "IN_BOOK"


@dataclass(slots=True, kw_only=True)
class Model:
    """Groups and cases by reference."""

    groups: dict[str, str] = field(default_factory=dict)  # reference → state
    orphans: dict[str, tuple[tuple[str, int, int], ...]] = field(default_factory=dict)
    cases: dict[str, Stored] = field(default_factory=dict)
    owners: dict[str, set[str]] = field(default_factory=dict)  # case → owners of debts it ever had
    parties: dict[str, str] = field(default_factory=dict)

    def take(self, file: File) -> None:
        """Apply a file as a whole."""
        groups = [group for part in file.slices for group in part]
        for group in groups:
            self._replace(group)
        present = {case.ref for group in groups for case in group.cases}
        held = {case.ref for group in file.held for case in group.cases}
        self._leave_out({group.ref for group in groups}, present, held, whole_book=file.whole_book)
        if file.whole_book:
            self._miss({group.ref for group in (*groups, *file.held)}, present, held)

    def _replace(self, group: Group) -> None:
        self.groups[group.ref] = "WITHDRAWN" if group.withdrawn else "IN_BOOK"
        self.orphans[group.ref] = tuple((ref, line.number, line.pence) for ref, line in group.orphans)
        self.parties.update(group.parties)
        for case in group.cases:
            self.cases[case.ref] = Stored(group=group.ref, case=case)
            self.owners.setdefault(case.ref, set()).update(line.owner for line in case.lines)

    def _leave_out(self, replaced: set[str], present: set[str], held: set[str], *, whole_book: bool) -> None:
        for ref, stored in self.cases.items():
            if stored.group not in replaced or ref in present or stored.state == "WITHDRAWN":
                continue
            if ref in held:
                stored.state = "HELD"
            elif stored.state != "HELD" or whole_book:
                stored.state = "WITHDRAWN"
                stored.case = Case(ref=ref, children=0)

    def _miss(self, named: set[str], present: set[str], held: set[str]) -> None:
        for ref, state in self.groups.items():
            if ref not in named and state == "IN_BOOK":
                self.groups[ref] = "GONE"
        for ref, stored in self.cases.items():
            gone = self.groups[stored.group] == "GONE" and ref not in present | held
            if gone and stored.state in ("IN_BOOK", "HELD"):
                stored.state = "GONE"

    def lines(self) -> list[tuple[str, int, str, int]]:
        """Every line that counts: case, number, owner, pence."""
        return sorted(
            (ref, line.number, line.owner, line.pence)
            for ref, stored in self.cases.items()
            for line in stored.case.lines
        )

    def balances(self) -> dict[tuple[str, str], int | None]:
        """Balance of every debt that ever was, None for removed ones."""
        found: dict[tuple[str, str], int | None] = {}
        for ref, owners in self.owners.items():
            lines = self.cases[ref].case.lines
            for owner in owners:
                mine = [line.pence for line in lines if line.owner == owner]
                found[ref, owner] = sum(mine) if mine else None
        return found


def stored_cases(store: Store) -> dict[str, tuple[str, str]]:
    """Case → its group's reference and its state."""
    cases, groups = CANONICAL["cases"], CANONICAL["groups"]
    joined = cases.join(groups, groups.c.group_id == cases.c.group_id)
    statement = select(cases.c.source_ref, groups.c.source_ref, cases.c.state).select_from(joined)
    with store.read() as connection:
        return {row[0]: (row[1], row[2]) for row in connection.execute(statement)}


def stored_lines(store: Store, *, orphans: bool = False) -> list[tuple[str, int, str, int]]:
    """Entries that nothing takes back and that take nothing back."""
    ledger = CANONICAL["ledger"]
    back = select(ledger.c.cancels_entry_id).where(ledger.c.cancels_entry_id.is_not(None))
    case = ledger.c.case_id.is_(None) if orphans else ledger.c.case_id.is_not(None)
    statement = select(ledger.c.source_case_ref, ledger.c.line_no, ledger.c.owner, ledger.c.pence).where(
        case, ledger.c.cancels_entry_id.is_(None), ledger.c.entry_id.not_in(back)
    )
    with store.read() as connection:
        return sorted((row[0], row[1], row[2], row[3]) for row in connection.execute(statement))


def stored_balances(store: Store) -> dict[tuple[str, str], int | None]:
    """Debt → source balance, None where the debt is removed; the ledger's sum must say the same."""
    debts, balances, ledger = CANONICAL["debts"], CANONICAL["balances"], CANONICAL["ledger"]
    total = select(func.sum(ledger.c.pence)).where(ledger.c.debt_id == debts.c.debt_id).scalar_subquery()
    joined = debts.outerjoin(balances, balances.c.debt_id == debts.c.debt_id)
    columns = (debts.c.source_ref, debts.c.legal_owner, debts.c.status, balances.c.pence, total.label("total"))
    found: dict[tuple[str, str], int | None] = {}
    with store.read() as connection:
        for ref, owner, status, pence, ledger_pence in connection.execute(select(*columns).select_from(joined)):
            assert (pence is None) == (status == "REMOVED")
            assert int(ledger_pence) == (pence or 0)
            found[ref, owner] = pence
    return found


def counts_by_case(store: Store, name: str) -> dict[str, int]:
    """Rows of a detail table by case reference."""
    cases, table = CANONICAL["cases"], CANONICAL[name]
    joined = table.join(cases, cases.c.case_id == table.c.case_id)
    statement = select(cases.c.source_ref, func.count()).select_from(joined).group_by(cases.c.source_ref)
    with store.read() as connection:
        return {row[0]: row[1] for row in connection.execute(statement)}


def surnames(store: Store) -> dict[str, str]:
    """Party reference → surname."""
    parties = CANONICAL["parties"]
    statement = select(parties.c.source_ref, parties.c.surname).where(parties.c.surname.is_not(None))
    with store.read() as connection:
        return {row[0]: row[1] for row in connection.execute(statement)}


def group_states(store: Store) -> dict[str, str]:
    """Group reference → state."""
    groups = CANONICAL["groups"]
    with store.read() as connection:
        return {row[0]: row[1] for row in connection.execute(select(groups.c.source_ref, groups.c.state))}


def agrees(store: Store, model: Model) -> None:
    """Assert that the store holds what the model holds."""
    assert group_states(store) == model.groups
    assert stored_cases(store) == {ref: (stored.group, stored.state) for ref, stored in model.cases.items()}
    assert stored_lines(store) == model.lines()
    orphans = [(ref, number, pence) for lines in model.orphans.values() for ref, number, pence in lines]
    assert [(ref, number, pence) for ref, number, _, pence in stored_lines(store, orphans=True)] == sorted(orphans)
    assert stored_balances(store) == model.balances()
    assert counts_by_case(store, "roles") == _counted(model.cases, lambda case: range(case.children))
    receipts = _counted(model.cases, lambda case: [line for line in case.lines if line.pence < 0])
    assert counts_by_case(store, "receipts") == receipts
    assert surnames(store) == model.parties


def _counted(cases: Mapping[str, Stored], parts: Callable[[Case], Iterable[object]]) -> dict[str, int]:
    counted = {ref: sum(1 for _ in parts(stored.case)) for ref, stored in cases.items()}
    return {ref: count for ref, count in counted.items() if count}


def files_in_order(files: Iterable[File]) -> Model:
    model = Model()
    for file in files:
        model.take(file)
    return model
