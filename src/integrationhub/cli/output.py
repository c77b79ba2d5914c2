"""What commands print: JSON for programs, tables and progress for people. Data goes to stdout, all else to stderr."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
"""The flag of every command that reports; the command gets `as_json`."""


def print_json(value: object) -> None:
    """One JSON value on one line; what JSON doesn't know (dates, paths) as text."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows under headings: drawn on a terminal, otherwise aligned text with nothing cut off."""
    texts = [[_text(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(headings, texts)
        return
    widths = [max(map(len, column)) for column in zip(headings, *texts, strict=True)]
    for row in [headings, *texts]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, list | tuple):
        return ", ".join(map(str, cell))
    return str(cell)


def _draw(headings: Sequence[str], texts: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(*headings, box=SIMPLE, header_style="bold")
    for row in texts:
        table.add_row(*map(Text, row))  # Text: a bracket in a cell is no markup
    _console().print(table)


def _console(*, stderr: bool = False) -> "Console":
    """A terminal; with NO_COLOR in the environment not even bold letters."""
    from rich.console import Console

    return Console(stderr=stderr, color_system=None if os.environ.get("NO_COLOR") else "auto")


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, silence elsewhere. Gives a function to call with the amount just done."""
    if not sys.stderr.isatty():
        yield lambda _amount: None
        return
    from rich.progress import Progress

    with Progress(console=_console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda amount: bar.advance(task, amount)


@contextmanager
def run_progress(label: str) -> Iterator[Callable[[int, int, int], None]]:
    """A bar with rate, remaining time and exceptions so far, on a terminal. It takes done, total, exceptions."""
    if not sys.stderr.isatty():
        yield lambda _done, _total, _exceptions: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.speed:.0f}/s"),
        TimeRemainingColumn(), TextColumn("{task.fields[exceptions]} held"),
    )  # fmt: skip
    with Progress(*columns, console=_console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None, exceptions=0)
        yield lambda done, total, exceptions: bar.update(task, completed=done, total=total, exceptions=exceptions)
