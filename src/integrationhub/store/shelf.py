"""The shelf of the book of accounts: what judges look up, read set by set; debts locked in the order of references.

Locks are taken in one order within a statement. Transactions that lock one after the other may meet crosswise all the
same; the database ends one of them, and it is tried again as a whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, union

from integrationhub.accounts.beforehand import CASE, KNOWN
from integrationhub.accounts.book import letters
from integrationhub.accounts.entries import Debt, Hold, JointDebtor, KnownCase, Note, Receipt
from integrationhub.canonical.identifiers import derive
from integrationhub.store.account_tables import ACCOUNT_PEOPLE, ACCOUNTS, MONEY, MONEY_MARKS, NOTES
from integrationhub.store.bulk import among
from integrationhub.store.schema import CANONICAL

DEBT_COLUMNS = (
    "ref", "source_system", "source_id", "version", "content", "status", "kind", "benefit", "cause", "original_pence",
    "adjusted_pence", "recovered_pence", "written_off_pence", "source_balance_pence", "as_at", "nino", "nino_status",
    "surname", "dob", "postcode", "joint", "holds", "details",
)  # fmt: skip
"""The columns that hold a debt's own fields, as `Debt` names them."""

RECEIPT_COLUMNS = (
    "source", "key", "amount_pence", "value_date", "debt_ref", "case_ref", "reason", "marks", "reversed_pence",
    "position",
)  # fmt: skip
"""The columns that hold a receipt's own fields; `number` of a receipt is its position."""

_CLOSED_CASES = ("CLOSED",)


class StoredShelf:
    """`accounts.shelf.Shelf` in one transaction. With `lock` debts are locked until it ends."""

    def __init__(self, connection: Connection, *, lock: bool = True) -> None:
        self._connection = connection
        self._lock = lock
        self._met: set[str] = set()  # debts whose receipts have not been asked for yet
        self._received: dict[str, list[tuple[date, int]]] = {}

    def debts(self, refs: Iterable[str]) -> list[Debt]:
        """See `Shelf`."""
        wanted = list(refs)
        found = self._debts(among(self._connection, ACCOUNTS.c.ref, wanted))
        missing = set(wanted).difference(debt.ref for debt in found)
        self._received |= {ref: [] for ref in missing}  # nothing was posted for a debt that is not there
        return found

    def debts_of(self, ninos: Iterable[str]) -> list[Debt]:
        """See `Shelf`."""
        keys = list(ninos)
        joint = select(ACCOUNT_PEOPLE.c.ref).where(among(self._connection, ACCOUNT_PEOPLE.c.nino_key, keys))
        liable = list(self._connection.execute(joint).scalars())
        own = and_(ACCOUNTS.c.nino_key.is_not(None), among(self._connection, ACCOUNTS.c.nino_key, keys))
        return self._debts(or_(own, among(self._connection, ACCOUNTS.c.ref, liable)) if liable else own)

    def debts_by_source_id(self, source_system: str, ids: Iterable[str]) -> list[Debt]:
        """See `Shelf`."""
        keys = list(ids)
        as_reference = among(self._connection, ACCOUNTS.c.ref, keys) & (ACCOUNTS.c.source_id == ACCOUNTS.c.ref)
        other = among(self._connection, ACCOUNTS.c.source_id, keys) & (ACCOUNTS.c.source_id != ACCOUNTS.c.ref)
        return self._debts(and_(ACCOUNTS.c.source_system == source_system, or_(as_reference, other)))

    def debts_by_person(self, surname: str, dob: date) -> list[Debt]:
        """See `Shelf`."""
        return self._debts(and_(ACCOUNTS.c.dob == dob, ACCOUNTS.c.surname_key == letters(surname)))

    def cases(self, refs: Iterable[str]) -> list[KnownCase]:
        """See `Shelf`: cases known beforehand, and loaded ones."""
        wanted, cases = list(refs), CANONICAL["cases"]
        loaded = select(cases.c.source_ref, cases.c.status).where(among(self._connection, cases.c.source_ref, wanted))
        found = {
            row.source_ref: KnownCase(ref=row.source_ref, is_open=row.status not in _CLOSED_CASES)
            for row in self._connection.execute(loaded)
        }
        for note in self.notes((KNOWN, CASE, ref) for ref in wanted):
            found[note.key] = KnownCase(ref=note.key, is_open=bool(note.value["is_open"]))
        return list(found.values())

    def receipts(self, keys: Iterable[tuple[str, str]]) -> list[Receipt]:
        """See `Shelf`."""
        wanted = [derive("money", source, key) for source, key in keys]
        return self._receipts(select(*_receipt_columns()).where(among(self._connection, MONEY.c.receipt_id, wanted)))

    def receipts_marked(self, marks: Iterable[tuple[str, str, str]]) -> list[Receipt]:
        """See `Shelf`."""
        wanted = [mark_id(*mark) for mark in marks]
        joined = MONEY.join(MONEY_MARKS, MONEY_MARKS.c.receipt_id == MONEY.c.receipt_id)
        statement = select(*_receipt_columns()).select_from(joined)
        return self._receipts(statement.where(among(self._connection, MONEY_MARKS.c.mark_id, wanted)))

    def notes(self, keys: Iterable[tuple[str, str, str]]) -> list[Note]:
        """See `Shelf`."""
        wanted = [note_id(*key) for key in keys]
        columns = (NOTES.c.feed, NOTES.c.kind, NOTES.c.key, NOTES.c.value, NOTES.c.about)
        rows = self._connection.execute(select(*columns).where(among(self._connection, NOTES.c.note_id, wanted)))
        return [Note(feed=row.feed, kind=row.kind, key=row.key, value=row.value, about=row.about) for row in rows]

    def confidential(self, ninos: Iterable[str]) -> set[str]:
        """See `Shelf`. Few ask for it, and seldom: no index serves this alone."""
        people, addresses = CANONICAL["parties"], CANONICAL["addresses"]
        totals, roles = CANONICAL["clerical_totals"], CANONICAL["roles"]
        number = func.substr(people.c.nino, 1, 8, type_=people.c.nino.type)
        wanted = among(self._connection, number, list(ninos))
        at_an_address = select(number).join(addresses, addresses.c.party_id == people.c.party_id)
        by_post = select(number).join(roles, roles.c.party_id == people.c.party_id)
        by_post = by_post.join(totals, totals.c.case_id == roles.c.case_id)
        kept_back = totals.c.pwc_address_confidential & (roles.c.role == "PWC")
        both = union(at_an_address.where(wanted, addresses.c.confidential), by_post.where(wanted, kept_back))
        return set(self._connection.execute(both).scalars())

    def received_since(self, debt_ref: str, day: date) -> int:
        """See `Shelf`. Receipts of all debts that were met are read together when the first are asked for."""
        if debt_ref not in self._received:
            self._met.add(debt_ref)
            self._read_received()
        return sum(pence for value_date, pence in self._received[debt_ref] if value_date > day)

    def _read_received(self) -> None:
        found: dict[str, list[tuple[date, int]]] = defaultdict(list)
        columns = (MONEY.c.debt_ref, MONEY.c.value_date, MONEY.c.amount_pence - MONEY.c.reversed_pence)
        mine = MONEY.c.debt_ref.is_not(None) & among(self._connection, MONEY.c.debt_ref, sorted(self._met))
        for ref, value_date, pence in self._connection.execute(select(*columns).where(mine)):
            found[ref].append((value_date, pence))
        self._received |= {ref: found.get(ref, []) for ref in self._met}
        self._met.clear()

    def _debts(self, chosen: ColumnElement[bool]) -> list[Debt]:
        statement = select(*(ACCOUNTS.c[name] for name in DEBT_COLUMNS)).where(chosen).order_by(ACCOUNTS.c.ref)
        if self._lock:
            statement = statement.with_for_update()
        found = [debt_of(tuple(row)) for row in self._connection.execute(statement)]
        self._met.update(debt.ref for debt in found if debt.ref not in self._received)
        return found

    def _receipts(self, statement: Select[Any]) -> list[Receipt]:
        found: dict[str, Receipt] = {}  # several marks may lead to one
        for row in self._connection.execute(statement.order_by(MONEY.c.position)):
            receipt = receipt_of(tuple(row))
            found.setdefault(receipt.receipt_id, receipt)
        return list(found.values())


def debt_of(row: Sequence[Any]) -> Debt:
    """The debt in a row of DEBT_COLUMNS."""
    values = dict(zip(DEBT_COLUMNS, row, strict=True))
    values["joint"] = tuple(JointDebtor(**person) for person in values["joint"] or ())
    values["holds"] = tuple(map(_hold_of, values["holds"] or ()))
    values["details"] = values["details"] or {}
    return Debt(**values)


def _hold_of(row: Mapping[str, Any]) -> Hold:
    end = row["end"]
    return Hold(
        code=row["code"],
        start=date.fromisoformat(row["start"]),
        end=None if end is None else date.fromisoformat(end),
        origin=row["origin"],
    )


def receipt_of(row: Sequence[Any]) -> Receipt:
    """The receipt in a row of RECEIPT_COLUMNS."""
    values = dict(zip(RECEIPT_COLUMNS, row, strict=True))
    position = values.pop("position")
    return Receipt(**values, number=position)


def _receipt_columns() -> Iterator[ColumnElement[Any]]:
    return (MONEY.c[name] for name in RECEIPT_COLUMNS)


def mark_id(source: str, mark: str, value: str) -> str:
    """What receipts with this mark are found by."""
    return derive("mark", source, mark, value)


def note_id(feed: str, kind: str, key: str) -> str:
    """What a note is found by."""
    return derive("note", feed, kind, key)
