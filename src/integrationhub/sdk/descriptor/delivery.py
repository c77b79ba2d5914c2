"""[delivery]: how files arrive, what is written last, and in which sequence they come."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import Field

from integrationhub.sdk.part import Part, Pattern


class Trigger(Part):
    """The file that is written last: named like the data file, `suffix` in the place of `replaces`, or appended."""

    suffix: str = ".ctl"
    replaces: str = ""

    def name_for(self, data_name: str) -> str:
        """The trigger file's name beside the data file `data_name`."""
        return data_name.removesuffix(self.replaces) + self.suffix

    def data_name_for(self, trigger_name: str) -> str:
        """The data file's name beside the trigger file `trigger_name`."""
        return trigger_name.removesuffix(self.suffix) + self.replaces


class DeliveryCodes(Part):
    """Reason codes of the delivery checks."""

    trigger: str = "CTL_INVALID"
    repeated: str = "DUPLICATE"
    reused: str = "SEQ_REUSED"
    gap: str = "SEQUENCE_GAP"
    size: str = "SIZE_MISMATCH"
    hash: str = "SHA_MISMATCH"


NO_FILE = "(?!)"
"""A pattern that no name fits."""


class FileKind(Part):
    """[[delivery.files]]: a kind of files that is judged in units (`sdk.units`).

    `file`: the name, without `.gz`, which may follow unless `compressed` is false. Named groups are handed to the
    decoder; `sequence` orders files that are found together, `as_at` (CCYYMMDD or CCYYDDD) is the day that mapping goes
    by, else the day of arrival. `records`: the trigger file states RECORDS.
    """

    file: Pattern
    decoder: str
    records: bool = False
    compressed: bool = False

    def named(self, name: str) -> dict[str, str] | None:
        """The named groups of a name of this kind; None for another name."""
        match = re.fullmatch(self.file, name.removesuffix(".gz") if self.compressed else name)
        return None if match is None else {key: value for key, value in match.groupdict().items() if value is not None}

    def as_at(self, name: str) -> date | None:
        """The as-at day in a name; None: there is none, or it is no day."""
        text = (self.named(name) or {}).get("as_at", "")
        form = {len("CCYYMMDD"): "%Y%m%d", len("CCYYDDD"): "%Y%j"}.get(len(text))
        try:
            day = datetime.strptime(text, form).replace(tzinfo=UTC).date() if form else None
        except ValueError:
            return None
        return day if day and day.strftime(form or "") == text else None  # day 366 of a short year is none


class DeliveryRules(Part):
    """[delivery]: how files arrive and in which sequence. A connector whose messages are all there is names no file."""

    transports: tuple[Literal["folder", "file-notice", "queue"], ...]
    file: Pattern = NO_FILE
    files: tuple[FileKind, ...] = ()
    trigger: Trigger = Trigger()
    trigger_keys: tuple[str, ...] = ("FILE", "BYTES", "SHA256")
    first_sequence: int | Literal["any"] = "any"
    deadline: Annotated[str, Field(pattern=r"^\d\d:\d\d$")] | None = None
    codes: DeliveryCodes = DeliveryCodes()

    @property
    def patterns(self) -> tuple[str, ...]:
        """The forms of data files' names."""
        return tuple(kind.file for kind in self.files) or (self.file,)

    def is_named(self, name: str) -> bool:
        """Whether a data file or trigger file of this name is one of the feed's."""
        data = self.trigger.data_name_for(name) if name.endswith(self.trigger.suffix) else name
        return self.fits(data)

    def fits(self, name: str) -> bool:
        """Whether a data file of this name is one of the feed's."""
        return self.kind_of(name) is not None or re.fullmatch(self.file, name) is not None

    def kind_of(self, name: str) -> FileKind | None:
        """The kind of files that are judged in units that a name is of."""
        return next((kind for kind in self.files if kind.named(name) is not None), None)

    def sequence_of(self, name: str) -> int | None:
        """The sequence number in a data file's name; None if it has none, or isn't one of this connector's."""
        kind = self.kind_of(name)
        if kind is not None:
            number = (kind.named(name) or {}).get("sequence", "")
            return int(number) if number.isdecimal() else None
        match = re.fullmatch(self.file, name)
        return int(match["sequence"]) if match else None
