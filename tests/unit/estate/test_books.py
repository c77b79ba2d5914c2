"""Three books of one estate: each holds by a reader of its own, and people and errors go through all of them."""

import csv
import gzip
import io
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from integrationhub.catalogue import shipped_connectors
from integrationhub.decode.encode import RecordEncoder
from integrationhub.errors import ConfigurationError
from integrationhub.estate.errors import INJECTIONS
from integrationhub.estate.generate import BookFile, Generated, generate
from integrationhub.estate.nights import Estate

ALL = ("93", "03", "CL")
SPACE = "{urn:synthetic:cs2:extract:4}"


@dataclass
class Books:
    night: Generated
    truth: dict[str, Any]
    extract: etree._Element
    rows: list[dict[str, str]]

    def every(self, name: str) -> list[etree._Element]:
        return list(self.extract.iter(f"{SPACE}{name}"))


def trigger(file: BookFile) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.trigger.read_text("ascii").splitlines())


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory, encoder: RecordEncoder) -> Books:
    """900 case groups: large enough for every kind of error in both schemes."""
    [night] = generate(tmp_path_factory.mktemp("books"), Estate(groups=900, seed=8, books=ALL), encoder)
    xml = gzip.decompress(night.file_of("csa2003").data.read_bytes())
    text = night.file_of("clerical").data.read_bytes().decode("cp1252")
    return Books(
        night, json.loads(night.truth.read_text("utf-8")), etree.fromstring(xml), [*csv.DictReader(io.StringIO(text))]
    )


def test_the_2003_extract_is_valid_against_its_schema(books: Books) -> None:
    schema = etree.XMLSchema(etree.parse(shipped_connectors() / "connectors" / "csa2003" / "csa2003.xsd"))

    schema.assertValid(books.extract)
    ids = [found.get("id") for found in books.extract.iter() if found.get("id")]
    assert len(ids) == len(set(ids))


def test_the_control_element_is_what_the_extract_comes_to(books: Books) -> None:
    [control] = books.every("Control")
    kinds = {"Party": "parties", "Address": "addresses", "Case": "cases", "Relationship": "relationships",
             "Assessment": "assessments", "Schedule": "schedules", "Transaction": "transactions",
             "Activity": "activities"}  # fmt: skip
    assert {name: int(control.get(name)) for name in kinds.values()} == {
        name: len(books.every(kind)) for kind, name in kinds.items()
    }
    sums: Counter[str] = Counter()
    for schedule in books.every("Schedule"):
        owner = {"RECEIVING_PARENT": "balanceRP", "SECRETARY_OF_STATE": "balanceSOS"}.get(schedule.get("owner"))
        sums[owner or "balanceUNK"] += pence(schedule.get("balance"))
        sums["suspended"] += pence(schedule.get("suspended"))
    sums["custodian"] += sum(pence(case.get("custodianCash")) for case in books.every("Case"))
    assert {name: pence(control.get(name)) for name in sums} == sums


def pence(text: str) -> int:
    return int(text.replace(".", ""))


def test_trigger_files_say_what_their_files_are(books: Books) -> None:
    for file in books.night.files:
        said, data = trigger(file), file.data.read_bytes()
        assert (said["FILE"], int(said["BYTES"])) == (file.data.name, len(data))
        assert said["SHA256"] == sha256(data).hexdigest()
        assert int(said["RECORDS"]) == file.controls.records
    said = trigger(books.night.file_of("csa2003"))
    assert int(said["UNCOMPRESSED"]) == len(gzip.decompress(books.night.file_of("csa2003").data.read_bytes()))


def test_source_figures_of_2003_cases_are_those_of_their_schedules(books: Books) -> None:
    figures: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for schedule in books.every("Schedule"):
        owner = {"RECEIVING_PARENT": "rp", "SECRETARY_OF_STATE": "sos"}.get(schedule.get("owner"), "unk")
        figures[schedule.get("caseRef")][owner] += pence(schedule.get("balance"))
        figures[schedule.get("caseRef")][f"susp_{owner}"] += pence(schedule.get("suspended"))
    for case in books.every("Case"):
        source = books.truth["cases"][f"03:{case.get('ref')}"]["source"]
        figures[case.get("ref")]["custodian"] = pence(case.get("custodianCash"))
        assert {name: figures[case.get("ref")][name] for name in source} == source


def test_sound_2003_cases_are_the_sum_of_their_transactions(books: Books) -> None:
    case_of = {schedule.get("id"): schedule.get("caseRef") for schedule in books.every("Schedule")}
    sums: Counter[str] = Counter()
    for line in books.every("Transaction"):
        if line.get("reason") not in {"SUSPEND", "UNSUSPEND"}:
            sums[case_of.get(line.get("scheduleRef"), "")] += pence(line.get("amount"))
    for key, case in books.truth["cases"].items():
        if key.startswith("03:") and case["outcome"] == "SOURCE":
            assert sums[key[3:]] == sum(case["accepted"][name] for name in ("rp", "sos", "unk"))


def test_every_clerical_case_is_keyed_twice_unless_that_is_what_is_wrong_with_it(books: Books) -> None:
    keyings: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in books.rows:
        keyings[row["Clerical Ref"]].append((row["Key"], row["Keyed By"]))
    for key, case in books.truth["cases"].items():
        if key.startswith("CL:") and "DE" not in case["causes"]:
            assert sorted(number for number, _ in keyings[key[3:]]) == ["1", "2"]
            assert len({clerk for _, clerk in keyings[key[3:]]}) == 2
    assert [int(row["Row"]) for row in books.rows] == list(range(1, len(books.rows) + 1))


def test_case_groups_go_through_all_books(books: Books) -> None:
    mixes = Counter(tuple(sorted({key[:2] for key in group["cases"]})) for group in books.truth["groups"])

    assert {("03", "93"), ("93", "CL"), ("03", "CL"), ("93",), ("03",), ("CL",)} <= mixes.keys()


@pytest.mark.parametrize("system", ["93", "03"])
def test_every_kind_of_error_occurs_in_both_schemes(system: str) -> None:
    wanted, seen, estate = {each.name for each in INJECTIONS}, set[str](), Estate(groups=6_000, seed=3, books=(system,))
    for index in range(estate.groups):
        tonight = estate.case_group(index, 0)
        assert tonight
        seen.update(name for case in tonight.group.cases() for name in case.injected)
        if seen >= wanted:
            break

    assert seen == wanted


def test_clerical_errors_occur_singly_and_together(books: Books) -> None:
    causes = {tuple(case["causes"]) for key, case in books.truth["cases"].items() if key.startswith("CL:")}

    assert {("DE",), ("E03",), ("E06",), ("E07",)} <= causes
    assert any(len(codes) > 1 for codes in causes)


def test_a_case_kept_twice_is_held_in_both_books(books: Books) -> None:
    held = Counter(key[:2] for key, case in books.truth["cases"].items() if "E03" in case["causes"])

    assert all(held[book] for book in ALL)
    assert held["93"] + held["03"] >= held["CL"]


def test_the_2003_scheme_is_right_in_about_81_percent(books: Books) -> None:
    assert 76 < books.truth["accuracy"]["03"]["source_right_pct"] < 86


def test_the_same_seed_gives_the_same_bytes_of_all_books(tmp_path: Path, encoder: RecordEncoder) -> None:
    made = [
        generate(tmp_path / name, Estate(groups=25, seed=7, kinds="C", books=ALL), encoder) for name in ("one", "two")
    ]
    contents = [
        [path.read_bytes() for night in nights for path in (night.truth, *(file.data for file in night.files))]
        for nights in made
    ]
    assert contents[0] == contents[1]


def test_more_groups_than_there_are_references_are_refused() -> None:
    estate = Estate(groups=166_668, seed=1, books=("03",))

    with pytest.raises(ConfigurationError, match="at most"):
        estate.case_group(166_667, 0)


def test_no_two_cases_of_a_group_have_one_number() -> None:
    tonight = Estate(groups=5_000, seed=2, books=ALL).case_group(4_221, 0)  # two 2003 parents, each with a doubled case
    assert tonight
    numbers = [case.number for case in tonight.group.cases()]

    assert len(numbers) == len(set(numbers))
