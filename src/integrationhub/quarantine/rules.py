"""Rules at work: what the daemon does by itself to items that a predicate describes.

A rule does something to an item once, ever: before it acts it enters the item into the history under its name, and
what stands there is passed over. So a resubmission that fails again, or kills the process, is not made a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from integrationhub.errors import Conflict, HubError, TransientError
from integrationhub.identity import HUB, Actor
from integrationhub.quarantine.acts import Cause
from integrationhub.quarantine.desk import QuarantineDesk
from integrationhub.quarantine.predicate import parse
from integrationhub.store.quarantine import QuarantineItem, QuarantineState
from integrationhub.store.quarantine_history import What
from integrationhub.store.quarantine_rules import QuarantineRule, RuleAction
from integrationhub.telemetry import logger

LOCK = "quarantine rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """The rules, and their application."""

    desk: QuarantineDesk

    def all(self) -> list[QuarantineRule]:
        """Every rule, by name."""
        with self.desk.store.begin() as work:
            return work.quarantine.rules.all()

    def remove(self, name: str, actor: Actor, reason: str) -> None:
        """Take a rule out of force; its history stays. NotFound."""
        with self.desk.store.begin() as work:
            work.quarantine.rules.remove(name)
            self.desk.acts.write(work, What.RULE_REMOVED, [], Cause(actor=actor, reason=reason, rule=name))
            work.commit()

    def meant_by(self, rule: QuarantineRule) -> list[QuarantineItem]:
        """The open items that a rule has yet to do something to."""
        found = [
            item
            for item in self.desk.find(parse(rule.predicate, now=self.desk.clock()))
            if item.state is QuarantineState.OPEN
        ]
        if not found:
            return []
        with self.desk.store.begin() as work:
            touched = work.quarantine.history.touched_by(rule.name)
        return [item for item in found if item.quarantine_id not in touched]

    def run(self) -> int:
        """Apply every rule once; how many items something was done to. Nothing while another process is at it.

        TransientError: a service is away; the rest is done the next time.
        """
        rules = self.all()
        if not rules:
            return 0
        try:
            with self.desk.store.exclusive(LOCK):
                return sum(self._apply(rule, self.meant_by(rule)) for rule in rules)
        except Conflict:
            return 0

    def _apply(self, rule: QuarantineRule, items: Sequence[QuarantineItem]) -> int:
        ids = [item.quarantine_id for item in items]
        if not ids:
            return 0
        cause = Cause(actor=HUB, reason=rule.reason, rule=rule.name)
        match rule.action:
            case RuleAction.LABEL:
                self._label(ids, rule, cause)
            case RuleAction.DISCARD:
                self._discard(ids, cause)
            case RuleAction.RESUBMIT:
                for quarantine_id in ids:
                    self._resubmit(quarantine_id, cause)
        logger().info("quarantine_rule", messages=len(ids), outcome=rule.action.value)
        return len(ids)

    def _label(self, ids: Sequence[str], rule: QuarantineRule, cause: Cause) -> None:
        with self.desk.store.begin() as work:
            work.quarantine.label(ids, [rule.label or rule.name])
            self.desk.acts.write(work, What.LABELLED, ids, cause, label=rule.label or rule.name)
            work.commit()

    def _discard(self, ids: Sequence[str], cause: Cause) -> None:
        with self.desk.store.begin() as work:
            self.desk.acts.settle(
                work, ids, cause, start=QuarantineState.OPEN, end=QuarantineState.DISCARDED, what=What.DISCARDED
            )
            work.commit()

    def _resubmit(self, quarantine_id: str, cause: Cause) -> None:
        try:
            self.desk.acts.resubmit(quarantine_id, cause)
        except TransientError:
            raise
        except HubError as exc:  # settled meanwhile, or tried too often: for people to look at
            logger().warning("quarantine_rule", outcome="SKIPPED", reason=exc.code)
