"""[layout] and [keying] of workbook exports in which every case is keyed twice."""

from typing import Literal

from integrationhub.sdk.part import Part, Pattern


class CsvLayout(Part):
    """[layout] of a workbook export: heading row first, exactly these columns."""

    format: Literal["csv"]
    encoding: str
    columns: tuple[str, ...]

    @property
    def source(self) -> str:
        """The descriptor itself describes the records."""
        return "connector.toml"


class KeyingCodes(Part):
    """Reason codes of the checks of a keyed book."""

    heading: str = "HEADING"
    count: str = "CONTROL_COUNT"
    control: str = "CONTROL_TOTAL"
    disagreement: str = "DOUBLE_ENTRY"
    unreadable: str = "FIELD_INVALID"
    exception: str = "DE"


class KeyedTotal(Part):
    """A control total of a keyed book: the trigger's key and the column that it sums over the first keyings."""

    trigger: str
    column: str
    canonical: str


class Keying(Part):
    """[keying]: a book in which every case is keyed twice."""

    case: str
    key: str
    clerk: str
    compared: tuple[str, ...]
    mandatory: tuple[str, ...]
    kinds: dict[str, Literal["text", "name", "nino", "date", "money", "count", "code", "number"]] = {}
    values: dict[str, tuple[str, ...]] = {}  # column of kind code → its codes
    case_pattern: Pattern
    codes: KeyingCodes = KeyingCodes()
    totals: dict[str, KeyedTotal] = {}
