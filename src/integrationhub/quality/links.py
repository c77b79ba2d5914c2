"""Which fields are keys of a connector's files, and which name a row of another table: what its descriptor says."""

from collections.abc import Iterator
from dataclasses import dataclass

from integrationhub.sdk.descriptor import Descriptor, Document, Keying, LayoutRules, Structure

_ID = "id"
"""The attribute that tells the elements of a document apart."""
_CASES = "Case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Rows of one table that name a row of another; the value `nobody` names none."""

    child: str
    child_columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    nobody: int | None = None

    @property
    def label(self) -> str:
        """The field that names the parent."""
        return f"{self.child}.{self.child_columns[-1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The keys of a connector's files (table and columns), and its links."""

    keys: tuple[tuple[str, tuple[str, ...]], ...]
    parents: tuple[Link, ...]


def links_of(descriptor: Descriptor) -> Links:
    """Keys and links of any connector."""
    if descriptor.feed is not None:
        return Links(keys=(), parents=())  # messages about the same thing come again by nature
    if descriptor.document is not None:
        return _of_document(descriptor.document)
    if descriptor.keying is not None:
        return _of_book(descriptor.keying)
    return _of_records(descriptor.structure, descriptor.layout)


def _of_records(structure: Structure, layout: LayoutRules) -> Links:
    levels = layout.record_types
    keys = [(levels[structure.group.type], (structure.group.key,))]
    keys += [(levels[kind], (member.key,)) for kind, member in structure.members.items() if member.key]
    return Links(keys=tuple(keys), parents=tuple(_parents(structure, layout)))


def _parents(structure: Structure, layout: LayoutRules) -> Iterator[Link]:
    """Records name a parent within their group; 0 names nobody."""
    levels = layout.record_types
    for kind, member in structure.members.items():
        if member.parent is not None:
            owner = structure.members[member.parent.type]
            yield Link(
                child=levels[kind],
                child_columns=(member.group, member.parent.key),
                parent=levels[member.parent.type],
                parent_columns=(owner.group, owner.key or member.parent.key),
                nobody=0,
            )


def _of_document(rules: Document) -> Links:
    groups = rules.groups
    own = {groups.cases: groups.case_key, groups.parties: groups.party_key, **rules.unique}
    links = [(table, column, groups.cases, groups.case_key) for table, column in groups.by_case.items()]
    links += [(table, column, groups.parties, groups.party_key) for table, column in groups.by_party.items()]
    links += [(table, *link) for table, link in groups.by_parent.items()]
    links.append((groups.roles, groups.role_party, groups.parties, groups.party_key))
    named = {
        (table, column): Link(child=table, child_columns=(column,), parent=parent, parent_columns=(key,))
        for table, column, parent, key in links
    }
    identified = dict.fromkeys(table for table, *_ in links if table not in own)
    keys = [*own.items(), *((table, _ID) for table in identified)]
    return Links(keys=tuple((table, (column,)) for table, column in keys), parents=tuple(named.values()))


def _of_book(rules: Keying) -> Links:
    """Of two keyings one row stands for the case, so a case occurs once."""
    return Links(keys=((_CASES, (rules.case,)),), parents=())
