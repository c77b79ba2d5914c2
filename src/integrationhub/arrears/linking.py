"""Links: after files have come, who is in which case now, and which cases must be judged again because of it.

    changed source groups → links of their cases → queue

A case's verdict may also hang on others: on cases of its case group, on another identifier of one of its people
(E04 a), on a clerical case (E03), on a receipt in no source group (E10 a). Whoever is concerned before or after the
change is put on the queue in the transaction that changes the links, so that a killed run forgets nobody.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from integrationhub.arrears.exceptions import close_overtaken
from integrationhub.arrears.persons import Link, person_of
from integrationhub.arrears.rules_version import rules_version
from integrationhub.store import casework, clerical_pairs
from integrationhub.store.unit_of_work import Reading, Store, Work

GROUPS_AT_ONCE = 5_000


def link_changes(store: Store, *, now: datetime) -> int:
    """Link and queue everything that has changed since the last time; how many source groups that were."""
    count, rules = 0, rules_version()
    while True:
        with store.begin() as work:
            groups = casework.changed_groups(work.connection, rules=rules, limit=GROUPS_AT_ONCE)
            if not groups:
                break
            _link(work, groups, rules=rules)
            work.commit()
        count += len(groups)
    if count:
        with store.begin() as work:
            work.verdicts.enqueue(_held_wrongly(work.connection))
            close_overtaken(work, now=now)
            work.commit()
    return count


def _link(work: Work, groups: Sequence[Any], *, rules: str) -> None:
    connection = work.connection
    by_id = {group.group_id: group for group in groups}
    cases = casework.cases_of_groups(connection, by_id)
    in_book = {case.case_id: case for case in cases if case.state in casework.IN_BOOK}
    linked_before = casework.links_of(connection, "group_id", by_id)
    touched = {case.case_id for case in cases} | {link.case_id for link in linked_before}
    links = _links(connection, in_book, {key: group.nrp_party_id for key, group in by_id.items()})
    before = casework.links_of(connection, "case_id", touched)
    work.verdicts.link(touched, links)
    moved = _renamed(connection, links, touched)
    for case_id, rows in moved.items():
        work.verdicts.link([case_id], rows)
    concerned = touched | set(moved) | casework.companions(connection, touched)
    concerned |= _same_party(connection, links) | _same_person_elsewhere(connection, [*before, *links])
    work.verdicts.enqueue(concerned)
    known = ((group.group_id, group.version, group.state, group.digest) for group in groups)
    work.verdicts.mark_linked(known, rules=rules)


def _links(connection: Reading, in_book: dict[str, Any], parents: dict[str, str | None]) -> list[Link]:
    """Who is in these cases, each once; every case has the parent of its source group too."""
    found = {
        (row.case_id, row.role, row.party_id): Link(
            row.case_id, row.role, row.party_id, person_of(row.party_id, row.nino, usable=row.nino_usable),
            row.source_system, in_book[row.case_id].group_id,
        )
        for row in casework.members_of_cases(connection, in_book)
    }  # fmt: skip
    heads = {party for party in parents.values() if party}
    known = {row.party_id: row for row in casework.parties(connection, heads)}
    for case in in_book.values():
        party = parents[case.group_id]
        if party:
            row = known.get(party)
            person = person_of(party, row.nino if row else None, usable=bool(row and row.nino_usable))
            found[case.case_id, "GRP", party] = Link(
                case.case_id, "GRP", party, person, case.source_system, case.group_id
            )
    return list(found.values())


def _renamed(connection: Reading, links: Iterable[Link], touched: Collection[str]) -> dict[str, list[Link]]:
    """Links of other cases whose people are known by another number now, because a newer record of them has come."""
    person = {link.party_id: link.person_id for link in links}
    rows = casework.links_of(connection, "party_id", person)
    stale = {row.case_id for row in rows if row.case_id not in touched and row.person_id != person[row.party_id]}
    renamed: dict[str, list[Link]] = {}
    for row in casework.links_of(connection, "case_id", stale):
        link = Link._make(row)
        renamed.setdefault(row.case_id, []).append(link._replace(person_id=person.get(link.party_id, link.person_id)))
    return renamed


def _same_party(connection: Reading, links: Iterable[Link]) -> set[str]:
    """Cases in which one of these parties stands: what is known of it may have come with another group's record."""
    return {row.case_id for row in casework.links_of(connection, "party_id", {link.party_id for link in links})}


def _same_person_elsewhere(connection: Reading, links: Iterable[Any]) -> set[str]:
    """Cases in which one of these people stands under another identifier of the same system."""
    identifiers: dict[str, set[str]] = {}
    for link in links:
        identifiers.setdefault(link.person_id, set()).add(link.party_id)
    rows = casework.links_of(connection, "person_id", identifiers)
    return {row.case_id for row in rows if identifiers[row.person_id] != {row.party_id}}


def _held_wrongly(connection: Reading) -> set[str]:
    """Cases for which E03, or E10 by a payer, has come up or gone since they were judged."""
    twice = clerical_pairs.kept_twice(connection) ^ casework.held_for(connection, "E03")
    payers = casework.cases_of_payers(connection, casework.orphan_payers(connection))
    return twice | (payers ^ (casework.held_for(connection, "E10") & _of_cs2(connection)))


def _of_cs2(connection: Reading) -> set[str]:
    return {row.case_id for row in casework.held_cases_of(connection, "CS2")}
