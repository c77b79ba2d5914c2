"""A message body in JSON, read strictly: everything that two readers could understand in two ways is refused.

Checks in their order (benefits-common.md §5): size, encoding, syntax, keys that repeat, depth. Python's parser is the
one native pass, and tells of repeated keys and long numbers on its way. Half of a surrogate pair and depth are looked
for only where the bytes leave room for them. All checks together cost less than the parsing itself.
"""

import json
import re
from typing import Any

from integrationhub.errors import RecordRejected

DEEPEST = 32
"""Levels of objects and arrays, the top object counted."""

DIGITS = 18
"""Digits of the longest whole number."""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class _Repeated(Exception):
    """An object has a key twice."""


class Long:
    """Stands in the place of a whole number with too many digits."""


LONG = Long()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found


def _constant(_name: str) -> None:
    raise ValueError("JSON knows neither NaN nor Infinity")


def _whole(text: str) -> int | Long:
    return LONG if len(text.lstrip("-")) > DIGITS else int(text)


_STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_int=_whole)
_LENIENT = json.JSONDecoder(parse_constant=_constant, parse_int=_whole)
"""For bodies of which it is known that a key repeats: whether they are JSON at all."""


def read_body(body: bytes, *, largest: int) -> dict[str, Any]:
    """The object in a body. Whole numbers of more than DIGITS digits are LONG.

    RecordRejected: BODY_TOO_LARGE, ENCODING_INVALID, JSON_INVALID, JSON_DUPLICATE_KEY or JSON_TOO_DEEP.
    """
    require_size(body, largest=largest)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise RecordRejected("the body is not UTF-8", code="ENCODING_INVALID") from None
    found = _parsed(text, _STRICT)
    if not isinstance(found, dict):
        raise _no_json("no object stands at its top")
    if _SURROGATE.search(body) and not _is_text(found):
        raise _no_json("it holds half of a surrogate pair")
    if body.count(b"{") + body.count(b"[") > DEEPEST and _depth(found) > DEEPEST:
        raise _too_deep()
    return found


def require_size(body: bytes, *, largest: int) -> None:
    """RecordRejected: BODY_TOO_LARGE."""
    if len(body) > largest:
        raise RecordRejected(f"the body has more than {largest} bytes", code="BODY_TOO_LARGE")


def _parsed(text: str, decoder: json.JSONDecoder) -> object:
    try:
        return decoder.decode(text)
    except _Repeated:
        _parsed(text, _LENIENT)  # the syntax is judged first
        raise RecordRejected("an object in the body has the same key twice", code="JSON_DUPLICATE_KEY") from None
    except ValueError:  # its text quotes the body
        raise _no_json("its syntax is faulty") from None
    except RecursionError:
        raise _too_deep() from None


def _no_json(why: str) -> RecordRejected:
    return RecordRejected(f"the body is no JSON: {why}", code="JSON_INVALID")


def _too_deep() -> RecordRejected:
    return RecordRejected(f"the body is nested more than {DEEPEST} deep", code="JSON_TOO_DEEP")


def _is_text(value: dict[str, Any]) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


def _depth(value: object) -> int:
    """Levels of objects and arrays, without recursion."""
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth
