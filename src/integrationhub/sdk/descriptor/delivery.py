"""[delivery]: how files arrive, what is written last, and in which sequence they come."""

import re
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


class DeliveryRules(Part):
    """[delivery]: how files arrive and in which sequence. A connector whose messages are all there is names no file."""

    transports: tuple[Literal["folder", "file-notice", "queue"], ...]
    file: Pattern = NO_FILE
    trigger: Trigger = Trigger()
    trigger_keys: tuple[str, ...] = ("FILE", "BYTES", "SHA256")
    first_sequence: int | Literal["any"] = "any"
    deadline: Annotated[str, Field(pattern=r"^\d\d:\d\d$")] | None = None
    codes: DeliveryCodes = DeliveryCodes()

    def is_named(self, name: str) -> bool:
        """Whether a data file or trigger file of this name is one of the feed's."""
        data = self.trigger.data_name_for(name) if name.endswith(self.trigger.suffix) else name
        return self.sequence_of(data) is not None

    def sequence_of(self, name: str) -> int | None:
        """The sequence number in a data file's name; None if the name isn't one of this connector's."""
        match = re.fullmatch(self.file, name)
        return int(match["sequence"]) if match else None
