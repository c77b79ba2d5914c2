"""[layout] and [units] of benefit, payment and event feeds, whose records are judged one by one (`sdk.units`)."""

from typing import Any, Literal

from integrationhub.sdk.part import Part


class UnitLayout(Part):
    """[layout] of a feed that is judged in units: which file beside the descriptor describes the records."""

    format: Literal["units"]
    source: str = "connector.toml"


class UnitCodes(Part):
    """Reason codes of the checks of a file around its content (benefits-common.md §4, §8)."""

    waiting: str = "CTL_WITHOUT_DATA"
    empty: str = "FILE_EMPTY"
    limit: str = "DECOMPRESS_LIMIT"
    damaged: str = "DECOMPRESS_ERROR"
    gap: str = "SEQ_GAP"
    reused: str = "SEQ_REUSED"


class UnitRules(Part):
    """[units]: who understands the feed. Files name their decoders in [[delivery.files]].

    `judge`: accounts/feeds/<judge>.py. `reader`: decode/units/<reader>.py, for messages. `options`: what decoders,
    reader and judge need to know of the agreement with the source: accounts, user numbers, rates, holidays.
    `largest`: bytes of a message's body.
    """

    judge: str
    reader: str | None = None
    largest: int = 1 << 20
    options: dict[str, Any] = {}
    codes: UnitCodes = UnitCodes()
