"""Unit forms: what mapping specs make of the records of benefit, payment and event feeds, for judges and for no table.

A form is an entity that is known by its place in the file: nothing derives an identifier for it, its key is the
`source_ref` that the spec fills, and rows may repeat. Forms stand in the modules of this package, one a connector, each
with a tuple `FORMS`; what stands there is a target of mapping specs.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from integrationhub.canonical import model
from integrationhub.canonical.model import Entity


@cache
def forms() -> Mapping[str, Entity]:
    """Every unit form by its name."""
    return {form.name: form for form in _declared()}


@cache
def targets() -> Mapping[str, Entity]:
    """Everything that a mapping spec can fill: the canonical entities, parents before children, then the forms."""
    return {**model.ENTITIES, **forms()}


def _declared() -> Iterator[Entity]:
    for found in sorted(iter_modules(__path__), key=lambda item: item.name):
        yield from getattr(import_module(f"{__name__}.{found.name}"), "FORMS", ())
