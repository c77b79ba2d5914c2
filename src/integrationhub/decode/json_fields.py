"""Values of a JSON object by their type: what is missing or of another type makes the message unusable."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from integrationhub.decode.json_body import LONG
from integrationhub.errors import RecordRejected

TOO_LONG = 10**18
"""Stands for a whole number with more digits than any amount has."""

NO_DAY = -1
"""Stands for a date that is in no calendar, or written otherwise than CCYY-MM-DD."""

_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def day_number(text: str | None) -> int | None:
    """A date CCYY-MM-DD as the number CCYYMMDD, in the calendar or not; None where there is none."""
    if not text:
        return None
    found = _DAY.fullmatch(text)
    return NO_DAY if found is None else int("".join(found.groups()))


class Fields:
    """The values of one object. RecordRejected: SCHEMA_INVALID. `null` is as good as nothing."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self._found = found

    def text(self, name: str, *, longest: int | None = None) -> str:
        """A text that must be there."""
        value: str = self._required(name, self.maybe_text(name, longest=longest))
        return value

    def maybe_text(self, name: str, *, longest: int | None = None) -> str | None:
        """A text; None where there is none."""
        value: str | None = self._typed(name, str)
        if value is not None and longest is not None and len(value) > longest:
            raise _unfit(name, "is too long")
        return value

    def name(self, name: str) -> str:
        """A text that names something: it must be there, and hold something that can be written down."""
        value = self.text(name)
        if not value.strip() or _CONTROL.search(value):
            raise _unfit(name, "names nothing")
        return value

    def moment(self, name: str) -> datetime:
        """A moment CCYY-MM-DDThh:mm:ss[.fff]Z that must be there."""
        value = self.text(name)
        try:
            if _MOMENT.fullmatch(value):
                return datetime.fromisoformat(value)
        except ValueError:
            pass
        raise _unfit(name, "is no moment in UTC")

    def whole(self, name: str) -> int:
        """A whole number that must be there."""
        value = self.pence(name)
        if value == TOO_LONG:
            raise _unfit(name, "is too long a number")
        return value

    def maybe_whole(self, name: str) -> int | None:
        """A whole number; None where there is none."""
        return None if self._found.get(name) is None else self.whole(name)

    def pence(self, name: str) -> int:
        """An amount that must be there; TOO_LONG where it has more digits than any amount."""
        value: int = self._required(name, self.maybe_pence(name))
        return value

    def maybe_pence(self, name: str) -> int | None:
        """An amount; None where there is none."""
        value = self._found.get(name)
        if value is LONG:
            return TOO_LONG
        number: int | None = self._typed(name, int)
        return number

    def maybe_day(self, name: str) -> int | None:
        """A date as a number, see `day_number`; None where there is none."""
        return day_number(self.maybe_text(name))

    def inner(self, name: str) -> "Fields":
        """An object that must be there."""
        return Fields(self._required(name, self._typed(name, dict)))

    def maybe_inner(self, name: str) -> "Fields":
        """An object, an empty one where there is none."""
        return Fields(self._typed(name, dict) or {})

    def _typed(self, name: str, kind: type) -> Any:  # noqa: ANN401 - JSON
        value = self._found.get(name)
        if value is not None and type(value) is not kind:  # a flag is no number
            raise _unfit(name, "is of another type")
        return value

    @staticmethod
    def _required(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
        if value is None:
            raise _unfit(name, "is missing")
        return value


def number_of(day: date) -> int:
    """A date as the number CCYYMMDD."""
    return day.year * 10_000 + day.month * 100 + day.day


def _unfit(name: str, what: str) -> RecordRejected:
    return RecordRejected(f"the body does not fit its schema: {name} {what}", code="SCHEMA_INVALID")
