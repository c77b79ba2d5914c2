"""What people may do to the quarantine: directly, or as a request that a second person decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

from integrationhub.config import Settings
from integrationhub.errors import Conflict, NotAllowed, NotFound
from integrationhub.identity import Actor
from integrationhub.quarantine.acts import PASSED_OVER, Acts, Cause, Files, Result, Taker
from integrationhub.quarantine.content import LARGEST, Change
from integrationhub.quarantine.predicate import Predicate, parse
from integrationhub.receive.originals import Originals
from integrationhub.sdk.transport import Outgoing, Publisher
from integrationhub.store.quarantine import QuarantineItem, QuarantineState
from integrationhub.store.quarantine_history import Action, What
from integrationhub.store.quarantine_rules import QuarantineRule, RuleAction
from integrationhub.store.unit_of_work import Store, Work


class Wish(StrEnum):
    """What may need a second person."""

    CORRECT = "CORRECT"
    RESUBMIT = "RESUBMIT"
    DISCARD = "DISCARD"
    RULE = "RULE"  # one that resubmits or discards by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a wish: the items it was done to, or the number of the request that waits for a second person."""

    wish: Wish
    items: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()
    changes: tuple[Change, ...] = ()
    request: int | None = None


class Parts(Protocol):
    """What a desk is made of; `bootstrap.Hub` has it all."""

    @property
    def settings(self) -> Settings:
        """The settings in effect."""
        ...

    @property
    def store(self) -> Store:
        """The store."""
        ...

    @property
    def originals(self) -> Originals:
        """Where bodies are kept that are large."""
        ...

    @property
    def publisher(self) -> Publisher:
        """The way to the broker."""
        ...

    @property
    def clock(self) -> Callable[[], datetime]:
        """What time it is."""
        ...

    def taker(self, name: str) -> Taker:
        """Takes the messages of a connector. NotFound: it has none."""
        ...

    def pipeline(self, name: str) -> Files:
        """Takes the files of a connector."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineDesk:
    """The quarantine as people work it. `second_person`: correct, resubmit and discard wait for somebody else."""

    store: Store
    acts: Acts
    clock: Callable[[], datetime]
    second_person: bool

    @classmethod
    def over(cls, hub: Parts) -> Self:
        """The desk of a hub. Takers, pipelines and the broker are asked for when an item needs them."""

        def publish(messages: Sequence[Outgoing]) -> None:
            hub.publisher.publish(messages)

        acts = Acts(
            store=hub.store,
            originals=hub.originals,
            clock=hub.clock,
            taker=hub.taker,
            files=hub.pipeline,
            publish=publish,
            resubmit_limit=hub.settings.quarantine.resubmit_limit,
        )
        second_person = hub.settings.quarantine.second_person
        return cls(store=hub.store, acts=acts, clock=hub.clock, second_person=second_person)

    def find(self, predicate: Predicate) -> list[QuarantineItem]:
        """The items that a predicate means, oldest first."""
        with self.store.begin() as work:
            found = work.quarantine.items(predicate.chosen)
        return [item for item in found if self._is_meant(item, predicate)] if predicate.fields else found

    def _is_meant(self, item: QuarantineItem, predicate: Predicate) -> bool:
        """Whether the body fits, too. Bodies are read one at a time, and none that is too large to be taken apart."""
        with self.store.begin() as work:
            body = work.quarantine.body(item.quarantine_id, item.version)
        return body.bytes <= LARGEST and predicate.holds(lambda: self.acts.bytes_of(body))

    def look(self, quarantine_id: str, actor: Actor, reason: str) -> None:
        """Note that somebody looks at the values of an item."""
        with self.store.begin() as work:
            work.quarantine.get(quarantine_id)
            self.acts.write(work, What.UNMASKED, [quarantine_id], Cause(actor=actor, reason=reason))
            work.commit()

    def correct(self, quarantine_id: str, content: bytes, actor: Actor, reason: str) -> Done:
        """Put a corrected body beside the original, for the next resubmission."""
        cause = Cause(actor=actor, reason=reason)
        with self.store.begin() as work:
            version, altered = self.acts.add_version(work, quarantine_id, content, actor)
            request = None
            if self.second_person:
                wanted = {"wish": Wish.CORRECT.value, "version": version}
                request = self.acts.write(work, What.REQUESTED, [quarantine_id], cause, **wanted)
            else:
                work.quarantine.use_version(quarantine_id, version)
                self.acts.write(work, What.CORRECTED, [quarantine_id], cause, version=version)
            work.commit()
        return Done(wish=Wish.CORRECT, items=(quarantine_id,), changes=tuple(altered), request=request)

    def resubmit(self, ids: Sequence[str], actor: Actor, reason: str | None) -> Done:
        """Give items to whoever takes their like; each is a transaction of its own.

        Conflict, NotFound: the only one can't be resubmitted as it stands; of many such a one is PASSED_OVER.
        """
        if self.second_person:
            return self._request(Wish.RESUBMIT, ids, actor, reason)
        return self._resubmit(ids, Cause(actor=actor, reason=reason))

    def discard(self, ids: Sequence[str], actor: Actor, reason: str) -> Done:
        """Let items rest for good; `restore` undoes it. Those that are not OPEN stay as they are."""
        if self.second_person:
            return self._request(Wish.DISCARD, ids, actor, reason)
        with self.store.begin() as work:
            done = self._discard(work, ids, Cause(actor=actor, reason=reason))
            work.commit()
        return done

    def restore(self, ids: Sequence[str], actor: Actor, reason: str) -> list[str]:
        """Undo a discard; which items are open again."""
        with self.store.begin() as work:
            restored = self.acts.settle(
                work,
                ids,
                Cause(actor=actor, reason=reason),
                start=QuarantineState.DISCARDED,
                end=QuarantineState.OPEN,
                what=What.RESTORED,
            )
            work.commit()
        return restored

    def label(self, ids: Sequence[str], label: str, actor: Actor, *, remove: bool = False) -> None:
        """Put a label on items, or take it away."""
        what = What.UNLABELLED if remove else What.LABELLED
        with self.store.begin() as work:
            if remove:
                work.quarantine.unlabel(ids, label)
            else:
                work.quarantine.label(ids, [label])
            self.acts.write(work, what, ids, Cause(actor=actor, reason=None), label=label)
            work.commit()

    def assign(self, item_id: str, owner: str, actor: Actor) -> None:
        """Give an item, or an exception of the worklist, to somebody. NotFound."""
        with self.store.begin() as work:
            if not work.quarantine.assign([item_id], owner):
                work.worklist.assign(item_id, owner)
            self.acts.write(work, What.ASSIGNED, [item_id], Cause(actor=actor, reason=None), owner=owner)
            work.commit()

    def add_rule(self, rule: QuarantineRule, actor: Actor) -> Done:
        """Put a rule in force; one that resubmits or discards may need a second person. Conflict: the name is taken."""
        parse(rule.predicate, now=self.clock())
        told = {"predicate": rule.predicate, "action": rule.action.value, "label": rule.label}
        cause = Cause(actor=actor, reason=rule.reason)
        with self.store.begin() as work:
            if not self.second_person or rule.action is RuleAction.LABEL:
                done = self._put_in_force(work, rule, replace(cause, details=told))
            else:
                wanted = {"wish": Wish.RULE.value, "name": rule.name, **told}
                number = self.acts.write(work, What.REQUESTED, [], cause, **wanted)
                done = Done(wish=Wish.RULE, request=number)
            work.commit()
        return done

    def requests(self) -> list[Action]:
        """What waits for a second person."""
        with self.store.begin() as work:
            return work.quarantine.history.open_requests()

    def approve(self, number: int, actor: Actor) -> Done:
        """Do what was requested, as the second person. NotAllowed: it is one's own request. Conflict: decided, or it
        can't be done any more; then it stays a request. Only resubmissions follow in transactions of their own.
        """
        with self.store.begin() as work:
            request = self._decide(work, number, actor, What.APPROVED, reason=None)
            asked = f"{request.who}: {request.reason}" if request.reason else request.who
            cause = Cause(actor=actor, reason=asked, details={"request": number, "requested_by": request.who})
            still_open = work.quarantine.among(request.item_ids, QuarantineState.OPEN)
            done: Done | None
            match Wish(request.details["wish"]):
                case Wish.CORRECT:
                    done = self._use_version(work, request, cause)
                case Wish.DISCARD:
                    done = self._discard(work, request.item_ids, cause)
                case Wish.RULE:
                    done = self._add_rule(work, request, cause)
                case Wish.RESUBMIT:
                    done = None
            work.commit()
        return self._resubmit(still_open, cause) if done is None else done

    def refuse(self, number: int, actor: Actor, reason: str) -> None:
        """Let a request come to nothing; whoever made it may take it back so."""
        with self.store.begin() as work:
            self._decide(work, number, actor, What.REFUSED, reason=reason)
            work.commit()

    def _decide(self, work: Work, number: int, actor: Actor, what: What, *, reason: str | None) -> Action:
        request = work.quarantine.history.request(number)
        if request is None:
            raise NotFound(f"there is no request {number}", code="REQUEST_UNKNOWN", remedy="quarantine requests")
        if what is What.APPROVED and actor.is_same_as(request.who):
            raise NotAllowed(
                "a request is approved by somebody else than whoever made it",
                code="SELF_APPROVAL",
                remedy="ask a second person to approve it with --as",
            )
        work.quarantine.history.append(
            Action(
                at=self.clock(),
                who=actor.name,
                authenticated=actor.authenticated,
                what=what,
                reason=reason,
                answers=number,
                item_ids=request.item_ids,
            )
        )
        return request

    def _request(self, wish: Wish, ids: Sequence[str], actor: Actor, reason: str | None) -> Done:
        with self.store.begin() as work:
            chosen = work.quarantine.among(ids, QuarantineState.OPEN)
            number = None
            if chosen:
                cause = Cause(actor=actor, reason=reason)
                number = self.acts.write(work, What.REQUESTED, chosen, cause, wish=wish.value)
            work.commit()
        return Done(wish=wish, items=tuple(chosen), request=number)

    def _use_version(self, work: Work, request: Action, cause: Cause) -> Done:
        (quarantine_id,) = request.item_ids
        version = int(request.details["version"])
        work.quarantine.claim(quarantine_id, QuarantineState.OPEN)
        work.quarantine.use_version(quarantine_id, version)
        self.acts.write(work, What.CORRECTED, [quarantine_id], cause, version=version)
        return Done(wish=Wish.CORRECT, items=(quarantine_id,))

    def _add_rule(self, work: Work, request: Action, cause: Cause) -> Done:
        told = {name: request.details[name] for name in ("name", "predicate", "label")}
        rule = QuarantineRule(
            **told,
            action=RuleAction(request.details["action"]),
            reason=request.reason or "",
            added_by=request.who,
            added_at=self.clock(),
        )
        return self._put_in_force(work, rule, cause)

    def _put_in_force(self, work: Work, rule: QuarantineRule, cause: Cause) -> Done:
        work.quarantine.rules.add(rule)
        self.acts.write(work, What.RULE_ADDED, [], replace(cause, rule=rule.name))
        return Done(wish=Wish.RULE)

    def _resubmit(self, ids: Sequence[str], cause: Cause) -> Done:
        results = []
        for quarantine_id in ids:
            try:
                results.append(self.acts.resubmit(quarantine_id, cause))
            except (Conflict, NotFound) as exc:
                if len(ids) == 1:
                    raise
                results.append(Result(quarantine_id=quarantine_id, fate=PASSED_OVER, code=exc.code, text=exc.text))
        return Done(wish=Wish.RESUBMIT, items=tuple(ids), results=tuple(results))

    def _discard(self, work: Work, ids: Sequence[str], cause: Cause) -> Done:
        discarded = self.acts.settle(
            work, ids, cause, start=QuarantineState.OPEN, end=QuarantineState.DISCARDED, what=What.DISCARDED
        )
        return Done(wish=Wish.DISCARD, items=tuple(discarded))
