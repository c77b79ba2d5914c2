"""Tables of the book of accounts: benefit debts, the people liable for them, money in and back, what feeds remember.

Made for tens of millions of debts: a row is written whole, holds and details are documents in it, and there is an index
for each way in which judges look debts up, over the rows that can be found by it. Long or personal keys are looked up
by identifiers that are derived from them. Like the canonical tables these have no foreign keys:
`store.account_invariants` proves their links.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Date, Index, Table, text

from integrationhub.store.columns import Identifier, Instant, counter, document, words
from integrationhub.store.schema import METADATA


def _origin() -> tuple[Column[Any], ...]:
    """Where a row is from: the delivery, the record, its place, and the mapping that read it."""
    return (
        Column("delivery_id", Identifier(), nullable=False),
        Column("record_no", BigInteger(), nullable=False),
        Column("byte_offset", BigInteger(), nullable=False),
        Column("mapping_id", words(), nullable=False),
        Column("changed_at", Instant(), nullable=False),
    )


def _rows_with(column: str) -> dict[str, Any]:
    condition = text(f"{column} IS NOT NULL")
    return {"sqlite_where": condition, "postgresql_where": condition}


_SUSPENSE = text("debt_ref IS NULL AND case_ref IS NULL")
_OTHER_ID = text("source_id <> ref")

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("ref", words(), primary_key=True),
    Column("source_system", words(), nullable=False),
    Column("source_id", words(), nullable=False),
    Column("version", words(), nullable=False),
    Column("content", words(), nullable=False),
    Column("status", words(), nullable=False),
    Column("kind", words(), nullable=False),
    Column("benefit", words(), nullable=False),
    Column("cause", words()),
    Column("original_pence", BigInteger(), nullable=False),
    Column("adjusted_pence", BigInteger(), nullable=False),
    Column("recovered_pence", BigInteger(), nullable=False),
    Column("written_off_pence", BigInteger(), nullable=False),
    Column("source_balance_pence", BigInteger(), nullable=False),
    Column("as_at", Date(), nullable=False),
    Column("nino", words()),
    Column("nino_status", words()),
    Column("surname", words()),
    Column("dob", Date()),
    Column("postcode", words()),
    Column("joint", document()),  # null: nobody
    Column("holds", document()),  # null: none
    Column("details", document()),
    Column("nino_key", words()),  # the first 8 characters
    Column("surname_key", words()),  # letters only, in one case
    *_origin(),
    Index("ix_accounts_nino", "nino_key", **_rows_with("nino_key")),
    Index("ix_accounts_person", "dob", "surname_key", **_rows_with("dob")),
    Index("ix_accounts_source", "source_id", sqlite_where=_OTHER_ID, postgresql_where=_OTHER_ID),
    Index("ix_accounts_delivery", "delivery_id", "record_no"),
)
"""Benefit debts, each as its source's last accepted record has it, with the hub's own holds."""

ACCOUNT_PEOPLE = Table(
    "account_people",
    METADATA,
    Column("ref", words(), primary_key=True),
    Column("nino_key", words(), primary_key=True),
    Index("ix_account_people_nino", "nino_key"),
)
"""Who is liable beside the debtor."""

MONEY = Table(
    "money",
    METADATA,
    Column("position", counter(), primary_key=True, autoincrement=True),  # order of posting
    Column("receipt_id", Identifier(), nullable=False),
    Column("source", words(), nullable=False),
    Column("key", words(), nullable=False),
    Column("amount_pence", BigInteger(), nullable=False),
    Column("value_date", Date(), nullable=False),
    Column("debt_ref", words()),
    Column("case_ref", words()),
    Column("reason", words()),  # of suspense: neither debt nor case
    Column("marks", document(), nullable=False),
    Column("reversed_pence", BigInteger(), nullable=False),  # Σ of what was taken back, positive
    *_origin(),
    Index("ux_money_receipt", "receipt_id", unique=True),
    Index("ix_money_debt", "debt_ref", **_rows_with("debt_ref")),
    Index("ix_money_suspense", "position", sqlite_where=_SUSPENSE, postgresql_where=_SUSPENSE),
    Index("ix_money_delivery", "delivery_id", "record_no"),
    sqlite_autoincrement=True,
)
"""Receipts: each on one debt, on one case, or in suspense."""

MONEY_MARKS = Table(
    "money_marks",
    METADATA,
    Column("mark_id", Identifier(), primary_key=True),
    Column("receipt_id", Identifier(), primary_key=True),
)
"""What receipts are found by: identifiers of source, mark and value."""

MONEY_BACK = Table(
    "money_back",
    METADATA,
    Column("position", counter(), primary_key=True, autoincrement=True),
    Column("receipt_id", Identifier(), nullable=False),
    Column("source", words(), nullable=False),
    Column("key", words(), nullable=False),
    Column("amount_pence", BigInteger(), nullable=False),  # negative
    Column("value_date", Date(), nullable=False),
    Column("reason", words()),
    *_origin(),
    Index("ix_money_back_receipt", "receipt_id"),
    sqlite_autoincrement=True,
)
"""Reversals: what went back of a receipt, from where it was posted."""

NOTES = Table(
    "notes",
    METADATA,
    Column("note_id", Identifier(), primary_key=True),
    Column("feed", words(), nullable=False),
    Column("kind", words(), nullable=False),
    Column("key", words(), nullable=False),
    Column("value", document(), nullable=False),
    Column("about", words()),
    *_origin(),
    Index("ix_notes_about", "about", **_rows_with("about")),
    Index("ix_notes_feed", "feed", "kind"),
)
"""What feeds must remember: seen ids, nonces, pages, mandates, life events, offers, requests."""

SERIES = Table(
    "series",
    METADATA,
    Column("connector", words(), primary_key=True),
    Column("series", words(), primary_key=True),
    Column("last_sequence", BigInteger(), nullable=False),
)
"""The last number used up within each series of a feed's files: an employer's, an account's."""
