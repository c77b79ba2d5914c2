"""`integrationhub estate`: synthetic legacy estates to try things on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json, print_table, progress

if TYPE_CHECKING:
    from datetime import date, datetime

    from integrationhub.bootstrap import Hub
    from integrationhub.estate.accuracy import Accuracy
    from integrationhub.estate.generate import Generated
    from integrationhub.estate.nights import Estate

NO_TIME = "%Y-%m-%d"
BOOKS = {"csa1993": ("93",), "csa2003": ("03",), "clerical": ("CL",), "all": ("93", "03", "CL")}
"""What --system names → the books of an estate."""


@click.group()
def estate() -> None:
    """Make synthetic legacy estates: invented people, real formats, known truth."""


@estate.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write to.")
@click.option("--groups", default=40, show_default=True, type=click.IntRange(min=0), help="Case groups.")
@click.option("--seed", default=1, show_default=True, type=int, help="The same seed gives the same bytes.")
@click.option(
    "--system", default="all", show_default=True, type=click.Choice(sorted(BOOKS)),
    help="Which book to write; `all` gives the three books of one estate, with people who stand in several.",
)  # fmt: skip
@click.option("--nights", default="", help="Later files: a letter a night, F whole book, C correction; e.g. FCC.")
@click.option(
    "--sequence", default=101, show_default=True, type=click.IntRange(1, 999_900), help="First file's number."
)
@click.option(
    "--as-at",
    default="2015-06-30",
    show_default=True,
    type=click.DateTime([NO_TIME]),
    help="As-at date of the first file.",
)
@json_option
@click.pass_obj
def generate(
    invocation: Invocation,
    *,
    out: Path,
    groups: int,
    seed: int,
    system: str,
    nights: str,
    sequence: int,
    as_at: "datetime",
    as_json: bool,
) -> None:
    """Write an estate with its truth.

    For every night each book's data file with its trigger file, the change events behind it (events.jsonl), and what a
    right product must make of them: expected.json after the last night, expected.S<number>.json after those before, in
    the shape of the samples' expected.json. About 37 % of the 1993 cases and 19 % of the 2003 ones are wrong.
    """
    from integrationhub.estate.csa1993_file import encoder_for
    from integrationhub.estate.generate import generate as write
    from integrationhub.estate.nights import Estate

    plan = Estate(
        groups=groups, seed=seed, kinds=nights.upper(), sequence=sequence, as_at=as_at.date(), books=BOOKS[system]
    )
    encoder = encoder_for(invocation.catalogue.connector("csa1993"))
    with progress("case groups", total=groups * (plan.last_night + 1)) as advance:
        written = write(out, plan, encoder, progress=advance)
    _report(written, as_json=as_json)


@estate.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write to.")
@click.option("--groups", default=2000, show_default=True, type=click.IntRange(min=1), help="Case groups.")
@click.option("--seed", default=1, show_default=True, type=int, help="The same seed gives the same estate.")
@click.pass_obj
def accuracy(invocation: Invocation, *, out: Path, groups: int, seed: int) -> int:
    """Make an estate of all books with events, judge it, and report how right that is: accuracy.md, accuracy.svg.

    Exit code 6 when a case differs from the truth.
    """
    from tempfile import TemporaryDirectory

    from integrationhub.estate.accuracy import as_table
    from integrationhub.estate.accuracy_chart import as_chart
    from integrationhub.estate.nights import Estate

    with TemporaryDirectory(prefix="integrationhub-accuracy-") as folder:
        found = _measured(invocation, Estate(groups=groups, seed=seed, books=BOOKS["all"]), Path(folder))
    out.mkdir(parents=True, exist_ok=True)
    (out / "accuracy.md").write_text(as_table(found), encoding="utf-8")
    (out / "accuracy.svg").write_text(as_chart(found), encoding="utf-8")
    click.echo(as_table(found))
    return 6 if found.differing or found.events.differing else 0


def _measured(invocation: Invocation, plan: "Estate", folder: Path) -> "Accuracy":
    """Make the estate in a folder, take it into a hub there, and compare."""
    from integrationhub.bootstrap import Hub
    from integrationhub.estate.accuracy import measure, measure_events
    from integrationhub.estate.csa1993_file import encoder_for
    from integrationhub.estate.generate import generate as write
    from integrationhub.receive.folder import find_files

    with progress("case groups", plan.groups) as advance:
        (night,) = write(
            folder / "estate", plan, encoder_for(invocation.catalogue.connector("csa1993")), progress=advance
        )
    own = {
        "data_dir": folder / "hub", "database_url": None, "originals_uri": None, "broker_url": "embedded",
        "synthetic_identities": True,
    }  # fmt: skip
    with Hub(invocation.settings.model_copy(update=own), invocation.catalogue) as hub:
        for file in night.files:
            pipeline = hub.pipeline(file.connector)
            pipeline.take_all(
                find_files([file.data], pipeline.descriptor.delivery), lambda _: lambda _done, _total: None
            )
        hub.judge_waiting()
        day = plan.delivery(0).as_at
        found = measure(night.truth, _rows(hub, day))
        for _ in hub.captures("csa2003").take(night.events) if night.events else ():
            pass
        found.events = measure_events(night.truth, _rows(hub, day))
        return found


def _rows(hub: "Hub", day: "date") -> "Iterator[dict[str, object]]":
    with hub.arrears_desk().rows(day) as rows:
        for frame in rows.arrears():
            yield from frame.to_dicts()


def _report(written: "Sequence[Generated]", *, as_json: bool) -> None:
    rows = [
        {
            "path": str(file.data), "connector": file.connector, "truth": str(night.truth),
            "records": file.controls.records, "accuracy": night.accuracy[file.book],
        }
        for night in written
        for file in night.files
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    print_table(
        ("file", "records", "cases", "source right", "truth"),
        [
            [
                file.data.name, file.controls.records, night.accuracy[file.book]["cases"],
                f"{night.accuracy[file.book]['source_right_pct']} %", night.truth.name,
            ]
            for night in written
            for file in night.files
        ],
    )  # fmt: skip
