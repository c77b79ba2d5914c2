"""What a source group says, in one number: equal digests mean that a new file tells nothing new of the group.

A book that comes every night repeats nearly everything. Whoever works on what has changed compares digests instead of
contents. They cover what verdicts hang on: no addresses, no provenance, no as-at dates, but the order of the roles.
"""

from collections.abc import Mapping

import polars as pl
from sqlalchemy import Connection

from integrationhub.canonical.model import ENTITIES, PROVENANCE
from integrationhub.store.bulk import insert_rows
from integrationhub.store.judged import GROUP_CONTENTS

_COVERED = (
    "groups", "cases", "roles", "benefit_periods", "liability_periods", "debts", "ledger", "receipts", "balances",
    "history", "clerical_totals",
)  # fmt: skip
_SEEDS = (20_150_630, 20_081_026)  # two halves of 64 bits
_LEFT_OUT = {item.name for item in PROVENANCE if item.name not in {"source_system", "source_ref"}} | {"as_at"}
_SHAPE = {"group_id": pl.String(), "digest": pl.String()}


def digests(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """`group_id` and `digest` of every group in the rows of a slice, in which groups are whole.

    Polars may hash otherwise in another version: then everything counts as changed once.
    """
    parts = [_hashed(name, frames[name]) for name in _COVERED if name in frames and not frames[name].is_empty()]
    if "parties" in frames and "roles" in frames:
        parts.append(_of_people(frames["roles"], frames["parties"]))
    if not parts:
        return pl.DataFrame(schema=_SHAPE)
    halves = [f"half_{place}" for place in range(len(_SEEDS))]
    summed = pl.concat(parts).group_by("group_id").agg(pl.col(half).sum() for half in halves).sort("group_id")
    digest = pl.concat_str([pl.col(half).cast(pl.String) for half in halves], separator=":")
    return summed.select("group_id", digest.alias("digest"))


def _hashed(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Of every row its group and hashes; equal rows of different entities have different ones."""
    if name == "ledger":  # its lines carry a digest of their own
        content = frame.select("group_id", "case_id", "digest")
    else:
        key = ENTITIES[name].key if name not in {"groups", "cases"} else None
        content = frame.select(column for column in frame.columns if column not in _LEFT_OUT and column != key)
    if name == "roles":  # of two parents in one case the last record counts
        place = pl.col("record_no").rank("dense").over("group_id")
        content = content.with_columns(frame.select(place.alias("place")).to_series())
    return _halves(name, content)


def _halves(name: str, content: pl.DataFrame) -> pl.DataFrame:
    salt = sum(name.encode())
    hashes = [content.hash_rows(seed=seed + salt).alias(f"half_{place}") for place, seed in enumerate(_SEEDS)]
    return content.select("group_id", *hashes)


def _of_people(roles: pl.DataFrame, parties: pl.DataFrame) -> pl.DataFrame:
    """The people of each group, as far as they came with it."""
    told = parties.select(column for column in parties.columns if column not in _LEFT_OUT)
    people = roles.select("group_id", "party_id").unique().join(told, on="party_id", how="inner")
    return _halves("parties", people)


def keep(connection: Connection, contents: pl.DataFrame) -> None:
    """Note the digests of groups."""
    columns = {name: contents[name].to_list() for name in _SHAPE}
    insert_rows(
        connection, GROUP_CONTENTS, columns,
        conflict="ON CONFLICT (group_id) DO UPDATE SET digest = excluded.digest",
    )  # fmt: skip


def mixed(contents: pl.DataFrame, delivery_id: str) -> pl.DataFrame:
    """Digests of groups of which a delivery carried a part: never equal to those of any other delivery."""
    return contents.with_columns(pl.lit(f"part {delivery_id}").alias("digest"))
