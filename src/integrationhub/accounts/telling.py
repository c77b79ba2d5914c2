"""What the world is told of changes in the book of accounts (outbound-events.md).

A benefit debt is told of to internal systems only, money to finance as well. What is told follows from what happened,
in its order: the changes of one debt by one unit are one change.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrationhub.accounts.book import Book
from integrationhub.accounts.changes import DebtChanged, Happening, Reversed, Said
from integrationhub.accounts.entries import Debt, Hold, Origin, Receipt

INTERNAL, FINANCE = "internal", "finance"
_REMOVED = ("REMOVED", "ARCHIVED")
_NOT_TOLD = ("version", "content", "holds", "as_at", "source_system", "source_id", "ref")


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One event for those who may see it. `subject` is never personal."""

    event: str  # type without prefix
    subject: str
    data: Mapping[str, Any]
    audiences: tuple[str, ...] = (INTERNAL,)
    origin: Origin


def tellings(book: Book) -> Iterator[Telling]:
    """What happened in the book, in order."""
    for item in _together(book.changes.happened):
        yield from _tellings(item, book)


def _tellings(item: Happening, book: Book) -> Iterator[Telling]:
    assert item.origin is not None  # changes are made while a unit is judged
    origin = item.origin
    if isinstance(item, DebtChanged):
        yield from _debt(item.before, item.after, book, origin)
        yield from _holds(item.before, item.after, origin)
    elif isinstance(item, Reversed):
        if not item.reversal.receipt.in_suspense:
            yield _reversed(item, origin)
    elif isinstance(item, Said):
        yield _said(item, origin)
    else:
        yield _posted(item.receipt, origin)


def _together(happened: Iterable[Happening]) -> Iterator[Happening]:
    """The changes of one debt by one unit as one."""
    waiting: dict[str, DebtChanged] = {}
    for item in happened:
        if isinstance(item, DebtChanged):
            known = waiting.get(item.after.ref)
            if known is not None and known.origin == item.origin:
                waiting[item.after.ref] = DebtChanged(known.before, item.after, item.origin)
                continue
        if waiting and next(iter(waiting.values())).origin != item.origin:
            yield from waiting.values()
            waiting = {}
        if isinstance(item, DebtChanged):
            waiting[item.after.ref] = item
        else:
            yield item
    yield from waiting.values()


def _debt(before: Debt | None, after: Debt, book: Book, origin: Origin) -> Iterator[Telling]:
    whole = {
        "debt_ref": after.ref,
        "source_system": after.source_system,
        "type": after.kind,
        "benefit": after.benefit,
        "status": after.status,
        "balance_pence": book.balance(after),
    }
    if before is None:
        yield Telling(event="debt.created", subject=after.ref, data=whole, origin=origin)
        return
    if (before.version, before.content) == (after.version, after.content):
        return  # not its source's doing: holds and identity are told of by themselves
    if after.status in _REMOVED:
        if before.status not in _REMOVED:
            data = {"debt_ref": after.ref, "balance_pence": whole["balance_pence"]}
            yield Telling(event="debt.removed", subject=after.ref, data=data, origin=origin)
        return
    data = {**whole, "changed": _changed(before, after)}
    yield Telling(event="debt.changed", subject=after.ref, data=data, origin=origin)
    if after.status == "CLEARED" != before.status:
        yield Telling(event="debt.cleared", subject=after.ref, data={"debt_ref": after.ref}, origin=origin)


def _changed(before: Debt, after: Debt) -> list[str]:
    """Names of what is other than before, never a value."""
    own = [name for name in Debt.__dataclass_fields__ if name not in (*_NOT_TOLD, "details")]
    found = [name for name in own if getattr(before, name) != getattr(after, name)]
    names = {*before.details, *after.details}
    return [*found, *sorted(name for name in names if before.details.get(name) != after.details.get(name))]


def _holds(before: Debt | None, after: Debt, origin: Origin) -> Iterator[Telling]:
    held, holds = before.holds if before is not None else (), after.holds
    for hold in held:
        if hold not in holds and not any(_is_same(hold, other) for other in holds):
            yield _hold("hold.ended", after.ref, hold, origin)
    for hold in holds:
        if hold not in held:
            yield _hold("hold.set", after.ref, hold, origin)


def _is_same(one: Hold, other: Hold) -> bool:
    return (one.code, one.start, one.origin) == (other.code, other.start, other.origin)


def _hold(event: str, ref: str, hold: Hold, origin: Origin) -> Telling:
    end = None if hold.end is None else hold.end.isoformat()
    data = {"debt_ref": ref, "code": hold.code, "from": hold.start.isoformat(), "to": end}
    return Telling(event=event, subject=ref, data=data, origin=origin)


def _posted(receipt: Receipt, origin: Origin) -> Telling:
    data: dict[str, Any] = {
        "receipt_id": receipt.receipt_id,
        "source": receipt.source,
        "amount_pence": receipt.amount_pence,
        "value_date": receipt.value_date.isoformat(),
    }
    both = (INTERNAL, FINANCE)
    if receipt.in_suspense:
        data["reason"] = receipt.reason
        return Telling(event="receipt.suspended", subject=receipt.receipt_id, data=data, audiences=both, origin=origin)
    data |= {"debt_ref": receipt.debt_ref} if receipt.debt_ref else {"case_ref": receipt.case_ref}
    return Telling(event="receipt.posted", subject=_whose(receipt), data=data, audiences=both, origin=origin)


def _reversed(item: Reversed, origin: Origin) -> Telling:
    reversal, receipt = item.reversal, item.reversal.receipt
    data: dict[str, Any] = {
        "receipt_id": receipt.receipt_id,
        "amount_pence": reversal.amount_pence,
        "value_date": reversal.value_date.isoformat(),
        **({"debt_ref": receipt.debt_ref} if receipt.debt_ref else {}),
    }
    return Telling(
        event="receipt.reversed", subject=_whose(receipt), data=data, audiences=(INTERNAL, FINANCE), origin=origin
    )


def _whose(receipt: Receipt) -> str:
    return receipt.debt_ref or receipt.case_ref or receipt.receipt_id


def _said(item: Said, origin: Origin) -> Telling:
    subject = item.data.get("debt_ref") or item.data.get("event_ref") or origin.delivery_id
    return Telling(event=item.event, subject=str(subject), data=item.data, origin=origin)
