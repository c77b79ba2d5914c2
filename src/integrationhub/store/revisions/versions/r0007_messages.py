"""Messages in the inbox: their identity, envelope and body; what became of them, and which of them wait.

Files alone are looked up by sequence number and hash, so messages no longer stand in those indexes.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from integrationhub.store.columns import Identifier, document, words

revision = "0007"
down_revision = "0006"

_COLUMNS = (
    ("message_id", words()),
    ("envelope", document()),
    ("body", sa.LargeBinary()),
    ("outcome", words()),
    ("entity_id", Identifier()),
)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Add the columns, and make the indexes anew."""
    for name, kind in _COLUMNS:
        op.add_column("deliveries", sa.Column(name, kind))
    for name, columns in (("sequence", ["connector", "sequence"]), ("sha256", ["sha256"])):
        op.drop_index(f"ix_deliveries_{name}", "deliveries")
        op.create_index(f"ix_deliveries_{name}", "deliveries", columns, **_where("kind = 'FILE'"))
    op.create_index("ix_deliveries_message", "deliveries", ["message_id"], **_where("message_id IS NOT NULL"))
    op.create_index("ix_deliveries_held", "deliveries", ["entity_id", "sequence"], **_where("outcome = 'HELD'"))
