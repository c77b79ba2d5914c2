"""What a file says of itself, in whatever format: as-at date, whole book or correction."""

from typing import Literal

from integrationhub.sdk.part import Part


class DatedField(Part):
    """A date in a header, and its format."""

    field: str
    format: Literal["cyyddd", "ccyymmdd"]


class KindField(Part):
    """Where the header says whether the file is a whole book or a correction."""

    field: str
    full: str
    correction: str
