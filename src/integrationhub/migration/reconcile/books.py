"""The books that can be reconciled, by source system."""

from collections.abc import Mapping

from integrationhub.migration.reconcile import clerical, csa1993, csa2003, csa2003_events
from integrationhub.migration.reconcile.engine import Book, Events

BOOKS: Mapping[str, Book] = {
    "CSCS": Book(
        system="CSCS",
        kinds=(
            "groups", "parties", "addresses", "cases", "roles", "benefit_periods", "liability_periods", "debts",
            "balances", "ledger", "receipts", "allocations", "history",
        ),
        sql="csa1993",
        read=csa1993.tables,
        empty=csa1993.empty,
    ),
    "CS2": Book(
        system="CS2",
        kinds=(
            "parties", "addresses", "cases", "roles", "benefit_periods", "liability_periods", "schedules", "debts",
            "balances", "ledger", "receipts", "allocations", "history",
        ),
        sql="csa2003",
        read=csa2003.tables,
        empty=csa2003.empty,
        events=Events(sql="csa2003_events", read=csa2003_events.events, empty=csa2003_events.empty),
    ),
    "CLERICAL": Book(
        system="CLERICAL",
        kinds=("parties", "cases", "clerical_totals", "debts", "balances"),
        sql="clerical",
        read=clerical.tables,
        empty=clerical.empty,
        leaves_out=False,
    ),
}  # fmt: skip
