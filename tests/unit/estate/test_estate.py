"""A generated estate: its files hold by an independent reader, its truth is one with itself and with the files."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from integrationhub.decode.encode import RecordEncoder
from integrationhub.errors import ConfigurationError
from integrationhub.estate.errors import INJECTIONS
from integrationhub.estate.generate import generate
from integrationhub.estate.nights import Estate
from tests.unit.estate.conftest import Written, written
from tests.unit.estate.simple_reader import ledger_sums

FIGURES = ("rp", "sos", "unk", "susp_rp", "susp_sos")


def test_the_truth_s_control_is_what_the_file_comes_to(estate: Written) -> None:
    control = estate.truth["control"][estate.night.data.name]

    assert control == {key: value for key, value in estate.extract.trailer.items() if key != "sequence"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path, encoder: RecordEncoder) -> None:
    bytes_of = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        [night] = generate(tmp_path / name, Estate(groups=25, seed=seed), encoder)
        bytes_of.append([path.read_bytes() for path in (night.data, night.trigger, night.truth)])

    assert bytes_of[0] == bytes_of[1]
    assert bytes_of[0] != bytes_of[2]


def test_a_larger_estate_begins_with_the_groups_of_a_smaller_one(tmp_path: Path, encoder: RecordEncoder) -> None:
    small, large = (
        written(generate(tmp_path / str(groups), Estate(groups=groups, seed=7), encoder)[0]) for groups in (10, 20)
    )

    assert small.truth["cases"].items() <= large.truth["cases"].items()


def test_an_estate_without_groups_is_a_valid_empty_book(tmp_path: Path, encoder: RecordEncoder) -> None:
    [night] = generate(tmp_path, Estate(groups=0, seed=1), encoder)
    empty = written(night)

    assert empty.extract.kinds == ["00", "99"]
    assert empty.truth["cases"] == {}


def test_an_estate_has_the_sample_s_shape(estate: Written) -> None:
    share = {kind: count / len(estate.extract.kinds) for kind, count in Counter(estate.extract.kinds).items()}

    assert 45 < len(estate.extract.kinds) / 900 < 65
    assert 0.5 < share["40"] < 0.6
    assert 0.13 < share["25"] < 0.2
    assert 0.13 < share["27"] < 0.2


def test_about_63_percent_of_the_cases_are_right_in_the_source(estate: Written) -> None:
    assert 58 < estate.truth["accuracy"]["93"]["source_right_pct"] < 68


def test_accuracy_counts_the_cases(estate: Written) -> None:
    cases, accuracy = estate.truth["cases"].values(), estate.truth["accuracy"]["93"]

    assert accuracy["cases"] == len(cases)
    assert accuracy["source_right"] == sum(case["source_right"] for case in cases)
    assert accuracy["outcomes"] == Counter(case["outcome"] for case in cases)
    right = [
        all(case["accepted"][name] == case["true"][name] for name in FIGURES) for case in cases if case["accepted"]
    ]
    assert accuracy["accepted_right_pct"] == round(100 * sum(right) / len(right), 2)


def test_source_figures_are_those_of_the_file(estate: Written) -> None:
    assert {f"93:{ref}": case.header for ref, case in estate.extract.cases.items()} == {
        key: case["source"] for key, case in estate.truth["cases"].items()
    }


def test_sound_cases_are_sound_in_the_file(estate: Written) -> None:
    for ref, case in estate.extract.cases.items():
        expected = estate.truth["cases"][f"93:{ref}"]
        if expected["outcome"] == "SOURCE":
            assert ledger_sums(case.lines) == case.header == expected["accepted"], ref


def test_only_header_errors_part_header_and_ledger(estate: Written) -> None:
    for ref, case in estate.extract.cases.items():
        expected = estate.truth["cases"][f"93:{ref}"]
        differ = ledger_sums(case.lines) != case.header
        if "E07v" not in expected["injected"]:
            assert differ == bool({"E07", "E08"} & set(expected["injected"])), ref


def test_outcomes_follow_from_causes(estate: Written) -> None:
    for case in estate.truth["cases"].values():
        held = case["outcome"] == "EXCEPTION"
        assert bool(case["causes"]) == (case["outcome"] != "SOURCE")
        assert held == (case["accepted"] is None) == (case["segment"] is None)
        assert case["source_right"] == all(case["source"][name] == case["true"][name] for name in FIGURES)
        if not held:
            outstanding = sum(debt["outstanding"] for debt in case["debts"])
            assert outstanding == case["accepted"]["rp"] + case["accepted"]["sos"]


def test_a_case_is_wrong_only_where_an_error_was_put_in(estate: Written) -> None:
    for key, case in estate.truth["cases"].items():
        if not case["source_right"]:
            assert case["injected"], key


def test_what_can_be_found_is_put_right_to_the_penny(estate: Written) -> None:
    hidden = {"E01f", "E01u"}
    for key, case in estate.truth["cases"].items():
        if case["accepted"] and not hidden & set(case["injected"]):
            assert case["accepted"] == case["true"], key


def test_every_kind_of_error_occurs_and_is_called_by_its_code(estate: Written) -> None:
    seen: dict[str, set[str]] = {injection.name: set() for injection in INJECTIONS}
    for case in estate.truth["cases"].values():
        if len(case["injected"]) == 1:
            seen[case["injected"][0]].update(case["causes"])

    hidden = {"E01f", "E01u"}
    for name, causes in seen.items():
        assert name in hidden or name[:3] in causes, name


def test_every_flag_occurs(estate: Written) -> None:
    flags = {flag for case in estate.truth["cases"].values() for flag in case["flags"]}

    assert flags == {"E01", "E04", "E06", "E10", "E11", "E12"}


def test_every_case_is_in_one_case_group(estate: Written) -> None:
    members = Counter(key for group in estate.truth["groups"] for key in group["cases"])

    assert set(members) == set(estate.truth["cases"])
    assert set(members.values()) == {1}
    assert len(estate.truth["groups"]) == 900


def test_a_group_with_an_exception_is_held(estate: Written) -> None:
    for group in estate.truth["groups"]:
        outcomes = {estate.truth["cases"][key]["outcome"] for key in group["cases"]}
        assert (group["segment"] == "HELD") == ("EXCEPTION" in outcomes)


def test_all_segments_occur(estate: Written) -> None:
    segments = {group["segment"] for group in estate.truth["groups"]}

    assert segments == {"1", "2", "3", "4", "5", "ARREARS_ONLY", "CLOSED", "HELD"}


def test_orphan_receipts_are_those_of_the_file(estate: Written) -> None:
    told = {(each["reference"], each["bank_reference"], each["amount"]) for each in estate.truth["orphan_receipts"]}

    assert told == {(line.ref, line.bank_ref, line.amount) for line in estate.extract.orphans}
    assert told


def test_duplicates_are_copies_line_for_line(estate: Written) -> None:
    pairs = {key: case["duplicate_of"] for key, case in estate.truth["cases"].items() if "duplicate_of" in case}

    assert pairs
    for key, original in pairs.items():
        twin, first = (estate.extract.cases[each[3:]] for each in (key, original))
        assert key > original or key[3:] > original[3:]
        assert [(line.seq, line.kind, line.amount, line.quoted) for line in twin.lines] == [
            (line.seq, line.kind, line.amount, line.quoted) for line in first.lines
        ]


def test_identities_are_recognisably_invented(estate: Written) -> None:
    for _, _, nino, surname in estate.extract.parties:
        assert re.match(r"QQ|TN|OO|CR|FY|MW|NC|PP|PY|PZ| ", nino)
        assert surname
    assert all(re.fullmatch(r"ZZ\d{1,2} \dZZ", postcode) for postcode in estate.extract.postcodes)


def test_no_usable_number_is_two_people_s(estate: Written) -> None:
    numbers: dict[str, set[tuple[int, str]]] = {}
    for party, _, nino, surname in estate.extract.parties:
        if re.fullmatch(r"QQ\d{6}[A-D ]", nino):
            numbers.setdefault(nino[:8], set()).add((party, surname))

    assert all(len({surname for _, surname in people}) == 1 for people in numbers.values())
    assert any(len(people) > 1 for people in numbers.values())  # E04: one person under two ids


def test_a_confidential_mark_holds_for_all_addresses_of_a_person(estate: Written) -> None:
    marks = list(estate.extract.confidential.values())

    assert all(len(mark) == 1 for mark in marks)
    assert {"C"} in marks


def test_notes_hold_pound_signs_and_accents(estate: Written) -> None:
    notes = "".join(case.note for case in estate.extract.cases.values())

    assert {"£", "€", "é", "ï"} <= set(notes)


def test_amounts_reach_the_edges_of_the_three_month_test(estate: Written) -> None:
    truth = json.dumps(estate.truth["cases"])

    assert '"segment": "3"' in truth
    assert '"segment": "4"' in truth


@pytest.mark.parametrize("plan", [{"kinds": "FX"}, {"kinds": "F" * 100}])
def test_a_night_that_is_neither_whole_book_nor_correction_is_refused(plan: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Estate(groups=1, seed=1, **plan)  # type: ignore[arg-type]
