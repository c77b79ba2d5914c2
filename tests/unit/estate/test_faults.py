"""Broken deliveries: each code has some, each differs from the good one, and all but its point is put right again."""

import hashlib
from collections import Counter

import pytest

from integrationhub.decode.copybook import parse_copybook
from integrationhub.errors import NotFound
from integrationhub.estate.fault_catalogue import faulty_deliveries
from integrationhub.estate.faults import Faulty, GoodDelivery, join
from integrationhub.sdk.descriptor import Descriptor
from tests.unit.estate.conftest import Written

CODES = [f"R{number:02d}" for number in range(1, 14)]


@pytest.fixture(scope="module")
def good(nights: list[Written], descriptor: Descriptor) -> GoodDelivery:
    data = nights[0].night.data
    copybook = parse_copybook(descriptor.copybook_text)
    return GoodDelivery(data.name, data.read_bytes(), data.with_suffix(".ctl").read_bytes(), copybook)


@pytest.fixture(scope="module")
def faults(nights: list[Written], descriptor: Descriptor) -> list[Faulty]:
    data = nights[0].night.data
    copybook = parse_copybook(descriptor.copybook_text)
    return faulty_deliveries(data.name, data.read_bytes(), data.with_suffix(".ctl").read_bytes(), copybook)


def entries(faulty: Faulty) -> dict[str, str]:
    return dict(line.split("=", 1) for line in faulty.trigger.decode("ascii").splitlines())


def test_taking_a_good_file_apart_and_together_changes_nothing(good: GoodDelivery) -> None:
    assert join(good.records) == good.data


def test_every_check_has_faults_that_fail_it(faults: list[Faulty]) -> None:
    counts = Counter(faulty.code for faulty in faults)

    assert sorted(counts) == CODES
    assert [faulty.code for faulty in faults] == sorted((faulty.code for faulty in faults), key=_place)


def _place(code: str) -> int:
    """Size and hash are broken before the sequence here; the checks run in another order."""
    order = ["R01", "R02", "R03", "R04", "R05", "R06", *CODES[6:]]
    return order.index(code)


def test_faults_have_names_of_their_own(faults: list[Faulty]) -> None:
    assert max(Counter((faulty.code, faulty.about) for faulty in faults).values()) == 1


def test_every_fault_but_the_repeat_differs_from_the_good_delivery(faults: list[Faulty], good: GoodDelivery) -> None:
    for faulty in faults:
        same = faulty.data == good.data and entries_or_none(faulty) == good.entries
        assert same == (faulty.code == "R05"), faulty.about


def entries_or_none(faulty: Faulty) -> dict[str, str] | None:
    try:
        return entries(faulty)
    except UnicodeDecodeError:
        return None


def test_size_and_hash_are_right_where_they_are_not_the_point(faults: list[Faulty]) -> None:
    for faulty in faults:
        if faulty.code not in {"R01", "R02", "R03"}:
            told = entries(faulty)
            assert told["BYTES"] == str(len(faulty.data)), faulty.about
            assert told["SHA256"] == hashlib.sha256(faulty.data).hexdigest(), faulty.about


def test_a_hash_fault_leaves_the_size_alone(faults: list[Faulty]) -> None:
    for faulty in faults:
        if faulty.code == "R03":
            assert entries(faulty)["BYTES"] == str(len(faulty.data))
            assert entries(faulty)["SHA256"] != hashlib.sha256(faulty.data).hexdigest()


def test_field_faults_change_one_record_and_name_it(faults: list[Faulty], good: GoodDelivery) -> None:
    for faulty in faults:
        if faulty.code == "R13":
            assert len(faulty.data) == len(good.data)
            places = [
                place for place, pair in enumerate(zip(faulty.data, good.data, strict=True)) if pair[0] != pair[1]
            ]
            starts, start = [], 0
            for record in good.records:
                starts.append(start)
                start += len(record) + 4
            assert faulty.record is not None
            assert starts[faulty.record - 1] < places[0] <= places[-1] < starts[faulty.record], faulty.about


def test_a_gap_is_renumbered_in_all_four_places(faults: list[Faulty]) -> None:
    [gap] = [faulty for faulty in faults if faulty.code == "R04"]
    number = (106).to_bytes(4, "big")

    assert gap.name == "CSCS.NIGHTLY.D20150701.S000106.dat"
    assert gap.trigger_name == "CSCS.NIGHTLY.D20150701.S000106.ctl"
    assert (entries(gap)["SEQUENCE"], entries(gap)["FILE"]) == ("106", gap.name)
    assert gap.data[4 + 9 : 4 + 13] == gap.data[-101 + 2 : -101 + 6] == number


def test_a_file_too_small_for_the_faults_is_refused(good: GoodDelivery, descriptor: Descriptor) -> None:
    small = join([good.records[0], good.records[-1]])
    with pytest.raises(NotFound):
        faulty_deliveries(good.name, small, b"FILE=x\nSEQUENCE=1\nSHA256=0\n", parse_copybook(descriptor.copybook_text))
