"""`integrationhub demo`: the main job in one go, and where to look next."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import print_table

if TYPE_CHECKING:
    from integrationhub.demo import DemoResult
    from integrationhub.intake.report import FileReport
    from integrationhub.intake.tracing import Trace
    from integrationhub.migration.showing import ShownWave


BOOKS = (("1993 scheme", "EBCDIC records"), ("2003 scheme", "XML"), ("clerical", "CSV, keyed twice"))
"""The books of the estate, as a table names them."""


@click.command()
@click.option("--groups", default=400, show_default=True, type=click.IntRange(min=10), help="Case groups to make.")
@click.option(
    "--dir", "folder", default=Path("demo"), show_default=True, type=click.Path(path_type=Path, file_okay=False),
    help="Folder for everything the demo makes; made anew each time.",
)  # fmt: skip
@click.pass_obj
def demo(invocation: Invocation, groups: int, folder: Path) -> None:
    """Make a synthetic legacy estate, take it in, reconcile it to the penny, publish it, move a wave, trace one debt.

    Runs on the embedded default in a folder of its own; needs no server, and changes nothing elsewhere.
    """
    from integrationhub import telemetry
    from integrationhub.demo import run_demo

    settings = invocation.settings
    telemetry.configure("WARNING")  # the demo tells its story itself
    with _bars() as progress:
        result = run_demo(folder, groups=groups, catalogue=invocation.catalogue, settings=settings, progress=progress)
    _tell(result)


@contextmanager
def _bars() -> "Iterator[Callable[[str, int, int], None]]":
    """A progress bar a step, on terminals only."""
    if not sys.stderr.isatty():
        yield lambda _step, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def told(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total)
            bar.update(tasks[step], completed=done)

        yield told


def _heading(text: str) -> None:
    click.echo()
    click.secho(text, bold=True)


def _tell(result: "DemoResult") -> None:
    first, second = result.reports
    _heading("1. A legacy estate, as its system would write it")
    click.echo(
        f"   Three books of the same people, two nights, in {result.folder}/estate; what the sources have right:"
    )
    print_table(
        ("book", "as", "cases", "balances right"),
        [
            (name, form, f"{said['cases']:,}", f"{said['source_right_pct']} %")
            for (name, form), said in zip(BOOKS, result.accuracy.values(), strict=True)
        ],
    )
    _heading("2. The first night is taken in: record by record, penny by penny")
    _tell_file(first)
    for report in result.other_reports:
        held = sum(control.holds for control in report.controls)
        totals = f"{held} of {len(report.controls)} controls hold"
        click.echo(f"   {Path(report.path).name}: {report.verdict.value}; {report.records:,} records; {totals}")
    came = ", ".join(f"{number:,} {verdict}" for verdict, number in result.deliveries.items())
    click.echo(f"   change events behind it, in and out of order: {came}")
    _heading("3. What could not be understood is set aside as a whole group, with its reason")
    for reason in first.reasons:
        click.echo(f"   {reason.code}: record {reason.record}, byte {reason.offset:,}: {reason.text}")
    _heading("4. The second night brings that group in good order; the exception resolves itself")
    _tell_file(second)
    print_table(
        ("exception", "code", "group", "state"),
        [(row["exception_id"], row["code"], row["source_ref"], row["state"]) for row in result.exceptions],
    )
    _heading("5. Judged by the written rules, stored, published")
    judged = ", ".join(f"{number:,} {outcome}" for outcome, number in result.outcomes.items())
    click.echo(f"   cases: {judged}; the exceptions wait for a person, with code and evidence")
    click.echo(
        f"   {result.case_groups:,} case groups over all books, {result.across_books:,} of them in several: "
        "a group moves whole or not at all"
    )
    click.echo(
        f"   {result.debts:,} debts, {result.ledger_lines:,} ledger entries, {result.published:,} events on hub.events"
    )
    _heading("6. A wave of case groups moves to the new system: rehearsed, approved by a second person, signed off")
    _tell_transfer(result.transfer)
    _heading("7. One debt, from its balance down to the bytes")
    for trace in result.traces:
        _tell_trace(trace)
    _heading("Where to look next")
    traced = f"trace {result.traces[0].identifier}"
    migrated = ("migrate status csa-all", "migrate reconcile csa-all")
    looks = ("status", "store check", "export debts", "arrears totals", *migrated, traced)
    for command in looks:
        click.echo(f"   {_program()} {command} --config {result.config}")
    click.echo("   connectors/csa1993/README.md: the feed; docs/tutorial: the same step by step")


def _tell_transfer(shown: "ShownWave") -> None:
    rehearsal, moved, signed = shown.rehearsal, shown.moved, shown.signed
    click.echo(f"   plan {shown.plan}, wave {shown.wave}: {rehearsal['groups']:,} groups, {rehearsal['cases']:,} cases")
    click.echo(
        f"   rehearsed by the same steps, rolled back, nothing changed: {rehearsal['movable']:,} groups would move"
    )
    click.echo(f"   refused: {shown.refused}")
    click.echo(f"   moved: {moved.groups:,} groups, {sum(moved.held.values())} held")
    accounts = "all balances agree" if shown.day.clean else "balances differ"
    click.echo(f"   old against new, {shown.day.accounts:,} accounts: {accounts}")
    click.echo(f"   read a second time, by another program: {shown.reconciled:,} values equal the original bytes")
    owed, custodian = signed["rp"] + signed["sos"], signed["custodian"]
    click.echo(f"   signed off: £{owed / 100:,.2f} of arrears and £{custodian / 100:,.2f} of custodian cash")


def _program() -> str:
    """The hub's command as it was called: with its path where it is not on the search path."""
    called = Path(sys.argv[0])
    return str(called) if called.parent != Path() and called.name == "integrationhub" else "integrationhub"


def _tell_file(report: "FileReport") -> None:
    outcomes = ", ".join(f"{number:,} {name}" for name, number in report.outcomes.items() if number)
    click.echo(f"   {Path(report.path).name}: {report.verdict.value}; {report.records:,} records: {outcomes}")
    rows = [
        (
            control.name,
            *(f"{pence:,}" for pence in (control.expected, control.loaded, control.set_aside)),
            f"{control.expected - control.loaded - control.set_aside:,}",
        )
        for control in report.controls
        if isinstance(control.expected, int) and control.loaded is not None and control.set_aside is not None
    ]
    print_table(("pence", "trailer", "loaded", "set aside", "left"), rows)
    if report.missing:
        click.echo(f"   gone from the book, kept here and reported: {len(report.missing)} groups")


def _tell_trace(trace: "Trace") -> None:
    click.echo(f"   {trace.entity} {trace.identifier}")
    click.echo(f"     file {trace.file}, record {trace.record:,} at byte {trace.offset:,}, mapping {trace.mapping_id}")
    for field in trace.fields:
        if field.name in ("pence", "stored_pence", "weekly_pence", "from_date", "to_date", "kind", "suspended_pence"):
            bytes_ = "; ".join(f"{item.name} at {item.offset:,} X'{item.hex}'" for item in field.sources)
            click.echo(
                f"     {field.name} = {field.value}  ←  {field.expression}" + (f"  ←  {bytes_}" if bytes_ else "")
            )
