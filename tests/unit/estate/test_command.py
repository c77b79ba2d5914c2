"""`integrationhub estate generate` as a user types it."""

import json
from pathlib import Path

from click.testing import CliRunner

from integrationhub.cli import program


def test_generate_writes_an_estate_and_reports_it_as_json(tmp_path: Path) -> None:
    arguments = [
        "estate",
        "generate",
        "--out",
        str(tmp_path),
        "--groups",
        "3",
        "--seed",
        "9",
        "--nights",
        "c",
        "--json",
    ]
    result = CliRunner().invoke(program, arguments)

    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [Path(row["path"]).name for row in rows] == [
        "CSCS.NIGHTLY.D20150701.S000101.dat",
        "CS2.EXTRACT.D20150701.S000101.xml.gz",
        "CLERICAL_20150701_101.csv",
        "CSCS.NIGHTLY.D20150702.S000102.dat",
        "CS2.EXTRACT.D20150702.S000102.xml.gz",
        "CLERICAL_20150702_102.csv",
    ]
    assert {path.name for path in tmp_path.iterdir()} >= {"expected.json", "expected.S000101.json"}


def test_generate_takes_sequence_and_day(tmp_path: Path) -> None:
    arguments = [
        "estate",
        "generate",
        "--out",
        str(tmp_path),
        "--groups",
        "1",
        "--sequence",
        "7",
        "--as-at",
        "2016-02-29",
    ]
    result = CliRunner().invoke(program, arguments)

    assert result.exit_code == 0, result.output
    assert (tmp_path / "CSCS.NIGHTLY.D20160301.S000007.ctl").is_file()
