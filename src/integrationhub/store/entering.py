"""Groups that the store has never seen: their rows go straight into the canonical tables, once, without a look around.

Nothing of theirs can be stored, so nothing is compared, replaced or taken back. Only what more than its group has to do
with goes by the staging tables: parties, whom other groups may have brought, and debts, which make events.
"""

import polars as pl
from sqlalchemy import Connection

from integrationhub.canonical.model import ENTITIES
from integrationhub.store import debts, ledger, replacing, staging
from integrationhub.store.fitting import SliceRows
from integrationhub.store.schema import CANONICAL
from integrationhub.store.slices import LedgerSums
from integrationhub.store.staging import ENTITY_STAGES

STAGED_BEFORE = ("groups", "cases")
"""What tells whether the groups are new: staged by whoever asked."""

_STAGED = ("parties", "debts", "balances")


def enter(connection: Connection, rows: SliceRows) -> tuple[pl.DataFrame, LedgerSums]:
    """Bring in the rows of new groups; their debts (store.debts.CHANGE_SCHEMA), and the sums of their ledger lines.

    STAGED_BEFORE is staged. Conflict: a row is stored already, although its group and its case are not.
    """
    for name in _STAGED:
        staging.fill(connection, ENTITY_STAGES[name], *rows.of(name))
    changes = debts.staged_changes(connection)
    for name, entity in ENTITIES.items():
        if name in STAGED_BEFORE or name in _STAGED:
            replacing.bring_in(connection, name, all_new=entity.group_scoped)
        else:
            staging.write(connection, CANONICAL[name], *rows.of(name))
    return changes, ledger.sums_of(rows.frames.get("ledger"))
