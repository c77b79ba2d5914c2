"""What is judged again when files come: what has changed and whoever that concerns, and nobody else."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from integrationhub.arrears import linking
from integrationhub.arrears.judging import Judged
from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.estate.csa1993_file import encoder_for
from integrationhub.estate.generate import generate
from integrationhub.estate.nights import Estate
from integrationhub.receive.folder import find_files
from tests.unit.csa2003.extracts import XML, pack, renumbered

NIGHTS = "FCFCC"


def take(hub: Hub, connector: str, path: Path) -> None:
    pipeline = hub.pipeline(connector)
    (item,) = find_files([path], pipeline.descriptor.delivery)
    report = pipeline.take(item)
    assert report.verdict.value == "ACCEPTED", report.reasons


def judged(hub: Hub, *, everything: bool = False) -> Judged:
    return hub.judging().run(everything=everything)


def verdicts(hub: Hub) -> list[Any]:
    with hub.store.read() as connection:
        tables = ("verdicts", "corrections", "case_persons")
        return [sorted(map(repr, connection.execute(text(f"SELECT * FROM {name}")))) for name in tables]  # noqa: S608 - ours


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """An estate of whole books and corrections in which groups change, move, go and come."""
    folder = tmp_path_factory.mktemp("estate")
    generate(folder, Estate(groups=30, seed=3, kinds=NIGHTS), encoder_for(Catalogue.standard().connector("csa1993")))
    return sorted(folder.glob("*.dat"))


def test_after_every_night_the_verdicts_are_those_of_judging_everything(hub: Hub, nights: list[Path]) -> None:
    for night in nights:
        take(hub, "csa1993", night)
        judged(hub)
        found = verdicts(hub)
        judged(hub, everything=True)
        assert verdicts(hub) == found


def book(folder: Path, sequence: int, change: tuple[str, str] | None = None) -> Path:
    """The sample's book of the 2003 scheme, with one thing changed."""
    xml = XML if change is None else re.sub(change[0], change[1], XML, count=1)
    assert change is None or xml != XML
    return pack(folder, renumbered(xml, sequence), sequence=sequence)


def test_a_whole_book_that_repeats_the_last_one_has_nothing_judged(hub: Hub, tmp_path: Path) -> None:
    take(hub, "csa2003", book(tmp_path, 101))
    first = judged(hub)
    found = verdicts(hub)
    take(hub, "csa2003", book(tmp_path, 102))
    assert first.cases > 0
    assert judged(hub) == Judged(groups=0, cases=0)
    assert verdicts(hub) == found


def test_one_changed_group_has_its_case_group_judged_and_no_other(hub: Hub, tmp_path: Path) -> None:
    take(hub, "csa2003", book(tmp_path, 101))
    everybody = judged(hub)
    take(hub, "csa2003", book(tmp_path, 102, (r'queryMark="false"', 'queryMark="true"')))
    again = judged(hub)
    assert again.groups == 1
    assert 0 < again.cases < everybody.cases / 4
    found = verdicts(hub)
    judged(hub, everything=True)
    assert verdicts(hub) == found


def test_a_party_that_changes_concerns_every_case_it_stands_in(hub: Hub, tmp_path: Path) -> None:
    take(hub, "csa2003", book(tmp_path, 101))
    judged(hub)
    shared = re.findall(r'partyRef="([^"]+)" role="PWC"', XML)
    party = max(shared, key=shared.count)
    take(hub, "csa2003", book(tmp_path, 102, (rf'(<Party id="{party}"[^>]*?nino=)"[^"]*"', r'\1"TN010160M"')))
    judged(hub)
    found = verdicts(hub)
    judged(hub, everything=True)
    assert verdicts(hub) == found


def test_other_rules_have_every_case_judged_again(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take(hub, "csa2003", book(tmp_path, 101))
    first = judged(hub)
    assert judged(hub).cases == 0
    monkeypatch.setattr(linking, "rules_version", lambda: "other rules")
    assert judged(hub) == first
    assert judged(hub).cases == 0


def test_a_correction_of_single_cases_is_always_judged(hub: Hub, tmp_path: Path) -> None:
    take(hub, "csa2003", book(tmp_path, 101))
    judged(hub)
    xml = renumbered(XML, 102, kind="CORRECTION")
    take(hub, "csa2003", pack(tmp_path, xml, sequence=102))
    assert judged(hub).cases > 0
