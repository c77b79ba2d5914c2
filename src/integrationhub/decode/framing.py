"""Bytes of a file to records: where each record's data start and how long they are.

    F, FB   every record has the same length
    V       a record descriptor word (RDW) of four bytes stands in front of every record
            big     length in bytes 1–2, high byte first (z/OS)     little  length in bytes 3–4, low byte first
            u32     all four bytes are the length, high byte first  none    no RDW: not scanned here

The RDW's length plus the adjustment is the length of the whole record with the RDW's own four bytes.
Source: z/OS DFSMS Using Data Sets, "Variable-length record formats".
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from integrationhub.decode.chains import LengthField, walk
from integrationhub.errors import ConfigurationError

Buffer: TypeAlias = bytes | bytearray | memoryview | npt.NDArray[np.uint8]

RDW = 4
"""Bytes of a record descriptor word."""

_LENGTHS = {"big": (2, 0, False), "little": (2, 2, True), "u32": (4, 0, False)}


@dataclass(frozen=True, slots=True, kw_only=True)
class FramingFault:
    """A place where no record can begin or end: `offset` counts from the start of the file."""

    offset: int
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Whole records found in a buffer: `starts` are indices of their data in it, `consumed` bytes are done with.

    Scan again from there once more bytes have arrived; a fault ends the scan for good.
    """

    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int32]
    consumed: int
    fault: FramingFault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """How a file is cut into records.

    `minimum` is the shortest whole record that an RDW may announce, its own four bytes included.
    """

    kind: Literal["F", "V"] = "V"
    rdw: Literal["big", "little", "u32"] = "big"
    adjustment: int = 0
    minimum: int = RDW
    record_length: int | None = None

    def scan(self, buffer: Buffer, base: int, *, final: bool) -> Frames:
        """The whole records at the front of a buffer whose first byte is byte `base` of the file.

        With `final` no more bytes will come: what is left over then is a fault.
        """
        data = np.frombuffer(buffer, np.uint8)
        return (
            self._fixed(len(data), base, final=final) if self.kind == "F" else self._variable(data, base, final=final)
        )

    def _fixed(self, size: int, base: int, *, final: bool) -> Frames:
        length = self.record_length
        if not length or length < 1:
            raise ConfigurationError("record format F needs a record length of at least 1", code="FRAMING_INVALID")
        count, rest = divmod(size, length)
        fault = None
        if final and rest:
            fault = FramingFault(
                offset=base + count * length,
                expected=f"a record of {length} bytes, found {rest} to the end of the file",
            )
        return Frames(
            starts=np.arange(count, dtype=np.int64) * length,
            lengths=np.full(count, length, np.int32),
            consumed=count * length,
            fault=fault,
        )

    def _variable(self, data: npt.NDArray[np.uint8], base: int, *, final: bool) -> Frames:
        size, shift, little = _LENGTHS[self.rdw]
        field = LengthField(
            size=size,
            shift=shift,
            little=little,
            adjustment=self.adjustment,
            minimum=max(self.minimum, RDW),
            header=RDW,
        )
        starts, position = walk(data, field)
        overrun = position > len(data)
        if overrun:
            starts, position = starts[:-1], int(starts[-1])
        lengths = np.diff(starts, append=position) - RDW
        return Frames(
            starts=starts + RDW,
            lengths=lengths.astype(np.int32),
            consumed=position,
            fault=self._fault(base + position, len(data) - position, overrun=overrun, final=final),
        )

    def _fault(self, offset: int, left: int, *, overrun: bool, final: bool) -> FramingFault | None:
        """Why the scan stopped at `offset` with `left` bytes to go."""
        if left >= RDW and not overrun:
            return FramingFault(offset=offset, expected=f"a record length of at least {self.minimum}")
        if not final or not left:
            return None
        if overrun:
            return FramingFault(offset=offset, expected=f"a record that ends within the {left} bytes left in the file")
        return FramingFault(offset=offset, expected=f"an RDW of {RDW} bytes, found {left} to the end of the file")
