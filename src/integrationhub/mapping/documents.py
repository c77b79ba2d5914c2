"""Spec files read: entity specs, shared date rules, code lists; and what makes their version.

A mapping is a folder of TOML files, one for each canonical entity (`entity = …`) and any number that hold date rules
(`[dates.…]`); the code lists stand beside the mapping folders, in `codes/`, as many systems share them.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from integrationhub.errors import FileRejected, NotFound
from integrationhub.mapping.codes import CodeList
from integrationhub.mapping.spec import Conversion, DateRule, EntitySpec, RulesSpec

HASH_DIGITS = 12


@dataclass(slots=True)
class Documents:
    """All documents of one mapping. What can't be read is named in `faults` and left out.

    An entity may have several specs, its `versions`, for files of different as-at dates or layout versions.
    """

    connector: str = ""
    versions: dict[str, list[EntitySpec]] = field(default_factory=dict)
    dates: dict[str, DateRule] = field(default_factory=dict)
    codes: dict[str, CodeList] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, specs: Iterable[Path | str], codes: Iterable[Path | CodeList] = ()) -> "Documents":
        """Documents from files or from their texts. NotFound: a file is missing."""
        documents = cls()
        for number, document in enumerate(specs, start=1):
            name = document.name if isinstance(document, Path) else f"text {number}"
            documents._add(name, _text(document))
        for listed in codes:
            code_list = listed if isinstance(listed, CodeList) else CodeList.parse(listed.stem, _text(listed))
            documents.codes[code_list.name] = code_list
        if not documents.versions and not documents.faults:
            documents.faults.append("there is no spec of an entity")
        return documents

    @classmethod
    def of_folder(cls, folder: Path) -> "Documents":
        """The documents in a folder of specs, with the code lists of the folder `codes` beside it."""
        return cls.load(sorted(folder.glob("*.toml")), sorted((folder.parent / "codes").glob("*.csv")))

    def _add(self, name: str, text: str) -> None:
        try:
            content = tomllib.loads(text)
            model = RulesSpec if "dates" in content else EntitySpec
            spec = model.model_validate(content)
        except tomllib.TOMLDecodeError as exc:
            self.faults.append(f"{name}: {exc}")
        except ValidationError as exc:
            self.faults += [f"{name}: {fault}" for fault in _told(exc)]
        else:
            self._keep(name, spec)

    def _keep(self, name: str, spec: EntitySpec | RulesSpec) -> None:
        self.connector = self.connector or spec.connector
        if spec.connector != self.connector:
            self.faults.append(f"{name}: belongs to {spec.connector}, the other specs to {self.connector}")
        elif isinstance(spec, RulesSpec):
            self.faults += [f"{name}: the date rule {rule} stands twice" for rule in spec.dates if rule in self.dates]
            self.dates.update(spec.dates)
        elif any(spec.meets(other) for other in self.versions.get(spec.entity, ())):
            self.faults.append(f"{name}: a second spec of {spec.entity} for the same dates and layouts")
        else:
            self.versions.setdefault(spec.entity, []).append(spec)

    @property
    def specs(self) -> tuple[EntitySpec, ...]:
        """All specs, every version of every entity."""
        return tuple(spec for versions in self.versions.values() for spec in versions)

    @property
    def lists_used(self) -> frozenset[str]:
        """The code lists that any spec refers to."""
        return frozenset(name for spec in self.specs for name in referred(spec)[1])

    def specs_for(self, as_at: date, layout_version: str | None) -> tuple[EntitySpec, ...]:
        """The version of every entity that is for files of this as-at date and layout version.

        FileRejected `LAYOUT_VERSION`: an entity has versions, but none for such a file.
        """
        chosen = {
            entity: next((spec for spec in versions if spec.is_for(as_at, layout_version)), None)
            for entity, versions in self.versions.items()
        }
        lacking = sorted(entity for entity, spec in chosen.items() if spec is None)
        if lacking:
            raise FileRejected(
                f"no version of the mapping of {self.connector} for {', '.join(lacking)} is for files of {as_at} with "
                f"layout version {layout_version or 'not stated'}",
                code="LAYOUT_VERSION",
                remedy="add a version of these specs for such files, with `layouts` or `valid_from` and `valid_to`",
            )
        return tuple(spec for spec in chosen.values() if spec is not None)

    def mapping_id(self, spec: EntitySpec) -> str:
        """Connector, entity, declared version and a hash over all that the spec says and refers to.

        Comments and layout of the files don't count; a changed code list or date rule does.
        """
        rules, lists = referred(spec)
        content = {
            "spec": spec.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"cases"}),
            "dates": {name: self.dates[name].model_dump(mode="json") for name in sorted(rules & self.dates.keys())},
            "codes": {
                name: [str(code) for code in self.codes[name].codes] for name in sorted(lists & self.codes.keys())
            },
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        return f"{spec.connector}/{spec.entity}@{spec.version}+{digest[:HASH_DIGITS]}"


def referred(spec: EntitySpec) -> tuple[set[str], set[str]]:
    """The date rules and code lists that a spec refers to."""
    readings = list(conversions(spec))
    rules = {reading.rule for reading in readings if reading.rule is not None}
    return rules, {reading.codes for reading in readings if reading.codes is not None}


def conversions(spec: EntitySpec) -> Iterator[Conversion]:
    """Everything in a spec that may read a source field."""
    for made in (spec.let, spec.fields, *(part for source in spec.sources for part in (source.let, source.fields))):
        yield from made.values()
    yield from spec.validations


def _text(document: Path | str) -> str:
    if isinstance(document, str):
        return document
    if not document.is_file():
        raise NotFound(f"there is no mapping file {document.name}")
    return document.read_text(encoding="utf-8")


def _told(exc: ValidationError) -> Iterator[str]:
    faults: list[Mapping[str, Any]] = [dict(fault) for fault in exc.errors(include_url=False, include_input=False)]
    for fault in faults:
        yield f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
