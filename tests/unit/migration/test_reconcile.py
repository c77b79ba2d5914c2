"""The second reading: equal where the hub is right; each planted fault found, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from integrationhub.bootstrap import Hub
from integrationhub.canonical.model import ENTITIES, PROVENANCE, Type
from integrationhub.estate.csa1993_file import encoder_for
from integrationhub.estate.generate import generate
from integrationhub.estate.nights import Estate
from integrationhub.migration.reconcile.books import BOOKS
from integrationhub.migration.reconcile.engine import MOST_SHOWN
from integrationhub.receive.folder import find_files
from tests.acceptance.files import descriptor, make_nights
from tests.unit.migration.reconciling import Rows, hub_with, reconcile, rows_of

CONNECTORS = Path(__file__).parents[3] / "connectors"
SYSTEMS = {"CSCS": "csa1993", "CS2": "csa2003", "CLERICAL": "clerical"}

NOT_COMPARED = {
    "groups": {"state"},
    "parties": {"kind", "nino_status"},
    "cases": {"host_system", "state", "last_event_seq"},
    "debts": {"host_system", "application_ref", "cause", "status", "as_at"},
    "balances": {"kind", "evidence"},
    "ledger": {"digest", "cancels_entry_id"},
}
"""Columns that the second reading has no word for: the hub's own decisions, and what follows from others."""

OF_OTHER_BOOKS = {
    "CSCS": {
        "liability_periods": {"monthly_pence", "net_monthly_pence"},
        "ledger": {"monthly_pence", "assessment_ref", "source_id", "schedule_ref", "reverses_ref"},
    },
    "CS2": {
        "addresses": {"valid_from", "valid_from_mark"},
        "roles": {"birth_date", "birth_date_mark"},
        "liability_periods": {"exempt_weekly_pence", "net_weekly_pence", "nights_2", "nights_3", "nights_4"},
        "ledger": {"assessment_row", "authority", "text"},
        "cases": {"last_event_seq"},
    },
    "CLERICAL": {
        "parties": {"sex"},
        "cases": {"status", "ledger_complete", "benefit_known", "accuracy_query", "as_at"},
        "balances": {"as_at"},
        "clerical_totals": {"keyings_agree"},
    },
}
"""Columns that a book's files say nothing of."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    files = {connector: [CONNECTORS / connector / "samples"] for connector in SYSTEMS.values()}
    with hub_with(tmp_path_factory.mktemp("samples"), files) as opened:
        opened.captures("csa2003").take(CONNECTORS / "csa2003" / "captures" / "events.jsonl")
        yield opened


@pytest.fixture(scope="module")
def rows(hub: Hub) -> Rows:
    return rows_of(hub)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_samples_reconcile_to_the_penny(hub: Hub, system: str, rows: Rows, tmp_path: Path) -> None:
    found = reconcile(hub, system, tmp_path, rows)
    assert [item for item in found.compared if item.breaks] == []
    assert [total for total in found.totals if not total.holds] == []
    assert all(item.said for item in found.compared), "a kind of row that no sample has proves nothing"


def test_the_desk_reconciles_every_book(hub: Hub) -> None:
    found = hub.reconciliation().run()
    assert {item.system for item in found} == set(SYSTEMS)
    assert all(item.holds for item in found)


def altered(frame: pl.DataFrame, column: str, place: int) -> pl.DataFrame:
    """The frame with another value in one place."""
    value = frame[column][place]
    kind = frame.schema[column]
    if kind == pl.Boolean:
        other: object = not value
    elif kind == pl.Int64:
        other = (value or 0) + 1
    elif kind == pl.Date:
        other = value.replace(year=value.year - 1, day=1) if value else pl.Series(["2001-02-03"]).str.to_date()[0]
    else:
        other = f"{value or ''}?"
    column_now = frame[column].to_list()
    column_now[place] = other
    return frame.with_columns(pl.Series(column, column_now, dtype=kind))


def plantable(system: str, kind: str, columns: list[str]) -> list[str]:
    """The columns of a kind of row in which a fault must be found."""
    entity = ENTITIES[kind]
    ids = {item.name for item in entity.all_fields() if item.type is Type.ID}
    provenance = {item.name for item in PROVENANCE}
    barred = ids | provenance | NOT_COMPARED.get(kind, set()) | OF_OTHER_BOOKS[system].get(kind, set())
    derived = {"legal_owner", "line_no"} if kind in ("debts", "schedules") else set()
    return [name for name in columns if name not in barred | derived]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_altered_value_is_found_and_nothing_else(hub: Hub, system: str, rows: Rows, tmp_path: Path) -> None:
    planted, expected = dict(rows), set()
    for kind in BOOKS[system].kinds:
        own = rows[kind].filter(pl.col("source_system") == system)
        others = rows[kind].filter(pl.col("source_system") != system)
        if kind == "balances":
            own = own.filter(pl.col("kind") == "SOURCE")
        for place, column in enumerate(plantable(system, kind, own.columns)):
            here = (place * 7) % len(own)
            own = altered(own, column, here)
            ref = own["source_ref"][here]
            expected.add((kind, column, ref))
        planted[kind] = pl.concat([own, others])
    found = reconcile(hub, system, tmp_path, planted)
    names = {(one.entity, one.field, one.source_ref.split(" ")[0]) for item in found.compared for one in item.items}
    assert {verdict.verdict for item in found.compared for verdict in item.items} == {"DIFFERENT"}
    assert names == expected


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_row_that_is_lost_or_doubled_is_found(hub: Hub, system: str, rows: Rows, tmp_path: Path) -> None:
    kinds = [kind for kind in BOOKS[system].kinds if kind not in ("groups", "parties", "cases", "debts")]
    planted = dict(rows)
    for kind in kinds:
        own = rows[kind].filter(pl.col("source_system") == system)
        others = rows[kind].filter(pl.col("source_system") != system)
        planted[kind] = pl.concat([own[1:], own[-1:], others])
    found = {item.entity: item for item in reconcile(hub, system, tmp_path, planted).compared}
    for kind in kinds:
        assert {one.verdict for one in found[kind].items} == {"MISSING", "SURPLUS"}, kind


@pytest.mark.parametrize("system", ["CSCS", "CS2"])
def test_rows_name_parties_by_the_sources_reference_though_no_record_is_theirs(
    hub: Hub, system: str, rows: Rows, tmp_path: Path
) -> None:
    """A reference may point to nothing (E10): the parties are taken away, and only they are missing."""
    parties = rows["parties"].filter(pl.col("source_system") != system)
    found = {item.entity: item for item in reconcile(hub, system, tmp_path, {**rows, "parties": parties}).compared}
    assert found["parties"].breaks == found["parties"].said > 0
    assert {name for name, item in found.items() if item.breaks} == {"parties"}


def test_of_very_many_breaks_all_are_counted_and_the_first_itemised(hub: Hub, rows: Rows, tmp_path: Path) -> None:
    ledger = rows["ledger"].filter(pl.col("source_system") != "CSCS")
    (found,) = [
        item
        for item in reconcile(hub, "CSCS", tmp_path, {**rows, "ledger": ledger}).compared
        if item.entity == "ledger"
    ]
    assert (found.breaks, len(found.items)) == (len(rows["ledger"]) - len(ledger), MOST_SHOWN)
    assert found.breaks > MOST_SHOWN


def test_a_penny_too_many_is_in_the_totals(hub: Hub, rows: Rows, tmp_path: Path) -> None:
    first = (
        (pl.col("source_system") == "CSCS") & (pl.col("kind") == "SOURCE") & pl.col("source_ref").str.starts_with("1")
    )
    more = rows["balances"].with_columns(pl.col("pence") + first.cum_sum().eq(1).and_(first).cast(pl.Int64))
    found = reconcile(hub, "CSCS", tmp_path, {**rows, "balances": more})
    assert [total.held - total.said for total in found.totals if not total.holds] == [1]
    assert not found.holds


def test_three_books_with_events_reconcile_night_after_night(tmp_path: Path) -> None:
    estate = Estate(groups=40, seed=23, kinds="CFC", books=("93", "03", "CL"))
    nights = generate(tmp_path / "files", estate, encoder_for(descriptor()))
    first = {file.connector: [file.data] for file in nights[0].files}
    with hub_with(tmp_path / "hub", first) as hub:
        for night in nights[1:]:
            for file in night.files:
                pipeline = hub.pipeline(file.connector)
                found = find_files([file.data], pipeline.descriptor.delivery)
                pipeline.take_all(found, lambda _file: lambda _d, _a: None)
            books = hub.reconciliation().run()
            assert {book.system for book in books} == set(SYSTEMS)
            assert [one for book in books for item in book.compared for one in item.items] == []
            assert all(book.holds for book in books)


@pytest.mark.parametrize("url", ["sqlite", "postgresql"])
def test_whole_books_and_corrections_reconcile_night_after_night(
    url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    nights = make_nights(tmp_path / "files", groups=25, seed=11, kinds="CFC")
    database = request.getfixturevalue("postgres_url") if url == "postgresql" else None
    with hub_with(tmp_path / "hub", {"csa1993": [nights[0].data]}, database) as hub:
        for night in nights[1:]:
            pipeline = hub.pipeline("csa1993")
            pipeline.take_all(find_files([night.data], pipeline.descriptor.delivery), lambda _file: lambda _d, _a: None)
            (found,) = hub.reconciliation().run()
            assert [
                (
                    item.entity,
                    item.said,
                    item.held,
                    sorted({(one.verdict, one.field, one.group) for one in item.items}, key=str)[:12],
                )
                for item in found.compared
                if item.breaks
            ] == []
            assert found.holds
