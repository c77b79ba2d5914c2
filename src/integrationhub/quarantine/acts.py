"""What is done to quarantined items, each with its entry in the history, in the transaction that does it."""

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from integrationhub.errors import Conflict, HubError, NotAllowed, NotFound, TransientError
from integrationhub.identity import Actor
from integrationhub.intake.report import FileReport, FileVerdict
from integrationhub.quarantine.content import Change, changes
from integrationhub.receive.notices import QUEUE as NOTICES
from integrationhub.receive.originals import Originals
from integrationhub.sdk.messages import Fate, Outcome
from integrationhub.sdk.transport import Incoming, Outgoing
from integrationhub.store.deliveries import Kind
from integrationhub.store.quarantine import INLINE_BYTES, Body, QuarantineItem, QuarantineState
from integrationhub.store.quarantine_history import Action, What
from integrationhub.store.unit_of_work import Store, Work
from integrationhub.telemetry import UnitOfWork

GIVEN_BACK = "GIVEN_BACK"
"""Result of an item that went back to its queue: what becomes of it shows there."""

PASSED_OVER = "PASSED_OVER"
"""Result of one of many that can't be resubmitted: tried too often, settled meanwhile, its connector is gone."""


class Taker(Protocol):
    """Takes a connector's messages inside a transaction of the caller's."""

    def take_in(self, work: Work, messages: Sequence[Incoming], *, now: datetime) -> list[Outcome]:
        """One outcome a message."""
        ...


class Files(Protocol):
    """Takes kept files of a connector up again."""

    def take_again(self, delivery_id: str) -> FileReport:
        """The report of this time. NotFound: no such delivery."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Who does something, why, and by which rule or on which request."""

    actor: Actor
    reason: str | None
    rule: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one resubmitted item. `fate`: a message's Fate, a file's verdict, GIVEN_BACK or PASSED_OVER."""

    quarantine_id: str
    fate: str
    code: str | None = None
    text: str | None = None

    @property
    def was_taken(self) -> bool:
        """Whether the item is settled."""
        return self.fate not in (Fate.REJECTED, FileVerdict.REJECTED, FileVerdict.HELD, PASSED_OVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acts:
    """Carries out decisions. `taker` and `files` give a connector's; NotFound: it has none."""

    store: Store
    originals: Originals
    clock: Callable[[], datetime]
    taker: Callable[[str], Taker]
    files: Callable[[str], Files]
    publish: Callable[[Sequence[Outgoing]], None]
    resubmit_limit: int

    def bytes_of(self, body: Body) -> bytes:
        """A version's bytes, wherever they are kept."""
        if body.body is not None:
            return body.body
        with self.originals.open(body.sha256) as stream:
            return stream.read()

    def write(self, work: Work, what: What, item_ids: Sequence[str], cause: Cause, **details: object) -> int:
        """Enter an action into the history; its number."""
        return work.quarantine.history.append(
            Action(
                at=self.clock(),
                who=cause.actor.name,
                authenticated=cause.actor.authenticated,
                what=what,
                reason=cause.reason,
                details={**cause.details, **details},
                rule=cause.rule,
                item_ids=tuple(item_ids),
            )
        )

    def add_version(self, work: Work, quarantine_id: str, content: bytes, actor: Actor) -> tuple[int, list[Change]]:
        """Keep a corrected body beside the others; its number, and what it alters. NotAllowed: it is a file."""
        item = work.quarantine.claim(quarantine_id, QuarantineState.OPEN)
        if item.kind is Kind.FILE:
            raise NotAllowed(
                "a file is corrected where it comes from: its controls prove it as a whole",
                code="CORRECT_AT_SOURCE",
                remedy="ask the source for the corrected file; the item settles itself when that is accepted",
            )
        before = self.bytes_of(work.quarantine.body(quarantine_id, item.version))
        digest, inline = hashlib.sha256(content).hexdigest(), len(content) <= INLINE_BYTES
        if not inline:
            self.originals.keep(io.BytesIO(content))
        version = Body(
            version=0,
            corrects=None,
            body=content if inline else None,
            sha256=digest,
            bytes=len(content),
            made_at=self.clock(),
            made_by=actor.name,
        )
        return work.quarantine.add_version(item, version), changes(before, content)

    def settle(
        self, work: Work, ids: Sequence[str], cause: Cause, *, start: QuarantineState, end: QuarantineState, what: What
    ) -> list[str]:
        """Bring those of the items that are in one state into another; which they were."""
        chosen = work.quarantine.among(ids, start)
        if chosen:
            at = None if end is QuarantineState.OPEN else self.clock()
            work.quarantine.settle(chosen, end, at=at)
            self.write(work, what, chosen, cause)
        return chosen

    def resubmit(self, quarantine_id: str, cause: Cause) -> Result:
        """Give one item to whoever takes its like, the version in use; it is settled in the transaction that takes it.

        TransientError: a service is away; the try is counted, the item stays. Conflict: it is not OPEN, or was tried as
        often as is allowed without a correction.
        """
        with UnitOfWork("resubmit") as line:
            item = self._count_try(quarantine_id, cause)
            result = self._give(item, cause)
            line.note(connector=item.connector, outcome=result.fate, reason=result.code)
        return result

    def _count_try(self, quarantine_id: str, cause: Cause) -> QuarantineItem:
        """Before anything else, in a transaction of its own: also a try that kills this process has been one."""
        with self.store.begin() as work:
            item = work.quarantine.claim(quarantine_id, QuarantineState.OPEN)
            if item.resubmits >= self.resubmit_limit:
                raise Conflict(
                    f"item {quarantine_id} was resubmitted {item.resubmits} times in vain",
                    code="RESUBMIT_LIMIT",
                    remedy="correct it (its tries begin anew then), or discard it",
                )
            work.quarantine.count_try(item)
            self.write(work, What.TRIED, [quarantine_id], cause, version=item.version)
            work.commit()
        return item

    def _give(self, item: QuarantineItem, cause: Cause) -> Result:
        try:
            if item.kind is Kind.FILE:
                return self._give_file(item, cause)
            if item.queue == NOTICES:
                return self._give_back(item, cause)
            return self._give_message(item, cause)
        except (TransientError, NotFound):
            raise
        except Exception as exc:  # noqa: BLE001 - whatever the item does to its taker, it is this item's reason
            code = exc.code if isinstance(exc, HubError) else "UNEXPECTED"
            text = f"resubmitted, it could not be taken ({type(exc).__name__})"
            with self.store.begin() as work:
                work.quarantine.claim(item.quarantine_id, QuarantineState.OPEN)  # or somebody settled it meanwhile
                result = self._failed(work, item, cause, Outcome(fate=Fate.REJECTED, code=code, text=text))
                work.commit()
            return result

    def _give_message(self, item: QuarantineItem, cause: Cause) -> Result:
        taker = self.taker(item.connector)
        with self.store.begin() as work:
            work.quarantine.claim(item.quarantine_id, QuarantineState.OPEN)
            message = self._message(work, item)
            with work.quarantine.trying():
                (outcome,) = taker.take_in(work, [message], now=self.clock())
            if outcome.fate is Fate.REJECTED:
                result = self._failed(work, item, cause, outcome)
            else:
                result = self._taken(work, item, cause, outcome)
            work.commit()
        return result

    def _give_back(self, item: QuarantineItem, cause: Cause) -> Result:
        """Put a message that nobody takes in a transaction into its queue: done twice it is a repeat."""
        with self.store.begin() as work:
            message = self._message(work, item)
        outgoing = Outgoing(
            exchange="",
            routing_key=message.queue,
            message_id=message.message_id,
            body=message.body,
            content_type=message.content_type,
            headers=message.headers,
        )
        self.publish([outgoing])
        with self.store.begin() as work:
            work.quarantine.settle([item.quarantine_id], QuarantineState.RESUBMITTED, at=self.clock())
            self.write(work, What.RESUBMITTED, [item.quarantine_id], cause, fate=GIVEN_BACK)
            work.commit()
        return Result(quarantine_id=item.quarantine_id, fate=GIVEN_BACK)

    def _give_file(self, item: QuarantineItem, cause: Cause) -> Result:
        """Take the kept file up again. Its own transactions settle the item, or leave it for a new reason."""
        report = self.files(item.connector).take_again(item.delivery_id or "")
        reason = report.reasons[0] if report.reasons else None
        fate = report.verdict.value
        result = Result(
            quarantine_id=item.quarantine_id,
            fate=fate,
            code=reason.code if reason else None,
            text=reason.text if reason else None,
        )
        with self.store.begin() as work:
            what = What.RESUBMITTED if result.was_taken else What.FAILED_AGAIN
            self.write(work, what, [item.quarantine_id], cause, fate=fate, code=result.code)
            work.commit()
        return result

    def _message(self, work: Work, item: QuarantineItem) -> Incoming:
        body = work.quarantine.body(item.quarantine_id, item.version)
        return Incoming(
            tag=0,
            queue=item.queue or f"integrationhub.{item.connector}",
            exchange=item.exchange or "",
            routing_key=item.routing_key or "",
            message_id=item.message_id,
            body=self.bytes_of(body),
            content_type=item.content_type,
            headers=item.headers,
        )

    def _taken(self, work: Work, item: QuarantineItem, cause: Cause, outcome: Outcome) -> Result:
        work.quarantine.settle([item.quarantine_id], QuarantineState.RESUBMITTED, at=self.clock())
        told = {"fate": outcome.fate.value, "code": outcome.code, "delivery_id": outcome.delivery_id}
        self.write(work, What.RESUBMITTED, [item.quarantine_id], cause, version=item.version, **told)
        return Result(quarantine_id=item.quarantine_id, fate=outcome.fate.value, code=outcome.code, text=outcome.text)

    def _failed(self, work: Work, item: QuarantineItem, cause: Cause, outcome: Outcome) -> Result:
        code, text = outcome.code or Fate.REJECTED.value, outcome.text or "refused"
        work.quarantine.failed(item.quarantine_id, code=code, text=text)
        self.write(work, What.FAILED_AGAIN, [item.quarantine_id], cause, version=item.version, code=code)
        return Result(quarantine_id=item.quarantine_id, fate=Fate.REJECTED.value, code=code, text=text)
