"""Rules: what the daemon does by itself to quarantined items that a predicate describes."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, select

from integrationhub.errors import Conflict, NotFound
from integrationhub.store.dialect import affected, insert_new
from integrationhub.store.quarantine_tables import QUARANTINE_RULES


class RuleAction(StrEnum):
    """What a rule does to the items it is about."""

    LABEL = "LABEL"
    RESUBMIT = "RESUBMIT"
    DISCARD = "DISCARD"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineRule:
    """A rule under its name; `predicate` as `--where` takes it."""

    name: str
    predicate: str
    action: RuleAction
    label: str | None = None
    reason: str
    added_by: str
    added_at: datetime


class QuarantineRules:
    """The rules in force."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[QuarantineRule]:
        """Every rule, by name."""
        rows = self._connection.execute(select(QUARANTINE_RULES).order_by(QUARANTINE_RULES.c.name)).mappings()
        return [QuarantineRule(**{**row, "action": RuleAction(row["action"])}) for row in rows]

    def add(self, rule: QuarantineRule) -> None:
        """Put a rule in force. Conflict: the name is taken."""
        if not insert_new(self._connection, QUARANTINE_RULES, asdict(rule)):
            raise Conflict(f"there is a rule {rule.name} already", code="RULE_EXISTS", remedy="remove it first")

    def remove(self, name: str) -> None:
        """Take a rule out of force. NotFound."""
        if not affected(self._connection, delete(QUARANTINE_RULES).where(QUARANTINE_RULES.c.name == name)):
            raise NotFound(
                f"there is no rule {name}",
                code="RULE_UNKNOWN",
                remedy="`integrationhub quarantine rules list` shows all",
            )
