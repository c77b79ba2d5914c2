"""Who is the same person, and which cases belong together (csa1993.md §7), over all books.

Two parties are one person when their usable National Insurance numbers have the same first eight characters; without a
usable number a person is the party within its system. Two cases belong together when they have the same non-resident
parent, or when a partner, child or parent with care in one is the non-resident parent in the other, and so on along the
chain. A shared parent with care, child or representative alone links nothing.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from integrationhub.canonical.identifiers import derive

NUMBER_LENGTH = 8
PARENT_ROLES = ("NRP", "GRP")
"""The non-resident parent of a case, and of its source group: in a sound case the same."""

LINKING_ROLES = ("PTN", "QCH", "PWC")


class Link(NamedTuple):
    """Who has a part in a case, in the columns of the store's case_persons."""

    case_id: str
    role: str
    party_id: str
    person_id: str
    source_system: str
    group_id: str


def person_of(party_id: str, nino: str | None, *, usable: bool) -> str:
    """The opaque identifier of the person that a party is."""
    return derive("person", "nino", nino[:NUMBER_LENGTH]) if nino and usable else derive("person", "party", party_id)


def case_groups(case_ids: Iterable[str], links: Iterable[Link]) -> list[list[str]]:
    """The case groups among these cases, each sorted; `links` are all links of the cases.

    Cases of one source group always stay together.
    """
    forest = _Forest()
    links = list(links)
    parents = {link.person_id for link in links if link.role in PARENT_ROLES}
    for case_id in case_ids:
        forest.find(case_id)
    for link in links:
        forest.join(link.case_id, f"group {link.group_id}")
        if link.role in PARENT_ROLES or (link.role in LINKING_ROLES and link.person_id in parents):
            forest.join(link.case_id, f"person {link.person_id}")
    groups: dict[str, list[str]] = {}
    for case_id in sorted(case_ids):
        groups.setdefault(forest.find(case_id), []).append(case_id)
    return list(groups.values())


class _Forest:
    """Sets that are joined: every name leads to the one that stands for its set."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, name: str) -> str:
        parent = self._parent
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    def join(self, one: str, other: str) -> None:
        self._parent[self.find(one)] = self.find(other)


def person_index(links: Iterable[Link]) -> Mapping[str, str]:
    """Party → person."""
    return {link.party_id: link.person_id for link in links}
