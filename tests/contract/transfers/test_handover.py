"""Files to the sources and back: return files, answers, crosswalk; reconciliation and evidence of what moved."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select

from integrationhub.bootstrap import Hub
from integrationhub.errors import HubError, InvariantBroken
from integrationhub.intake.report import FileReport, FileVerdict
from integrationhub.migration.evidence.pack import verify_pack
from integrationhub.migration.handover.notices import Action, FileHead, Kind, Notice
from integrationhub.migration.settling import close, compare, sign_off
from integrationhub.migration.watching import Answer
from integrationhub.receive.folder import find_files
from integrationhub.store.invariants import check
from integrationhub.store.schema import WORKLIST
from tests.contract.transfers.conftest import NOW, open_hub
from tests.contract.transfers.steps import ALICE, BOB, PLAN, WAVE, approved, moved, reconciled, states


class Killed(BaseException):
    """Stands for the end of the process."""


CONNECTORS = {"CSCS": "csa1993", "CS2": "csa2003"}


def notices(hub: Hub, system: str, path: Path) -> list[Notice]:
    with path.open("rb") as source:
        _, found = hub.handover().writers[system].read(source)  # type: ignore[attr-defined]
        return list(found)


def outgoing(hub: Hub, system: str) -> list[Path]:
    return sorted(
        path for path in (hub.settings.data_dir / "outgoing" / system.lower()).glob("*") if path.suffix != ".ctl"
    )


def answered(hub: Hub, folder: Path, system: str, sequence: int, found: list[Notice]) -> Path:
    """A file of answers from the source, with its trigger file."""
    target = io.BytesIO()
    head = FileHead(sequence=sequence, created=NOW.date(), kind=Kind.ANSWER)
    records = hub.handover().writers[system].write(target, head, iter(found))
    suffix = ".dat" if system == "CSCS" else ".xml"
    path = folder / f"{system}.RETURN.D{NOW:%Y%m%d}.S{sequence:06d}{suffix}"
    path.write_bytes(target.getvalue())
    path.with_suffix(".ctl").write_text(
        f"FILE={path.name}\nBYTES={len(target.getvalue())}\nRECORDS={records}\n"
        f"SHA256={sha256(target.getvalue()).hexdigest()}\nSEQUENCE={sequence}\nASAT={NOW:%Y-%m-%d}\n"
    )
    return path


def with_answer(notice: Notice, status: str = "A", reason: str | None = None) -> Notice:
    return replace(notice, status=status, reason=reason)  # type: ignore[arg-type]


def taken(hub: Hub, system: str, path: Path) -> FileVerdict:
    pipeline = hub.answers(CONNECTORS[system])
    assert pipeline is not None
    (report,) = pipeline.take_all(find_files([path], pipeline.descriptor.delivery), lambda _f: lambda _d, _a: None)
    return report.verdict


@pytest.fixture
def gone(hub: Hub) -> Hub:
    """A hub that has moved a wave and handed out its notices."""
    approved(hub)
    moved(hub)
    hub.handover().hand_over()
    return hub


def test_every_case_that_moves_is_frozen_at_its_source(gone: Hub) -> None:
    for system in CONNECTORS:
        (path,) = outgoing(gone, system)
        found = notices(gone, system, path)
        assert found
        assert {notice.action for notice in found} == {Action.FREEZE}
        assert path.with_suffix(".ctl").exists()


def test_handing_over_again_adds_no_file(gone: Hub) -> None:
    before = {system: outgoing(gone, system) for system in CONNECTORS}
    assert gone.handover().hand_over() == []
    assert {system: outgoing(gone, system) for system in CONNECTORS} == before


def test_answers_close_a_signed_wave_and_its_crosswalk_names_each_case_once(gone: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    folder.mkdir()
    for system in CONNECTORS:
        (path,) = outgoing(gone, system)
        answers = [with_answer(notice) for notice in notices(gone, system, path)]
        assert taken(gone, system, answered(gone, folder, system, 1, answers)) is FileVerdict.ACCEPTED
    handling = gone.handling(PLAN)
    compare(handling, ALICE, WAVE)
    reconciled(gone)
    sign_off(handling, BOB, WAVE, "agreed")
    waiting = close(handling, BOB, WAVE).waiting
    assert waiting
    gone.handover().hand_over()
    with gone.store.read() as connection:
        run_id = handling.run(connection).run_id
    (crosswalk,) = gone.handover().hand_crosswalk(run_id, WAVE)
    rows = list(csv.DictReader(crosswalk.path.read_text(encoding="utf-8").splitlines()))
    assert len({(row["scheme"], row["source_ref"]) for row in rows}) == len(rows) > 0
    assert {row["relation"] for row in rows} <= {"MOVED", "DUPLICATE_OF"}
    assert gone.handover().hand_crosswalk(run_id, WAVE) == []
    targets = {row["source_ref"]: row["target_ref"] for row in rows}
    for system in CONNECTORS:
        closing = notices(gone, system, outgoing(gone, system)[-1])
        assert {notice.action for notice in closing} == {Action.CLOSE}
        assert {notice.case_ref: notice.target_ref for notice in closing}.items() <= targets.items()
        assert (
            taken(gone, system, answered(gone, folder, system, 2, [with_answer(n) for n in closing]))
            is FileVerdict.ACCEPTED
        )
    assert close(handling, BOB, WAVE).waiting == 0
    assert set(states(gone)) <= {"CLOSED", "HELD"}
    with gone.store.read() as connection:
        assert [item.invariant for item in check(connection) if not item.holds] == []


def test_a_rejected_notice_takes_the_whole_group_back(gone: Hub, tmp_path: Path) -> None:
    (path,) = outgoing(gone, "CSCS")
    first, *others = notices(gone, "CSCS", path)
    answers = [with_answer(first, "J", "B"), *(with_answer(notice) for notice in others)]
    before = states(gone)
    assert taken(gone, "CSCS", answered(gone, tmp_path, "CSCS", 1, answers)) is FileVerdict.ACCEPTED
    assert states(gone)["HELD"] == before.get("HELD", 0) + 1


def test_a_group_that_is_taken_back_before_its_close_went_out_is_released_and_never_closed(gone: Hub) -> None:
    handling = gone.handling(PLAN)
    compare(handling, ALICE, WAVE)
    reconciled(gone)
    sign_off(handling, BOB, WAVE, "agreed")
    close(handling, BOB, WAVE)
    (path,) = outgoing(gone, "CSCS")
    first = notices(gone, "CSCS", path)[0]
    assert gone.watch().answer(Answer(notice_id=first.notice_id, status="J", reason="B")) == "HELD"
    gone.handover().hand_over()

    told = [notice.action for path in outgoing(gone, "CSCS") for notice in notices(gone, "CSCS", path)
            if notice.case_ref == first.case_ref]  # fmt: skip
    assert told == [Action.FREEZE, Action.RELEASE]
    everything = [notice.action for path in outgoing(gone, "CSCS") for notice in notices(gone, "CSCS", path)]
    assert Action.CLOSE in everything
    assert gone.handover().hand_over() == []


def test_answers_are_a_feed_of_their_own(gone: Hub, tmp_path: Path) -> None:
    (path,) = outgoing(gone, "CSCS")
    answers = [with_answer(notice) for notice in notices(gone, "CSCS", path)]
    second = answered(gone, tmp_path, "CSCS", 2, answers)
    assert taken(gone, "CSCS", second) is FileVerdict.HELD  # the first is missing
    first = answered(gone, tmp_path, "CSCS", 1, answers)
    assert taken(gone, "CSCS", first) is FileVerdict.ACCEPTED
    assert taken(gone, "CSCS", first) is FileVerdict.DUPLICATE
    assert taken(gone, "CSCS", second) is FileVerdict.DUPLICATE  # was taken up behind the first
    broken = answered(gone, tmp_path, "CSCS", 3, [answers[0], answers[1]])
    broken.write_bytes(broken.read_bytes()[:-80])
    assert taken(gone, "CSCS", broken) is FileVerdict.REJECTED


def report_of(hub: Hub, system: str, path: Path) -> FileReport:
    pipeline = hub.pipeline(f"{CONNECTORS[system]}-answers")
    (report,) = pipeline.take_all(find_files([path], pipeline.descriptor.delivery), lambda _f: lambda _d, _a: None)
    return report


def test_an_answer_about_another_case_or_another_answer_than_before_waits_for_a_person(
    gone: Hub, tmp_path: Path
) -> None:
    (path,) = outgoing(gone, "CSCS")
    first, second, *others = notices(gone, "CSCS", path)
    swapped = [replace(first, notice_id=second.notice_id), replace(second, notice_id=first.notice_id), *others]
    before = states(gone)
    report = report_of(gone, "CSCS", answered(gone, tmp_path, "CSCS", 1, [with_answer(one) for one in swapped]))
    assert {reason.code for reason in report.reasons} == {"NOTICE_UNKNOWN"}
    assert (report.outcomes["LOADED"], report.outcomes["EXCEPTION"]) == (len(others), 2)

    answers = [with_answer(first), with_answer(second), *(with_answer(one, "J", "S") for one in others)]
    report = report_of(gone, "CSCS", answered(gone, tmp_path, "CSCS", 2, answers))
    assert {reason.code for reason in report.reasons} == {"NOTICE_CONTRADICTED"}
    assert (report.outcomes["LOADED"], report.outcomes["EXCEPTION"]) == (2, len(others))
    assert states(gone) == before  # the first answers stay
    with gone.store.read() as connection:
        waiting = Counter(connection.execute(select(WORKLIST.c.code).where(WORKLIST.c.entity == "notices")).scalars())
        assert waiting == {"NOTICE_UNKNOWN": 2, "NOTICE_CONTRADICTED": len(others)}
        assert [item.invariant for item in check(connection) if not item.holds] == []


def test_a_trigger_file_with_another_number_of_records_is_refused(gone: Hub, tmp_path: Path) -> None:
    (path,) = outgoing(gone, "CSCS")
    answers = answered(gone, tmp_path, "CSCS", 1, [with_answer(one) for one in notices(gone, "CSCS", path)])
    trigger = answers.with_suffix(".ctl")
    trigger.write_text(trigger.read_text().replace("RECORDS=", "RECORDS=1"))
    report = report_of(gone, "CSCS", answers)
    assert (report.verdict, report.reasons[0].code) == (FileVerdict.REJECTED, "CONTROL_COUNT")
    assert "connector resume csa1993-answers" in str(report.remedy)
    desk = gone.desk("csa1993-answers")
    with gone.pipeline("csa1993-answers").exclusive():
        desk.resume(skip=1, by="alice", reason="lost at the source")
    assert taken(gone, "CSCS", answered(gone, tmp_path, "CSCS", 2, [])) is FileVerdict.ACCEPTED


def test_killed_between_answers_the_file_is_reported_as_if_nothing_had_happened(
    on_sqlite: Callable[[], Path], tmp_path: Path
) -> None:
    def checkpoint(reached: str) -> None:
        if reached == "before answers accepted":
            raise Killed

    reports = []
    for killed in (False, True):
        folder, files = on_sqlite(), tmp_path / f"answers{killed}"
        files.mkdir()
        with open_hub(folder) as hub:
            approved(hub)
            moved(hub)
            hub.handover().hand_over()
            (path,) = outgoing(hub, "CSCS")
            answers = answered(hub, files, "CSCS", 1, [with_answer(one) for one in notices(hub, "CSCS", path)])
        if killed:
            with open_hub(folder, checkpoint=checkpoint) as hub, pytest.raises(Killed):
                report_of(hub, "CSCS", answers)
        with open_hub(folder) as hub:
            reports.append(report_of(hub, "CSCS", answers).outcomes)
    assert reports[0] == reports[1]
    assert reports[0]["LOADED"]


def test_a_notice_is_no_answer(gone: Hub, tmp_path: Path) -> None:
    (path,) = outgoing(gone, "CSCS")
    unanswered = answered(gone, tmp_path, "CSCS", 1, notices(gone, "CSCS", path))
    assert taken(gone, "CSCS", unanswered) is FileVerdict.REJECTED


@pytest.mark.parametrize("point", ["return file kept", "before return file noted", "return file out"])
def test_killed_while_handing_over_the_same_bytes_lie_there_in_the_end(
    point: str, on_sqlite: Callable[[], Path]
) -> None:
    def contents(hub: Hub) -> Iterator[tuple[str, bytes]]:
        for system in CONNECTORS:
            for path in outgoing(hub, system):
                yield path.name, path.read_bytes()
                yield path.with_suffix(".ctl").name, path.with_suffix(".ctl").read_bytes()

    def checkpoint(reached: str) -> None:
        if reached == point:
            raise Killed

    with open_hub(on_sqlite()) as hub:
        approved(hub)
        moved(hub)
        hub.handover().hand_over()
        undisturbed = dict(contents(hub))
    folder = on_sqlite()
    with open_hub(folder) as hub:
        approved(hub)
        moved(hub)
    with open_hub(folder, checkpoint=checkpoint) as hub, pytest.raises(Killed):
        hub.handover().hand_over()
    with open_hub(folder) as hub:
        hub.handover().hand_over()
        assert dict(contents(hub)) == undisturbed


def test_a_reconciliation_that_leaves_out_a_book_of_what_moved_is_none(gone: Hub) -> None:
    with gone.store.read() as connection:
        run_id = gone.handling(PLAN).run(connection).run_id
    with pytest.raises(InvariantBroken, match="CS2 have moved"):
        gone.reconciliation(("csa1993",)).run(run_id=run_id)
    assert gone.reconciliation(("csa1993",)).run()[0].holds


def test_what_moved_reconciles_with_the_originals_to_the_penny(gone: Hub) -> None:
    with gone.store.read() as connection:
        run_id = gone.handling(PLAN).run(connection).run_id
    found = gone.reconciliation().run(run_id=run_id)
    assert [one for item in found for one in item.moves.breaks] == []
    assert all(item.holds for item in found)
    totals = [total for item in found for total in item.moves.totals]
    assert sum(total.accounts for total in totals)
    for total in totals:
        assert total.opening_pence == total.said_pence
        assert total.out_pence == total.in_pence == total.opening_pence + total.adjustment_pence
        assert total.under_pence - total.over_pence == total.adjustment_pence


def test_evidence_is_the_same_again_and_verifies_with_the_public_key(gone: Hub, tmp_path: Path) -> None:
    handling = gone.handling(PLAN)
    with gone.store.read() as connection:
        run_id = handling.run(connection).run_id
    packs = []
    for name in ("first", "second"):
        reconciled = gone.reconciliation().run(run_id=run_id)
        _, key = gone.write_evidence(handling, reconciled, tmp_path / name)
        assert verify_pack(tmp_path / name, key) == []
        packs.append(
            {
                str(path.relative_to(tmp_path / name)): path.read_bytes()
                for path in (tmp_path / name).rglob("*")
                if path.is_file()
            }
        )
    assert packs[0] == packs[1]
    assert {"index.html", "evidence.json", "files/plan/plan.toml"} <= packs[0].keys()
    with pytest.raises(HubError):
        gone.write_evidence(handling, [], tmp_path / "first")
