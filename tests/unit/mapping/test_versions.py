"""Several versions of a spec at once: which one a file is read by, and what is refused."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from integrationhub.errors import FileRejected
from integrationhub.mapping.compile import CompiledMapping
from tests.unit.mapping.specs import CODES, CONTEXT, batch, changed, events, layout, specs


def version(number: str, *lines: str, kind: str = "CONTACT") -> str:
    head = "\n".join(['owner = "tests"', *lines])
    return changed(('version = "1"', f'version = "{number}"'), ('owner = "tests"', head), ('"CONTACT"', f'"{kind}"'))


def made(mapping: CompiledMapping, **facts: Any) -> dict[str, Any]:
    rows = mapping.apply(batch(EVENT=events({})), replace(CONTEXT, **facts)).rows["history"]
    return rows.row(0, named=True)


BY_DATE = (version("1", "valid_to = 2014-12-31"), version("2", "valid_from = 2015-01-01", kind="ENFORCEMENT"))
BY_LAYOUT = (version("1", 'layouts = ["3"]'), version("2", 'layouts = ["4", "5"]', kind="ENFORCEMENT"))


@pytest.mark.parametrize(
    ("day", "expected"), [(date(2014, 12, 31), ("CONTACT", "@1+")), (date(2015, 1, 1), ("ENFORCEMENT", "@2+"))]
)
def test_the_as_at_date_chooses(day: date, expected: tuple[str, str]) -> None:
    mapping = specs(*BY_DATE).compile(layout())

    row = made(mapping, as_at=day)

    assert (row["class"], expected[1] in row["mapping_id"]) == (expected[0], True)
    assert row["mapping_id"] in mapping.all_mapping_ids


@pytest.mark.parametrize(("number", "expected"), [("3", "CONTACT"), ("4", "ENFORCEMENT"), ("5", "ENFORCEMENT")])
def test_the_layout_version_chooses(number: str, expected: str) -> None:
    assert made(specs(*BY_LAYOUT).compile(layout()), layout_version=number)["class"] == expected


@pytest.mark.parametrize("number", ["6", None])
def test_a_layout_version_that_no_spec_is_for_is_refused_with_what_to_do(number: str | None) -> None:
    mapping = specs(*BY_LAYOUT).compile(layout())

    with pytest.raises(FileRejected) as caught:
        made(mapping, layout_version=number)

    assert caught.value.code == "LAYOUT_VERSION"
    assert "history" in caught.value.text
    assert "layouts" in (caught.value.remedy or "")


def test_a_date_before_every_version_is_refused() -> None:
    mapping = specs(version("1", "valid_from = 2015-01-01")).compile(layout())

    with pytest.raises(FileRejected):
        made(mapping, as_at=date(2014, 1, 1))


def test_versions_for_the_same_files_are_a_fault() -> None:
    found = specs(version("1", "valid_to = 2015-06-30"), version("2", "valid_from = 2015-06-30")).check()

    assert any("a second spec of history for the same dates and layouts" in fault for fault in found)


def test_a_version_that_ends_before_it_begins_is_a_fault() -> None:
    found = specs(version("1", "valid_from = 2015-01-01", "valid_to = 2014-01-01")).check()

    assert any("valid_from is later than valid_to" in fault for fault in found)


def test_every_version_is_checked_and_explained() -> None:
    broken = specs(BY_DATE[0], BY_DATE[1].replace("[FLAG]", "[FLAGS]")).check(layout())
    mapping = specs(*BY_DATE).compile(layout())

    assert any("FLAGS" in fault for fault in broken)
    assert len({one.mapping_id for one in mapping.lineage()}) == 2
    assert len([one for one in mapping.explain_fields("history") if one.lineage.field == "class"]) == 2


def test_a_code_list_and_a_version_may_turn_on_different_days() -> None:
    mapping = specs(*BY_DATE, codes=CODES).compile(layout())
    letters = batch(EVENT=events({"CODE": "L"}))

    found = [
        mapping.apply(letters, replace(CONTEXT, as_at=day)).rows["history"].select("class", "code").row(0)
        for day in (date(2009, 12, 31), date(2010, 1, 1), date(2015, 1, 1))
    ]

    assert found == [("CONTACT", "LET"), ("CONTACT", "NOC"), ("ENFORCEMENT", "NOC")]
