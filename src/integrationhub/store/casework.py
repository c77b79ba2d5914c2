"""Reads what judging needs: what has changed, who is in which case, and whole cases with everything of theirs."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, false, func, literal, or_, select, true

from integrationhub.canonical.model import PROVENANCE
from integrationhub.store.bulk import among
from integrationhub.store.case_events import CaseEvent, event_of
from integrationhub.store.judged import CASE_PERSONS, GROUP_CONTENTS, JUDGING_QUEUE, LINKED_GROUPS, VERDICTS
from integrationhub.store.ledger import live
from integrationhub.store.schema import CANONICAL, CASE_EVENTS, DELIVERIES

IN_BOOK = ("IN_BOOK", "HELD")
"""States of cases that are judged: those that their source still has."""

_IDS_PER_STATEMENT = 5_000
_ROWS_AT_ONCE = 10_000
_LEDGER_COLUMNS = (
    "entry_id", "case_id", "line_no", "version", "kind", "owner", "reason", "pence", "suspended_pence", "stored_pence",
    "posted", "posted_mark", "effective", "effective_mark", "from_date", "to_date", "weekly_pence", "monthly_pence",
    "assessment_row", "assessment_ref", "reverses_line", "source_id", "reverses_ref", "authority", "text",
)  # fmt: skip
_ROLE_COLUMNS = (
    "case_id", "party_id", "role", "to_date", "to_date_mark", "from_date_mark", "birth_date_mark", "is_payee",
    "record_no", "source_system",
)  # fmt: skip
_ORIGIN = frozenset({"delivery_id", "record_no", "byte_offset", "mapping_id", "version", "source_system"})
"""Provenance that no rule asks for."""

_IDENTIFIER = re.compile(r"[0-9a-f]{32}")

CASES, GROUPS, ROLES, PARTIES = (CANONICAL[name] for name in ("cases", "groups", "roles", "parties"))


def _of(
    connection: Connection, statement: Select[Any], column: ColumnElement[Any], identifiers: Collection[str]
) -> Iterator[Row[Any]]:
    """The rows of a query whose column has one of these identifiers."""
    ordered = sorted(identifiers)
    for start in range(0, len(ordered), _IDS_PER_STATEMENT):
        part = ordered[start : start + _IDS_PER_STATEMENT]
        yield from connection.execute(statement.where(among(connection, column, part))).all()


def _accepted_file() -> ColumnElement[bool]:
    """Books come in files. What messages bring is judged by nobody here: it is no child support."""
    return and_(DELIVERIES.c.kind == literal("FILE", literal_execute=True), DELIVERIES.c.state == "ACCEPTED")


def changed_groups(connection: Connection, *, limit: int, rules: str | None = None) -> list[Row[Any]]:
    """Source groups that a completely loaded file brought, and that are not linked with this content and state, or of
    which the cases were judged by other rules than these.
    """
    same_rules = true() if rules is None else LINKED_GROUPS.c.rules == rules
    complete = _accepted_file()
    statement = (
        select(GROUPS.c.group_id, GROUPS.c.version, GROUPS.c.state, GROUPS.c.nrp_party_id, GROUP_CONTENTS.c.digest)
        .select_from(
            GROUPS.join(DELIVERIES, DELIVERIES.c.delivery_id == GROUPS.c.delivery_id)
            .outerjoin(GROUP_CONTENTS, GROUP_CONTENTS.c.group_id == GROUPS.c.group_id)
            .outerjoin(LINKED_GROUPS, LINKED_GROUPS.c.group_id == GROUPS.c.group_id)
        )
        .where(complete, ~func.coalesce(and_(linked_as_stored(), same_rules), false()))
        .order_by(GROUPS.c.group_id)
        .limit(limit)
    )
    return list(connection.execute(statement))


def linked_as_stored() -> ColumnElement[bool]:
    """Whether a group is linked in its present state and content; over joined GROUPS, LINKED_GROUPS, GROUP_CONTENTS."""
    same_content = or_(LINKED_GROUPS.c.version == GROUPS.c.version, LINKED_GROUPS.c.digest == GROUP_CONTENTS.c.digest)
    return and_(LINKED_GROUPS.c.state == GROUPS.c.state, same_content)


def cases_of_groups(connection: Connection, group_ids: Collection[str]) -> list[Row[Any]]:
    """case_id, group_id, state, source_system of all cases of source groups."""
    statement = select(CASES.c.case_id, CASES.c.group_id, CASES.c.state, CASES.c.source_system)
    return list(_of(connection, statement, CASES.c.group_id, group_ids))


def members_of_cases(connection: Connection, case_ids: Collection[str]) -> list[Row[Any]]:
    """case_id, role, party_id, source_system, nino, nino_usable of everybody in these cases."""
    statement = select(
        ROLES.c.case_id, ROLES.c.role, ROLES.c.party_id, PARTIES.c.source_system, PARTIES.c.nino, PARTIES.c.nino_usable
    ).join(PARTIES, PARTIES.c.party_id == ROLES.c.party_id)
    return list(_of(connection, statement, ROLES.c.case_id, case_ids))


def parties(connection: Connection, party_ids: Collection[str]) -> list[Row[Any]]:
    """party_id, source_system, nino, nino_usable of parties."""
    statement = select(PARTIES.c.party_id, PARTIES.c.source_system, PARTIES.c.nino, PARTIES.c.nino_usable)
    return list(_of(connection, statement, PARTIES.c.party_id, party_ids))


def links_of(connection: Connection, column: str, values: Collection[str]) -> list[Row[Any]]:
    """Rows of case_persons by case_id, person_id, party_id or group_id."""
    return list(_of(connection, select(CASE_PERSONS), CASE_PERSONS.c[column], values))


def reached(
    connection: Connection, case_ids: Collection[str], *, parents: Collection[str], linking: Collection[str]
) -> set[str]:
    """Cases of the same source groups, and those in which a parent of these has a part (but REP), or somebody with a
    `linking` role in these is a parent; `parents` and `linking` are roles.
    """
    mine, other = CASE_PERSONS.alias("mine"), CASE_PERSONS.alias("other")
    by_person = or_(
        and_(mine.c.role.in_(parents), other.c.role != "REP"), and_(mine.c.role.in_(linking), other.c.role.in_(parents))
    )
    person = (
        select(other.c.case_id).select_from(mine.join(other, other.c.person_id == mine.c.person_id)).where(by_person)
    )
    group = select(other.c.case_id).select_from(mine.join(other, other.c.group_id == mine.c.group_id))
    return {row.case_id for way in (person, group) for row in _of(connection, way.distinct(), mine.c.case_id, case_ids)}


def companions(connection: Connection, case_ids: Collection[str]) -> set[str]:
    """Cases that were judged together with these ones the last time."""
    found = _of(connection, select(VERDICTS.c.case_group_id), VERDICTS.c.case_id, case_ids)
    groups = {row.case_group_id for row in found}
    return {row.case_id for row in _of(connection, select(VERDICTS.c.case_id), VERDICTS.c.case_group_id, groups)}


def queued(connection: Connection, *, limit: int, after: str = "") -> list[str]:
    """Cases that wait to be judged, by identifier; only those behind `after`."""
    statement = select(JUDGING_QUEUE.c.case_id).order_by(JUDGING_QUEUE.c.case_id).limit(limit)
    if after:
        statement = statement.where(JUDGING_QUEUE.c.case_id > after)
    return list(connection.execute(statement).scalars())


def previous_verdicts(connection: Connection, case_ids: Collection[str]) -> Mapping[str, Row[Any]]:
    """case_id → outcome and causes of cases that were judged before."""
    statement = select(VERDICTS.c.case_id, VERDICTS.c.outcome, VERDICTS.c.causes)
    return {row.case_id: row for row in _of(connection, statement, VERDICTS.c.case_id, case_ids)}


def held_for(connection: Connection, code: str) -> set[str]:
    """Cases whose last verdict is an exception with this code."""
    statement = select(VERDICTS.c.case_id, VERDICTS.c.causes).where(VERDICTS.c.outcome == "EXCEPTION")
    return {row.case_id for row in connection.execute(statement) if code in row.causes}


def held_cases_of(connection: Connection, source_system: str) -> list[Row[Any]]:
    """case_id of the exceptions of one system."""
    statement = select(VERDICTS.c.case_id).join(CASES, CASES.c.case_id == VERDICTS.c.case_id)
    chosen = (VERDICTS.c.outcome == "EXCEPTION", CASES.c.source_system == source_system)
    return list(connection.execute(statement.where(*chosen)))


def orphan_payers(connection: Connection) -> set[str]:
    """Payers of receipts whose case is not in the file, in the systems whose orphans stand in no source group."""
    receipts = CANONICAL["receipts"]
    orphans = and_(receipts.c.case_id.is_(None), receipts.c.source_system == "CS2")
    return {payer for payer in connection.execute(select(receipts.c.payer_party_id).where(orphans)).scalars() if payer}


def cases_of_payers(connection: Connection, party_ids: Collection[str]) -> set[str]:
    """Cases whose non-resident parent is one of these parties."""
    return {row.case_id for row in links_of(connection, "party_id", party_ids) if row.role == "NRP"}


class Dossier:
    """Everything of some cases, table by table, as rows of the canonical tables by case or source group."""

    def __init__(self, connection: Connection, case_ids: Collection[str]) -> None:
        self._connection = connection
        self.case_ids = set(case_ids)

    def cases(self) -> list[Row[Any]]:
        """The cases that are in a book."""
        statement = select(CASES).where(CASES.c.state.in_(IN_BOOK))
        return list(_of(self._connection, statement, CASES.c.case_id, self.case_ids))

    def rows(self, name: str) -> list[Row[Any]]:
        """Benefit periods, liability periods, receipts or history of the cases."""
        table = CANONICAL[name]
        columns = [column for column in table.c if column.name not in _ORIGIN]
        return list(_of(self._connection, select(*columns), table.c.case_id, self.case_ids))

    def ledger(self) -> list[Row[Any]]:
        """The live ledger entries of the cases."""
        ledger = CANONICAL["ledger"]
        columns = (ledger.c[name] for name in _LEDGER_COLUMNS)
        return list(_of(self._connection, select(*columns).where(live()), ledger.c.case_id, self.case_ids))

    def members(self) -> list[Row[Any]]:
        """Roles of the cases with what is known of the party."""
        party = [PARTIES.c[name].label(f"party_{name}") for name in ("source_ref", "nino", "nino_usable")]
        party.append(PARTIES.c.birth_date_mark.label("party_birth_date_mark"))
        roles = [ROLES.c[name] for name in _ROLE_COLUMNS]
        statement = select(*roles, *party).join(PARTIES, PARTIES.c.party_id == ROLES.c.party_id)
        return list(_of(self._connection, statement, ROLES.c.case_id, self.case_ids))

    def balances(self) -> list[Row[Any]]:
        """case_id, legal_owner, pence, suspended_pence of the source balances."""
        debts, balances = CANONICAL["debts"], CANONICAL["balances"]
        same = and_(balances.c.debt_id == debts.c.debt_id, balances.c.kind == "SOURCE")
        statement = select(debts.c.case_id, debts.c.legal_owner, balances.c.pence, balances.c.suspended_pence).join(
            balances, same
        )
        return list(_of(self._connection, statement, debts.c.case_id, self.case_ids))

    def groups(self, group_ids: Collection[str]) -> list[Row[Any]]:
        """The source groups."""
        return list(_of(self._connection, select(GROUPS), GROUPS.c.group_id, group_ids))

    def siblings(self, group_ids: Collection[str]) -> list[Row[Any]]:
        """case_id, group_id, source_ref of all cases of source groups that are in a book."""
        statement = select(CASES.c.case_id, CASES.c.group_id, CASES.c.source_ref).where(CASES.c.state.in_(IN_BOOK))
        return list(_of(self._connection, statement, CASES.c.group_id, group_ids))

    def without_case(self, name: str, group_ids: Collection[str]) -> list[Row[Any]]:
        """Rows of source groups that belong to no case of theirs: orphans, and history of all cases of a group."""
        table = CANONICAL[name]
        # From the groups to their orphans: asked the other way, SQLite goes through all orphans there are.
        orphans = GROUPS.join(table, and_(table.c.group_id == GROUPS.c.group_id, table.c.case_id.is_(None)))
        return list(_of(self._connection, select(table).select_from(orphans), GROUPS.c.group_id, group_ids))

    def doubled(self, party_ids: Collection[str]) -> set[tuple[str, str]]:
        """(system, person) of those of the parties' persons who have several identifiers in one system."""
        mine = _of(self._connection, select(CASE_PERSONS), CASE_PERSONS.c.party_id, party_ids)
        persons = {row.person_id for row in mine}
        found: dict[tuple[str, str], set[str]] = {}
        for row in _of(self._connection, select(CASE_PERSONS), CASE_PERSONS.c.person_id, persons):
            found.setdefault((row.source_system, row.person_id), set()).add(row.party_id)
        return {key for key, ids in found.items() if len(ids) > 1}


def accepted_files(connection: Connection) -> tuple[int, datetime | None]:
    """How many deliveries were accepted, and when the last one was."""
    statement = select(func.count(), func.max(DELIVERIES.c.completed_at)).where(_accepted_file())
    count, last = connection.execute(statement).one()
    return int(count), last


def latest_as_at(connection: Connection) -> date | None:
    """The newest as-at date of an accepted file."""
    statement = select(func.max(DELIVERIES.c.as_at)).where(_accepted_file())
    newest: date | None = connection.execute(statement).scalar_one()
    return newest


def cases_called(connection: Connection, reference: str) -> list[str]:
    """Cases in a book with this opaque identifier, source reference or key (93:…, 03:…, CL:…), by case_id."""
    bare = reference.strip()
    prefix, colon, rest = bare.partition(":")
    named = rest if colon and prefix in {"93", "03", "CL"} else bare
    chosen = [CASES.c.source_ref == named]
    identifier = bare.replace("-", "").lower()
    if _IDENTIFIER.fullmatch(identifier):
        chosen.append(CASES.c.case_id == identifier)
    statement = select(CASES.c.case_id).where(or_(*chosen), CASES.c.state.in_(IN_BOOK)).order_by(CASES.c.case_id)
    return list(connection.execute(statement).scalars())


def verdicts_by_key(connection: Connection, keys: Collection[str]) -> Mapping[str, Row[Any]]:
    """Verdicts by the case's key in exports."""
    return {row.case_key: row for row in _of(connection, select(VERDICTS), VERDICTS.c.case_key, keys)}


def verdicts_by_debt(connection: Connection, debt_ids: Collection[str]) -> Mapping[str, Row[Any]]:
    """Verdicts by the identifiers of the case's debts."""
    debts = CANONICAL["debts"]
    statement = select(debts.c.debt_id, VERDICTS).join(VERDICTS, VERDICTS.c.case_id == debts.c.case_id)
    return {row.debt_id: row for row in _of(connection, statement, debts.c.debt_id, debt_ids)}


def accepted_with_debts(connection: Connection, case_ids: Collection[str]) -> Iterator[Row[Any]]:
    """Verdicts of recomputed cases, and of those of `case_ids` that are no exceptions, with scheme, host_system, as_at
    and so on, and the legal owners of their debts: one row a debt, by case; a case without debts has one row.
    """
    debts = CANONICAL["debts"]
    case = [CASES.c[name] for name in ("scheme", "host_system", "source_system", "source_ref", "as_at")]
    active = and_(debts.c.case_id == VERDICTS.c.case_id, debts.c.status != "REMOVED")
    statement = (
        select(VERDICTS, *case, debts.c.legal_owner)
        .select_from(VERDICTS.join(CASES, CASES.c.case_id == VERDICTS.c.case_id).outerjoin(debts, active))
        .order_by(VERDICTS.c.case_id)
    )
    yield from connection.execute(
        statement.where(VERDICTS.c.outcome == "RECOMPUTED"), execution_options={"yield_per": _ROWS_AT_ONCE}
    )
    yield from _of(connection, statement.where(VERDICTS.c.outcome == "SOURCE"), VERDICTS.c.case_id, case_ids)


def source_balances(connection: Connection, debt_ids: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    """debt_id → the balance that the source states, all columns."""
    balances = CANONICAL["balances"]
    found = _of(connection, select(balances).where(balances.c.kind == "SOURCE"), balances.c.debt_id, debt_ids)
    return {row.debt_id: dict(row._mapping) for row in found}


def places(connection: Connection, case_ids: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    """case_id → provenance of the case's newest record."""
    columns = [CASES.c[item.name] for item in PROVENANCE]
    found = _of(connection, select(CASES.c.case_id, *columns), CASES.c.case_id, case_ids)
    return {row.case_id: {item.name: getattr(row, item.name) for item in PROVENANCE} for row in found}


def kept_events(connection: Connection) -> Iterator[CaseEvent]:
    """Every change event that was kept, by case and number."""
    ordered = select(CASE_EVENTS).order_by(CASE_EVENTS.c.case_id, CASE_EVENTS.c.case_seq)
    yield from map(event_of, connection.execute(ordered, execution_options={"yield_per": _ROWS_AT_ONCE}))


def nothing_waits(connection: Connection) -> bool:
    """Whether every changed group is linked and every queued case judged."""
    waiting = connection.execute(select(exists().select_from(JUDGING_QUEUE))).scalar_one()
    return not waiting and not changed_groups(connection, limit=1)
