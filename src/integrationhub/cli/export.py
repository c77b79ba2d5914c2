"""`integrationhub export`: canonical rows as JSON lines, CSV or Parquet."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from integrationhub.cli.invocation import Invocation

if TYPE_CHECKING:
    import polars as pl

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Texts that begin so are evaluated by spreadsheets; in CSV they get an apostrophe in front (clerical.md §1)."""


@click.command()
@click.argument("entity")
@click.option("--to", "form", type=click.Choice(["jsonl", "csv", "parquet"]), default="jsonl", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write (default: stdout).")
@click.option(
    "--as-at",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The day of segments, labels and write-off classes.",
)
@click.option("--unmasked", is_flag=True, help="Show personal values; needs --reason, and is logged.")
@click.option("--reason", metavar="TEXT", help="Why personal values are needed.")
@click.pass_obj
def export(
    invocation: Invocation,
    entity: str,
    form: str,
    out: Path | None,
    as_at: datetime | None,
    unmasked: bool,
    reason: str | None,
) -> None:
    """Write all rows of ENTITY, sorted by key.

    ENTITY is parties, groups, cases, debts, ledger, receipts, balances, arrears, case_events, exceptions, events or any
    other canonical entity; a wrong name lists them. Personal values are masked.
    """
    from integrationhub.store.exports import export as rows_of
    from integrationhub.telemetry import UnitOfWork

    if unmasked and not (reason or "").strip():
        raise click.UsageError("--unmasked needs --reason TEXT: who looks at personal values says why")
    with invocation.hub(trial=True) as hub, hub.store.read() as connection:
        judged = hub.judged_rows(connection, as_at.date() if as_at else None)
        frames = judged[entity]() if entity in judged else rows_of(connection, entity, unmasked=unmasked)
        outcome = "UNMASKED" if unmasked else "MASKED"
        with UnitOfWork("export", entity=entity, outcome=outcome), target_file(out) as target:
            _WRITERS[form](frames, target)


@contextmanager
def target_file(out: Path | None) -> Iterator[BinaryIO]:
    """Stdout, or a file that appears under its name only when it is complete."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as target:
            yield target
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _write_jsonl(frames: "Iterator[pl.DataFrame]", target: BinaryIO) -> None:
    target.writelines(frame.write_ndjson().encode() for frame in frames)


def _write_csv(frames: "Iterator[pl.DataFrame]", target: BinaryIO) -> None:
    target.writelines(
        _flat(frame).write_csv(include_header=number == 0).encode() for number, frame in enumerate(frames)
    )


def _write_parquet(frames: "Iterator[pl.DataFrame]", target: BinaryIO) -> None:
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None
    for frame in frames:
        table = frame.to_arrow()
        writer = writer or pq.ParquetWriter(target, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


_WRITERS = {"jsonl": _write_jsonl, "csv": _write_csv, "parquet": _write_parquet}


def _flat(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Columns that CSV can hold: structures as columns of their own, lists joined by `;`, formulas disarmed."""
    import polars as pl

    for name, dtype in frame.schema.items():
        if isinstance(dtype, pl.Struct):
            fields = [pl.col(name).struct.field(item.name).alias(f"{name}_{item.name}") for item in dtype.fields]
            frame = frame.with_columns(fields).drop(name)
        elif isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
            frame = frame.with_columns(
                pl.col(name).list.eval(pl.element().struct.json_encode()).list.join(";").alias(name)
            )
        elif isinstance(dtype, pl.List):
            frame = frame.with_columns(pl.col(name).list.join(";"))
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    return frame.with_columns(
        pl.when(pl.any_horizontal(pl.col(name).str.starts_with(start) for start in FORMULA_STARTS))
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in texts
    )
