"""Decoders, readers and judges by the names that descriptors give them: each name is a module."""

import json
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import polars as pl

from integrationhub.accounts.unit import Judge
from integrationhub.errors import ConfigurationError
from integrationhub.intake.messages.signatures import KEYS_MISSING
from integrationhub.mapping.tables import Layout
from integrationhub.sdk.descriptor import Descriptor, UnitRules
from integrationhub.sdk.units import Options, UnitDecoder, UnitReader

_DECODERS, _JUDGES = "integrationhub.decode.units", "integrationhub.accounts.feeds"
_PLACE: Mapping[str, pl.DataType] = {"_record": pl.Int64(), "_offset": pl.Int64()}
"""In every table: where a row stands."""


def rules_of(descriptor: Descriptor) -> UnitRules:
    """[units] of a connector that has it."""
    assert descriptor.units is not None
    return descriptor.units


def options_of(descriptor: Descriptor, *, synthetic_identities: bool = False, keys_file: Path | None = None) -> Options:
    """What the connector's decoders, reader and judge are built with."""
    return Options(
        connector=descriptor.name,
        folder=descriptor.folder,
        values=rules_of(descriptor).options,
        synthetic_identities=synthetic_identities,
        keys=partial(_keys, keys_file),
    )


def _keys(file: Path | None) -> Mapping[str, Any]:
    if file is None:
        raise ConfigurationError(
            "messages of this feed can't be read without keys",
            code=KEYS_MISSING,
            remedy="name a file with the keys in the setting keys_file",
        )
    content: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def decoder(name: str, options: Options) -> UnitDecoder:
    """The decoder of this name. ConfigurationError: there is none."""
    return cast("UnitDecoder", _build(_DECODERS, name, options))


def reader(name: str, options: Options) -> UnitReader:
    """The reader of this name. ConfigurationError: there is none."""
    return cast("UnitReader", _build(_DECODERS, name, options))


def judge(name: str, options: Options) -> Judge:
    """The judge of this name. ConfigurationError: there is none."""
    return cast("Judge", _build(_JUDGES, name, options))


def unit_layout(descriptor: Descriptor, options: Options | None = None) -> Layout:
    """The tables of all decoders of a connector, and of its reader."""
    options = options or options_of(descriptor)
    found = [decoder(kind.decoder, options).layout for kind in descriptor.delivery.files]
    named = rules_of(descriptor).reader
    layouts = [*found, *([reader(named, options).layout] if named else [])]
    tables: dict[str, dict[str, pl.DataType]] = {table: dict(_PLACE) for layout in layouts for table in layout}
    for layout in layouts:
        for table, fields in layout.items():
            tables[table].update(fields)
    return tables


def _build(package: str, name: str, options: Options) -> object:
    module = f"{package}.{name.replace('-', '_')}"
    if find_spec(module) is None:
        raise ConfigurationError(f"connector {options.connector}: there is nothing called {name} in {package}")
    made: object = import_module(module).build(options)
    return made
