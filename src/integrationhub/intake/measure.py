"""A handed-over file, measured: kept as an original, its trigger read, its header looked at."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

import numpy as np

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.controls import as_at_of
from integrationhub.decode.copybook_file import CopybookFileDecoder
from integrationhub.receive.acceptance import HeaderFacts, Offer
from integrationhub.receive.originals import Originals
from integrationhub.receive.trigger import Trigger, read_trigger
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Descriptor

HeaderReader = Callable[[BinaryIO], HeaderFacts | None]
"""Reads what the file says of itself at its front; None when there is nothing to compare with, or no header (the checks
of the content will say so).
"""

_HEAD = 4096
"""Bytes read to find the first record."""


def no_header(_stream: BinaryIO) -> HeaderFacts | None:
    """For files that say nothing of themselves."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the hub knows of a file before it judges it. `path` is as somebody gave it."""

    path: str
    delivery_id: str
    trigger_sha256: str
    offer: Offer

    @property
    def as_at(self) -> date | None:
        """The as-at date of the trigger file."""
        return self.offer.trigger.as_at if isinstance(self.offer.trigger, Trigger) else None

    @property
    def trigger(self) -> Trigger:
        """The trigger file, of a file that was judged to have a good one."""
        assert isinstance(self.offer.trigger, Trigger)
        return self.offer.trigger


def keep(path: Path, trigger: Path, originals: Originals) -> tuple[str, str]:
    """Keep a data file and its trigger; their SHA-256."""
    with path.open("rb") as stream:
        data = originals.keep(stream)
    with trigger.open("rb") as stream:
        return data.sha256, originals.keep(stream).sha256


def measure(
    name: str,
    *,
    path: str,
    sha256: str,
    trigger_sha256: str,
    originals: Originals,
    descriptor: Descriptor,
    header_of: HeaderReader,
) -> Measured:
    """Measure the kept file `sha256` that came as `name`."""
    with originals.open(trigger_sha256) as stream:
        content = stream.read()
    with originals.open(sha256) as stream:
        header = header_of(stream)
        size = stream.seek(0, io.SEEK_END)
    rules = descriptor.delivery
    trigger = read_trigger(content, required=rules.trigger_keys, code=rules.codes.trigger)
    offer = Offer(
        name=name,
        sequence=rules.sequence_of(name),
        size=size,
        sha256=sha256,
        trigger=trigger,
        header=header,
    )
    return Measured(
        path=path,
        delivery_id=derive("delivery", descriptor.name, name, sha256, trigger_sha256),
        trigger_sha256=trigger_sha256,
        offer=offer,
    )


def missing_trigger(name: str, descriptor: Descriptor) -> Reason:
    """Why a data file without its trigger is not taken yet."""
    trigger = descriptor.delivery.trigger.name_for(name)
    return Reason(code="CTL_MISSING", text=f"waits for its trigger file {trigger}: until then it may be half written")


def record_header(descriptor: Descriptor, decoder: CopybookFileDecoder) -> HeaderReader:
    """Reads the first record of a mainframe file."""
    return lambda stream: _header(stream.read(_HEAD), descriptor, decoder)


def _header(head: bytes, descriptor: Descriptor, decoder: CopybookFileDecoder) -> HeaderFacts | None:
    buffer = np.frombuffer(head, np.uint8)
    frames = decoder.framing.scan(buffer, 0, final=len(head) < _HEAD)
    if not len(frames.starts):
        return None
    starts, lengths = frames.starts[:1], frames.lengths[:1]
    if not decoder.records.length_check(buffer, starts, lengths).holds:
        return None
    level = descriptor.layout.record_types[descriptor.structure.header]
    values = decoder.records.decode(buffer, starts, lengths).tables[level].to_pylist()
    if not values:
        return None
    header, rules = values[0], descriptor.structure.header_fields
    as_at = as_at_of(header, descriptor.structure)
    return HeaderFacts(offset=header["_offset"], sequence=header.get(rules.sequence), as_at=as_at)
