"""The book of accounts in one transaction: debts, people, receipts, holds and what feeds must remember.

What judges look up is read from the `Shelf` once and kept; what they change is seen by every later unit and handed to
the store as a whole when the transaction ends. Looking up what was not wanted beforehand is right, only slow.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from integrationhub.accounts.beforehand import CONFIDENTIAL, KNOWN
from integrationhub.accounts.changes import Changes, DebtChanged, Moved, Posted, Reversed, Said
from integrationhub.accounts.entries import Debt, KnownCase, Note, Origin, Receipt, Reversal
from integrationhub.accounts.shelf import Shelf, Wanted


class Book:
    """See the module. One transaction uses one book, from one thread."""

    def __init__(self, shelf: Shelf) -> None:
        self.changes = Changes()
        self._shelf = shelf
        self._origin: Origin | None = None
        self._debts: dict[str, Debt | None] = {}
        self._cases: dict[str, KnownCase | None] = {}
        # Debts that were taken up, by whatever they are looked up by. What a debt was known by before it changed may
        # stand there still: whoever looks compares.
        self._by_person: dict[str, dict[str, None]] = {}  # NINO, 8 characters
        self._by_birth: dict[tuple[str, date], dict[str, None]] = {}  # letters of the surname, day
        self._by_source: dict[tuple[str, str], str] = {}
        self._asked_people: set[str] = set()
        self._asked_births: set[tuple[str, date]] = set()
        self._receipts: dict[tuple[str, str], Receipt | None] = {}
        self._marked: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
        self._notes: dict[tuple[str, str, str], Note | None] = {}
        self._since: dict[str, int] = {}  # received after its as-at date, per debt
        self._confidential: dict[str, bool] = {}
        self._moves: dict[str, list[tuple[date, int]]] = {}  # of this transaction, per debt: value date, pence

    def judging(self, origin: Origin | None) -> None:
        """What is changed from now on is from there."""
        self._origin = origin

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
        ref = self._by_source.get((source_system, source_id))
        known = self._debts.get(ref) if ref is not None else None
        if known is not None and (known.source_system, known.source_id) == (source_system, source_id):
            return known
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
        wanted = (letters(surname), dob)
        if wanted not in self._asked_births:
            self._asked_births.add(wanted)
            for debt in self._shelf.debts_by_person(surname, dob):
                self._take_up(debt)
        known = (self._debts[ref] for ref in sorted(self._by_birth.get(wanted, ())))
        return [debt for debt in known if debt is not None and _birth(debt) == wanted]

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
        if before == debt:
            return
        if before is None or before.as_at != debt.as_at:
            self._since.pop(debt.ref, None)
        self._hold(debt)
        self.changes.debts[debt.ref] = debt
        self._from_here(debt.ref)
        self.changes.happened.append(DebtChanged(before, debt, self._origin))

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
        self.changes.happened.append(Posted(receipt, self._origin))
        self._receipts[receipt.source, receipt.key] = receipt
        for mark, value in receipt.marks.items():
            listed = self._marked.get((receipt.source, mark, str(value)))
            if listed is not None:
                listed.append((receipt.source, receipt.key))
        self._count(receipt, receipt.amount_pence)
        return receipt

    def move(self, receipt: Receipt) -> Receipt:
        """Give money that waits in suspense to the debt or case that the receipt names now."""
        self.changes.moved.append(receipt)
        self.changes.happened.append(Moved(receipt, self._origin))
        self._receipts[receipt.source, receipt.key] = receipt
        self._count(receipt, receipt.amount_pence - receipt.reversed_pence)
        return receipt

    def reverse(self, reversal: Reversal) -> Receipt:
        """Take money of a receipt back; the receipt as it is then."""
        receipt = reversal.receipt
        self.changes.reversals.append(reversal)
        self.changes.happened.append(Reversed(reversal, self._origin))
        now = replace(receipt, reversed_pence=receipt.reversed_pence - reversal.amount_pence)
        self._receipts[receipt.source, receipt.key] = now
        self._count(receipt, reversal.amount_pence)
        return now

    # what feeds remember

    def note(self, feed: str, kind: str, key: str) -> Note | None:
        """What a feed remembers under that key."""
        self._fetch_notes([(feed, kind, key)])
        return self._notes[feed, kind, key]

    def is_confidential(self, nino: str) -> bool:
        """Whether the person has a confidentiality marker in any case."""
        if self.note(KNOWN, CONFIDENTIAL, nino[:8]) is not None:
            return True
        if nino[:8] not in self._confidential:
            self._confidential[nino[:8]] = nino[:8] in set(self._shelf.confidential([nino[:8]]))
        return self._confidential[nino[:8]]

    def keep(self, note: Note) -> None:
        """Remember something, in place of what was remembered under the same key."""
        self._notes[note.feed, note.kind, note.key] = note
        self.changes.notes[note.feed, note.kind, note.key] = note
        self._from_here((note.feed, note.kind, note.key))

    def tell(self, event: str, data: Mapping[str, Any]) -> None:
        """Let the world know, once the transaction is committed (outbound-events.md; type without its prefix)."""
        self.changes.happened.append(Said(event, data, self._origin))

    def _fetch_debts(self, refs: Iterable[str]) -> None:
        missing = [ref for ref in refs if ref not in self._debts]
        if missing:
            self._debts |= dict.fromkeys(missing)
            for debt in self._shelf.debts(missing):
                self._hold(debt)

    def _fetch_people(self, ninos: Iterable[str]) -> None:
        missing = {nino[:8] for nino in ninos} - self._asked_people
        if missing:
            self._asked_people |= missing
            for debt in self._shelf.debts_of(sorted(missing)):
                self._take_up(debt)

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
        found = (self._debts[ref] for ref in sorted(self._by_person.get(nino[:8], ())))
        return [debt for debt in found if debt is not None]

    def _take_up(self, debt: Debt) -> Debt:
        """A debt from the shelf, unless it is known here already, and perhaps changed."""
        known = self._debts.get(debt.ref)
        return self._hold(debt) if known is None else known

    def _hold(self, debt: Debt) -> Debt:
        """Keep a debt as it is now, to be found by all that it is looked up by."""
        self._debts[debt.ref] = debt
        self._by_source[debt.source_system, debt.source_id] = debt.ref
        for nino in _people(debt):
            self._by_person.setdefault(nino[:8], {})[debt.ref] = None
        birth = _birth(debt)
        if birth is not None:
            self._by_birth.setdefault(birth, {})[debt.ref] = None
        return debt

    def _from_here(self, row: object) -> None:
        if self._origin is not None:
            self.changes.origins[row] = self._origin

    def _count(self, receipt: Receipt, pence: int) -> None:
        if receipt.debt_ref is None:
            return
        self._moves.setdefault(receipt.debt_ref, []).append((receipt.value_date, pence))
        debt = self._debts.get(receipt.debt_ref)
        if debt is not None and debt.ref in self._since and receipt.value_date > debt.as_at:
            self._since[debt.ref] += pence

    def _posted_here(self, debt: Debt) -> int:
        return sum(pence for day, pence in self._moves.get(debt.ref, ()) if day > debt.as_at)


def letters(name: str) -> str:
    """A name as documents compare it: letters only, in one case."""
    return "".join(letter for letter in name.casefold() if letter.isalpha())


def _people(debt: Debt) -> Iterator[str]:
    if debt.nino:
        yield debt.nino
    yield from (person.nino for person in debt.joint if person.nino)


def _is_joint(debt: Debt, nino: str) -> bool:
    return any(person.nino is not None and person.nino[:8] == nino[:8] for person in debt.joint)


def _birth(debt: Debt) -> tuple[str, date] | None:
    return None if debt.surname is None or debt.dob is None else (letters(debt.surname), debt.dob)
