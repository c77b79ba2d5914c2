"""The main job in one go, on the embedded default: an estate is made, taken in, reconciled, published, moved.

Everything is real: the files are in the legacy systems' formats, the way is the one that `ingest` and `run` take. Three
books of one estate come each night, with change events in between. One field of the first night's 1993 file is spoilt
on purpose, to show what becomes of a group that can't be understood, and of its exception when the next night brings
the group in good order.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.decode.copybook import parse_copybook
from integrationhub.errors import Conflict
from integrationhub.estate.case_groups import BOOKS
from integrationhub.estate.csa1993_file import encoder_for
from integrationhub.estate.faults import GoodDelivery
from integrationhub.estate.generate import Generated, generate
from integrationhub.estate.nights import Estate
from integrationhub.intake.report import FileReport
from integrationhub.intake.tracing import Trace
from integrationhub.migration.showing import ShownWave, show_wave
from integrationhub.receive.folder import find_files
from integrationhub.store import exports
from integrationhub.store.slices import Slices
from integrationhub.store.trace import by_identifier, of_debt

CONNECTOR = "csa1993"
EVENTS_CONNECTOR = "csa2003"
PLAN, WAVE = "csa-all", "main"
SET_ASIDE = "R13"
CONFIG = "integrationhub.toml"
"""The configuration of the demo's hub, for whoever looks into it afterwards."""

_CONFIG = """\
# The hub that the demo has filled: embedded, its people are made up.
data_dir = "hub-data"
synthetic_identities = true
"""

MARK = "made-by-integrationhub-demo"
"""A file in the demo's folder that says it may be made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What the demo did, for whoever prints it."""

    folder: Path
    reports: tuple[FileReport, ...]  # of the 1993 book, a night each
    other_reports: tuple[FileReport, ...]  # of the other books, first night
    deliveries: dict[str, int]  # change events behind the first night, by what became of them
    exceptions: tuple[dict[str, object], ...]  # of groups that could not be understood
    outcomes: dict[str, int]  # what judging made of the cases
    published: int
    transfer: ShownWave
    traces: tuple[Trace, ...]
    debts: int
    ledger_lines: int
    accuracy: Mapping[str, Mapping[str, object]]  # of the source, by book
    case_groups: int
    across_books: int  # case groups whose cases stand in several books

    @property
    def config(self) -> Path:
        """The configuration with which commands look into what the demo made."""
        return self.folder / CONFIG


def run_demo(
    folder: Path, *, groups: int, catalogue: Catalogue, settings: Settings, progress: Callable[[str, int, int], None]
) -> DemoResult:
    """Run the demo in `folder`; `progress` is told of a step's name, what is done of it, and its whole.

    Conflict: the folder holds something that the demo did not make.
    """
    _make_anew(folder)
    estate = Estate(groups=groups, seed=1993, kinds="F", books=BOOKS)
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
        first, second = nights
        reports = _take_night(hub, first, progress)
        hub.judge_waiting()
        told = hub.captures(EVENTS_CONNECTOR).take(first.events) if first.events else []
        deliveries = Counter(report.verdict.value for report in told)
        later = _take_night(hub, second, progress)
        hub.judge_waiting()
        groups_of = _books_of_groups(hub)
        published = hub.relay().drain()
        transfer = show_wave(hub.handling(PLAN), WAVE, hub.reconciliation(), store_url=chosen.store_url)
        return DemoResult(
            folder=folder,
            reports=(reports[0], later[0]),
            other_reports=tuple(reports[1:]),
            deliveries=dict(deliveries.most_common()),
            exceptions=tuple(row for row in _exceptions(hub) if row["code"] == SET_ASIDE),
            outcomes=_outcomes(hub),
            published=published,
            transfer=transfer,
            traces=tuple(_traces(hub)),
            debts=_count(hub, "debts"),
            ledger_lines=_count(hub, "ledger"),
            accuracy=first.accuracy,
            case_groups=len(groups_of),
            across_books=sum(len(books) > 1 for books in groups_of.values()),
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
    (folder / CONFIG).write_text(_CONFIG, encoding="utf-8")


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


def _take_night(hub: Hub, night: Generated, progress: Callable[[str, int, int], None]) -> list[FileReport]:
    """The books of one night, each report in their order."""
    reports = []
    for file in night.files:
        pipeline = hub.pipeline(file.connector)
        with pipeline.exclusive():
            reports += [
                pipeline.take(item, progress=partial(progress, f"taking {file.connector} {item.sequence}"))
                for item in find_files([file.data], pipeline.descriptor.delivery)
            ]
    return reports


def _exceptions(hub: Hub) -> list[dict[str, object]]:
    with hub.store.read() as connection:
        return [row for frame in exports.export(connection, "exceptions") for row in frame.to_dicts()]


def _outcomes(hub: Hub) -> dict[str, int]:
    """Cases by the outcome of judging, most frequent first."""
    with hub.store.read() as connection:
        rows = pl.concat([frame.select("outcome") for frame in hub.judged_rows(connection, None)["arrears"]()])
    counts = rows.drop_nulls().group_by("outcome").len().sort("len", "outcome", descending=True)
    return dict(counts.iter_rows())


def _books_of_groups(hub: Hub) -> dict[str, set[str]]:
    """Case group → the books that its cases stand in."""
    found: dict[str, set[str]] = {}
    with hub.store.read() as connection:
        for frame in hub.judged_rows(connection, None)["arrears"]():
            for key, group in frame.select("case", "group").iter_rows():
                found.setdefault(group, set()).add(key[:2])
    return found


def _count(hub: Hub, name: str) -> int:
    with hub.store.read() as connection:
        return sum(len(frame) for frame in exports.export(connection, name))


def _traces(hub: Hub) -> list[Trace]:
    """The largest balance of a 1993 debt, and the ledger line that weighs most in it."""
    with hub.store.read() as connection:
        debts = pl.concat(list(exports.export(connection, "debts"))).filter(pl.col("host_system") == "CSCS")
        debt = debts.sort("source_pence", "debt_id", descending=True, nulls_last=True).row(0, named=True)
        ledger = pl.concat(list(exports.export(connection, "ledger"))).filter(pl.col("debt_id") == debt["debt_id"])
        rows = of_debt(connection, debt["debt_id"])
        if not ledger.is_empty():
            entry = ledger.sort(pl.col("pence").abs(), descending=True).row(0, named=True)
            rows += by_identifier(connection, entry["entry_id"])
        tracer = hub.analyst.tracer(CONNECTOR)
        slices = Slices(connection)
        return [tracer.trace(row, slices.all(row.delivery.delivery_id)) for row in rows if row.delivery is not None]
