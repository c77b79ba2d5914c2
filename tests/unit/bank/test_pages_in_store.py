"""Pages of a statement in a store: what each of them reports, alone and once the last one is there."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.intake.report import FileReport, FileVerdict, exit_code
from integrationhub.pipeline import silent
from integrationhub.receive.folder import find_files
from tests.unit.bank.make import Statement, document, entry, part
from tests.unit.bank.world import ROOT

PAGES = [
    document(Statement(entries=[entry(1000, ref="A1"), entry(700, "DBIT")], page=(1, False), closing=None)),
    document(
        Statement(
            entries=[entry(300, ref="A2", parts=[part("?", pence=100), part("?", pence=200)])],
            page=(2, True),
            opening=None,
            closing=600,
        )
    ),
]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    settings = Settings(data_dir=tmp_path / "data", synthetic_identities=True)
    with Hub(settings, Catalogue.standard(directory=ROOT)) as made:
        yield made


def deliver(folder: Path, number: int) -> Path:
    """A page with its trigger file."""
    content = PAGES[number].encode()
    path = folder / f"CAMT053.S1.{number + 1}.xml"
    path.write_bytes(content)
    trigger = f"FILE={path.name}\nBYTES={len(content)}\nSHA256={sha256(content).hexdigest()}\n"
    path.with_name(f"{path.name}.ctl").write_text(trigger)
    return path


def taken(hub: Hub, *paths: Path) -> list[FileReport]:
    """The reports on files that are taken in one call."""
    pipeline = hub.pipeline("bank")
    return pipeline.take_all(find_files(paths, pipeline.descriptor.delivery), lambda _item: silent)


def test_a_page_waits_until_the_last_one_reports_the_whole_statement(hub: Hub, tmp_path: Path) -> None:
    first, second = deliver(tmp_path, 0), deliver(tmp_path, 1)

    (waiting,) = taken(hub, first)
    assert (waiting.verdict, [reason.code for reason in waiting.reasons]) == (FileVerdict.HELD, ["PAGE_MISSING"])
    assert (waiting.records, exit_code([waiting])) == (0, 75)

    (whole,) = taken(hub, second)
    assert (whole.verdict, whole.records) == (FileVerdict.ACCEPTED, 3)
    assert {name: number for name, number in whole.outcomes.items() if number} == {"EXCEPTION": 2, "EXCLUDED": 1}
    assert (whole.credits.count, whole.credits.pence, whole.debits.pence) == (2, 1300, 700)
    assert [report.verdict for report in taken(hub, first, second)] == [FileVerdict.DUPLICATE] * 2


def test_pages_that_come_together_wait_for_nothing(hub: Hub, tmp_path: Path) -> None:
    reports = taken(hub, deliver(tmp_path, 0), deliver(tmp_path, 1))
    assert [(report.verdict, report.records) for report in reports] == [
        (FileVerdict.ACCEPTED, 0),
        (FileVerdict.ACCEPTED, 3),
    ]
    assert exit_code(reports) == 0
