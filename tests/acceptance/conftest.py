"""Installations, the samples, and estates that are made once for a run's worker."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integrationhub.catalogue import shipped_connectors
from tests.acceptance.files import Night, make_nights
from tests.acceptance.installation import Installation


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The samples of the connector, and what a right product makes of them."""

    folder: Path
    data: Path
    expected: dict[str, Any]

    @property
    def control(self) -> dict[str, Any]:
        """The file's controls."""
        controls: dict[str, Any] = self.expected["control"][self.data.name]
        return controls

    @property
    def sources(self) -> dict[str, dict[str, int]]:
        """Case → the source's figures, of the cases of the 1993 scheme."""
        return {key: case["source"] for key, case in self.expected["cases"].items() if key.startswith("93:")}


@pytest.fixture(scope="session")
def samples() -> Samples:
    folder = shipped_connectors() / "connectors" / "csa1993" / "samples"
    (data,) = folder.glob("*.dat")
    return Samples(folder=folder, data=data, expected=json.loads((folder / "expected.json").read_text("utf-8")))


@pytest.fixture
def hub(tmp_path: Path) -> Installation:
    """An installation with nothing in it."""
    return Installation(tmp_path)


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Night]:
    """Four nights of a small estate: whole book, correction, whole book, correction."""
    return make_nights(tmp_path_factory.mktemp("nights"), groups=25, seed=11, kinds="CFC")
