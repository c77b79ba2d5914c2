"""Suspense as people work it, on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Origin, Receipt
from integrationhub.errors import Conflict, NotFound
from integrationhub.identity import Actor
from integrationhub.store.schema import OUTBOX
from integrationhub.store.suspense import Chosen
from integrationhub.store.unit_of_work import Store
from integrationhub.store.worklist import ItemState, WorklistItem
from integrationhub.suspense.desk import SuspenseDesk
from tests.contract.store.book import delivery, one_slice

NOW = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
FILE = one_slice(1)
DELIVERY = FILE.delivery_id
ANNA = Actor(name="anna", authenticated=True)
REF, OTHER = "DM0010000017", "DM0010000024"


def debt(ref: str, *, nino: str | None = None) -> Debt:
    return Debt(
        ref=ref, source_system="DEBT_MANAGER", source_id=ref, version="1", content="", status="ACTIVE",
        kind="OVERPAYMENT", benefit="IS", cause=None, original_pence=10000, adjusted_pence=0, recovered_pence=0,
        written_off_pence=0, source_balance_pence=10000, as_at=date(2026, 3, 1), nino=nino, nino_status=None,
        surname=None, dob=None, postcode=None,
    )  # fmt: skip


def receipt(key: str, text: str, *, reason: str = "UNMATCHED", pence: int = 1500) -> Receipt:
    marks = {"texts": [text]}
    return Receipt(source="BANK", key=key, amount_pence=pence, value_date=date(2026, 3, 4), reason=reason, marks=marks)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    postgres = request.param == "postgres"
    url = str(request.getfixturevalue("postgres_url")) if postgres else f"sqlite:///{tmp_path / 'hub.db'}"
    opened = Store.open(url, create=True)
    with opened.begin() as work:
        work.deliveries.save(delivery(FILE))
        work.commit()
    yield opened
    opened.close()


@pytest.fixture
def desk(store: Store) -> SuspenseDesk:
    times = iter(NOW + timedelta(minutes=minute) for minute in range(1000))
    return SuspenseDesk(store=store, environment="test", synthetic=True, clock=lambda: next(times))


def write(store: Store, *entries: Debt | Receipt) -> None:
    with store.begin() as work:
        book = Book(work.accounts.shelf())
        for number, entry in enumerate(entries, start=1):
            book.judging(Origin(delivery_id=DELIVERY, record=number, offset=0, mapping_id="m", at=NOW))
            if isinstance(entry, Debt):
                book.put(entry)
            else:
                book.post(entry)
                work.worklist.open([_item(entry, number)])
        work.accounts.flush(book.changes)
        work.commit()


def _item(entry: Receipt, record: int) -> WorklistItem:
    return WorklistItem(
        exception_id=f"{record:032x}", code=entry.reason or "", entity="units", opened_at=NOW, text="",
        connector="bank", delivery_id=DELIVERY, record_no=record,
    )  # fmt: skip


def events(store: Store) -> list[tuple[str, str]]:
    with store.read() as connection:
        rows = connection.execute(OUTBOX.select().order_by(OUTBOX.c.position)).mappings()
        return [(row["type"], row["audience"]) for row in rows]


def balance(store: Store, ref: str) -> int:
    with store.begin() as work:
        book = Book(work.accounts.shelf())
        found = book.debt(ref)
        assert found is not None
        return book.balance(found)


def states(store: Store) -> list[ItemState]:
    with store.begin() as work:
        return [item.state for item in work.worklist.items()]


def test_what_waits_is_told_with_what_it_would_match_by_now(store: Store, desk: SuspenseDesk) -> None:
    write(store, receipt("a", f"PAID {REF}"), receipt("b", "NOBODY"), receipt("c", REF, reason="RETURNED_REFUND"))
    assert [item.matches for item in desk.waiting(Chosen())] == [None, None, None]
    write(store, debt(REF))
    assert [item.matches for item in desk.waiting(Chosen())] == [REF, None, None]
    assert [(row["reason"], row["receipts"], row["pence"]) for row in desk.sums()] == [
        ("RETURNED_REFUND", 1, 1500),
        ("UNMATCHED", 2, 3000),
    ]
    assert [item.waiting.receipt.key for item in desk.waiting(Chosen(reason="UNMATCHED", limit=1))] == ["a"]


def test_a_decision_moves_the_money_closes_its_work_and_can_be_taken_back_and_made_again(
    store: Store, desk: SuspenseDesk
) -> None:
    write(store, debt(REF), receipt("a", "NOBODY"))
    waiting = desk.waiting(Chosen())[0].waiting.receipt
    assert states(store) == [ItemState.OPEN]
    for _ in range(2):
        assert desk.allocate(waiting.receipt_id, REF, ANNA, "he rang").debt_ref == REF
        assert (balance(store, REF), desk.sums(), states(store)) == (8500, [], [ItemState.RESOLVED])
        assert desk.release(waiting.receipt_id, ANNA, "a mistake").in_suspense
        assert (balance(store, REF), states(store)) == (10000, [ItemState.OPEN])
        assert [row["pence"] for row in desk.sums()] == [1500]
    both = ("internal", "finance")
    posted, suspended = ([(kind, who) for who in both] for kind in ("receipt.posted", "receipt.suspended"))
    assert events(store) == (posted + suspended) * 2


def test_every_decision_is_kept_with_who_made_it_and_why(store: Store, desk: SuspenseDesk) -> None:
    write(store, debt(REF), debt(OTHER), receipt("a", "NOBODY"))
    name = desk.waiting(Chosen())[0].waiting.receipt.receipt_id
    desk.allocate(name, REF, ANNA, "first")
    desk.release(name, replace(ANNA, name="ben"), "no")
    desk.allocate(name, OTHER, ANNA, "second")
    with store.begin() as work:
        note = Book(work.accounts.shelf()).note("suspense", "allocation", name)
    assert note is not None
    told = [(one["by"], one["to"], one["why"]) for one in note.value["decisions"]]
    assert told == [("anna", REF, "first"), ("ben", None, "no"), ("anna", OTHER, "second")]


def test_what_does_not_wait_is_not_given_away_and_nothing_goes_nowhere(store: Store, desk: SuspenseDesk) -> None:
    write(store, debt(REF), receipt("a", "NOBODY"))
    name = desk.waiting(Chosen())[0].waiting.receipt.receipt_id
    with pytest.raises(NotFound, match="no debt or case"):
        desk.allocate(name, "DM9999999999", ANNA, "why")
    with pytest.raises(NotFound, match="no receipt"):
        desk.allocate("0" * 32, REF, ANNA, "why")
    with pytest.raises(Conflict, match="decision"):
        desk.release(name, ANNA, "why")
    desk.allocate(name, REF, ANNA, "why")
    with pytest.raises(Conflict, match="does not wait"):
        desk.allocate(name, REF, ANNA, "why")


def test_rematch_gives_everything_that_matches_now_and_leaves_the_rest(store: Store, desk: SuspenseDesk) -> None:
    write(
        store,
        receipt("a", REF),
        receipt("b", "QQ123456A"),
        receipt("c", f"{REF}, {OTHER}"),
        receipt("d", REF, reason="PROTECTED_EARNINGS"),
    )
    write(store, debt(REF), debt(OTHER, nino="QQ123456A"))
    assert {item.waiting.receipt.key: item.matches for item in desk.proposals()} == {"a": REF, "b": OTHER}
    given = desk.rematch(ANNA, "debts came")
    assert {item.key: item.debt_ref for item in given} == {"a": REF, "b": OTHER}
    assert [item.waiting.receipt.key for item in desk.waiting(Chosen())] == ["c", "d"]
    assert (balance(store, REF), balance(store, OTHER)) == (8500, 8500)
    assert list(desk.proposals()) == []
