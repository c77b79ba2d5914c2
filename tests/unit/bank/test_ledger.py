"""However bank files follow each other, the same money ends in the same place, once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import KnownCase
from integrationhub.mapping.compile import CompiledMapping
from tests.unit.accounts.conftest import EmptyShelf, put_debt
from tests.unit.bank.conftest import FIRST, SECOND
from tests.unit.bank.make import Statement, document, entry, notification, part
from tests.unit.bank.world import World

CASE, CLOSED, OWED = "121000000018", "DM0010000024", 100_000
Ledger = tuple[dict[str, int], Counter[tuple[str | None, str | None, str | None, int, int]]]


@dataclass(frozen=True)
class Movement:
    """An entry, and what it does to the account's balance."""

    text: str
    net: int


@st.composite
def payments(draw: st.DrawFn) -> list[list[Movement]]:
    """Payments, each alone or followed by its return; some are two in one entry."""
    found = []
    for number in range(draw(st.integers(1, 7))):
        pence, text = draw(st.integers(2, 500)), draw(st.sampled_from([FIRST, SECOND, CASE, CLOSED, "NOBODY"]))
        if draw(st.booleans()):
            parts = [part(text, pence=1, e2e=f"E{number}"), part(SECOND, pence=pence - 1)]
            found.append([Movement(entry(pence, ref=f"A{number}", parts=parts), pence)])
            continue
        chain = [Movement(entry(pence, ref=f"A{number}", parts=[part(text, e2e=f"E{number}")]), pence)]
        if draw(st.booleans()):
            back = entry(pence, "DBIT", returned="true", ref=f"R{number}", parts=[part("BACK", e2e=f"E{number}")])
            chain.append(Movement(back, -pence))
        found.append(chain)
    return found


def interleaved(draw: st.DrawFn, chains: Sequence[Sequence[Movement]]) -> list[Movement]:
    """The movements in any order in which each return follows its payment, among others that are none of ours."""
    order = draw(st.permutations([place for place, chain in enumerate(chains) for _ in chain]))
    left = [iter(chain) for chain in chains]
    movements = [next(left[place]) for place in order]
    for number in range(draw(st.integers(0, 2))):
        paid_out = Movement(entry(50, "DBIT", ref=f"O{number}"), -50)
        other = draw(st.sampled_from([paid_out, Movement(entry(7, status="PDNG"), 0), Movement(entry(0), 0)]))
        movements.insert(draw(st.integers(0, len(movements))), other)
    return movements


def files(draw: st.DrawFn, movements: Sequence[Movement]) -> list[str]:
    """The movements cut into statements and pages, with notifications before and repeats in between."""
    found: list[str] = []
    balance = place = number = 0
    while place < len(movements):
        number += 1
        some = movements[place : place + draw(st.integers(1, len(movements)))]
        place += len(some)
        for content in statement(draw, some, opening=balance, number=number):
            found.append(content)
            if draw(st.booleans()):
                found.append(draw(st.sampled_from(found)))
        balance += sum(item.net for item in some)
    return found


def statement(draw: st.DrawFn, some: Sequence[Movement], *, opening: int, number: int) -> list[str]:
    """A statement on one page or several; its first entries may have been notified before."""
    notified = [item.text for item in some[: draw(st.integers(0, len(some)))]]
    found = [notification(*notified, name=f"N{number}")] if draw(st.booleans()) else []
    edges = [0, *sorted(draw(st.lists(st.integers(0, len(some)), max_size=2))), len(some)]
    for page in range(1, len(edges)):
        is_last = page == len(edges) - 1
        one = Statement(
            entries=[item.text for item in some[edges[page - 1] : edges[page]]],
            page=(page, is_last),
            opening=opening if page == 1 else None,
            closing=opening + sum(item.net for item in some) if is_last else None,
            name=f"S{number}",
            number=number,
        )
        found.append(document(one))
    return found


def ledger(mapping: CompiledMapping, contents: Sequence[str]) -> Ledger:
    """Balances, and every receipt with its place and what went back of it, after these files; each was taken."""
    book = Book(EmptyShelf(KnownCase(ref=CASE, is_open=True)))
    debts = [put_debt(book, ref, source_balance_pence=OWED) for ref in (FIRST, SECOND)]
    put_debt(book, CLOSED, status="CLEARED")
    world = World(book, mapping)
    assert {world.take("camt", content).outcome for content in contents} <= {"LOADED", "DUPLICATE"}
    receipts = [book.receipt(item.source, item.key) for item in book.changes.receipts]
    told = [
        (item.debt_ref, item.case_ref, item.reason, item.amount_pence, item.reversed_pence)
        for item in receipts
        if item is not None
    ]
    return {debt.ref: book.balance(debt) for debt in debts}, Counter(told)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Movement], list[str]]:
    """The payments and returns of a time in their plainest order, and files that tell of them some other way."""
    chains = draw(payments())
    return [item for chain in chains for item in chain], files(draw, interleaved(draw, chains))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories())
def test_any_interleaving_of_files_ends_in_the_same_ledger(
    mapping: CompiledMapping, history: tuple[list[Movement], list[str]]
) -> None:
    plain, told = history
    net = sum(item.net for item in plain)
    at_once = document(Statement(entries=[item.text for item in plain], closing=net))
    balances, receipts = ledger(mapping, told)
    assert (balances, receipts) == ledger(mapping, [at_once])
    kept = Counter[object]()
    for (debt, _, _, pence, back), count in receipts.items():
        kept[debt] += (pence - back) * count
    assert kept.total() == net
    assert balances == {ref: OWED - kept[ref] for ref in balances}
