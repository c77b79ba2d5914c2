"""Every version of a mapping that was ever put to work, kept as text, so that old rows can be explained later.

`<data>/mappings/<connector>/<version>/<connector>/*.toml` and `…/codes/*.csv`, as they lie on a shelf: what is kept can
be read, compared and run like any mapping. The version is a hash over the mapping ids of all entities, so edits that
change no meaning (comments, cases) make none. A folder appears complete or not at all.
"""

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from integrationhub.errors import NotFound
from integrationhub.mapping.compile import CompiledMapping

IDS = "mapping-ids.json"
LAST = "kept"
"""Names the version that was put to work last."""
_DIGITS = 12


def version_of(mapping: CompiledMapping) -> str:
    """The version of a whole mapping: twelve digits over the ids of all its entities' versions."""
    return hashlib.sha256("\n".join(sorted(mapping.all_mapping_ids)).encode()).hexdigest()[:_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVersion:
    """A kept version: its folder of specs can be loaded like any mapping."""

    version: str
    folder: Path
    mapping_ids: tuple[str, ...]


class MappingArchive:
    """The kept versions of all connectors' mappings below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keep(self, mapping: CompiledMapping, folder: Path) -> str:
        """Keep the mapping that was compiled from `folder`, if it isn't kept yet; its version is the last one now."""
        version = version_of(mapping)
        place = self._root / mapping.connector / version
        if (place / IDS).exists():
            (place / IDS).touch()  # what is gone back to is the last again
            return version
        part = self._root / "parts" / uuid.uuid4().hex
        specs, codes = part / mapping.connector, part / "codes"
        specs.mkdir(parents=True)
        codes.mkdir()
        for path in folder.glob("*.toml"):
            shutil.copyfile(path, specs / path.name)
        for name in sorted(mapping.documents.lists_used):
            shutil.copyfile(folder.parent / "codes" / f"{name}.csv", codes / f"{name}.csv")
        (part / IDS).write_text(json.dumps(sorted(mapping.all_mapping_ids), indent=1) + "\n", encoding="utf-8")
        place.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # another process has put the same version there meanwhile
            part.rename(place)
        shutil.rmtree(part, ignore_errors=True)
        return version

    def versions(self, connector: str) -> Iterator[KeptVersion]:
        """The kept versions of a connector's mapping, in the order in which they were last put to work."""
        places = [place.parent for place in (self._root / connector).glob(f"*/{IDS}")]
        for place in sorted(places, key=lambda place: ((place / IDS).stat().st_mtime_ns, place.name)):
            ids = json.loads((place / IDS).read_text(encoding="utf-8"))
            yield KeptVersion(version=place.name, folder=place / connector, mapping_ids=tuple(ids))

    def find(self, connector: str, name: str) -> KeptVersion:
        """The version called so (its first digits are enough), with the mapping id `name`, or the last put to work."""
        known = list(self.versions(connector))
        if name == LAST and known:
            return known[-1]
        fits = [item for item in known if name in item.mapping_ids]
        fits = fits or [item for item in known if item.version.startswith(name)]
        if not fits or (len(fits) > 1 and name not in fits[-1].mapping_ids):
            raise NotFound(
                f"there is no version {name} of the mapping of {connector}",
                remedy=f"kept are {', '.join(item.version for item in known) or 'none'}; a folder can be named too",
            )
        return fits[-1]
