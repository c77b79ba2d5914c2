"""Tables of what was judged: who is in which case, what waits to be judged, verdicts and corrections.

They are derived from the canonical rows and can be made again at any time (`integrationhub arrears judge --all`).
"""

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from integrationhub.store.columns import Identifier, document, words
from integrationhub.store.schema import METADATA

FIGURES = ("rp", "sos", "unk", "susp_rp", "susp_sos", "custodian")
"""A case's figures, in the order of the samples' expected.json."""


def _pence(prefix: str, *, nullable: bool) -> list[Column[int]]:
    return [Column(f"{prefix}_{name}", BigInteger(), nullable=nullable) for name in FIGURES]


LINKED_GROUPS = Table(
    "linked_groups",
    METADATA,
    Column("group_id", Identifier(), primary_key=True),
    Column("version", BigInteger(), nullable=False),
    Column("state", words(), nullable=False),
    Column("digest", words()),  # of its content then; null: not known
    Column("rules", words()),  # version of the rules that its cases are judged by
)
"""Source groups whose cases were linked and queued, in the version, state and content they had then."""

GROUP_CONTENTS = Table(
    "group_contents",
    METADATA,
    Column("group_id", Identifier(), primary_key=True),
    Column("digest", words(), nullable=False),
)
"""The digest of what each source group says, as it came last (`store.contents`)."""

CASE_PERSONS = Table(
    "case_persons",
    METADATA,
    Column("case_id", Identifier(), primary_key=True),
    Column("role", words(), primary_key=True),  # ROLE, or GRP: the parent of the source group
    Column("party_id", Identifier(), primary_key=True),
    Column("person_id", Identifier(), nullable=False),  # the same for one person in all books
    Column("source_system", words(), nullable=False),
    Column("group_id", Identifier(), nullable=False),
    Index("ix_case_persons_person", "person_id"),
    Index("ix_case_persons_party", "party_id"),
    Index("ix_case_persons_group", "group_id"),
)
"""Who has a part in which case that is in a book."""

JUDGING_QUEUE = Table("judging_queue", METADATA, Column("case_id", Identifier(), primary_key=True))
"""Cases whose verdict may have changed."""

VERDICTS = Table(
    "verdicts",
    METADATA,
    Column("case_id", Identifier(), primary_key=True),
    Column("case_group_id", Identifier(), nullable=False),
    Column("group_id", Identifier(), nullable=False),
    Column("case_key", words(), nullable=False),  # 93:…, 03:…, CL:…; personal for the 2003 scheme
    Column("outcome", words(), nullable=False),  # SOURCE, RECOMPUTED, EXCEPTION
    Column("causes", document(), nullable=False),
    Column("flags", document(), nullable=False),
    Column("duplicate_of", words()),  # a case key
    *_pence("source", nullable=False),
    *_pence("recomputed", nullable=False),
    *_pence("accepted", nullable=True),
    Column("findings", document(), nullable=False),
    Column("facts", document(), nullable=False),  # arrears.standing.Facts
    Index("ix_verdicts_case_group", "case_group_id"),
    Index("ix_verdicts_case_key", "case_key"),
)
"""One row a judged case."""

CORRECTIONS = Table(
    "corrections",
    METADATA,
    Column("case_id", Identifier(), primary_key=True),
    Column("position", Integer(), primary_key=True, autoincrement=False),
    Column("rule", words(), nullable=False),
    Column("action", words(), nullable=False),
    Column("entry_id", Identifier()),  # the ledger entry; null for the header and for lines that a rule added
    Column("line_no", BigInteger()),
    Column("text", words(), nullable=False),
    Column("line", document()),  # the line as it is in the corrected ledger; null where it is not in it
    *_pence("delta", nullable=False),
)
"""The corrected ledger beside the source ledger: every change, in order, with rule, evidence and effect."""
