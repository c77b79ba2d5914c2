"""What was done to quarantined items, by whom and why: appended, never changed.

A request that waits for a second person is an action like any other. The action that decides it names it in `answers`,
and the database lets only one do so: two people who approve at the same moment are told apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, exists, insert, select

from integrationhub.errors import Conflict
from integrationhub.store.quarantine_tables import QUARANTINE_ACTIONS, QUARANTINE_AFFECTED

_ROWS_PER_STATEMENT = 500


class What(StrEnum):
    """What was done. REQUESTED waits for a second person; APPROVED and REFUSED answer it."""

    CORRECTED = "CORRECTED"
    TRIED = "TRIED"  # given again; what became of it follows
    RESUBMITTED = "RESUBMITTED"  # and taken
    FAILED_AGAIN = "FAILED_AGAIN"  # resubmitted, and not taken
    RESOLVED = "RESOLVED"
    DISCARDED = "DISCARDED"
    RESTORED = "RESTORED"  # a discard was undone
    LABELLED = "LABELLED"
    UNLABELLED = "UNLABELLED"
    ASSIGNED = "ASSIGNED"
    UNMASKED = "UNMASKED"  # somebody looked at personal values
    REQUESTED = "REQUESTED"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"
    RULE_ADDED = "RULE_ADDED"
    RULE_REMOVED = "RULE_REMOVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One entry. `authenticated`: the operating-system user may act under that name. `item_ids` are those affected."""

    action_id: int = 0
    at: datetime
    who: str
    authenticated: bool
    what: What
    reason: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    rule: str | None = None
    answers: int | None = None
    item_ids: tuple[str, ...] = ()


class QuarantineHistory:
    """The log of actions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, action: Action) -> int:
        """Write an action down; its number. Conflict: the request it answers has been decided already."""
        names = ("at", "who", "authenticated", "what", "reason", "details", "rule", "answers")
        values = {name: getattr(action, name) for name in names}
        try:
            result = self._connection.execute(insert(QUARANTINE_ACTIONS).values(**values))
        except Conflict as exc:
            raise Conflict(
                f"request {action.answers} has been decided already",
                code="REQUEST_DECIDED",
                remedy="`integrationhub quarantine requests` shows what waits",
            ) from exc
        assert result.inserted_primary_key is not None
        number = int(result.inserted_primary_key[0])
        rows = [{"action_id": number, "item_id": item} for item in sorted(set(action.item_ids))]
        for start in range(0, len(rows), _ROWS_PER_STATEMENT):
            self._connection.execute(insert(QUARANTINE_AFFECTED), rows[start : start + _ROWS_PER_STATEMENT])
        return number

    def of_item(self, item_id: str) -> list[Action]:
        """What was done to one item, in order."""
        mine = select(QUARANTINE_AFFECTED.c.action_id).where(QUARANTINE_AFFECTED.c.item_id == item_id)
        statement = select(QUARANTINE_ACTIONS).where(QUARANTINE_ACTIONS.c.action_id.in_(mine))
        rows = self._connection.execute(statement.order_by(QUARANTINE_ACTIONS.c.action_id)).mappings()
        return [_action(row, (item_id,)) for row in rows]

    def of_rule(self, rule: str) -> list[Action]:
        """What a rule did, and what was done to the rule, in order."""
        statement = select(QUARANTINE_ACTIONS).where(QUARANTINE_ACTIONS.c.rule == rule)
        rows = self._connection.execute(statement.order_by(QUARANTINE_ACTIONS.c.action_id)).mappings()
        return [self._whole(row) for row in rows.all()]

    def touched_by(self, rule: str) -> set[str]:
        """Items to which a rule has done something."""
        joined = QUARANTINE_AFFECTED.join(
            QUARANTINE_ACTIONS, QUARANTINE_ACTIONS.c.action_id == QUARANTINE_AFFECTED.c.action_id
        )
        statement = select(QUARANTINE_AFFECTED.c.item_id).select_from(joined).where(QUARANTINE_ACTIONS.c.rule == rule)
        return set(self._connection.execute(statement).scalars())

    def open_requests(self) -> list[Action]:
        """Requests that nobody has decided, oldest first."""
        return [request for request in self._requests() if not self._is_answered(request.action_id)]

    def request(self, action_id: int) -> Action | None:
        """A request by its number, decided or not."""
        found = [request for request in self._requests() if request.action_id == action_id]
        return found[0] if found else None

    def _requests(self) -> list[Action]:
        statement = select(QUARANTINE_ACTIONS).where(QUARANTINE_ACTIONS.c.what == What.REQUESTED)
        rows = self._connection.execute(statement.order_by(QUARANTINE_ACTIONS.c.action_id)).mappings()
        return [self._whole(row) for row in rows.all()]

    def _is_answered(self, action_id: int) -> bool:
        answer = exists().where(QUARANTINE_ACTIONS.c.answers == action_id)
        return bool(self._connection.execute(select(answer)).scalar_one())

    def _whole(self, row: RowMapping) -> Action:
        statement = select(QUARANTINE_AFFECTED.c.item_id).where(QUARANTINE_AFFECTED.c.action_id == row["action_id"])
        return _action(row, sorted(self._connection.execute(statement).scalars()))


def _action(row: RowMapping, item_ids: Sequence[str]) -> Action:
    return Action(**{**row, "what": What(row["what"]), "item_ids": tuple(item_ids)})
