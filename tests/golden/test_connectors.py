"""Every connector's samples become exactly its golden outputs. A new connector needs no test code."""

from pathlib import Path

import pytest

from tests.golden.outputs import outputs_of, with_samples


def test_there_is_a_connector_with_samples() -> None:
    assert "csa1993" in {folder.name for folder in with_samples()}


@pytest.mark.parametrize("connector", with_samples(), ids=lambda folder: folder.name)
def test_the_samples_become_the_golden_outputs(connector: Path, tmp_path: Path) -> None:
    golden = {file.stem: file.read_text(encoding="utf-8") for file in (connector / "golden").glob("*.jsonl")}
    outputs = dict(outputs_of(connector, tmp_path))
    assert golden.keys() == outputs.keys()
    for entity, rows in outputs.items():
        assert rows.splitlines() == golden[entity].splitlines(), f"{entity}: see tests/golden/outputs.py"
