from pathlib import Path

import numpy as np
import pytest

from integrationhub.decode.copybook import Copybook, parse_copybook
from integrationhub.decode.decoder import RecordDecoder
from integrationhub.decode.encode import RecordEncoder
from integrationhub.decode.framing import Frames, Framing
from integrationhub.decode.numbers import Block
from tests.unit.decode.commands import DecodeCommand

CONNECTOR = Path(__file__).parents[3] / "connectors" / "csa1993"
RECORD_TYPES = {
    "00": "CSX-HEADER",
    "10": "CSX-GROUP",
    "20": "CSX-CASE",
    "25": "CSX-PARTY-ROLE",
    "27": "CSX-ADDRESS",
    "30": "CSX-ASSESSMENT",
    "40": "CSX-LEDGER",
    "50": "CSX-HISTORY",
    "99": "CSX-TRAILER",
}
REDEFINES = {
    "L-DATA": ("L-KIND", {"C": "L-CHARGE", "R": "L-RECEIPT", "A": "L-ADJUSTMENT", "V": "L-REVERSAL"}),
}


@pytest.fixture(scope="session")
def extract_copybook() -> Copybook:
    return parse_copybook((CONNECTOR / "csa1993.cpy").read_text(), name="csa1993.cpy")


@pytest.fixture(scope="session")
def extract_decoder(extract_copybook: Copybook) -> RecordDecoder:
    return RecordDecoder(
        extract_copybook,
        record_types=RECORD_TYPES,
        redefines=REDEFINES,
        signs="strict",
        blanks="fault",
        low_values=frozenset({"C-EFF-DATE", "L-POSTED", "LC-FROM"}),
    )


@pytest.fixture(scope="session")
def extract_encoder(extract_copybook: Copybook) -> RecordEncoder:
    return RecordEncoder(extract_copybook, record_types=RECORD_TYPES, redefines=REDEFINES)


@pytest.fixture(scope="session")
def extract_framing() -> Framing:
    return Framing(rdw="u32", minimum=6)


@pytest.fixture(scope="session")
def sample() -> Block:
    return np.fromfile(CONNECTOR / "samples" / "CSCS.NIGHTLY.D20150701.S000101.dat", np.uint8)


@pytest.fixture(scope="session")
def sample_frames(sample: Block, extract_framing: Framing) -> Frames:
    return extract_framing.scan(sample, 0, final=True)


@pytest.fixture
def decode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> DecodeCommand:
    return DecodeCommand(tmp_path, capsys)
