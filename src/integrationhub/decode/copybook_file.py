"""A mainframe file's decoder in one piece: copybook, framing and reading, from plain settings."""

from collections.abc import Mapping
from typing import Any

from integrationhub.decode.copybook import parse_copybook
from integrationhub.decode.decoder import RecordDecoder
from integrationhub.decode.framing import Buffer, Frames, Framing
from integrationhub.decode.lengths import LengthCheck
from integrationhub.decode.numbers import Block, Integers, Lengths
from integrationhub.decode.selector import Codes
from integrationhub.records import DecodedBatch


class CopybookFileDecoder:
    """Scans and decodes files of one copybook.

    `copybook` is the copybook's text and `name` what its faults call it; `framing` are the parameters of `Framing` and
    `layout` those of `RecordDecoder`, both as keywords with plain values. ConfigurationError lists every fault.
    """

    def __init__(
        self,
        copybook: str,
        *,
        name: str = "copybook",
        framing: Mapping[str, Any] | None = None,
        layout: Mapping[str, Any] | None = None,
    ) -> None:
        self.copybook = parse_copybook(copybook, name=name)
        self.framing = Framing(**(framing or {}))
        self.records = RecordDecoder(self.copybook, **(layout or {}))

    @property
    def record_names(self) -> tuple[str, ...]:
        """The 01 levels that records may be, by the codes `record_types_of` gives."""
        return self.records.record_names

    @property
    def table_names(self) -> tuple[str, ...]:
        """All tables that `decode` gives."""
        return self.records.table_names

    def scan(self, buffer: Buffer, base: int, *, final: bool) -> Frames:
        """The whole records at the front of a buffer that starts at byte `base` of the file (`Framing.scan`)."""
        return self.framing.scan(buffer, base, final=final)

    def record_types_of(self, buffer: Block, starts: Integers, lengths: Lengths) -> Codes:
        """The place of each record's 01 level in `record_names`, −1 when unknown (`RecordDecoder.record_types_of`)."""
        return self.records.record_types_of(buffer, starts, lengths)

    def length_check(
        self, buffer: Block, starts: Integers, lengths: Lengths, types: Codes | None = None
    ) -> LengthCheck:
        """The records whose length isn't that of their type and counts (`RecordDecoder.length_check`)."""
        return self.records.length_check(buffer, starts, lengths, types)

    def decode(
        self,
        buffer: Block,
        starts: Integers,
        lengths: Lengths,
        *,
        first_record: int = 1,
        base: int = 0,
        types: Codes | None = None,
    ) -> DecodedBatch:
        """The tables of some records (`RecordDecoder.decode`)."""
        return self.records.decode(buffer, starts, lengths, first_record=first_record, base=base, types=types)
