"""The book of accounts in the store: what judges changed, written set by set, each row with where it is from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, select, update

from integrationhub.accounts.book import letters
from integrationhub.accounts.changes import Changes, Moved, Posted, Reversed
from integrationhub.accounts.entries import Debt, Note, Origin, Receipt, Reversal
from integrationhub.store.account_tables import ACCOUNT_PEOPLE, ACCOUNTS, MONEY, MONEY_BACK, MONEY_MARKS, NOTES, SERIES
from integrationhub.store.bulk import among, insert_rows
from integrationhub.store.dialect import upsert
from integrationhub.store.shelf import DEBT_COLUMNS, StoredShelf, mark_id, note_id

_PLAIN = [name for name in DEBT_COLUMNS if name not in ("joint", "holds", "details")]


class Accounts:
    """Debts, money and notes in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def shelf(self) -> StoredShelf:
        """Where a book of this transaction is read from; debts that it reads are locked until the end."""
        return StoredShelf(self._connection)

    def flush(self, changes: Changes) -> None:
        """Write what judges changed. Every change must have an origin."""
        self._write_debts(changes)
        self._write_receipts(changes)
        self._write_reversals(changes)
        for item in changes.happened:
            if isinstance(item, Moved):
                self._move(item.receipt)
        self.keep((note, changes.origins[key]) for key, note in changes.notes.items())

    def keep(self, notes: Iterable[tuple[Note, Origin]]) -> None:
        """Write notes, in the place of those with the same keys."""
        given = list(notes)
        columns: dict[str, Sequence[Any]] = {
            "note_id": [note_id(note.feed, note.kind, note.key) for note, _ in given],
            "feed": [note.feed for note, _ in given],
            "kind": [note.kind for note, _ in given],
            "key": [note.key for note, _ in given],
            "value": [dict(note.value) for note, _ in given],
            "about": [note.about for note, _ in given],
            **_origins([origin for _, origin in given]),
        }
        insert_rows(self._connection, NOTES, columns, conflict=_replacing("note_id", columns))

    def last_in_series(self, connector: str, series: str) -> int | None:
        """The last number that was used up; None: there was none yet."""
        mine = (SERIES.c.connector == connector) & (SERIES.c.series == series)
        last: int | None = self._connection.execute(select(SERIES.c.last_sequence).where(mine)).scalar()
        return last

    def use_up(self, connector: str, series: str, number: int) -> None:
        """The number is used up."""
        upsert(self._connection, SERIES, {"connector": connector, "series": series, "last_sequence": number})

    def held_refs(self, source_system: str) -> list[str]:
        """References of all debts of a source that it has not taken out, in order."""
        held = (ACCOUNTS.c.source_system == source_system) & (ACCOUNTS.c.status != "REMOVED")
        return list(self._connection.execute(select(ACCOUNTS.c.ref).where(held).order_by(ACCOUNTS.c.ref)).scalars())

    def _write_debts(self, changes: Changes) -> None:
        debts = sorted(changes.debts.values(), key=lambda debt: debt.ref)
        if not debts:
            return
        columns: dict[str, Sequence[Any]] = {
            **{name: [getattr(debt, name) for debt in debts] for name in _PLAIN},
            "joint": [[asdict(person) for person in debt.joint] or None for debt in debts],
            "holds": [[_plain(asdict(hold)) for hold in debt.holds] or None for debt in debts],
            "details": [dict(debt.details) or None for debt in debts],
            "nino_key": [None if debt.nino is None else debt.nino[:8] for debt in debts],
            "surname_key": [None if debt.surname is None else letters(debt.surname) for debt in debts],
            **_origins([changes.origins[debt.ref] for debt in debts]),
        }
        insert_rows(self._connection, ACCOUNTS, columns, conflict=_replacing("ref", columns))
        self._write_people(debts)

    def _write_people(self, debts: Sequence[Debt]) -> None:
        refs = [debt.ref for debt in debts]
        self._connection.execute(delete(ACCOUNT_PEOPLE).where(among(self._connection, ACCOUNT_PEOPLE.c.ref, refs)))
        pairs = {(debt.ref, person.nino[:8]) for debt in debts for person in debt.joint if person.nino}
        rows = sorted(pairs)
        columns = {"ref": [ref for ref, _ in rows], "nino_key": [nino for _, nino in rows]}
        insert_rows(self._connection, ACCOUNT_PEOPLE, columns)

    def _write_receipts(self, changes: Changes) -> None:
        posted = [item for item in changes.happened if isinstance(item, Posted)]
        if not posted:
            return
        receipts = [item.receipt for item in posted]
        names = ("receipt_id", "source", "key", "amount_pence", "value_date", "debt_ref", "case_ref", "reason")
        columns: dict[str, Sequence[Any]] = {
            **{name: [getattr(receipt, name) for receipt in receipts] for name in names},
            "marks": [dict(receipt.marks) for receipt in receipts],
            "reversed_pence": [0] * len(receipts),
            **_origins([item.origin for item in posted]),
        }
        insert_rows(self._connection, MONEY, columns)
        marks = dict.fromkeys(mark for receipt in receipts for mark in _marks(receipt))
        insert_rows(
            self._connection,
            MONEY_MARKS,
            {"mark_id": [mark for mark, _ in marks], "receipt_id": [receipt for _, receipt in marks]},
        )

    def _write_reversals(self, changes: Changes) -> None:
        back = [item for item in changes.happened if isinstance(item, Reversed)]
        if not back:
            return
        reversals: list[Reversal] = [item.reversal for item in back]
        columns: dict[str, Sequence[Any]] = {
            "receipt_id": [item.receipt.receipt_id for item in reversals],
            **{
                name: [getattr(item, name) for item in reversals]
                for name in ("source", "key", "amount_pence", "value_date", "reason")
            },
            **_origins([item.origin for item in back]),
        }
        insert_rows(self._connection, MONEY_BACK, columns)
        for item in reversals:
            more = MONEY.c.reversed_pence - item.amount_pence
            mine = MONEY.c.receipt_id == item.receipt.receipt_id
            self._connection.execute(update(MONEY).where(mine).values(reversed_pence=more))

    def _move(self, receipt: Receipt) -> None:
        """Suspense that was given to a debt or case: its reason stays, to tell where it was."""
        values = {"debt_ref": receipt.debt_ref, "case_ref": receipt.case_ref}
        self._connection.execute(update(MONEY).where(MONEY.c.receipt_id == receipt.receipt_id).values(**values))


def _origins(origins: Sequence[Origin | None]) -> dict[str, Sequence[Any]]:
    known = [origin for origin in origins if origin is not None]
    assert len(known) == len(origins)  # every change is made while a unit or file is judged
    return {
        "delivery_id": [origin.delivery_id for origin in known],
        "record_no": [origin.record for origin in known],
        "byte_offset": [origin.offset for origin in known],
        "mapping_id": [origin.mapping_id for origin in known],
        "changed_at": [origin.at for origin in known],
    }


def _replacing(key: str, columns: Iterable[str]) -> str:
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name != key)
    return f"ON CONFLICT ({key}) DO UPDATE SET {changed}"


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def _marks(receipt: Receipt) -> list[tuple[str, str]]:
    """What the receipt is found by: its marks that are one value."""
    return [
        (mark_id(receipt.source, name, str(value)), receipt.receipt_id)
        for name, value in receipt.marks.items()
        if isinstance(value, str | int)
    ]
