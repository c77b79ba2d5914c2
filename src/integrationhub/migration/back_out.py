"""Back-out: a group or a wave returns to its sources, until it is signed off. What can't be undone is said first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from integrationhub.errors import Conflict, NotFound
from integrationhub.identity import Actor
from integrationhub.migration.handling import Handling
from integrationhub.migration.taking_back import take_back
from integrationhub.store import transfer_reading as reading
from integrationhub.store import transfer_sources
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Reading
from integrationhub.telemetry import UnitOfWork

SIGNED = ("SIGNED_OFF", "CLOSING", "CLOSED")
GROUPS_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What a back-out would do. `lasting` are sentences about what stays whatever is done, `carried` about what has
    happened since the move and is where it belongs. `hindrances`: why it can't be done at all.
    """

    groups: tuple[str, ...]
    cases: int
    pence: int
    lasting: tuple[str, ...]
    carried: tuple[str, ...]
    hindrances: tuple[str, ...]


def foresee(handling: Handling, *, wave: str | None = None, group: str | None = None) -> Prospect:
    """What backing this out would mean; nothing is done. NotFound: there is no such group in the run."""
    with handling.store.read() as connection:
        run = handling.run(connection)
        rows = _chosen(connection, run, wave, group)
        return _prospect(connection, run, rows)


def _chosen(connection: Reading, run: Stored, wave: str | None, group: str | None) -> list[Stored]:
    rows = reading.groups(connection, run.run_id, wave=wave)
    if group is not None:
        rows = [row for row in rows if row.case_group_id == group]
        if not rows:
            raise NotFound("no group of this run has that identifier", code="NO_GROUP")
    return rows


def _prospect(connection: Reading, run: Stored, rows: Sequence[Stored]) -> Prospect:
    movable = [row for row in rows if row.state in ("FROZEN", "LOADED")]
    signed = Counter(row.state for row in rows if row.state in SIGNED)
    ids = [row.case_group_id for row in movable]
    entries = [row for row in reading.entries(connection, run.run_id, ids) if row.kind == "TRANSFER_IN"]
    return Prospect(
        groups=tuple(ids),
        cases=sum(row.cases for row in movable),
        pence=sum(int(row.pence) for row in entries),
        lasting=tuple(_lasting(connection, run, movable)),
        carried=tuple(_carried(connection, movable)),
        hindrances=tuple(f"{count} groups are {state}: they can't be backed out" for state, count in signed.items()),
    )


def _lasting(connection: Reading, run: Stored, rows: Sequence[Stored]) -> list[str]:
    ids = [row.case_group_id for row in rows]
    said = []
    references = reading.live_references(connection, run.run_id, ids)
    if references:
        said.append(f"{references} target references are retired for good; a group that moves again gets new ones")
    sent = answered = 0
    for row in rows:
        for notice in reading.notices_of_group(connection, run.run_id, row.case_group_id, row.attempt):
            sent += notice.file_sequence is not None
            answered += notice.answer is not None
    if sent:
        said.append(f"{sent} FREEZE notices have gone out and can't be called back: a RELEASE follows each")
    if answered:
        said.append(f"{answered} notices were answered by their source: the answers stay on record")
    printed = reading.printed(connection, ids)
    count = sum(row.case_group_id in printed for row in rows)
    if count:
        said.append(f"{count} groups have a printed closure notice: the letters stay sent, the segments stay frozen")
    return said


def _carried(connection: Reading, rows: Sequence[Stored]) -> list[str]:
    said = []
    cases = {case for row in rows for case in transfer_sources.case_ids_of(connection, row.case_group_id)}
    events = transfer_sources.cases_with_events(connection) & cases
    if events:
        said.append(f"{len(events)} cases have change events since their book: they stand in the source's own book")
    if rows:
        said.append(
            "nothing was posted at the target since the move: loading is silent, the source keeps its own entries"
        )
    return said


def back_out(handling: Handling, actor: Actor, prospect: Prospect, reason: str) -> int:
    """Do what was foreseen, group by group whole, and prove it; how many groups. Conflict: something stands against it.

    Killed and started again, it goes on with the groups that are left.
    """
    if prospect.hindrances:
        raise Conflict(
            "; ".join(prospect.hindrances), code="SIGNED_OFF",
            remedy="after sign-off the way back is the source's rejection (J) of the CLOSE notice",
        )  # fmt: skip
    with (
        handling.store.exclusive(f"transfer-{handling.bound.name}"),
        UnitOfWork("back_out", plan=handling.bound.name) as unit,
    ):
        done = 0
        for start in range(0, len(prospect.groups), GROUPS_AT_ONCE):
            part = prospect.groups[start : start + GROUPS_AT_ONCE]
            with handling.store.begin() as work:
                run = handling.run(work.connection)
                rows = [row for row in work.transfers.lock(run.run_id, part) if row.state in ("FROZEN", "LOADED")]
                for row in rows:
                    state = "RELEASED" if row.state == "FROZEN" else "BACKED_OUT"
                    take_back(work, [row], state=state, reason=reason, actor=actor, at=handling.clock())
                handling.checkpoint("before backed out")
                work.commit()
            done += len(rows)
            handling.checkpoint("backed out")
        unit.note(groups=done)
    return done
