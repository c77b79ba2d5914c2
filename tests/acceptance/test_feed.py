"""A feed in bad days: files that come early, twice, refused, corrected, never; and an operator who helps."""

import shutil
from pathlib import Path

import pytest

from tests.acceptance.files import Night, hand_over
from tests.acceptance.installation import Installation


def spoilt(night: Night, folder: Path) -> Path:
    """The night's file with a control total that is wrong."""
    good = night.good()
    last = len(good.records) - 1
    raw = good.field(last, "T-CUSTODIAN")
    faulty = good.broken("R12", "", good.with_field(last, "T-CUSTODIAN", bytes([raw[0] ^ 0x10]) + raw[1:]))
    return hand_over(faulty, folder)


def figures(hub: Installation) -> dict[str, dict[str, int]]:
    return {row["case"]: row["source"] for row in hub.rows("arrears")}


def test_an_early_file_waits_for_the_missing_one_and_is_taken_up_by_itself(
    hub: Installation, nights: list[Night]
) -> None:
    first, second, third, _ = nights
    hub.call("ingest", "csa1993", first.data)

    early = hub.call("ingest", "csa1993", third.data, "--json", code=75)
    assert (early.verdicts, early.codes) == (["HELD"], ["R04"])
    assert "sequence 102 is missing" in early.out
    assert figures(hub) == first.sources

    [report] = hub.call("ingest", "csa1993", second.data, "--json").rows
    assert (report["verdict"], report["released"]) == ("ACCEPTED", [third.data.name])
    assert {case: figures(hub)[case] for case in third.sources} == third.sources


def test_an_early_file_that_turns_out_bad_stops_the_feed_when_it_is_taken_up(
    hub: Installation, nights: list[Night], tmp_path: Path
) -> None:
    first, second, third, fourth = nights
    hub.call("ingest", "csa1993", first.data)
    hub.call("ingest", "csa1993", spoilt(third, tmp_path), code=75)

    hub.call("ingest", "csa1993", second.data)

    assert "stands still at sequence 103 (R12)" in hub.call("status").out
    assert figures(hub) == second.sources
    assert hub.call("ingest", "csa1993", fourth.data, "--json", code=75).codes == ["FEED_STOPPED"]


def test_files_found_together_are_taken_in_sequence_order(hub: Installation, nights: list[Night]) -> None:
    paths = [night.data for night in reversed(nights)]

    done = hub.call("ingest", "csa1993", *paths, "--json")

    assert [row["path"] for row in done.rows] == [str(night.data) for night in nights]
    assert done.verdicts == ["ACCEPTED"] * 4


def test_a_folder_stands_for_the_files_in_it(hub: Installation, nights: list[Night], tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    for night in nights[:2]:
        night.hand_over(folder)
    (folder / "README.txt").write_text("not of this feed")
    (folder / "CSCS.NIGHTLY.D20150703.S000103.dat.part").write_bytes(b"x")

    assert hub.call("ingest", "csa1993", folder, "--json").verdicts == ["ACCEPTED", "ACCEPTED"]


def test_a_corrected_file_and_the_one_behind_it_are_taken_in_one_call(
    hub: Installation, nights: list[Night], tmp_path: Path
) -> None:
    first, second, third, _ = nights
    hub.call("ingest", "csa1993", spoilt(first, tmp_path), code=7)
    hub.call("ingest", "csa1993", second.data, third.data, code=75)

    done = hub.call("ingest", "csa1993", first.data, second.data, third.data, "--json")

    assert done.verdicts == ["ACCEPTED"] * 3
    assert [row["outcomes"]["LOADED"] for row in done.rows] == [row["records"] for row in done.rows]
    assert "up" in hub.call("status").out


def test_one_refused_file_among_others_makes_the_exit_code(
    hub: Installation, nights: list[Night], tmp_path: Path
) -> None:
    first, second, third, _ = nights
    folder = first.hand_over(tmp_path / "drop").parent
    spoilt(second, folder)
    third.hand_over(folder)

    done = hub.call("ingest", "csa1993", folder, "--json", code=7)

    assert done.verdicts == ["ACCEPTED", "REJECTED", "HELD"]
    assert done.codes == [None, "R12", "FEED_STOPPED"]


def test_an_operator_passes_over_a_refused_number(hub: Installation, nights: list[Night], tmp_path: Path) -> None:
    first, second, third, _ = nights
    hub.call("ingest", "csa1993", first.data)
    hub.call("ingest", "csa1993", spoilt(second, tmp_path), third.data, code=7)

    assert "NOT_NEXT" in hub.call("connector", "resume", "csa1993", "--skip", 103, "--reason", "x", code=5).err
    assert "--reason" in hub.call("connector", "resume", "csa1993", "--skip", 102, code=2).err
    assert figures(hub) == first.sources

    out = hub.call("connector", "resume", "csa1993", "--skip", 102, "--reason", "lost at the source").out
    assert f"{third.data.name}: ACCEPTED" in out
    assert {case: figures(hub)[case] for case in third.sources} == third.sources
    late = hub.call("ingest", "csa1993", second.data, "--json", code=7)
    assert late.codes == ["R06"]


def test_an_operator_passes_over_a_refused_first_file(hub: Installation, nights: list[Night], tmp_path: Path) -> None:
    hub.call("ingest", "csa1993", spoilt(nights[0], tmp_path), nights[2].data, code=7)

    hub.call("connector", "resume", "csa1993", "--skip", 101, "--reason", "starts with 102")

    waiting = hub.call("ingest", "csa1993", nights[2].data, "--json", code=75)
    assert waiting.codes == ["R04"]
    assert hub.call("ingest", "csa1993", nights[1].data, nights[2].data, "--json").verdicts == ["ACCEPTED"] * 2


def test_a_feed_that_goes_on_without_a_skip_still_expects_the_number(
    hub: Installation, nights: list[Night], tmp_path: Path
) -> None:
    first, second, third, _ = nights
    hub.call("ingest", "csa1993", first.data)
    hub.call("ingest", "csa1993", spoilt(second, tmp_path), third.data, code=7)

    hub.call("connector", "resume", "csa1993")

    assert hub.call("ingest", "csa1993", third.data, "--json", code=75).codes == ["R04"]
    assert hub.call("ingest", "csa1993", second.data, third.data, "--json").verdicts == ["ACCEPTED"] * 2


def test_a_used_number_with_other_bytes_stops_the_feed_until_somebody_has_looked(
    hub: Installation, nights: list[Night], tmp_path: Path
) -> None:
    first, second, *_ = nights
    hub.call("ingest", "csa1993", first.data)
    other = hub.call("ingest", "csa1993", spoilt(first, tmp_path), "--json", code=7)
    assert other.codes == ["R06"]
    assert hub.call("ingest", "csa1993", second.data, "--json", code=75).codes == ["FEED_STOPPED"]

    out = hub.call("connector", "resume", "csa1993").out

    assert f"{second.data.name}: ACCEPTED" in out


def test_a_data_file_without_its_trigger_is_not_there_yet(
    hub: Installation, nights: list[Night], tmp_path: Path
) -> None:
    first = nights[0]
    path = first.hand_over(tmp_path / "drop")
    path.with_suffix(".ctl").unlink()

    waiting = hub.call("ingest", "csa1993", path, "--json", code=75)
    assert (waiting.verdicts, waiting.codes) == (["HELD"], ["CTL_MISSING"])
    assert "Nothing has arrived yet" in hub.call("status").out

    shutil.copy(first.trigger, path.with_suffix(".ctl"))
    assert hub.call("ingest", "csa1993", path.parent, "--json").verdicts == ["ACCEPTED"]


def test_a_paused_connector_keeps_what_comes_and_takes_it_when_it_goes_on(
    hub: Installation, nights: list[Night]
) -> None:
    first, second, *_ = nights
    hub.call("connector", "pause", "csa1993", "--reason", "month end")

    held = hub.call("ingest", "csa1993", first.data, second.data, "--json", code=75)
    assert (held.verdicts, held.codes) == (["HELD", "HELD"], ["PAUSED", "PAUSED"])
    assert "paused" in hub.call("status").out
    assert not figures(hub)

    out = hub.call("connector", "resume", "csa1993").out
    assert out.count("ACCEPTED") == 2
    assert figures(hub) == second.sources


def test_nobody_holds_a_connector_or_passes_over_a_file_under_a_name_that_is_not_his(
    hub: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "identity.toml"
    settings.write_text('[identity]\nsomebody-else = ["A. Clerk"]\n', encoding="utf-8")
    monkeypatch.setenv("LOGNAME", "somebody-else")

    for arguments in (("pause", "--reason", "x"), ("resume",), ("resume", "--skip", 102, "--reason", "x")):
        asked = ("connector", arguments[0], "csa1993", *arguments[1:], "--config", settings)
        assert "IDENTITY" in hub.call(*asked, code=4).err
        assert "IDENTITY" in hub.call(*asked, "--as", "A. Clerk", code=4).err


@pytest.mark.parametrize("arguments", [("csa1993", "nowhere.dat"), ("csa1993", "."), ("csa1066", ".")])
def test_what_is_not_there_is_said_so(hub: Installation, arguments: tuple[str, str]) -> None:
    hub.data.mkdir()

    hub.run("ingest", *arguments, code=3)


@pytest.mark.parametrize("arguments", [("csa1993", "no.dat"), ("csa2003", "no.xml"), ("csa2003", "no.jsonl")])
def test_what_is_not_there_is_not_sent(hub: Installation, arguments: tuple[str, str]) -> None:
    assert "there is no file" in hub.call("send", *arguments, code=3).err


def test_two_runs_at_once_do_not_disturb_each_other(tmp_path: Path, hub: Installation, nights: list[Night]) -> None:
    undisturbed = Installation(tmp_path / "undisturbed")
    undisturbed.call("ingest", "csa1993", nights[0].data, slice_bytes=8192)

    runs = [hub.popen("ingest", "csa1993", nights[0].data, "--json", slice_bytes=8192) for _ in range(3)]
    told = [run.communicate(timeout=120)[1] for run in runs]

    codes = sorted(run.returncode for run in runs)
    assert codes[0] == 0
    assert set(codes) <= {0, 5}
    assert all("ALREADY_RUNNING" in err for run, err in zip(runs, told, strict=True) if run.returncode == 5)
    assert hub.exports() == undisturbed.exports()
    hub.call("store", "check")


def test_a_second_run_while_a_feed_is_worked_on_is_told_so(hub: Installation, nights: list[Night]) -> None:
    hub.data.mkdir()
    store = hub.store()
    try:
        with store.exclusive("feed csa1993"):
            assert "ALREADY_RUNNING" in hub.run("ingest", "csa1993", nights[0].data, code=5).err
    finally:
        store.close()
    hub.call("ingest", "csa1993", nights[0].data)
