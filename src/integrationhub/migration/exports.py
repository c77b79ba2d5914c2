"""Exports as transfers have changed them: where a debt lives now, under which reference, in which frozen segment."""

from collections.abc import Iterator
from datetime import date

import polars as pl

from integrationhub.store import transfer_reading as reading
from integrationhub.store.unit_of_work import Reading

ENTRY_SCHEMA = {
    **dict.fromkeys(("entry_id", "case_group_id", "case_id", "account", "account_kind"), pl.String()),
    **dict.fromkeys(("legal_owner", "host_system", "kind"), pl.String()),
    "pence": pl.Int64(), "suspended_pence": pl.Int64(), "causes": pl.List(pl.String()), "effective": pl.Date(),
    "reverses": pl.String(), "run_id": pl.String(), "attempt": pl.Int64(),
}  # fmt: skip
"""Columns of `export transfers`: the ledger of transfers."""

_ROWS_AT_ONCE = 10_000


class AfterTransfers:
    """What transfers change in exports, read once from a snapshot, for a day."""

    def __init__(self, connection: Reading, as_at: date | None) -> None:
        self._connection = connection
        self._day = as_at or date.max

    def debts(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """`export debts`: host system and target reference of what has moved; scheme and rules stay."""
        at_target = reading.at_target(self._connection)
        moved = pl.DataFrame(
            [(debt, *where) for debt, where in at_target.items()],
            schema={"debt_id": pl.String(), "_host": pl.String(), "_reference": pl.String()}, orient="row",
        )  # fmt: skip
        frozen = _frame(reading.frozen_debts(self._connection, self._day), "debt_id")
        for frame in frames:
            joined = frame.join(moved, on="debt_id", how="left", maintain_order="left")
            placed = joined.with_columns(
                pl.coalesce("_host", "host_system").alias("host_system"),
                pl.coalesce("_reference", "target_ref").alias("target_ref"),
            )
            yield _with_segment(placed, frozen, "debt_id").select(frame.columns)

    def arrears(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """`export arrears`: a case whose notice was printed keeps its segment."""
        frozen = _frame(reading.frozen_cases(self._connection, self._day), "case")
        for frame in frames:
            yield _with_segment(frame, frozen, "case").select(frame.columns)

    def entries(self) -> Iterator[pl.DataFrame]:
        """`export transfers`: every entry of the ledger of transfers, by account."""
        for part in reading.all_entries(self._connection, tuple(ENTRY_SCHEMA), at_once=_ROWS_AT_ONCE):
            yield pl.DataFrame(part, schema=ENTRY_SCHEMA, orient="row")


def _frame(segments: dict[str, str], key: str) -> pl.DataFrame:
    columns = {key: list(segments), "_segment": list(segments.values())}
    return pl.DataFrame(columns, schema={key: pl.String(), "_segment": pl.String()})


def _with_segment(frame: pl.DataFrame, frozen: pl.DataFrame, key: str) -> pl.DataFrame:
    joined = frame.join(frozen, on=key, how="left", maintain_order="left")
    kept = pl.when(pl.col("segment").is_not_null()).then(pl.coalesce("_segment", "segment"))  # an exception has none
    return joined.with_columns(kept.alias("segment"))
