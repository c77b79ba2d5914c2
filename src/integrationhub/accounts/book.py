"""The book of accounts in one transaction: debts, people, receipts, holds and what feeds must remember.

What judges look up is read from the `Shelf` once and kept; what they change is seen by every later unit and handed to
the store as a whole when the transaction ends. Looking up what was not wanted beforehand is right, only slow.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from integrationhub.accounts.entries import Debt, KnownCase, Note, Receipt, Reversal
from integrationhub.accounts.shelf import Shelf, Wanted


@dataclass(slots=True, kw_only=True)
class Changes:
    """What judges changed, for the store: rows to write, and what the world may be told of, in order."""

    debts: dict[str, Debt] = field(default_factory=dict)  # as they are now
    receipts: list[Receipt] = field(default_factory=list)  # new ones, in the order of posting
    reversals: list[Reversal] = field(default_factory=list)
    moved: list[Receipt] = field(default_factory=list)  # suspense given to a debt later
    notes: dict[tuple[str, str, str], Note] = field(default_factory=dict)
    told: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)  # event type, data


class Book:
    """See the module. One transaction uses one book, from one thread."""

    def __init__(self, shelf: Shelf) -> None:
        self.changes = Changes()
        self._shelf = shelf
        self._debts: dict[str, Debt | None] = {}
        self._cases: dict[str, KnownCase | None] = {}
        self._people: dict[str, list[str]] = {}  # NINO, 8 characters → references
        self._receipts: dict[tuple[str, str], Receipt | None] = {}
        self._marked: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
        self._notes: dict[tuple[str, str, str], Note | None] = {}
        self._since: dict[str, int] = {}  # received after its as-at date, per debt

    def fetch(self, wanted: Wanted) -> None:
        """Read what many units want, set by set."""
        self._fetch_debts(wanted.debts)
        missing = [ref for ref in wanted.cases if ref not in self._cases]
        self._cases |= dict.fromkeys(missing) | {
            case.ref: case for case in (self._shelf.cases(missing) if missing else ())
        }
        self._fetch_people(wanted.ninos)
        self._fetch_receipts(wanted.receipts)
        for mark in wanted.marks:
            self._fetch_marked(mark)
        self._fetch_notes(wanted.notes)

    # debts and people

    def debt(self, ref: str) -> Debt | None:
        """The debt with that reference, as it is now."""
        self._fetch_debts([ref])
        return self._debts[ref]

    def debt_by_source_id(self, source_system: str, source_id: str) -> Debt | None:
        """The debt that the source knows by that identity."""
        for debt in self._debts.values():
            if debt is not None and (debt.source_system, debt.source_id) == (source_system, source_id):
                return debt
        for debt in self._shelf.debts_by_source_id(source_system, [source_id]):
            return self._take_up(debt)
        return None

    def debts_of(self, nino: str) -> list[Debt]:
        """Debts of which the person is the debtor, by reference."""
        return [debt for debt in self._debts_about(nino) if debt.nino is not None and debt.nino[:8] == nino[:8]]

    def joint_debts_of(self, nino: str) -> list[Debt]:
        """Debts for which the person is liable beside the debtor."""
        return [debt for debt in self._debts_about(nino) if _is_joint(debt, nino)]

    def debts_of_person(self, surname: str, dob: date) -> list[Debt]:
        """Debts whose debtor has this birth date and surname (letters only, any case)."""
        for debt in self._shelf.debts_by_person(surname, dob):
            self._take_up(debt)
        wanted = letters(surname)
        known = (debt for debt in self._debts.values() if debt is not None and debt.dob == dob)
        return sorted((debt for debt in known if letters(debt.surname or "") == wanted), key=lambda debt: debt.ref)

    def case(self, ref: str) -> KnownCase | None:
        """The child maintenance case with that reference."""
        self.fetch(Wanted(cases=frozenset({ref})))
        return self._cases[ref]

    def balance(self, debt: Debt) -> int:
        """The canonical balance (benefits-common.md §10): what the source says less what came in since."""
        if debt.ref not in self._since:
            # Everything of this transaction is posted through the book: what it adds is added below.
            self._since[debt.ref] = self._shelf.received_since(debt.ref, debt.as_at) + self._posted_here(debt)
        return debt.source_balance_pence - self._since[debt.ref]

    def put(self, debt: Debt) -> None:
        """The debt is like this from now on."""
        before = self._debts.get(debt.ref)
        if before is None or before.as_at != debt.as_at:
            self._since.pop(debt.ref, None)
        self._debts[debt.ref] = debt
        self.changes.debts[debt.ref] = debt
        for nino in {person[:8] for person in _people(debt)}:
            if nino in self._people and debt.ref not in self._people[nino]:
                self._people[nino].append(debt.ref)

    # receipts

    def receipt(self, source: str, key: str) -> Receipt | None:
        """The receipt with that key."""
        self._fetch_receipts([(source, key)])
        return self._receipts[source, key]

    def receipts_marked(self, source: str, mark: str, value: str) -> list[Receipt]:
        """Receipts of a source that carry a mark, in the order of posting."""
        self._fetch_marked((source, mark, value))
        found = (self._receipts[key] for key in self._marked[source, mark, value])
        return [receipt for receipt in found if receipt is not None]

    def post(self, receipt: Receipt) -> Receipt:
        """Enter money that arrived, for a debt, a case, or into suspense."""
        receipt = replace(receipt, number=len(self.changes.receipts))
        self.changes.receipts.append(receipt)
        self._receipts[receipt.source, receipt.key] = receipt
        for mark, value in receipt.marks.items():
            listed = self._marked.get((receipt.source, mark, str(value)))
            if listed is not None:
                listed.append((receipt.source, receipt.key))
        self._count(receipt, receipt.amount_pence)
        return receipt

    def reverse(self, reversal: Reversal) -> Receipt:
        """Take money of a receipt back; the receipt as it is then."""
        receipt = reversal.receipt
        self.changes.reversals.append(reversal)
        now = replace(receipt, reversed_pence=receipt.reversed_pence - reversal.amount_pence)
        self._receipts[receipt.source, receipt.key] = now
        self._count(receipt, reversal.amount_pence)
        return now

    # what feeds remember

    def note(self, feed: str, kind: str, key: str) -> Note | None:
        """What a feed remembers under that key."""
        self._fetch_notes([(feed, kind, key)])
        return self._notes[feed, kind, key]

    def keep(self, note: Note) -> None:
        """Remember something, in place of what was remembered under the same key."""
        self._notes[note.feed, note.kind, note.key] = note
        self.changes.notes[note.feed, note.kind, note.key] = note

    def tell(self, event: str, data: Mapping[str, Any]) -> None:
        """Let the world know, once the transaction is committed (outbound-events.md; type without its prefix)."""
        self.changes.told.append((event, data))

    def _fetch_debts(self, refs: Iterable[str]) -> None:
        missing = [ref for ref in refs if ref not in self._debts]
        if missing:
            self._debts |= dict.fromkeys(missing) | {debt.ref: debt for debt in self._shelf.debts(missing)}

    def _fetch_people(self, ninos: Iterable[str]) -> None:
        missing = [nino for nino in {nino[:8] for nino in ninos} if nino not in self._people]
        if not missing:
            return
        for debt in self._shelf.debts_of(missing):
            self._take_up(debt)
        found: dict[str, list[str]] = {nino: [] for nino in missing}
        for debt in self._known():
            for nino in {person[:8] for person in _people(debt)} & found.keys():
                found[nino].append(debt.ref)
        self._people |= found

    def _fetch_receipts(self, keys: Iterable[tuple[str, str]]) -> None:
        missing = [key for key in keys if key not in self._receipts]
        if missing:
            found = {(receipt.source, receipt.key): receipt for receipt in self._shelf.receipts(missing)}
            self._receipts |= dict.fromkeys(missing) | found

    def _fetch_marked(self, mark: tuple[str, str, str]) -> None:
        if mark in self._marked:
            return
        source, name, value = mark
        stored = [
            self._receipts.setdefault((item.source, item.key), item) for item in self._shelf.receipts_marked([mark])
        ]
        listed = [(item.source, item.key) for item in stored if item is not None]
        for item in self.changes.receipts:
            if item.source == source and str(item.marks.get(name)) == value and (source, item.key) not in listed:
                listed.append((source, item.key))
        self._marked[mark] = listed

    def _fetch_notes(self, keys: Iterable[tuple[str, str, str]]) -> None:
        missing = [key for key in keys if key not in self._notes]
        if missing:
            found = {(note.feed, note.kind, note.key): note for note in self._shelf.notes(missing)}
            self._notes |= dict.fromkeys(missing) | found

    def _debts_about(self, nino: str) -> list[Debt]:
        self._fetch_people([nino])
        found = (self._debts[ref] for ref in sorted(self._people[nino[:8]]))
        return [debt for debt in found if debt is not None]

    def _take_up(self, debt: Debt) -> Debt:
        """A debt from the shelf, unless it is known here already, and perhaps changed."""
        known = self._debts.get(debt.ref)
        if known is None:
            self._debts[debt.ref] = known = debt
        return known

    def _known(self) -> Iterator[Debt]:
        return (debt for debt in self._debts.values() if debt is not None)

    def _count(self, receipt: Receipt, pence: int) -> None:
        debt = self._debts.get(receipt.debt_ref) if receipt.debt_ref else None
        if debt is not None and debt.ref in self._since and receipt.value_date > debt.as_at:
            self._since[debt.ref] += pence

    def _posted_here(self, debt: Debt) -> int:
        new = [item for item in self.changes.receipts if item.debt_ref == debt.ref and item.value_date > debt.as_at]
        back = [item for item in self.changes.reversals if item.receipt.debt_ref == debt.ref]
        taken = [item.amount_pence for item in back if item.receipt.value_date > debt.as_at]
        return sum(item.amount_pence for item in new) + sum(taken)


def letters(name: str) -> str:
    """A name as documents compare it: letters only, in one case."""
    return "".join(letter for letter in name.casefold() if letter.isalpha())


def _people(debt: Debt) -> Iterator[str]:
    if debt.nino:
        yield debt.nino
    yield from (person.nino for person in debt.joint if person.nino)


def _is_joint(debt: Debt, nino: str) -> bool:
    return any(person.nino is not None and person.nino[:8] == nino[:8] for person in debt.joint)
