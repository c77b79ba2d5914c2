"""Payment files judged by their public standard alone: no trigger file, no agreement, no store (`check --standalone`).

What a file is its content says: the first decoder of the connector that recognises it reads it.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from integrationhub.errors import ConfigurationError, NotFound
from integrationhub.intake.report import Amount, FileReport, FileVerdict, controls_of
from integrationhub.intake.units import registry
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.sdk.units import FileFacts, FileInHand, Recogniser, UnitDecoder

HEAD = 64 * 1024
NOWHEN = datetime(1970, 1, 1, tzinfo=UTC)
"""A file that is judged alone arrives at no time."""


class StandaloneCheck:
    """Judges files of one connector. ConfigurationError: it has no files that can be judged alone."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._name = descriptor.name
        kinds = () if descriptor.units is None else dict.fromkeys(kind.decoder for kind in descriptor.delivery.files)
        options = registry.options_of(descriptor) if kinds else None
        made = [registry.decoder(kind, options) for kind in kinds] if options is not None else []
        self._decoders = [decoder for decoder in made if isinstance(decoder, Recogniser)]
        if not self._decoders:
            raise ConfigurationError(
                f"connector {descriptor.name}: its files follow no public standard, they can't be judged alone",
                code="NOT_STANDALONE",
                remedy="check them without --standalone",
            )

    def files(self, path: Path) -> list[Path]:
        """The file, or the files of a folder. NotFound: there is none."""
        found = sorted(item for item in path.iterdir() if _is_data(item)) if path.is_dir() else [path]
        if not found or not found[0].is_file():
            raise NotFound("there is no file there", code="NO_FILES")
        return found

    def judge(self, path: Path) -> FileReport:
        """What the file is worth."""
        with path.open("rb") as stream:
            head = stream.read(HEAD)
            stream.seek(0)
            decoder = next((item for item in self._decoders if item.recognises(head)), None)
            hashed = _Hashed(stream)
            facts = self._read(decoder, hashed, path.name)
            sha256 = hashed.digest()
        return self._report(str(path), sha256, facts)

    def _read(self, decoder: Recogniser | None, stream: "_Hashed", name: str) -> FileFacts:
        if decoder is None:
            text = "the content is of no kind of file that the connector knows"
            return FileFacts(structure=Reason(code="FORMAT_UNKNOWN", text=text))
        file = FileInHand(name=name, named={}, size=0, sha256="", records=None, received_at=NOWHEN, standalone=True)
        reading = cast("UnitDecoder", decoder).decode(cast("BinaryIO", stream), file)
        while True:
            try:
                next(reading)
            except StopIteration as end:
                facts: FileFacts = end.value
                return facts

    def _report(self, path: str, sha256: str, facts: FileFacts) -> FileReport:
        fault = facts.structure or facts.control
        outcomes: Mapping[str, int] = {} if fault is not None else facts.outcomes
        return FileReport(
            path=path,
            connector=self._name,
            sha256=sha256,
            verdict=FileVerdict.ACCEPTED if fault is None else FileVerdict.REJECTED,
            reasons=() if fault is None else (fault,),
            records=sum(facts.outcomes.values()),
            outcomes=outcomes,
            controls=controls_of(facts),
            credits=Amount(count=facts.credits.count, pence=facts.credits.pence),
            debits=Amount(count=facts.debits.count, pence=facts.debits.pence),
        )


class _Hashed:
    """A stream that hashes what is read of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """So many bytes, or all."""
        return self._noted(self._stream.read(size))

    def readline(self, limit: int = -1) -> bytes:
        """A line, or so many bytes of it."""
        return self._noted(self._stream.readline(limit))

    def digest(self) -> str:
        """The SHA-256 of the whole file, in hexadecimal."""
        while self.read(1 << 20):
            pass
        return self._hash.hexdigest()

    def _noted(self, piece: bytes) -> bytes:
        self._hash.update(piece)
        return piece


def _is_data(path: Path) -> bool:
    return path.is_file() and path.suffix != ".ctl" and not path.name.startswith(".")
