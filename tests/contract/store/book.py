"""A small source book for the store's tests: groups with cases, cases with ledger lines, and its canonical frames.

`Book` is also the model the store is compared with: what a file says is what must be stored after it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from sqlalchemy import select

from integrationhub.canonical.frames import schema
from integrationhub.canonical.identifiers import derive
from integrationhub.canonical.model import ENTITIES
from integrationhub.store.deliveries import Delivery, State
from integrationhub.store.frames import VERSION_STEP
from integrationhub.store.invariants import check
from integrationhub.store.merge import Closed, Merged
from integrationhub.store.schema import CANONICAL, METADATA
from integrationhub.store.slices import Slice
from integrationhub.store.unit_of_work import Store, Work

SYSTEM = "CSCS"
NOW = datetime(2015, 7, 1, 2, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A ledger line: a charge when positive, a receipt when negative."""

    number: int
    pence: int
    owner: str = "RECEIVING_PARENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case with its lines; `children` become role rows."""

    ref: str
    lines: tuple[Line, ...] = ()
    children: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A source group; `orphans` are lines whose case is not in the group, as (case reference, line)."""

    ref: str
    cases: tuple[Case, ...] = ()
    orphans: tuple[tuple[str, Line], ...] = ()
    withdrawn: bool = False
    parties: Mapping[str, str] = field(default_factory=dict)  # party reference → surname


def party_id(ref: str) -> str:
    return derive("party", SYSTEM, ref)


def group_id(ref: str) -> str:
    return derive("group", SYSTEM, ref)


def case_id(ref: str) -> str:
    return derive("case", SYSTEM, ref)


def debt_id(ref: str, owner: str) -> str:
    return derive("debt", SYSTEM, ref, owner)


class Frames:
    """Collects the canonical rows of a slice, numbering records as a file would."""

    def __init__(self, *, delivery_id: str, sequence: int, first_record: int) -> None:
        self._delivery_id = delivery_id
        self._sequence = sequence
        self.record = first_record
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._receipts: Counter[tuple[str, str]] = Counter()

    def add(self, entity: str, source_ref: str, **values: Any) -> None:
        origin = {
            "source_system": SYSTEM,
            "source_ref": source_ref,
            "delivery_id": self._delivery_id,
            "record_no": self.record,
            "byte_offset": self.record * 100,
            "mapping_id": "csa1993/1",
            "version": self._sequence * VERSION_STEP + self.record,
        }
        self._rows.setdefault(entity, []).append({**values, **origin})

    def frames(self) -> dict[str, pl.DataFrame]:
        return {name: pl.DataFrame(rows, schema=schema(ENTITIES[name])) for name, rows in self._rows.items()}

    def add_group(self, group: Group, as_at: date) -> None:
        self.record += 1
        self.add(
            "groups",
            group.ref,
            group_id=group_id(group.ref),
            source_status="WITHDRAWN" if group.withdrawn else "ACTIVE",
            potentially_violent=False,
            case_count=len(group.cases),
            state="WITHDRAWN" if group.withdrawn else "IN_BOOK",
            as_at=as_at,
        )
        for ref, surname in group.parties.items():
            self._add_party(ref, surname)
        for case in group.cases:
            self._add_case(group, case, as_at)
        for ref, line in group.orphans:
            self._add_line(group, ref, line, case=None)

    def _add_party(self, ref: str, surname: str | None) -> None:
        self.record += 1
        self.add(
            "parties",
            ref,
            party_id=party_id(ref),
            kind="PERSON",
            surname=surname,
            nino_status="ABSENT",
            nino_usable=False,
        )

    def _add_case(self, group: Group, case: Case, as_at: date) -> None:
        self.record += 1
        shared = {"group_id": group_id(group.ref), "case_id": case_id(case.ref)}
        self.add(
            "cases",
            case.ref,
            **shared,
            scheme="1993",
            host_system=SYSTEM,
            status="LIVE",
            ledger_complete=True,
            benefit_known=True,
            accuracy_query=False,
            source_custodian_pence=0,
            state="IN_BOOK",
            as_at=as_at,
        )
        self._add_debts(shared, case, as_at)
        for number in range(case.children):
            self._add_party(f"child{number}", None)
            self.add(
                "roles",
                f"{case.ref}/{number}",
                role_id=derive("role", SYSTEM, case.ref, number),
                **shared,
                source_case_ref=case.ref,
                party_id=party_id(f"child{number}"),
                role="QCH",
                to_date_mark="OPEN",
                is_payee=False,
            )
        for line in case.lines:
            self._add_line(group, case.ref, line, case=case_id(case.ref))

    def _add_debts(self, shared: Mapping[str, str], case: Case, as_at: date) -> None:
        for owner in sorted({line.owner for line in case.lines}):
            identifier = debt_id(case.ref, owner)
            self.add(
                "debts",
                case.ref,
                debt_id=identifier,
                **shared,
                scheme="1993",
                host_system=SYSTEM,
                application_ref=case.ref,
                payee_role="PWC" if owner == "RECEIVING_PARENT" else "SECRETARY_OF_STATE",
                legal_owner=owner,
                kind="CHILD_MAINTENANCE_ARREARS",
                cause="NOT_APPLICABLE",
                status="ACTIVE",
                as_at=as_at,
            )
            self.add(
                "balances",
                case.ref,
                balance_id=derive("balance", identifier, "SOURCE"),
                group_id=shared["group_id"],
                debt_id=identifier,
                kind="SOURCE",
                pence=sum(line.pence for line in case.lines if line.owner == owner),
                suspended_pence=0,
                as_at=as_at,
                evidence="header",
            )

    def _add_line(self, group: Group, ref: str, line: Line, *, case: str | None) -> None:
        self.record += 1
        debt = debt_id(ref, line.owner) if case else None
        shared = {"group_id": group_id(group.ref), "case_id": case, "source_case_ref": ref, "line_no": line.number}
        self.add(
            "ledger",
            f"{ref}/{line.number}",
            **shared,
            debt_id=debt,
            kind="LIABILITY" if line.pence >= 0 else "RECEIPT",
            owner=line.owner,
            pence=line.pence,
            suspended_pence=0,
            stored_pence=abs(line.pence),
            posted=date(2014, 1, 1),
        )
        if line.pence < 0:
            self._add_receipt(shared, line, debt)

    def _add_receipt(self, shared: Mapping[str, Any], line: Line, debt: str | None) -> None:
        ref = shared["source_case_ref"]
        owner = shared["group_id"] if debt is None else ref
        # A source may number two lines alike: the position within the case tells them apart.
        self._receipts[owner, ref] += 1
        receipt_id = derive("receipt", SYSTEM, owner, ref, self._receipts[owner, ref])
        self.add(
            "receipts",
            f"{ref}/{line.number}",
            receipt_id=receipt_id,
            **shared,
            pence=-line.pence,
            owner=line.owner,
            value_date=date(2014, 1, 1),
            bank_status="CLEARED",
            custody="PAID",
        )
        if debt is not None:
            self.add(
                "allocations",
                f"{ref}/{line.number}",
                allocation_id=derive("allocation", receipt_id),
                group_id=shared["group_id"],
                receipt_id=receipt_id,
                debt_id=debt,
                pence=-line.pence,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A delivery: its groups, already cut into slices. `held` names groups that are in quarantine."""

    sequence: int
    slices: tuple[tuple[Group, ...], ...]
    whole_book: bool = False
    held: tuple[Group, ...] = ()

    @property
    def delivery_id(self) -> str:
        return derive("delivery", "csa1993", self.sequence)

    @property
    def as_at(self) -> date:
        return date(2015, 1, self.sequence % 28 + 1)

    def slice_frames(self) -> Iterator[tuple[int, dict[str, pl.DataFrame]]]:
        """Slices with their numbers from 1; records are numbered over the whole file."""
        record = 1
        for number, groups in enumerate(self.slices, start=1):
            frames = Frames(delivery_id=self.delivery_id, sequence=self.sequence, first_record=record)
            for group in groups:
                frames.add_group(group, self.as_at)
            record = frames.record
            yield number, frames.frames()


def one_slice(sequence: int, *groups: Group, whole_book: bool = False) -> File:
    return File(sequence=sequence, slices=(groups,), whole_book=whole_book)


def delivery(file: File, state: State = State.LOADING) -> Delivery:
    """The delivery of a file, as the pipeline stores it."""
    return Delivery(
        delivery_id=file.delivery_id,
        connector="csa1993",
        name=f"file {file.sequence}",
        sha256=derive("bytes", file.sequence),
        bytes=1,
        sequence=file.sequence,
        as_at=file.as_at,
        state=state,
        records=7,
        report={"records": 7, "outcomes": {"LOADED": 5, "EXCEPTION": 2}},
        slices=len(file.slices),
        path="inbox",
        received_at=NOW,
    )


def receive(store: Store, file: File) -> None:
    """Note the delivery, as the pipeline does before the first slice."""
    with store.begin() as work:
        work.deliveries.save(delivery(file))
        work.commit()


def merge_slice(store: Store, file: File, number: int, frames: Mapping[str, pl.DataFrame]) -> Merged | None:
    """Claim and merge one slice; None when it is done already."""
    with store.begin() as work:
        if not claim(work, file, number):
            return None
        merged = merge(work, file, number, frames)
        work.commit()
    return merged


def claim(work: Work, file: File, number: int) -> bool:
    part = Slice(
        delivery_id=file.delivery_id,
        slice_no=number,
        first_record=number,
        last_record=number,
        first_byte=0,
        last_byte=1,
        committed_at=NOW,
    )
    return work.slices.claim(part)


def merge(work: Work, file: File, number: int, frames: Mapping[str, pl.DataFrame]) -> Merged:
    return work.canonical.merge_groups(frames, delivery_id=file.delivery_id, sequence=file.sequence, slice_no=number)


def close(store: Store, file: File) -> Closed:
    """The end of the file, and its acceptance."""
    with store.begin() as work:
        closed = work.canonical.close_file(
            delivery_id=file.delivery_id,
            sequence=file.sequence,
            slice_no=1,
            source_system=SYSTEM,
            whole_book=file.whole_book,
            held_groups=[group_id(group.ref) for group in file.held],
            held_cases=[case_id(case.ref) for group in file.held for case in group.cases],
        )
        work.deliveries.save(delivery(file, State.ACCEPTED))
        work.commit()
    return closed


def load(store: Store, file: File, *, order: Iterable[int] | None = None) -> tuple[list[Merged], Closed]:
    """Load a file, its slices in the order given (numbers from 1)."""
    receive(store, file)
    parts = dict(file.slice_frames())
    merged = [merge_slice(store, file, number, parts[number]) for number in order or parts]
    return [part for part in merged if part is not None], close(store, file)


def dump(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every canonical row."""
    with store.read() as connection:
        return {
            name: [tuple(row) for row in connection.execute(select(table).order_by(table.c[ENTITIES[name].key]))]
            for name, table in CANONICAL.items()
        }


def wipe(store: Store) -> None:
    """Empty every table."""
    with store.begin() as work:
        for table in reversed(METADATA.sorted_tables):
            work.connection.execute(table.delete())
        work.commit()


def broken(store: Store) -> dict[str, tuple[str, ...]]:
    """The invariants that don't hold, with examples."""
    with store.read() as connection:
        return {finding.invariant: finding.examples for finding in check(connection) if not finding.holds}
