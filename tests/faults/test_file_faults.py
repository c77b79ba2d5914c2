"""R01 to R12: every broken file gives its code, its place and what to do; nothing of it is seen; its feed stops."""

import tempfile
from functools import cache
from pathlib import Path

import pytest

from integrationhub.estate.fault_catalogue import faulty_deliveries
from integrationhub.estate.faults import Faulty, text
from tests.acceptance.files import Night, copybook, hand_over, make_nights
from tests.acceptance.installation import Installation
from tests.faults.conftest import SEED
from tests.faults.variants import harmless, more_faults, recounted

CODES = [f"R{number:02}" for number in range(1, 13)]
VERDICTS = {"R04": ("HELD", 75), "R05": ("DUPLICATE", 0)}
REJECTED = ("REJECTED", 7)


@cache
def deliveries() -> tuple[list[Faulty], list[Faulty]]:
    """Broken ones, and odd ones that are good; R13 has a test file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        [night] = make_nights(Path(folder), groups=6, seed=SEED)
        good = night.good()
        faults = faulty_deliveries(good.name, good.data, night.trigger.read_bytes(), copybook())
        return [item for item in faults + more_faults(good) if item.code != "R13"], harmless(good)


FAULTS, HARMLESS = deliveries()


def name_of(faulty: Faulty) -> str:
    return f"{faulty.code}: {faulty.about}"


def offset_of(data: bytes, record: int) -> int:
    """Where the data of a record, counted from 1, begins."""
    start = 0
    for _ in range(record - 1):
        start += int.from_bytes(data[start : start + 4], "big")
    return start + 4


def test_every_check_is_tried() -> None:
    assert sorted({faulty.code for faulty in FAULTS}) == CODES


@pytest.mark.parametrize("faulty", FAULTS, ids=name_of)
def test_a_broken_file_gives_its_code_and_place_and_leaves_nothing(
    faulty: Faulty, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    hub: Installation = request.getfixturevalue("hub_after_first" if faulty.after_good else "hub")
    verdict, code = VERDICTS.get(faulty.code, REJECTED)
    before = request.getfixturevalue("first_night_exports" if faulty.after_good else "empty_exports")

    [report] = hub.call("ingest", "csa1993", hand_over(faulty, tmp_path / "in"), "--json", code=code).rows

    [reason] = report["reasons"]
    assert (report["verdict"], reason["code"]) == (verdict, faulty.code)
    assert reason["text"]
    if faulty.record is not None:
        assert reason["record"] == faulty.record
        behind_the_length = 4 if faulty.code == "R07" else 0  # a length that is wrong stands in front of its record
        assert reason["offset"] == offset_of(faulty.data, faulty.record) - behind_the_length
    if faulty.field is not None:
        assert reason["field"] == faulty.field
    if verdict == "REJECTED":
        assert "integrationhub connector resume csa1993" in report["remedy"]
    if verdict != "DUPLICATE":
        assert set(report["outcomes"].values()) == {0}
    assert hub.exports(times=True) == before


@pytest.mark.parametrize("odd", HARMLESS, ids=name_of)
def test_an_odd_but_good_file_is_taken(odd: Faulty, hub: Installation, tmp_path: Path) -> None:
    [report] = hub.call("ingest", "csa1993", hand_over(odd, tmp_path / "in"), "--json").rows

    assert (report["verdict"], report["reasons"]) == ("ACCEPTED", [])
    assert report["outcomes"]["LOADED"] == report["records"]
    hub.call("store", "check")


@pytest.mark.parametrize("code", [code for code in CODES if code not in VERDICTS])
def test_a_refused_file_stops_its_feed_until_it_comes_corrected(
    code: str, small: list[Night], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    first, second, _ = small
    faulty = next(item for item in FAULTS if item.code == code)
    hub: Installation = request.getfixturevalue("hub_after_first" if faulty.after_good else "hub")
    hub.call("ingest", "csa1993", hand_over(faulty, tmp_path / "in"), code=7)

    assert f"stands still at sequence 101 ({code})" in hub.call("status").out
    waiting = hub.call("ingest", "csa1993", second.data, "--json", code=75)
    assert (waiting.verdicts, waiting.codes) == (["HELD"], ["FEED_STOPPED"])
    assert "waits" in hub.call("status").out

    corrected = hub.call("ingest", "csa1993", first.data, "--json")
    assert corrected.verdicts == ["DUPLICATE" if faulty.after_good else "ACCEPTED"]
    assert [row["released"] for row in corrected.rows] == [[second.data.name]]
    assert {row["case"]: row["source"] for row in hub.rows("arrears")} == second.sources
    assert hub.call("ingest", "csa1993", second.data, "--json").verdicts == ["DUPLICATE"]


def test_the_report_for_people_says_code_place_and_what_to_do(hub: Installation, tmp_path: Path) -> None:
    faulty = next(item for item in FAULTS if item.about == "an undecodable L-AMOUNT")
    assert faulty.record is not None

    out = hub.call("ingest", "csa1993", hand_over(faulty, tmp_path / "in"), code=7).out

    offset = offset_of(faulty.data, faulty.record)
    assert f"{faulty.name}: REJECTED" in out
    assert f"R12 (record {faulty.record}, byte {offset}): L-AMOUNT" in out
    assert "integrationhub connector resume csa1993 --skip 101 --reason TEXT" in out


@pytest.mark.parametrize("field", ["H-KIND", "H-RUN-DATE", "H-RUN-TIME"])
def test_a_header_that_cannot_be_understood_refuses_the_file(
    field: str, hub: Installation, small: list[Night], tmp_path: Path
) -> None:
    good = small[0].good()
    faulty = good.broken("R13", "", good.with_field(0, field, text("?")))

    [report] = hub.call("ingest", "csa1993", hand_over(faulty, tmp_path / "in"), "--json", code=7).rows

    [reason] = report["reasons"]
    assert (reason["code"], reason["record"], reason["field"]) == ("R13", 1, field)
    assert not hub.rows("cases")


@pytest.mark.parametrize("slice_bytes", [4096, 16_384])
def test_a_fault_is_found_wherever_the_file_is_cut(
    slice_bytes: int, hub: Installation, small: list[Night], tmp_path: Path
) -> None:
    good = small[0].good()
    last, first_case = len(good.records) - 1, good.first("20")
    far_case = max(index for index, kind in enumerate(good.kinds) if kind == "20")
    repeated = good.with_field(far_case, "C-CASE-REF", good.field(first_case, "C-CASE-REF"))
    faulty = good.broken("R10", "", repeated)

    [report] = hub.call(
        "ingest", "csa1993", hand_over(faulty, tmp_path / "in"), "--json", code=7, slice_bytes=slice_bytes
    ).rows

    [reason] = report["reasons"]
    assert (reason["code"], reason["record"], reason["field"]) == ("R10", far_case + 1, "C-CASE-REF")
    assert reason["offset"] == offset_of(faulty.data, far_case + 1)
    assert report["records"] == last - 1


def test_a_group_larger_than_a_slice_is_no_fault(hub: Installation, small: list[Night], tmp_path: Path) -> None:
    good = small[0].good()
    line = max(index for index, kind in enumerate(good.kinds) if kind == "50")
    many = recounted(good.with_record(line, *[good.records[line]] * 1_500))
    large = good.broken("OK", "", many)
    assert len(good.records[line]) * 1_500 > 8 * 4096

    [report] = hub.call("ingest", "csa1993", hand_over(large, tmp_path / "in"), "--json", slice_bytes=4096).rows

    assert report["outcomes"]["LOADED"] == len(many) - 2
