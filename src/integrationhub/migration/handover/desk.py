"""Hands files to source systems: return files with the notices that wait, and crosswalks of closing waves.

    1  the file is written to the work folder and kept as an original
    2  its number, its hash, and what it carries are committed, all at once
    3  it is copied into the outgoing folder, trigger file last, and that is noted

Killed before 2, nothing has happened; killed after it, the next call puts the same bytes there. One process hands over
at a time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Literal, Protocol

from integrationhub.migration.handover import crosswalk, cs2, cscs
from integrationhub.migration.handover.crosswalk import CrosswalkRow, write_crosswalk
from integrationhub.migration.handover.notices import OWNERS, Action, FileHead, Notice, NoticeDebt
from integrationhub.migration.handover.outgoing import Handed, hand_out
from integrationhub.receive.originals import Originals
from integrationhub.store.handover import AT_ONCE, CROSSWALK, Handover
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Store

LOCK = "handover"
SUFFIXES = {"CSCS": ".dat", "CS2": ".xml", CROSSWALK: ".csv"}


class ReturnWriter(Protocol):
    """Writes one system's return file."""

    def write(self, target: BinaryIO, head: FileHead, notices: Iterator[Notice]) -> int:
        """Write a whole file; its number of records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverDesk:
    """Hands over what waits. `writers`: source system → writer of its return files; `outgoing`: a folder a system."""

    store: Store
    originals: Originals
    outgoing: Path
    writers: Mapping[str, ReturnWriter]
    clock: Callable[[], datetime]
    checkpoint: Callable[[str], None] = lambda _point: None

    def hand_over(self) -> list[Handed]:
        """Every notice that waits, in as many files as it takes; then all files that are not handed out yet.

        Conflict: another process is handing over.
        """
        with self.store.exclusive(LOCK):
            for system, writer in self.writers.items():
                while self._make_return_file(system, writer):
                    pass
            return self._put_out()

    def hand_crosswalk(self, run_id: str, wave: str) -> list[Handed]:
        """The crosswalk of a wave's closing groups; no file when no case is new."""
        with self.store.exclusive(LOCK):
            self._make_crosswalk(run_id, wave)
            return self._put_out()

    def _make_return_file(self, system: str, writer: ReturnWriter) -> bool:
        now = self.clock()
        carried: list[int] = []
        with TemporaryFile() as target:
            with self.store.begin() as work:
                head = FileHead(sequence=work.handover.next_sequence(system), created=now.date())
                records = writer.write(target, head, _notices(work.handover, system, carried))
            if not carried:
                return False
            name = {"CSCS": cscs.name_of, "CS2": cs2.name_of}[system](head)
            sha256, size = self._keep(target)
        self.checkpoint("return file kept")
        with self.store.begin() as work:
            work.handover.carry(carried, head.sequence)
            work.handover.add_file(
                system, head.sequence, name=name, created_on=head.created, made_at=now, sha256=sha256, size=size,
                records=records,
            )  # fmt: skip
            self.checkpoint("before return file noted")
            work.commit()
        return True

    def _make_crosswalk(self, run_id: str, wave: str) -> None:
        now = self.clock()
        told: list[tuple[str, int]] = []
        with TemporaryFile() as target:
            with self.store.begin() as work:
                sequence = work.handover.next_sequence(CROSSWALK)
                records = write_crosswalk(target, _crosswalk(work.handover, run_id, wave, told))
            if not told:
                return
            sha256, size = self._keep(target)
        name = crosswalk.name_of(now.date(), sequence)
        with self.store.begin() as work:
            work.handover.note_crosswalk(run_id, told, sequence)
            work.handover.add_file(
                CROSSWALK, sequence, name=name, created_on=now.date(), made_at=now, sha256=sha256, size=size,
                records=records,
            )  # fmt: skip
            work.commit()

    def _keep(self, target: BinaryIO) -> tuple[str, int]:
        target.seek(0)
        original = self.originals.keep(target)
        return original.sha256, original.size

    def _put_out(self) -> list[Handed]:
        with self.store.begin() as work:
            files = work.handover.files(unhanded=True)
        return [self._put(row) for row in files]

    def _put(self, row: Stored) -> Handed:
        def copy(target: BinaryIO) -> int:
            with self.originals.open(row.sha256) as source:
                while block := source.read(1 << 20):
                    target.write(block)
            return int(row.records)

        folder = self.outgoing / row.system.lower()
        handed = hand_out(
            folder, row.name, copy, sequence=row.sequence, as_at=row.created_on, suffix=SUFFIXES[row.system]
        )
        self.checkpoint("return file out")
        with self.store.begin() as work:
            work.handover.note_handed(row.system, row.sequence, at=self.clock())
            work.commit()
        return handed


def _notices(handover: Handover, system: str, carried: list[int]) -> Iterator[Notice]:
    """Waiting notices as the file wants them; their numbers are put into `carried` as they go by."""
    waiting = handover.waiting_notices(system)
    while part := list(islice(waiting, AT_ONCE)):
        owners = handover.owners([row.case_id for row in part])
        moved = _moved(handover, [row for row in part if row.action == Action.CLOSE])
        for row in part:
            carried.append(row.notice_id)
            yield _notice(row, owners.get(row.case_id, []), moved)


Moved = Mapping[tuple[str, str, int], list[NoticeDebt]]


def _moved(handover: Handover, closing: Sequence[Stored]) -> Moved:
    """Run, case, attempt → debts as the target got them."""
    found: dict[tuple[str, str, int], list[NoticeDebt]] = {}
    for run_id in sorted({row.run_id for row in closing}):
        cases = [row.case_id for row in closing if row.run_id == run_id]
        for debt in handover.moved_debts(run_id, cases):
            told = NoticeDebt(owner=debt.legal_owner, outstanding=debt.pence, suspended=debt.suspended_pence)
            found.setdefault((run_id, debt.case_id, debt.attempt), []).append(told)
    return found


def _notice(row: Stored, owners: Sequence[str], moved: Moved) -> Notice:
    action, closing = Action(row.action), row.action == Action.CLOSE
    known = [owner for owner in OWNERS if owner in owners]
    return Notice(
        notice_id=row.notice_id,
        action=action,
        case_ref=row.source_ref,
        source_group=int(row.source_group) if row.system == cscs.SYSTEM else None,
        target_ref=row.reference if closing else None,
        custodian=int(row.custodian or 0) if closing and row.relation == "MOVED" else 0,
        effective=row.made_on,
        debts=tuple(moved.get((row.run_id, row.case_id, row.attempt), ()))
        if closing
        else tuple(NoticeDebt(owner=owner) for owner in known),
    )


def _crosswalk(handover: Handover, run_id: str, wave: str, told: list[tuple[str, int]]) -> Iterator[CrosswalkRow]:
    """Rows as the crosswalk wants them; their cases and attempts are put into `told` as they go by."""
    for row in handover.crosswalk_rows(run_id, wave):
        told.append((row.case_id, row.attempt))
        yield _crosswalk_row(row)


def _crosswalk_row(row: Any) -> CrosswalkRow:  # noqa: ANN401 - a row of the store's
    moved = row.relation == "MOVED"
    return CrosswalkRow(
        phase=row.phase,
        case_group=row.case_group_id,
        scheme=_scheme(row),
        source_ref=row.source_ref,
        target_ref=row.reference,
        relation=row.relation,
        accepted_outcome=row.outcome,
        causes=tuple(sorted(row.causes)),
        rp_outstanding=row.rp if moved else 0,
        rp_suspended=row.susp_rp if moved else 0,
        sos_outstanding=row.sos if moved else 0,
        sos_suspended=row.susp_sos if moved else 0,
        custodian=row.custodian if moved else 0,
        accepted_on=row.accepted_on,
    )


def _scheme(row: Any) -> Literal["1993", "2003", "CLERICAL"]:  # noqa: ANN401 - as above
    if row.host_system == "CLERICAL":
        return "CLERICAL"
    return "1993" if row.rules == "1993" else "2003"
