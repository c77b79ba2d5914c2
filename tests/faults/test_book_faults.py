"""R01 to R06, R11, R20 to R25 and R30: every broken extract and workbook gives its code, and nothing of it is seen.

All broken deliveries carry the number that the good one carries, so each must be judged anew behind the refusal before
it, and the good one must be taken at the end as if nothing had happened.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.estate.clerical_faults import disagreements, faulty_books
from integrationhub.estate.csa1993_file import encoder_for
from integrationhub.estate.csa2003_faults import faulty_extracts
from integrationhub.estate.faults import Faulty
from integrationhub.estate.generate import BookFile, Generated, generate
from integrationhub.estate.nights import Estate
from integrationhub.intake.report import FileReport
from integrationhub.receive.folder import find_files
from tests.acceptance.files import descriptor, hand_over

VERDICTS = {"R04": "HELD", "R05": "DUPLICATE"}
FAULTS = {"csa2003": faulty_extracts, "clerical": faulty_books}
CODES = {
    "csa2003": {"R01", "R02", "R03", "R04", "R05", "R06", "R11", "R20", "R21", "R22", "R23", "R24", "R25"},
    "clerical": {"R01", "R02", "R03", "R04", "R05", "R06", "R11", "R25", "R30"},
}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    [made] = generate(
        tmp_path_factory.mktemp("good"), Estate(groups=30, seed=26, books=("03", "CL")), encoder_for(descriptor())
    )
    return made


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    settings = Settings(data_dir=tmp_path / "hub", synthetic_identities=True)
    with Hub(settings, Catalogue.standard(), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as opened:
        yield opened


def take(hub: Hub, connector: str, path: Path) -> FileReport:
    pipeline = hub.pipeline(connector)
    with pipeline.exclusive():
        return pipeline.take(find_files([path], pipeline.descriptor.delivery)[0])


def faults_of(file: BookFile) -> list[Faulty]:
    return FAULTS[file.connector](file.data.name, file.data.read_bytes(), file.trigger.read_bytes())


def cases(hub: Hub) -> list[dict[str, Any]]:
    with hub.store.read() as connection:
        return [row for frame in hub.judged_rows(connection, None)["arrears"]() for row in frame.to_dicts()]


@pytest.mark.parametrize("connector", FAULTS)
def test_every_broken_delivery_is_refused_by_its_code_and_the_good_one_taken_after_all(
    connector: str, hub: Hub, night: Generated, tmp_path: Path
) -> None:
    file = night.file_of(connector)
    faults = faults_of(file)
    assert {faulty.code for faulty in faults} == CODES[connector]

    wrong = {}
    for faulty in (each for each in faults if not each.after_good):
        report = take(hub, connector, hand_over(faulty, tmp_path / "in"))
        told = (report.verdict.value, [reason.code for reason in report.reasons], sum(report.outcomes.values()))
        if told != ("REJECTED", [faulty.code], 0):
            wrong[faulty.code, faulty.about] = told
    assert wrong == {}
    assert cases(hub) == []

    assert take(hub, connector, file.data).verdict.value == "ACCEPTED"
    hub.judge_waiting()
    before = cases(hub)
    assert len(before) == sum(key[:2] == file.book for key in json.loads(night.truth.read_text("utf-8"))["cases"])
    for faulty in (each for each in faults if each.after_good):
        report = take(hub, connector, hand_over(faulty, tmp_path / "in"))
        assert report.verdict.value == VERDICTS.get(faulty.code, "REJECTED"), faulty.about
        assert [reason.code for reason in report.reasons] == [faulty.code]
    assert cases(hub) == before


def test_a_case_that_is_not_keyed_alike_is_held_and_the_others_are_not(
    hub: Hub, night: Generated, tmp_path: Path
) -> None:
    file = night.file_of("clerical")
    truth = json.loads(night.truth.read_text("utf-8"))["cases"]
    key = next(key for key, case in truth.items() if key.startswith("CL:") and case["outcome"] == "SOURCE")
    ways = disagreements(file.data.name, file.data.read_bytes(), file.trigger.read_bytes(), key[3:])
    take(hub, "clerical", file.data)
    hub.judge_waiting()
    before = held(hub)
    assert key not in before

    wrong = {}
    for faulty in ways:
        report = take(hub, "clerical", hand_over(faulty, tmp_path / "in"))
        hub.judge_waiting()
        codes = {reason.code for reason in report.reasons}
        if report.verdict.value != "ACCEPTED" or faulty.code not in codes or held(hub) != {**before, key: ["DE"]}:
            wrong[faulty.code, faulty.about] = (report.verdict, codes, held(hub).get(key))
    assert wrong == {}


def held(hub: Hub) -> dict[str, list[str]]:
    """Held case → its codes."""
    return {row["case"]: row["causes"] for row in cases(hub) if row["outcome"] == "EXCEPTION"}
