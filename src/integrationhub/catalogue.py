"""What there is: connectors, their mappings, migration plans, decoders; shipped, local, configured, third-party.

A **shelf** is a folder that holds any of `connectors/`, `mappings/` and `migration/`, with one folder a thing in each.
Shelves are searched in this order; the first that has a name wins, so that an installation can overlay what is shipped:

1. the working directory,
2. the folders of the setting `catalogue_folders`,
3. installed packages, through the entry points `integrationhub.connectors` (a function that gives the shelf's path).
   What the hub ships itself is found the same way, last.

Decoders are the objects that the entry points `integrationhub.decoders` name.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TypeVar

from integrationhub.errors import ConfigurationError, NotFound
from integrationhub.sdk.descriptor import Descriptor, load_descriptor

CONNECTORS = "integrationhub.connectors"
DECODERS = "integrationhub.decoders"
OURS = "integrationhub"
_MARKS = {"connectors": "connector.toml", "mappings": "*.toml", "migration": "plan.toml"}
"""What makes a folder a connector, a mapping or a plan."""

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A folder of connectors, mappings and plans. `origin` tells people where it is from."""

    origin: str
    folder: Path

    def things(self, kind: str) -> Iterator[Path]:
        """The folders of one kind (`connectors`, `mappings`, `migration`) on this shelf, by name."""
        for folder in sorted((self.folder / kind).glob("*")):
            if folder.is_dir() and any(folder.glob(_MARKS[kind])):
                yield folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A folder in the catalogue and the origin of its shelf."""

    folder: Path
    origin: str


def shipped_connectors() -> Path:
    """The shelf that the hub ships: the data package of an installed wheel, or the checkout that the code stands in."""
    package = Path(__file__).parent
    shipped = package / "_shipped"
    return shipped if shipped.is_dir() else package.parents[1]


class Catalogue:
    """Everything found on the shelves, looked up by name. Reads the disk when asked, and once."""

    def __init__(self, shelves: Iterable[Shelf]) -> None:
        self.shelves = tuple(shelves)

    @classmethod
    def standard(cls, *, directory: Path | None = None, folders: Iterable[Path] = ()) -> "Catalogue":
        """The shelves in their order, for a working directory and the configured folders."""
        local = (directory or Path()).resolve()
        shelves = [Shelf(origin="local", folder=local)]
        shelves += [Shelf(origin="configured", folder=folder.resolve()) for folder in folders]
        shelves += _installed_shelves()
        # One folder on two shelves (a checkout as working directory): the earlier place, the later origin.
        return cls({shelf.folder: shelf for shelf in shelves}.values())

    def names(self) -> tuple[str, ...]:
        """Names of all connectors, sorted."""
        return tuple(sorted(self._connectors))

    def connector(self, name: str) -> Descriptor:
        """The descriptor of a connector, by its name or one of its aliases.

        NotFound names the closest matches; ConfigurationError lists the faults of the descriptor.
        """
        known = self._connectors
        if name not in known:
            known = {alias: known[owner] for alias, owner in self._aliases.items()}
        descriptor = load_descriptor(_pick("connector", name, known, also=self._connectors).folder)
        if descriptor.name != descriptor.folder.name:
            raise ConfigurationError(
                f"connector {descriptor.name} stands in the folder {descriptor.folder.name}: the two must be equal",
                code="CONNECTOR_NAME",
            )
        return descriptor

    def origin(self, name: str) -> str:
        """Where a connector is from: local, configured, shipped, or the name of the package that brings it."""
        return _pick("connector", name, self._connectors).origin

    def connectors(self) -> Iterator[Descriptor]:
        """All descriptors, by name. A faulty one raises; `names` and `connector` allow to go on past it."""
        for name in self.names():
            yield self.connector(name)

    def mapping(self, name: str) -> Path:
        """The folder of mapping specs called `name`; NotFound names the closest matches."""
        return _pick("mapping", name, self._found("mappings")).folder

    def plan(self, name: str) -> Path:
        """The folder of the migration plan called `name`; NotFound names the closest matches."""
        return _pick("plan", name, self._found("migration")).folder

    def policy(self, name: str) -> Path:
        """The file of this name beside the migration plans, of the first shelf that has it."""
        places = (shelf.folder / "migration" / name for shelf in self.shelves)
        found = {path.name: path for path in [next(filter(Path.is_file, places), None)] if path}
        return _pick("policy", name, found)

    def plans(self) -> tuple[str, ...]:
        """Names of all migration plans, sorted."""
        return tuple(sorted(self._found("migration")))

    def decoder(self, name: str) -> object:
        """What the entry point `integrationhub.decoders` called `name` refers to, imported now."""
        found = {point.name: point for point in entry_points(group=DECODERS)}
        return _pick("decoder", name, found).load()

    @cached_property
    def _connectors(self) -> Mapping[str, Placed]:
        return self._found("connectors")

    @cached_property
    def _aliases(self) -> Mapping[str, str]:
        """Alias → connector. Faulty descriptors have none; two connectors that claim one alias are a fault."""
        owners: dict[str, str] = {}
        for name, placed in self._connectors.items():
            try:
                aliases = load_descriptor(placed.folder).aliases
            except ConfigurationError:
                continue  # told by whoever asks for this connector itself
            for alias in aliases:
                if alias in owners or alias in self._connectors:
                    raise ConfigurationError(
                        f"the connectors {owners.get(alias, alias)} and {name} both answer to {alias}",
                        code="CONNECTOR_ALIAS",
                        remedy="remove the alias from one connector.toml",
                    )
                owners[alias] = name
        return owners

    def _found(self, kind: str) -> dict[str, Placed]:
        found: dict[str, Placed] = {}
        for shelf in self.shelves:
            for folder in shelf.things(kind):
                found.setdefault(folder.name, Placed(folder=folder, origin=shelf.origin))
        return found


def _installed_shelves() -> list[Shelf]:
    """Shelves of installed packages by their names, the hub's own last."""
    points = sorted(entry_points(group=CONNECTORS), key=lambda point: (point.name == OURS, point.name))
    return [Shelf(origin=_origin(point), folder=_shelf_of(point)) for point in points]


def _origin(point: EntryPoint) -> str:
    return "shipped" if point.name == OURS else point.dist.name if point.dist else point.name


def _shelf_of(point: EntryPoint) -> Path:
    try:
        return Path(point.load()()).resolve()
    except Exception as exc:  # third-party code: whatever it does wrong, say whose it is
        raise ConfigurationError(
            f"the entry point {point.name} of {CONNECTORS} gives no shelf ({type(exc).__name__})",
            code="ENTRY_POINT",
            remedy=f"update or uninstall the package that declares {point.value}",
        ) from exc


def _pick(kind: str, name: str, known: Mapping[str, Thing], *, also: Iterable[str] = ()) -> Thing:
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, {*known, *also}, n=3, cutoff=0.5)
    remedy = f"did you mean {' or '.join(close)}?" if close else None
    raise NotFound(f"there is no {kind} called {name}", code="NOT_FOUND", remedy=remedy)
