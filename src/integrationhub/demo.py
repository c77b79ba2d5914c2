"""The main job in one go, on the embedded default: an estate is made, taken in, reconciled, published, traced.

Everything is real: the files are in the legacy system's format, the way is the one that `ingest` and `run` take. One
field of the first night's file is spoilt on purpose, to show what becomes of a group that can't be understood, and of
its exception when the next night brings the group in good order.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.decode.copybook import parse_copybook
from integrationhub.errors import Conflict
from integrationhub.estate.csa1993_file import encoder_for
from integrationhub.estate.faults import GoodDelivery
from integrationhub.estate.generate import generate
from integrationhub.estate.nights import Estate
from integrationhub.intake.report import FileReport
from integrationhub.intake.tracing import Trace
from integrationhub.receive.folder import find_files
from integrationhub.store import exports
from integrationhub.store.slices import Slices
from integrationhub.store.trace import by_identifier, of_debt

CONNECTOR = "csa1993"
MARK = "made-by-integrationhub-demo"
"""A file in the demo's folder that says it may be made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What the demo did, for whoever prints it."""

    folder: Path
    reports: tuple[FileReport, ...]
    exceptions: tuple[dict[str, object], ...]  # of groups that could not be understood
    outcomes: dict[str, int]  # what judging made of the cases
    published: int
    traces: tuple[Trace, ...]
    debts: int
    ledger_lines: int
    right: int
    cases: int


def run_demo(
    folder: Path, *, groups: int, catalogue: Catalogue, settings: Settings, progress: Callable[[str, int, int], None]
) -> DemoResult:
    """Run the demo in `folder`; `progress` is told of a step's name, what is done of it, and its whole.

    Conflict: the folder holds something that the demo did not make.
    """
    _make_anew(folder)
    estate = Estate(groups=groups, seed=1993, kinds="F")
    encoder = encoder_for(catalogue.connector(CONNECTOR))
    made = 0

    def one_more(number: int) -> None:
        nonlocal made
        made += number
        progress("making an estate", made, groups * (estate.last_night + 1))

    nights = generate(folder / "estate", estate, encoder, progress=one_more)
    _spoil(nights[0].data, catalogue)
    chosen = settings.model_copy(
        update={
            "data_dir": folder / "hub-data",
            "database_url": None,
            "broker_url": "embedded",
            "originals_uri": None,
            "synthetic_identities": True,
        }
    )
    with Hub(chosen, catalogue) as hub:
        reports = _take(hub, [night.data for night in nights], progress)
        hub.judge_waiting()
        published = hub.relay().drain()
        accuracy = nights[0].accuracy["93"]
        return DemoResult(
            folder=folder,
            reports=tuple(reports),
            exceptions=tuple(row for row in _exceptions(hub) if row["entity"] == "groups"),
            outcomes=_outcomes(hub),
            published=published,
            traces=tuple(_traces(hub)),
            debts=_count(hub, "debts"),
            ledger_lines=_count(hub, "ledger"),
            right=int(str(accuracy["source_right"])),
            cases=int(str(accuracy["cases"])),
        )


def _make_anew(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise Conflict(
            f"the folder {folder.name} holds something that the demo did not make",
            code="FOLDER_IN_USE",
            remedy="give another folder with --dir",
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


def _spoil(data: Path, catalogue: Catalogue) -> None:
    """Make one posting date of the file impossible; size and hash in the trigger file are put right."""
    descriptor = catalogue.connector(CONNECTOR)
    trigger = data.with_name(descriptor.delivery.trigger.name_for(data.name))
    copybook = parse_copybook(descriptor.copybook_text, name=descriptor.layout.copybook)
    good = GoodDelivery(data.name, data.read_bytes(), trigger.read_bytes(), copybook)
    spoilt = good.with_field(good.first_line("R"), "L-POSTED", "20150231".encode(descriptor.layout.encoding))
    faulty = good.broken("R13", "an impossible posting date", spoilt)
    data.write_bytes(faulty.data)
    trigger.write_bytes(faulty.trigger)


def _take(hub: Hub, files: Sequence[Path], progress: Callable[[str, int, int], None]) -> list[FileReport]:
    pipeline = hub.pipeline(CONNECTOR)
    with pipeline.exclusive():
        return [
            pipeline.take(item, progress=partial(progress, f"taking sequence {item.sequence}"))
            for item in find_files(files, pipeline.descriptor.delivery)
        ]


def _exceptions(hub: Hub) -> list[dict[str, object]]:
    with hub.store.read() as connection:
        return [row for frame in exports.export(connection, "exceptions") for row in frame.to_dicts()]


def _outcomes(hub: Hub) -> dict[str, int]:
    """Cases by the outcome of judging, most frequent first."""
    with hub.store.read() as connection:
        rows = pl.concat([frame.select("outcome") for frame in hub.judged_rows(connection, None)["arrears"]()])
    counts = rows.drop_nulls().group_by("outcome").len().sort("len", "outcome", descending=True)
    return dict(counts.iter_rows())


def _count(hub: Hub, name: str) -> int:
    with hub.store.read() as connection:
        return sum(len(frame) for frame in exports.export(connection, name))


def _traces(hub: Hub) -> list[Trace]:
    """The largest debt's balance, and the ledger line that weighs most in it."""
    with hub.store.read() as connection:
        debts = pl.concat(list(exports.export(connection, "debts")))
        debt = debts.sort("source_pence", "debt_id", descending=True, nulls_last=True).row(0, named=True)
        ledger = pl.concat(list(exports.export(connection, "ledger"))).filter(pl.col("debt_id") == debt["debt_id"])
        rows = of_debt(connection, debt["debt_id"])
        if not ledger.is_empty():
            entry = ledger.sort(pl.col("pence").abs(), descending=True).row(0, named=True)
            rows += by_identifier(connection, entry["entry_id"])
        tracer = hub.analyst.tracer(CONNECTOR)
        slices = Slices(connection)
        return [tracer.trace(row, slices.all(row.delivery.delivery_id)) for row in rows if row.delivery is not None]
