"""Whatever the bytes are, a decoder of a feed that is judged in units ends with facts, and raises nothing."""

import io
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrationhub.intake.units.registry import decoder, options_of
from integrationhub.sdk.descriptor import Descriptor, load_descriptor
from integrationhub.sdk.units import FileInHand
from tests.golden.outputs import with_samples

TRIES = 40
NOW = datetime(2026, 3, 31, tzinfo=UTC)


def _cases() -> list[tuple[Descriptor, Path]]:
    found = []
    for folder in with_samples():
        descriptor = load_descriptor(folder)
        if descriptor.units is not None:
            names = sorted((folder / "samples").iterdir())
            found += [(descriptor, path) for path in names if descriptor.delivery.kind_of(path.name) is not None]
    return found


CASES = _cases()


def mangled(content: bytes, dice: random.Random) -> bytes:
    """The content with bytes changed, left out, put in or repeated at some places."""
    held = bytearray(content)
    for _ in range(dice.choice([1, 1, 2, 5, 30])):
        place, length = dice.randrange(len(held) + 1), dice.choice([1, 2, 10, 300])
        match dice.randrange(4):
            case 0:
                held[place : place + 1] = dice.choice([b"\0", b"\n", b"<", b'"', b",", b"\xff", b"\x40", b"0"])
            case 1:
                del held[place : place + length]
            case 2:
                held[place:place] = dice.randbytes(length)
            case _:
                held[place:place] = held[dice.randrange(len(held) + 1) :][:length]
    return bytes(held)


@pytest.mark.parametrize(("descriptor", "path"), CASES, ids=[path.name for _, path in CASES])
def test_a_decoder_ends_with_facts_whatever_the_bytes_are(descriptor: Descriptor, path: Path) -> None:
    kind = descriptor.delivery.kind_of(path.name)
    assert kind is not None
    named, whole = kind.named(path.name) or {}, path.read_bytes()
    reader = decoder(kind.decoder, options_of(descriptor, synthetic_identities=True))
    dice = random.Random(path.name)  # noqa: S311 - the same tries on every run
    for number in range(TRIES):
        content = mangled(whole, dice)
        file = FileInHand(
            name=path.name, named=named, size=len(content), sha256="", records=None, received_at=NOW,
            standalone=number % 4 == 0,
        )  # fmt: skip
        pieces = reader.decode(io.BytesIO(content), file)
        facts = None
        while facts is None:
            try:
                next(pieces)
            except StopIteration as end:
                facts = end.value
