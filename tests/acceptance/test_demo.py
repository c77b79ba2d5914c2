"""The first thing that anybody sees: the demo tells the truth about what it did, and can be run again."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

IN_USE = 5


def hub(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "integrationhub", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "here"


@pytest.fixture(scope="module")
def told(folder: Path) -> str:
    done = hub("demo", "--groups", "30", "--dir", folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_total_of_both_nights_leaves_nothing(told: str) -> None:
    totals = re.findall(r"^(?:rp|sos|unk|suspended|custodian|ledger_hash) +(.*)$", told, re.MULTILINE)
    figures = [[int(figure.replace(",", "")) for figure in line.split()] for line in totals]

    assert len(figures) == 12
    assert all(left == trailer - loaded - aside == 0 for trailer, loaded, aside, left in figures)
    assert any(aside for _, _, aside, _ in figures)


def test_all_three_books_are_taken_with_every_control(told: str) -> None:
    for book in ("CS2.EXTRACT", "CLERICAL_"):
        held, stated = re.search(rf"{book}\S*: ACCEPTED; [\d,]+ records; (\d+) of (\d+) controls hold", told).groups()  # type: ignore[union-attr] # no match fails the test as well
        assert held == stated != "0"
    assert re.search(r"change events behind it, .*: \d+ ACCEPTED", told)
    assert re.search(r"[1-9]\d* of them in several", told)


def test_the_spoilt_group_is_named_and_its_exception_resolved(told: str) -> None:
    assert re.search(r"R13: record \d+, byte [\d,]+: L-POSTED in CSX-LEDGER: DATE_INVALID", told)
    assert re.findall(r"^[0-9a-f]{32} +(\S+) +\S+ +(\S+)$", told, re.MULTILINE) == [("R13", "RESOLVED")]


def test_a_wave_moves_with_its_approval_refused_to_the_preparer_and_no_penny_left(told: str) -> None:
    wave = told.partition("6. A wave")[2].partition("7. ")[0]

    assert "refused: asha has rehearsed this wave and may not approve it" in wave
    assert re.search(r"moved: \d+ groups, 0 held", wave)
    assert "all balances agree" in wave
    assert "signed off: £" in wave


def test_one_balance_is_traced_to_bytes_that_stand_in_its_file(told: str, folder: Path) -> None:
    file, offset, digits = re.search(
        r"file (\S+), record.*?pence = .*? at ([\d,]+) X'([0-9a-f]+)'", told, re.DOTALL
    ).groups()  # type: ignore[union-attr] # no match fails the test as well
    data, start = (folder / "estate" / file).read_bytes(), int(offset.replace(",", ""))

    assert data[start : start + len(digits) // 2].hex() == digits


def test_what_it_points_to_works(told: str) -> None:
    commands = re.findall(r"integrationhub (\w[^\n]*--config \S+)", told.partition("Where to look next")[2])

    assert len(commands) >= 5
    assert any("migrate status" in command for command in commands)
    done = [hub(*command.split()) for command in commands]
    assert [one.returncode for one in done] == [0] * len(commands)
    assert "another plan hash" not in "".join(one.stdout for one in done)


def test_it_can_be_run_again_but_never_over_something_else(told: str, folder: Path, tmp_path: Path) -> None:
    assert hub("demo", "--groups", "30", "--dir", folder).stdout == told
    (tmp_path / "letter").write_text("mine")

    refused = hub("demo", "--dir", tmp_path)

    assert refused.returncode == IN_USE
    assert (tmp_path / "letter").read_text() == "mine"
