"""What moved and what change events did to it, against the second reading of files and messages."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrationhub.bootstrap import Hub
from integrationhub.canonical.frames import schema
from integrationhub.canonical.model import ENTITIES
from integrationhub.migration.reconcile.books import BOOKS
from integrationhub.migration.reconcile.engine import CHANGES, Comparison, KeptFile, KeptMessage, Reconciliation
from integrationhub.migration.reconcile.moves import VERDICTS, Moves
from integrationhub.store.case_events import EVENT_SCHEMA
from integrationhub.store.transfer_proof import ACCOUNT_SCHEMA, moved_accounts
from tests.contract.transfers.steps import PLAN, approved, moved
from tests.unit.csa2003.test_events import event
from tests.unit.csa2003.test_events_and_books import CASE, STEPS, History
from tests.unit.migration.reconciling import Rows, hub_with, reconcile, rows_of

Happening = Callable[[History], None]
Figures = Mapping[tuple[str, str | None], tuple[int, int]]
CONNECTORS = Path(__file__).parents[3] / "connectors"
CAPTURE = CONNECTORS / "csa2003" / "captures" / "events.jsonl"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """All three books, the change events behind one of them, and everything moved that may move."""
    files = {name: [CONNECTORS / name / "samples"] for name in ("csa1993", "csa2003", "clerical")}
    with hub_with(tmp_path_factory.mktemp("moved"), files) as opened:
        opened.captures("csa2003").take(CAPTURE)
        opened.judging().run()
        for wave in ("pilot", "main", "rest"):
            approved(opened, wave)
            moved(opened, wave)
        yield opened


@pytest.fixture(scope="module")
def rows(hub: Hub) -> Rows:
    return rows_of(hub)


@pytest.fixture(scope="module")
def accounts(hub: Hub) -> pl.DataFrame:
    with hub.store.read() as connection:
        run_id = hub.handling(PLAN).run(connection).run_id
        return pl.concat(moved_accounts(connection, run_id))


@pytest.fixture(scope="module")
def sound(hub: Hub, rows: Rows, accounts: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Reconciliation:
    return reconcile(hub, "CS2", tmp_path_factory.mktemp("sound"), rows, accounts)


def test_change_events_and_what_they_moved_agree_with_the_kept_messages(sound: Reconciliation) -> None:
    (changes,) = [item for item in sound.compared if item.entity == CHANGES]
    assert (changes.breaks, changes.said) == (0, changes.held)
    assert changes.said > 20
    assert sound.moves.broken == 0
    assert sum(total.changes_pence for total in sound.moves.totals) != 0
    assert all(
        total.in_pence == total.said_pence + total.correction_pence + total.changes_pence
        for total in sound.moves.totals
    )


def test_every_altered_change_event_is_found_and_one_lost_or_from_no_message(
    hub: Hub, rows: Rows, tmp_path: Path
) -> None:
    events = rows[CHANGES].sort("source_ref", "case_seq")
    behind = events.filter(pl.col("kind") == "Receipt")
    places = iter(range(len(behind)))
    frame = events
    expected: set[tuple[str, str, str | None]] = set()
    for column in ("kind", "source_id", "schedule_ref", "reason"):
        frame, found = planted(frame, behind, next(places), pl.lit("?").alias(column))
        expected.add((*found, "DIFFERENT", column))
    frame, found = planted(frame, behind, next(places), pl.col("pence") + 1)
    expected.add((*found, "DIFFERENT", "pence"))
    frame, found = planted(frame, behind, next(places), ~pl.col("is_held"))
    expected.add((*found, "DIFFERENT", "is_held"))
    frame, found = planted(frame, behind, next(places), pl.lit("f" * 32).alias("delivery_id"))
    expected.add((*found, "DIFFERENT", "is_a_message"))
    lost = behind.row(next(places), named=True)
    frame = frame.filter(~at(lost))
    expected.add((f"{lost['source_ref']} {lost['case_seq']}", "MISSING", None))

    (changes,) = [item for item in reconcile(hub, "CS2", tmp_path, {**rows, CHANGES: frame}).compared
                  if item.entity == CHANGES]  # fmt: skip
    assert {(one.source_ref, one.verdict, one.field) for one in changes.items} == expected


def at(row: dict[str, Any]) -> pl.Expr:
    return pl.col("source_ref").eq(row["source_ref"]) & pl.col("case_seq").eq(row["case_seq"])


def planted(frame: pl.DataFrame, chosen: pl.DataFrame, place: int, fault: pl.Expr) -> tuple[pl.DataFrame, tuple[str]]:
    """The frame with a fault in one row, and that row's reference."""
    row, name = chosen.row(place, named=True), fault.meta.output_name()
    with_fault = frame.with_columns(pl.when(at(row)).then(fault).otherwise(pl.col(name)).alias(name))
    return with_fault, (f"{row['source_ref']} {row['case_seq']}",)


def test_each_way_in_which_an_account_can_be_wrong_has_its_verdict(
    hub: Hub, rows: Rows, accounts: pl.DataFrame, tmp_path: Path
) -> None:
    """A penny is put wrong in one account after the other; one is taken away; nothing else may be found."""
    faults: dict[str, dict[str, int]] = {
        "OPENING": {"opening_pence": 1, "adjustment_pence": -1},
        "OPENING_SUSPENDED": {"opening_suspended_pence": 1, "adjustment_suspended_pence": -1},
        "NOT_EXPLAINED": {"adjustment_pence": 1, "moved_in_pence": 1, "moved_out_pence": -1},
        "NOT_EXPLAINED_SUSPENDED": {
            "adjustment_suspended_pence": 1, "moved_in_suspended_pence": 1, "moved_out_suspended_pence": -1,
        },
        "NOT_ACCEPTED": {"adjustment_pence": 1},
        "NOT_ACCEPTED_SUSPENDED": {"adjustment_suspended_pence": 1},
        "OUT_NOT_IN": {"moved_out_pence": -1},
        "OUT_NOT_IN_SUSPENDED": {"moved_out_suspended_pence": -1},
    }  # fmt: skip
    own = accounts.filter((pl.col("source_system") == "CS2") & (pl.col("account_kind") == "DEBT")).with_row_index("n")
    expected = set()
    for place, (verdict, by) in enumerate(faults.items()):
        here = pl.col("n") == place
        own = own.with_columns(pl.when(here).then(pl.col(name) + pence).otherwise(name).alias(name)
                               for name, pence in by.items())  # fmt: skip
        row = own.row(place, named=True)
        expected.add((verdict, row["case_id"], row["owner"], 1))
    gone = own.filter((pl.col("moved_in_pence") != 0) & (pl.col("n") >= len(faults))).row(0, named=True)
    held = gone["opening_pence"] + gone["opening_suspended_pence"]
    expected.add(("LEFT_BEHIND", gone["case_id"], gone["owner"], abs(held)))
    others = accounts.filter((pl.col("source_system") == "CS2") & (pl.col("account_kind") != "DEBT"))
    left = pl.concat([own.filter(pl.col("n") != gone["n"]).drop("n"), others])
    assert set(faults) | {"LEFT_BEHIND"} == set(VERDICTS)

    found = reconcile(hub, "CS2", tmp_path, rows, left).moves
    assert {(one.verdict, one.case_id, one.owner, one.pence) for one in found.breaks} == expected
    assert found.unexplained_pence == len(faults) + abs(held)


def test_an_event_that_was_not_added_to_what_moved_is_found(
    hub: Hub, rows: Rows, accounts: pl.DataFrame, tmp_path: Path
) -> None:
    """The hub's events and its accounts forget a receipt alike; the kept message does not."""
    debts = accounts.filter((pl.col("source_system") == "CS2") & (pl.col("account_kind") == "DEBT"))
    in_flight = pl.col("adjustment_pence") - pl.col("correction_pence")
    chosen = debts.filter(in_flight != 0).row(0, named=True)
    pence = chosen["adjustment_pence"] - chosen["correction_pence"]
    here = (pl.col("case_id") == chosen["case_id"]) & (pl.col("owner") == chosen["owner"])
    forgot = accounts.with_columns(
        pl.when(here).then(pl.col(name) - sign * pence).otherwise(name).alias(name)
        for name, sign in (("adjustment_pence", 1), ("moved_in_pence", 1), ("moved_out_pence", -1))
    )
    found = reconcile(hub, "CS2", tmp_path, rows, forgot).moves
    assert [(one.verdict, one.case_id, one.pence) for one in found.breaks] == [
        ("NOT_EXPLAINED", chosen["case_id"], abs(pence))
    ]


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def explained(folder: Path, books: list[Path], events: list[dict[str, Any]], accounts: list[dict[str, Any]]) -> Moves:
    """What the second reader finds of these accounts, by books and messages alone."""
    with Comparison(BOOKS["CS2"], folder, synthetic_identities=True) as comparison:
        comparison.take_files(
            KeptFile(delivery_id=f"{place:032}", sequence=place, open=partial(_opened, book))
            for place, book in enumerate(books, start=101)
        )
        comparison.take_messages(
            KeptMessage(delivery_id=f"{place:032}", body=one["body"].encode) for place, one in enumerate(events)
        )
        for entity in ENTITIES.values():
            comparison.take_rows(entity.name, [pl.DataFrame(schema=schema(entity))])
        comparison.take_rows(CHANGES, [pl.DataFrame(schema=dict(EVENT_SCHEMA))])
        comparison.run()
        return comparison.moves([pl.DataFrame(accounts, schema=dict(ACCOUNT_SCHEMA))])


def figures(history: History) -> Figures:
    """(kind, owner) → pence, suspended, of a case as the source keeps it."""
    owed: Figures = {("DEBT", owner): (pence, history.suspended[owner]) for owner, pence in history.balances.items()}
    return {**owed, ("CUSTODIAN", None): (history.custodian, 0)}


def opened_and_moved(opened: Figures, arrived: Figures) -> list[dict[str, Any]]:
    """The accounts of a case that was opened with some figures, and moved with others."""
    shared = {"source_system": "CS2", "source_ref": CASE, "case_id": "c" * 32, "scheme": "2003", "wave": "main",
              "segment": "1"}  # fmt: skip
    rows = []
    for (kind, owner), now in arrived.items():
        row = {**shared, "account_kind": kind, "owner": owner, "correction_pence": 0, "correction_suspended_pence": 0}
        for amount, before, after in zip(("pence", "suspended_pence"), opened[kind, owner], now, strict=True):
            row |= {f"opening_{amount}": before, f"adjustment_{amount}": after - before, f"moved_out_{amount}": -after,
                    f"moved_in_{amount}": after}  # fmt: skip
        rows.append(row)
    return rows


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEPS, max_size=4), st.lists(STEPS, min_size=1, max_size=6))
def test_what_sound_events_moved_is_explained_before_and_after_a_book_contains_them(
    before: list[Happening], after: list[Happening]
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        history = History()
        history.charge(31)
        for step in before:
            step(history)
        early, opened, known = history.book(folder, sequence=101), figures(history), len(history.happenings)
        for step in after:
            step(history)
        late = history.book(folder, sequence=102)
        events = [event(number, child, kind, case=CASE)
                  for number, (kind, child, _) in enumerate(history.happenings[known:], known + 1)]  # fmt: skip
        accounts = opened_and_moved(opened, figures(history))
        for books in ([early], [early, late]):
            assert explained(folder / f"{len(books)}", books, events, accounts).breaks == ()
    finally:
        shutil.rmtree(folder)
