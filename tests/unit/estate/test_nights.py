"""An estate over several nights: what each file carries, and the truth after it."""

from pathlib import Path

from integrationhub.decode.encode import RecordEncoder
from integrationhub.estate.generate import generate
from integrationhub.estate.nights import Estate
from tests.unit.estate.conftest import Written


def test_files_follow_each_other_by_number_and_day(nights: list[Written]) -> None:
    assert [written.night.data.name for written in nights] == [
        "CSCS.NIGHTLY.D20150701.S000101.dat",
        "CSCS.NIGHTLY.D20150702.S000102.dat",
        "CSCS.NIGHTLY.D20150703.S000103.dat",
        "CSCS.NIGHTLY.D20150704.S000104.dat",
    ]
    assert nights[-1].truth["asat"] == "2015-07-03"
    assert nights[-1].night.truth.name == "expected.json"


def test_a_whole_book_leaves_out_the_group_that_is_gone(nights: list[Written]) -> None:
    first, second = nights[:2]

    assert second.truth["gone"]
    assert set(first.extract.groups) - set(second.extract.groups) == set(second.truth["gone"])


def test_a_whole_book_changes_some_groups_and_says_which(nights: list[Written]) -> None:
    first, second = nights[:2]
    changed = {case.group for ref, case in second.extract.cases.items() if case != first.extract.cases[ref]}

    assert changed == set(second.truth["changed"])


def test_a_correction_carries_changed_and_withdrawn_groups_only(nights: list[Written]) -> None:
    correction = nights[2]
    withdrawn = {number for number, status in correction.extract.groups.items() if status == "W"}

    assert withdrawn == set(correction.truth["withdrawn"]) != set()
    assert set(correction.extract.groups) == withdrawn | set(correction.truth["changed"])


def test_a_correction_moves_a_case_between_two_groups_that_it_carries(nights: list[Written]) -> None:
    before, correction = nights[1], nights[2]
    ref = correction.truth["moved"]
    old, new = before.extract.cases[ref].group, correction.extract.cases[ref].group

    assert old != new
    assert {old, new} <= set(correction.extract.groups)


def test_replacing_groups_as_the_document_says_gives_the_truth_s_cases(nights: list[Written]) -> None:
    held = dict(nights[1].extract.cases)
    correction = nights[2]
    held = {ref: case for ref, case in held.items() if case.group not in correction.extract.groups}
    held |= correction.extract.cases

    assert {f"93:{ref}": case.header for ref, case in held.items()} == {
        key: case["source"] for key, case in correction.truth["cases"].items()
    }


def test_a_later_whole_book_keeps_what_the_nights_before_changed(nights: list[Written]) -> None:
    correction, last = nights[2:]
    ref = correction.truth["moved"]

    assert last.extract.cases[ref].group == correction.extract.cases[ref].group
    assert not set(correction.truth["withdrawn"]) & set(last.extract.groups)
    assert not set(nights[1].truth["gone"]) & set(last.extract.groups)


def test_a_night_can_be_made_of_very_few_groups(tmp_path: Path, encoder: RecordEncoder) -> None:
    written = generate(tmp_path, Estate(groups=2, seed=3, kinds="CFCF"), encoder)

    assert len(written) == 5
