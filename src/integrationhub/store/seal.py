"""Ledger entries are sealed twice, so that a later alteration shows.

`digest`    BLAKE2b-128 over what the line says: every content column, and for a line without a case its group; equal
            digests mean the same line; of identical lines in one case the second, third … has its count added.
`entry_id`  derived from the digest and from where the line came from: group, delivery, record, offset, mapping and
            version.

An entry that takes another back carries that entry's digest; all its content but kind and signs equals the other's.
"""

from collections.abc import Sequence
from hashlib import blake2b

import polars as pl

from integrationhub.canonical.identifiers import SEPARATOR
from integrationhub.canonical.model import LEDGER_CONTENT

CANCELLING_ORIGIN = ("delivery_id", "record_no", "byte_offset", "mapping_id", "version")
ORIGIN = ("source_ref", "group_id", *CANCELLING_ORIGIN)
"""Columns that the identifier covers beside the digest, or beside the entry that is taken back."""

_NULL = "\x1e"  # record separator (ISO 646 RS): null is not the empty string


def _derived(frame: pl.DataFrame, kind: str, columns: Sequence[str]) -> pl.Series:
    """What `derive` gives for the kind and the texts of these columns."""
    parts = [pl.lit(kind), *(pl.col(name).cast(pl.String).fill_null(_NULL) for name in columns)]
    keys = frame.select(pl.concat_str(parts, separator=SEPARATOR)).to_series()
    return pl.Series([blake2b(key.encode(), digest_size=16).hexdigest() for key in keys.to_list()], dtype=pl.String)


def digests(frame: pl.DataFrame, *, occurrence: int = 1) -> pl.Series:
    """The digest of every line, each taken for the `occurrence`-th of its kind in its case."""
    group_of_orphan = pl.when(pl.col("case_id").is_null()).then(pl.col("group_id")).alias("group_of_orphan")
    content = frame.select(*LEDGER_CONTENT, group_of_orphan)
    if occurrence > 1:
        content = content.with_columns(pl.lit(occurrence).alias("occurrence"))
    return _derived(content, "line", content.columns)


def entry_ids(frame: pl.DataFrame) -> pl.Series:
    """The identifier of every line whose digest stands in the frame."""
    return _derived(frame, "entry", ("digest", *ORIGIN))


def cancelling_ids(frame: pl.DataFrame) -> pl.Series:
    """The identifier of every entry that takes back its `cancels_entry_id`, from that and its own origin."""
    return _derived(frame, "cancel", ("cancels_entry_id", *CANCELLING_ORIGIN))


def seal(frame: pl.DataFrame) -> pl.DataFrame:
    """Lines of whole cases with their digests and identifiers; what stood in these two columns is replaced."""
    sealed = frame.with_columns(digests(frame).alias("digest"))
    if sealed["digest"].n_unique() < sealed.height:
        sealed = _tell_apart(sealed)
    return sealed.with_columns(entry_ids(sealed).alias("entry_id"))


def _tell_apart(sealed: pl.DataFrame) -> pl.DataFrame:
    counted = sealed.with_columns(pl.int_range(1, pl.len() + 1).over("digest").alias("occurrence"))
    parts = []
    for (occurrence,), lines in counted.group_by("occurrence", maintain_order=True):
        parts.append(lines.with_columns(digests(lines, occurrence=int(str(occurrence))).alias("digest")))
    return pl.concat(parts).drop("occurrence").sort("version")
