"""Files of feeds that are judged in units: checked in order, numbered, judged once, whatever is killed."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.errors import TransientError
from integrationhub.intake.report import FileReport
from integrationhub.intake.units import spool
from integrationhub.receive.folder import FoundFile, find_files
from integrationhub.store.invariants import check
from integrationhub.store.state import read_state
from integrationhub.unit_pipeline import UnitPipeline
from tests.unit.intake.toy import NOW, handed_over

Take = Callable[..., FileReport]


@pytest.fixture
def take(hub: Hub, tmp_path: Path) -> Take:
    """Hand a file over: TOY.<number>.txt with these lines; `keys` of its trigger file."""

    def handed(number: int, *lines: str, series: str = "A", name: str = "", **keys: object) -> FileReport:
        content = "\n".join([f"{series},{number}", *lines]).encode()
        path = handed_over(tmp_path / "in", name or f"TOY.{number:03}.txt", content, **keys)
        (report,) = hub.pipeline("toys").take_all([found(hub, path)], lambda _item: lambda _done, _total: None)
        return report

    return handed


def found(hub: Hub, path: Path) -> FoundFile:
    return find_files([path], hub.pipeline("toy").descriptor.delivery)[0]


def told(report: FileReport) -> tuple[str, str | None]:
    return report.verdict.value, report.reasons[0].code if report.reasons else None


def test_a_file_is_judged_unit_by_unit_and_its_outcomes_add_up(take: Take, hub: Hub) -> None:
    report = take(1, "DM0010000001,500", "R1,200", "R2,0", "R1,200")

    assert told(report) == ("ACCEPTED", "UNMATCHED")
    assert report.outcomes == {
        "LOADED": 1, "EXCEPTION": 1, "EXCLUDED": 1, "DUPLICATE": 1, "REJECTED": 0, "SUPERSEDED": 0,
    }  # fmt: skip
    assert (report.records, report.debts.count, report.debts.pence) == (4, 1, 500)
    with hub.store.read() as connection:
        assert [item.invariant for item in check(connection) if not item.holds] == []


def test_the_same_file_again_is_a_duplicate_and_its_name_with_other_content_is_refused(take: Take) -> None:
    take(1, "R1,200")

    assert told(take(1, "R1,200")) == ("DUPLICATE", "DUPLICATE")
    assert told(take(1, "R1,201")) == ("REJECTED", "SEQ_REUSED")


def test_a_number_that_comes_early_waits_and_is_taken_up_by_itself(take: Take) -> None:
    assert told(take(2, "R2,200")) == ("HELD", "SEQ_GAP")

    first = take(1, "R1,200")

    assert first.released == ("TOY.002.txt",)
    assert told(take(2, "R2,200")) == ("DUPLICATE", "DUPLICATE")


def test_every_series_counts_for_itself(take: Take) -> None:
    assert take(1, "R1,200", name="TOY.001.txt").verdict == "ACCEPTED"
    assert take(1, "R2,200", series="B", name="TOY.901.txt").verdict == "ACCEPTED"
    assert told(take(1, "R3,200", series="B", name="TOY.902.txt")) == ("REJECTED", "SEQ_REUSED")


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"FILE": "OTHER.txt"}, "CTL_INVALID"),
        ({"RECORDS": "many"}, "CTL_INVALID"),
        ({"BYTES": 1}, "SIZE_MISMATCH"),
        ({"SHA256": "0" * 64}, "SHA_MISMATCH"),
        ({"BYTES": 1, "SHA256": "0" * 64}, "SIZE_MISMATCH"),
    ],
)
def test_a_refused_file_uses_up_neither_name_nor_number(take: Take, keys: dict[str, object], code: str) -> None:
    assert told(take(1, "R1,200", **keys)) == ("REJECTED", code)
    assert told(take(2, "R2,1")) == ("HELD", "SEQ_GAP")

    assert take(1, "R1,200").verdict == "ACCEPTED"


def test_faults_of_the_content_are_told_in_their_order(take: Take) -> None:
    assert told(take(2, "!", "?")) == ("REJECTED", "TOY_STRUCTURE")
    assert told(take(2, "?")) == ("HELD", "SEQ_GAP")
    assert told(take(1, "?")) == ("REJECTED", "CONTROL_TOTAL")


def test_an_empty_file_and_a_trigger_file_alone_are_told_apart(hub: Hub, tmp_path: Path) -> None:
    empty = handed_over(tmp_path / "in", "TOY.001.txt", b"")
    alone = handed_over(tmp_path / "in", "TOY.002.txt", b"A,2\n")
    alone.unlink()

    pipeline = hub.pipeline("toy")
    assert told(pipeline.check(found(hub, empty))) == ("REJECTED", "FILE_EMPTY")
    assert told(pipeline.check(found(hub, alone.with_name("TOY.002.txt.ctl")))) == ("HELD", "CTL_WITHOUT_DATA")


@pytest.mark.parametrize(
    ("stated", "damage", "outcome"),
    [
        (0, False, ("ACCEPTED", "UNMATCHED")),
        (-1, False, ("REJECTED", "DECOMPRESS_LIMIT")),
        (1, False, ("REJECTED", "DECOMPRESS_ERROR")),
        (0, True, ("REJECTED", "DECOMPRESS_ERROR")),
    ],
)
def test_a_compressed_file_is_unpacked_within_what_it_states(
    hub: Hub, tmp_path: Path, stated: int, damage: bool, outcome: tuple[str, str]
) -> None:
    content = b"A,1\nR1,200\n"
    packed = gzip.compress(content)
    packed = packed[:-9] if damage else packed
    keys = {"UNCOMPRESSED-BYTES": len(content) + stated}
    path = handed_over(tmp_path / "in", "TOY.001.txt.gz", packed, **keys)

    assert told(hub.pipeline("toy").check(found(hub, path))) == outcome


def test_a_check_changes_nothing(take: Take, hub: Hub, tmp_path: Path) -> None:
    path = handed_over(tmp_path / "in", "TOY.001.txt", b"A,1\nR1,200\nDM0010000001,5")

    assert hub.pipeline("toy").check(found(hub, path)).records == 2

    with hub.store.read() as connection:
        state = read_state(connection, as_at=NOW.date())
    assert state["events_internal"] == {}
    assert take(1, "R1,200", "DM0010000001,5").verdict == "ACCEPTED"


@pytest.mark.parametrize("point", ["before commit", "after commit", "before accept"])
def test_a_load_that_breaks_off_ends_as_if_it_had_not(
    hub: Hub, take: Take, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(spool, "AT_ONCE", 300)
    lines = [f"R{number},{number}" for number in range(1, 1_001)]
    pipeline, left = hub.pipeline("toy"), 2 if point != "before accept" else 1
    assert isinstance(pipeline, UnitPipeline)

    def broken(reached: str) -> None:
        nonlocal left
        if reached == point:
            left -= 1
            if left == 0:
                raise TransientError("the power went")

    monkeypatch.setattr(hub, "checkpoint", broken)
    hub._pipelines.clear()
    with pytest.raises(TransientError):
        take(1, *lines)

    report = take(1, *lines)

    assert (report.verdict, report.records, report.outcomes["EXCEPTION"]) == ("ACCEPTED", 1_000, 1_000)
    with hub.store.read() as connection:
        assert [item.invariant for item in check(connection) if not item.holds] == []
        assert read_state(connection, as_at=NOW.date())["events_internal"]["worklist.opened"] == 1_000


def test_a_full_list_names_what_it_no_longer_has(take: Take, hub: Hub) -> None:
    take(1, "DM0010000001,1", "DM0010000002,2", "DM0010000003,3")

    report = take(2, "*", "DM0010000002,2")

    assert report.missing == ("DM0010000001", "DM0010000003")
    with hub.store.read() as connection:
        assert read_state(connection, as_at=NOW.date())["events_internal"]["worklist.opened"] == 2
