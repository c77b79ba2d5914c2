"""What is handed to source systems: return files and the notices that each carries, crosswalks and their cases.

A file is written first and noted with its hash afterwards, with its notices, in one transaction; its bytes are kept as
an original. So a file that is noted can be put into the outgoing folder again at any time, the same to the byte.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    Row,
    Select,
    Table,
    and_,
    case,
    func,
    or_,
    select,
    update,
)

from integrationhub.store.columns import Identifier, Instant, words
from integrationhub.store.dialect import insert_into
from integrationhub.store.schema import CANONICAL, METADATA
from integrationhub.store.transfer_decisions import TRANSFER_RUNS
from integrationhub.store.transfer_moves import (
    HANDOVER_NOTICES,
    TRANSFER_GROUPS,
    TRANSFERRED_CASES,
    TRANSFERRED_DEBTS,
)

CASES, DEBTS, GROUPS = CANONICAL["cases"], CANONICAL["debts"], CANONICAL["groups"]
CROSSWALK = "CROSSWALK"
AT_ONCE = 500

HANDOVER_FILES = Table(
    "handover_files",
    METADATA,
    Column("system", words(), primary_key=True),  # CSCS, CS2, CROSSWALK
    Column("sequence", BigInteger(), primary_key=True, autoincrement=False),
    Column("name", words(), nullable=False),
    Column("created_on", Date(), nullable=False),
    Column("made_at", Instant(), nullable=False),
    Column("sha256", words(), nullable=False),
    Column("bytes", BigInteger(), nullable=False),
    Column("records", BigInteger(), nullable=False),
    Column("handed_at", Instant()),  # when it was put into the outgoing folder; null until then
)
"""Files for source systems, kept as originals under their hashes."""

CROSSWALK_CASES = Table(
    "crosswalk_cases",
    METADATA,
    Column("run_id", Identifier(), primary_key=True),
    Column("case_id", Identifier(), primary_key=True),
    Column("sequence", BigInteger(), nullable=False),
    Column("attempt", Integer(), nullable=False),
    ForeignKeyConstraint(
        ["run_id", "case_id", "attempt"],
        ["transferred_cases.run_id", "transferred_cases.case_id", "transferred_cases.attempt"],
        name="fk_crosswalk_cases_case",
    ),
    Index("ix_crosswalk_cases_sequence", "sequence"),
)
"""Cases that stand in a crosswalk: each once a run."""


class Handover:
    """Files by system and number, and what they carry."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_sequence(self, system: str) -> int:
        """The number that the system's next file gets."""
        last = select(func.max(HANDOVER_FILES.c.sequence)).where(HANDOVER_FILES.c.system == system)
        return int(self._connection.execute(last).scalar() or 0) + 1

    def waiting_notices(self, system: str) -> Iterator[Row[Any]]:
        """Notices that no file carries yet, by case reference; of a case with several the earliest alone.

        With reference and source group of the case, and what was accepted of it. A CLOSE whose group was taken back
        before it went out never goes: behind its RELEASE the source would take it at its word.
        """
        notices = HANDOVER_NOTICES
        closes = select(TRANSFER_GROUPS.c.case_group_id).where(
            TRANSFER_GROUPS.c.run_id == notices.c.run_id,
            TRANSFER_GROUPS.c.case_group_id == notices.c.case_group_id,
            TRANSFER_GROUPS.c.attempt == notices.c.attempt,
            TRANSFER_GROUPS.c.state.in_(("CLOSING", "CLOSED")),
        )
        stands = or_(notices.c.action != "CLOSE", closes.exists())
        first = (
            select(func.min(notices.c.notice_id).label("notice_id"))
            .where(notices.c.system == system, notices.c.file_sequence.is_(None), stands)
            .group_by(notices.c.case_id)
            .subquery()
        )
        accepted = and_(
            TRANSFERRED_CASES.c.run_id == notices.c.run_id,
            TRANSFERRED_CASES.c.case_id == notices.c.case_id,
            TRANSFERRED_CASES.c.attempt == notices.c.attempt,
        )
        statement: Select[Any] = (
            select(
                notices,
                CASES.c.source_ref,
                GROUPS.c.source_ref.label("source_group"),
                TRANSFERRED_CASES.c.reference,
                TRANSFERRED_CASES.c.relation,
                TRANSFERRED_CASES.c.custodian,
            )
            .select_from(
                notices.join(first, first.c.notice_id == notices.c.notice_id)
                .join(CASES, CASES.c.case_id == notices.c.case_id)
                .join(GROUPS, GROUPS.c.group_id == CASES.c.group_id)
                .outerjoin(TRANSFERRED_CASES, accepted)
            )
            .order_by(CASES.c.source_ref)
        )
        yield from self._connection.execute(statement, execution_options={"yield_per": AT_ONCE})

    def owners(self, case_ids: Sequence[str]) -> dict[str, list[str]]:
        """Case → owners of its debts as its book has them."""
        statement = select(DEBTS.c.case_id, DEBTS.c.legal_owner).where(
            DEBTS.c.case_id.in_(case_ids), DEBTS.c.status != "REMOVED"
        )
        found: dict[str, list[str]] = {}
        for row in self._connection.execute(statement.order_by(DEBTS.c.case_id, DEBTS.c.legal_owner)):
            found.setdefault(row.case_id, []).append(row.legal_owner)
        return found

    def moved_debts(self, run_id: str, case_ids: Sequence[str]) -> list[Row[Any]]:
        """Debts of cases as the target got them, of every attempt."""
        table = TRANSFERRED_DEBTS
        statement = select(table).where(table.c.run_id == run_id, table.c.case_id.in_(case_ids))
        return list(self._connection.execute(statement.order_by(table.c.case_id, table.c.legal_owner)))

    def carry(self, notice_ids: Sequence[int], sequence: int) -> None:
        """Note which return file carries these notices."""
        for start in range(0, len(notice_ids), AT_ONCE):
            chosen = HANDOVER_NOTICES.c.notice_id.in_(notice_ids[start : start + AT_ONCE])
            self._connection.execute(update(HANDOVER_NOTICES).where(chosen).values(file_sequence=sequence))

    def crosswalk_rows(self, run_id: str, wave: str) -> Iterator[Row[Any]]:
        """Cases of a wave's closing groups that no crosswalk has yet, by scheme and reference.

        Those that moved, and duplicates of such; `phase` is the run's.
        """
        cases, groups = TRANSFERRED_CASES, TRANSFER_GROUPS
        now = and_(
            groups.c.run_id == cases.c.run_id,
            groups.c.case_group_id == cases.c.case_group_id,
            groups.c.attempt == cases.c.attempt,
        )
        told = and_(CROSSWALK_CASES.c.run_id == cases.c.run_id, CROSSWALK_CASES.c.case_id == cases.c.case_id)
        statement: Select[Any] = (
            select(cases, CASES.c.source_ref, CASES.c.scheme.label("rules"), TRANSFER_RUNS.c.phase)
            .select_from(
                cases.join(groups, now)
                .join(TRANSFER_RUNS, TRANSFER_RUNS.c.run_id == cases.c.run_id)
                .join(CASES, CASES.c.case_id == cases.c.case_id)
                .outerjoin(CROSSWALK_CASES, told)
            )
            .where(
                groups.c.run_id == run_id,
                groups.c.wave == wave,
                groups.c.state.in_(("CLOSING", "CLOSED")),
                cases.c.relation.in_(("MOVED", "DUPLICATE_OF")),
                CROSSWALK_CASES.c.case_id.is_(None),
            )
        )
        scheme = case((cases.c.host_system == "CLERICAL", "CLERICAL"), else_=CASES.c.scheme)
        ordered = statement.order_by(scheme, CASES.c.source_ref)
        yield from self._connection.execute(ordered, execution_options={"yield_per": AT_ONCE})

    def note_crosswalk(self, run_id: str, cases: Sequence[tuple[str, int]], sequence: int) -> None:
        """Note that a crosswalk has these cases (case, attempt)."""
        rows = [
            {"run_id": run_id, "case_id": case_id, "attempt": attempt, "sequence": sequence}
            for case_id, attempt in cases
        ]
        for start in range(0, len(rows), AT_ONCE):
            self._connection.execute(
                insert_into(self._connection.dialect.name, CROSSWALK_CASES).values(rows[start : start + AT_ONCE])
            )

    def add_file(
        self,
        system: str,
        sequence: int,
        *,
        name: str,
        created_on: date,
        made_at: datetime,
        sha256: str,
        size: int,
        records: int,
    ) -> None:
        """Note a file that is kept as an original."""
        self._connection.execute(
            HANDOVER_FILES.insert().values(
                system=system, sequence=sequence, name=name, created_on=created_on, made_at=made_at, sha256=sha256,
                bytes=size, records=records,
            )
        )  # fmt: skip

    def files(self, system: str | None = None, *, unhanded: bool = False) -> list[Row[Any]]:
        """Files that were noted, by system and number."""
        statement = select(HANDOVER_FILES).order_by(HANDOVER_FILES.c.system, HANDOVER_FILES.c.sequence)
        if system is not None:
            statement = statement.where(HANDOVER_FILES.c.system == system)
        if unhanded:
            statement = statement.where(HANDOVER_FILES.c.handed_at.is_(None))
        return list(self._connection.execute(statement))

    def note_handed(self, system: str, sequence: int, *, at: datetime) -> None:
        """A file lies in the outgoing folder now."""
        chosen = and_(HANDOVER_FILES.c.system == system, HANDOVER_FILES.c.sequence == sequence)
        self._connection.execute(update(HANDOVER_FILES).where(chosen).values(handed_at=at))
