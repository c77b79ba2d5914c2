"""What people may do to money in suspense. Each act is one transaction, with who did it and why; each can be undone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Receipt
from integrationhub.accounts.matching import Match, Matcher
from integrationhub.accounts.suspense import Decision, allocate, proposal, release, texts_of
from integrationhub.accounts.telling import tellings
from integrationhub.errors import NotFound
from integrationhub.identity import Actor
from integrationhub.intake.units.telling import tell
from integrationhub.store import suspense as reading
from integrationhub.store.suspense import Chosen, Waiting
from integrationhub.store.unit_of_work import Store, Work
from integrationhub.store.worklist import ItemState, WorklistItem

AT_ONCE = 500
"""Receipts that `rematch` looks at together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Money that waits, and what its own texts match by now."""

    waiting: Waiting
    matches: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspenseDesk:
    """Looks at suspense and acts on it. `synthetic`: test identities are usable."""

    store: Store
    environment: str
    synthetic: bool
    clock: Callable[[], datetime]

    def sums(self) -> Sequence[Mapping[str, object]]:
        """Receipts and pence that wait, by source and reason."""
        with self.store.read() as connection:
            return reading.sums(connection)

    def waiting(self, chosen: Chosen) -> list[Shown]:
        """A page of what waits, oldest first, with what it would match now."""
        with self.store.begin() as work:  # never committed
            found = reading.waiting(work.connection, chosen)
            book = self._book(work, found)
            return [Shown(waiting=item, matches=_target(self._proposal(item.receipt, book))) for item in found]

    def show(self, receipt_id: str) -> Waiting:
        """One receipt, wherever it is by now. NotFound: there is none."""
        with self.store.read() as connection:
            return _found(reading.receipt(connection, receipt_id))

    def allocate(self, receipt_id: str, target: str, actor: Actor, why: str) -> Receipt:
        """Give waiting money to the debt or case with the reference `target`. Conflict, NotFound."""
        return self._act(receipt_id, lambda item, book: allocate(item, target, self._decision(actor, why), book))

    def release(self, receipt_id: str, actor: Actor, why: str) -> Receipt:
        """Put money back into suspense that was given away here. Conflict: it was not."""
        return self._act(receipt_id, lambda item, book: release(item, self._decision(actor, why), book))

    def proposals(self) -> Iterator[Shown]:
        """Everything that waits and would match now."""
        after = 0
        while page := self.waiting(Chosen(after=after, limit=AT_ONCE)):
            yield from (item for item in page if item.matches is not None)
            after = page[-1].waiting.receipt.number

    def rematch(self, actor: Actor, why: str) -> list[Receipt]:
        """Give everything that would match now where it belongs; what was given, each in a transaction of its own."""
        given = []
        for item in list(self.proposals()):
            assert item.matches is not None  # `proposals` gives no others
            given.append(self.allocate(item.waiting.receipt.receipt_id, item.matches, actor, why))
        return given

    def _act(self, receipt_id: str, act: Callable[[Receipt, Book], Receipt]) -> Receipt:
        at = self.clock()
        with self.store.begin() as work:
            waiting = _found(reading.receipt(work.connection, receipt_id))
            book = self._book(work, [waiting])
            book.judging(replace(waiting.origin, at=at))
            receipt = act(waiting.receipt, book)
            told = list(tellings(book))
            work.accounts.flush(book.changes)
            self._settle(work, waiting, receipt, at)
            parts = (at.isoformat(),)  # the same may be decided again
            tell(work, told, connector="suspense", environment=self.environment, at=at, parts=parts)
            work.commit()
        return receipt

    def _settle(self, work: Work, waiting: Waiting, receipt: Receipt, at: datetime) -> None:
        """The worklist item of the receipt's record closes with it, and opens again with it."""
        origin = waiting.origin
        items = [
            item
            for item in work.worklist.items(delivery_id=origin.delivery_id)
            if item.record_no == origin.record and item.code == receipt.reason
        ]
        if receipt.in_suspense:
            work.worklist.reopen(_opened(item, at) for item in items)
        else:
            ids = [item.exception_id for item in items]
            work.worklist.resolve(ids, at=at, resolution=f"given to {receipt.debt_ref or 'a case'} by a person")

    def _book(self, work: Work, found: Sequence[Waiting]) -> Book:
        book = Book(work.accounts.shelf())
        book.fetch(self._matcher.wants(text for item in found for text in texts_of(item.receipt)))
        return book

    def _proposal(self, receipt: Receipt, book: Book) -> Match | None:
        return proposal(receipt, self._matcher, book)

    @property
    def _matcher(self) -> Matcher:
        return Matcher(synthetic=self.synthetic)

    def _decision(self, actor: Actor, why: str) -> Decision:
        return Decision(by=actor.name, authenticated=actor.authenticated, at=self.clock(), why=why)


def _opened(item: WorklistItem, at: datetime) -> WorklistItem:
    return replace(item, state=ItemState.OPEN, opened_at=at, resolved_at=None, resolution=None)


def _target(match: Match | None) -> str | None:
    if match is None:
        return None
    return match.debt.ref if match.debt is not None else match.case.ref if match.case is not None else None


def _found(waiting: Waiting | None) -> Waiting:
    if waiting is None:
        raise NotFound(
            "there is no receipt with that identifier",
            code="RECEIPT_UNKNOWN",
            remedy="`integrationhub suspense list` shows the identifiers of what waits",
        )
    return waiting
