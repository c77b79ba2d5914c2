"""What people ask of judged arrears: pages, case groups, control totals."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from integrationhub.arrears.explain import explain
from integrationhub.arrears.page import Page
from integrationhub.arrears.policy import Policy
from integrationhub.arrears.rows import Rows
from integrationhub.errors import NotFound
from integrationhub.store import casework, control_totals
from integrationhub.store.unit_of_work import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrearsDesk:
    """Reads the verdicts of a store; changes nothing."""

    store: Store
    policy: Policy

    @contextmanager
    def rows(self, as_at: date | None = None) -> Iterator[Rows]:
        """Export rows as at a day (default: the newest file's), from one snapshot."""
        with self.store.read() as connection:
            yield Rows(connection, self.policy, as_at=as_at)

    def explain(self, reference: str, *, as_at: date | None = None) -> Page:
        """The page of a case, by its opaque identifier, its reference or its key; NotFound when no book has it."""
        with self.store.read() as connection:
            found = casework.cases_called(connection, reference)
            if len(found) != 1:
                several = "several cases have" if found else "no case in a book has"
                raise NotFound(f"{several} that reference", remedy="give the case's identifier from `export cases`")
            day = as_at or casework.latest_as_at(connection) or date.max
            return explain(connection, found[0], day=day, thresholds=self.policy.on(day))

    def groups(self, as_at: date | None = None) -> list[dict[str, Any]]:
        """Case groups over all books: opaque identifier, how many cases, segment; sorted by identifier."""
        with self.rows(as_at) as rows:
            return rows.groups()

    def totals(self) -> list[control_totals.ControlTotal]:
        """Source = accepted − corrections + held, figure by figure, and the corrections by rule, gross and net."""
        with self.store.read() as connection:
            return control_totals.control_totals(connection)
