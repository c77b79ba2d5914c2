"""`integrationhub ingest` and `check`: take files now, or say what would become of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json, print_table, progress

if TYPE_CHECKING:
    from integrationhub.bootstrap import Hub
    from integrationhub.intake.report import Control, FileReport
    from integrationhub.pipeline import Pipeline, Progress
    from integrationhub.receive.folder import FoundFile

_PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.command()
@click.argument("connector")
@_PATHS
@json_option
@click.pass_obj
def ingest(invocation: Invocation, connector: str, paths: tuple[Path, ...], as_json: bool) -> int:
    """Take files of CONNECTOR now, as the daemon would.

    A PATH is a data file (its trigger file beside it), a folder (the connector's files in it), or a capture of recorded
    messages (.jsonl). Files are taken in sequence order. Exit code: 0 all accepted or repeats, 7 one rejected, 75 one
    waits and none was rejected.
    """
    from integrationhub.intake.report import exit_code

    with invocation.hub() as hub, _bars() as watch:
        captures, files = _told_apart(paths)
        found = _find(hub, connector, files) if files else []
        reports = [report for feed, items in found for report in feed.take_all(items, watch)]
        if captures:
            taker = hub.captures(connector)
            with hub.pipeline(connector).exclusive():
                reports += [report for path in captures for report in taker.take(path)]
        hub.judge_waiting()
        hub.publish_waiting()
    _print(reports, as_json=as_json)
    return exit_code(reports)


@click.command()
@click.argument("connector")
@_PATHS
@click.option(
    "--standalone", is_flag=True, help="Judge payment files by their public standard alone, whatever they are called."
)
@json_option
@click.pass_obj
def check(invocation: Invocation, connector: str, paths: tuple[Path, ...], standalone: bool, as_json: bool) -> int:
    """Say what would happen if these files of CONNECTOR arrived now; nothing is changed.

    Each file is judged against the feed as it stands, for itself; the messages of a capture one after the other.
    """
    from integrationhub.intake.report import exit_code

    if standalone:
        return _check_alone(invocation, connector, paths, as_json=as_json)
    with invocation.hub(trial=True) as hub, _bars() as watch:
        captures, files = _told_apart(paths)
        found = _find(hub, connector, files) if files else []
        reports = [feed.check(item, progress=watch(item)) for feed, items in found for item in items]
        if captures:
            taker = hub.captures(connector)
            reports += [report for path in captures for report in taker.check(path)]
    _print(reports, as_json=as_json)
    return exit_code(reports)


def _check_alone(invocation: Invocation, connector: str, paths: tuple[Path, ...], *, as_json: bool) -> int:
    from integrationhub.bootstrap import standalone_check
    from integrationhub.intake.report import exit_code

    check = standalone_check(invocation.catalogue.connector(connector))
    reports = [check.judge(file) for path in paths for file in check.files(path)]
    _print(reports, as_json=as_json)
    return exit_code(reports)


def _told_apart(paths: tuple[Path, ...]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Captures, and everything else."""
    captures = tuple(path for path in paths if path.suffix == ".jsonl" and path.is_file())
    return captures, tuple(path for path in paths if path not in captures)


def _find(hub: "Hub", connector: str, paths: tuple[Path, ...]) -> "list[tuple[Pipeline, list[FoundFile]]]":
    """The files there are, by feed: the connector's own, and the answers that its source sends."""
    from integrationhub.errors import NotFound
    from integrationhub.receive.folder import find_files

    pipeline, answers = hub.pipeline(connector), hub.answers(connector)
    own, found = list(paths), []
    if answers is not None:
        rules = answers.descriptor.delivery
        named = [path for path in paths if path.is_dir() or rules.is_named(path.name)]
        found = [(answers, find_files(named, rules))]
        own = [path for path in paths if path.is_dir() or path not in named]
    found = [
        (feed, files) for feed, files in [(pipeline, find_files(own, pipeline.descriptor.delivery)), *found] if files
    ]
    if not found:
        raise NotFound(
            f"there is no file of {pipeline.descriptor.name} there",
            code="NO_FILES",
            remedy=f"its files are named like {' or '.join(pipeline.descriptor.delivery.patterns)}"
            if pipeline.descriptor.takes_files
            else "it takes messages: name a capture of recorded ones (.jsonl)",
        )
    return found


@contextmanager
def _bars() -> "Iterator[Callable[[FoundFile], Progress]]":
    """Gives a function that begins a file's progress bar; a file is gone through twice."""
    with ExitStack() as bars:

        def watch(item: "FoundFile") -> "Progress":
            bars.close()  # the bar of the file before
            advance = bars.enter_context(progress(item.name, total=2 * _size(item)))
            before = 0

            def told(done: int, _total: int) -> None:
                nonlocal before
                advance(done - before)
                before = done

            return told

        yield watch


def _size(item: "FoundFile") -> int:
    """Bytes of a data file; none of one that is awaited."""
    return item.path.stat().st_size if item.path.is_file() else 0


def _print(reports: "list[FileReport]", *, as_json: bool) -> None:
    for report in reports:
        if as_json:
            print_json(report.as_dict())
        else:
            _tell(report)


def _tell(report: "FileReport") -> None:
    """One file's report for people."""
    click.echo(f"{Path(report.path).name}: {report.verdict.value}")
    for reason in report.reasons:
        place = f" (record {reason.record}, byte {reason.offset})" if reason.record else ""
        click.echo(f"  {reason.code}{place}: {reason.text}")
    outcomes = ", ".join(f"{number:,} {name}" for name, number in report.outcomes.items() if number)
    if outcomes:
        click.echo(f"  {report.records:,} records: {outcomes}")
    if report.controls:
        headings = ("control", "the file states", "counted", "holds", "loaded", "set aside")
        print_table(headings, [_control(item) for item in report.controls])
    if report.debts.count:
        pounds = report.debts.pence / 100
        click.echo(f"  {report.debts.count:,} debts created or changed, source balances £{pounds:,.2f}")
    if report.remedy:
        click.echo(f"  what to do: {report.remedy}")
    if report.missing:
        click.echo(f"  {len(report.missing):,} groups are gone from the book (kept here): {_some(report.missing)}")
    if report.released:
        click.echo(f"  taken up after it: {', '.join(report.released)}")


def _control(item: "Control") -> tuple[object, ...]:
    counts = [_counts(value) for value in (item.expected, item.actual)]
    return (item.name, *counts, item.holds, _counts(item.loaded), _counts(item.set_aside))


def _counts(value: object) -> str:
    """Numbers with separators; counts by record type as `10:55 20:79`."""
    if isinstance(value, dict):
        return " ".join(f"{kind}:{number:,}" for kind, number in value.items())
    return f"{value:,}" if isinstance(value, int) else str("" if value is None else value)


def _some(names: tuple[str, ...], most: int = 10) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
