"""One estate of some hundred case groups, and one over several nights, made once for all tests of this folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integrationhub.catalogue import shipped_connectors
from integrationhub.decode.encode import RecordEncoder
from integrationhub.estate.csa1993_file import encoder_for
from integrationhub.estate.generate import Generated, generate
from integrationhub.estate.nights import Estate
from integrationhub.sdk.descriptor import Descriptor, load_descriptor
from tests.unit.estate.simple_reader import Extract, check_controls


@dataclass
class Written:
    night: Generated
    extract: Extract
    truth: dict[str, Any]


def written(night: Generated) -> Written:
    return Written(night, check_controls(night.data), json.loads(night.truth.read_text("utf-8")))


@pytest.fixture(scope="session")
def descriptor() -> Descriptor:
    return load_descriptor(shipped_connectors() / "connectors" / "csa1993")


@pytest.fixture(scope="session")
def encoder(descriptor: Descriptor) -> RecordEncoder:
    return encoder_for(descriptor)


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory, encoder: RecordEncoder) -> Written:
    """900 case groups: large enough for every kind of error."""
    [night] = generate(tmp_path_factory.mktemp("estate"), Estate(groups=900, seed=4), encoder)
    return written(night)


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory, encoder: RecordEncoder) -> list[Written]:
    """Four nights of 60 case groups: a whole book, a whole book, a correction, a whole book."""
    made = generate(tmp_path_factory.mktemp("nights"), Estate(groups=60, seed=5, kinds="FCF"), encoder)
    return [written(night) for night in made]


@pytest.fixture(scope="session")
def sample_folder() -> Path:
    return shipped_connectors() / "connectors" / "csa1993" / "samples"
