"""A world that knows some debts and cases, ready to take bank files."""

import pytest

from integrationhub.accounts.book import Book
from integrationhub.mapping.compile import CompiledMapping
from tests.unit.accounts.conftest import MakeDebt, book, debt
from tests.unit.bank.world import World, compiled

__all__ = ["book", "debt"]

FIRST, SECOND = "DM0010000017", "UD0010000034"
NINO = "QQ123456A"


@pytest.fixture(scope="session")
def mapping() -> CompiledMapping:
    return compiled()


@pytest.fixture
def world(book: Book, debt: MakeDebt, mapping: CompiledMapping) -> World:
    """Two open debts, the first of a debtor known by NINO, and one that is closed."""
    debt(FIRST, nino=NINO, source_balance_pence=1_000_000)
    debt(SECOND, source_balance_pence=1_000_000)
    debt("DM0010000024", status="CLEARED", source_balance_pence=0)
    return World(book, mapping)
