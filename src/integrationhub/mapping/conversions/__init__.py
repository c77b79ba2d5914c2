"""Typed conversions: source columns to canonical ones, natively on columns; a bad value becomes null, never an error.

Each conversion says what the value is, what mark explains an empty date, and which reason code a value gets that is
there but can't be read.
"""

from collections.abc import Callable, Mapping

import polars as pl

from integrationhub.mapping.conversions import codes, dates, nino, numbers, text
from integrationhub.mapping.conversions.result import FEW, Converted, Environment, Kind, Reader
from integrationhub.mapping.spec import Conversion

__all__ = ["FEW", "Converted", "Environment", "Kind", "Reader", "convert"]

_CONVERSIONS: Mapping[str, Callable[[pl.Expr, Conversion, Environment], Converted]] = {
    "text": text.text,
    "plain": text.plain,
    "digits": numbers.digits,
    "int": numbers.integer,
    "pence": numbers.pence,
    "pounds": numbers.pounds,
    "date": dates.dated,
    "code": codes.coded,
    "flag": codes.flag,
    "nino": nino.number,
    "nino_status": nino.status,
    "nino_usable": nino.usable,
    "present": numbers.present,
}


def convert(source: pl.Expr, options: Conversion, environment: Environment) -> Converted:
    """`source` read as `options` say."""
    return _CONVERSIONS[options.conversion or "present"](source, options, environment)
