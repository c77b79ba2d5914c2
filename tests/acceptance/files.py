"""Extract files to hand over: those of estates, and the same with something changed."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrationhub.catalogue import shipped_connectors
from integrationhub.decode.copybook import Copybook, parse_copybook
from integrationhub.estate.csa1993_file import encoder_for
from integrationhub.estate.faults import Faulty, GoodDelivery
from integrationhub.estate.generate import generate
from integrationhub.estate.nights import Estate
from integrationhub.sdk.descriptor import Descriptor, load_descriptor


def descriptor() -> Descriptor:
    """The shipped connector."""
    return load_descriptor(shipped_connectors() / "connectors" / "csa1993")


def copybook() -> Copybook:
    """Its record layout."""
    found = descriptor()
    return parse_copybook(found.copybook_text, name=found.layout.copybook)


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One file of an estate, and the truth after it."""

    data: Path
    expected: dict[str, Any]

    @property
    def trigger(self) -> Path:
        """The trigger file."""
        return self.data.with_suffix(".ctl")

    @property
    def sequence(self) -> int:
        """The number in the name."""
        return int(self.data.stem.rpartition(".S")[2])

    @property
    def sources(self) -> dict[str, dict[str, int]]:
        """Case → the source's figures."""
        return {key: case["source"] for key, case in self.expected["cases"].items()}

    def good(self) -> GoodDelivery:
        """The file taken apart."""
        return GoodDelivery(self.data.name, self.data.read_bytes(), self.trigger.read_bytes(), copybook())

    def hand_over(self, folder: Path) -> Path:
        """Copy the file into a folder as a source does it: data first, trigger last; the data file's path there."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.data, folder)
        shutil.copy(self.trigger, folder)
        return folder / self.data.name


def make_nights(folder: Path, *, groups: int, seed: int, kinds: str = "") -> list[Night]:
    """An estate's files in their order."""
    made = generate(folder, Estate(groups=groups, seed=seed, kinds=kinds), encoder_for(descriptor()))
    return [Night(data=night.data, expected=json.loads(night.truth.read_text("utf-8"))) for night in made]


def hand_over(faulty: Faulty, folder: Path) -> Path:
    """Write a delivery into a folder, data first, trigger last; the data file's path there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / faulty.name
    path.write_bytes(faulty.data)
    path.with_name(faulty.trigger_name).write_bytes(faulty.trigger)
    return path
