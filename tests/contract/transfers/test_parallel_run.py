"""The hub compares moved waves with every new book by itself, keeps the days, and the gate counts clean ones."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from integrationhub.bootstrap import Hub
from integrationhub.migration.back_out import back_out, foresee
from integrationhub.migration.measures import MEASURES, MeasuredWave
from integrationhub.migration.settling import compare
from integrationhub.receive.folder import find_files
from integrationhub.store import transfer_reading as reading
from integrationhub.store.judged import VERDICTS
from integrationhub.store.transfer_moves import TRANSFERRED_DEBTS
from tests.contract.transfers.conftest import NOW
from tests.contract.transfers.steps import ALICE, PLAN, WAVE, approved, moved, states
from tests.unit.csa2003.extracts import XML, pack, renumbered


@pytest.fixture
def in_parallel(hub: Hub) -> Hub:
    """A wave has moved and was compared once, as `migrate transfer` does."""
    approved(hub)
    moved(hub)
    compare(hub.handling(PLAN), ALICE, WAVE)
    return hub


def clean_days(hub: Hub) -> float:
    with hub.store.read() as connection:
        handling = hub.handling(PLAN)
        run_id = handling.run(connection).run_id
        wave = MeasuredWave(connection=connection, run_id=run_id, wave=WAVE, plan_hash=handling.bound.hash)
        return MEASURES["clean-parallel-days"](wave)


def days(hub: Hub) -> list[tuple[int, bool, str]]:
    """Day after the first, whether it was clean, and who compared."""
    with hub.store.read() as connection:
        found = reading.parallel_days(connection, hub.handling(PLAN).run(connection).run_id, WAVE)
        return [((row.day - NOW.date()).days, row.clean, row.compared_by) for row in reversed(found)]


def night(hub: Hub, number: int, folder: Path) -> None:
    """The same book comes again, in a later night, to a process of its own."""
    book = pack(folder / f"night{number}", renumbered(XML, 101 + number), sequence=101 + number)
    with Hub(hub.settings, hub.catalogue, clock=lambda: NOW + timedelta(days=number)) as later:
        pipeline = later.pipeline("csa2003")
        assert pipeline.take(find_files([book], pipeline.descriptor.delivery)[0]).verdict.value == "ACCEPTED"
        assert later.judge_waiting()
        assert later.judge_waiting()


def alter_a_moved_balance(hub: Hub) -> None:
    with hub.store.begin() as work:
        debt = TRANSFERRED_DEBTS.c.legal_owner == "RECEIVING_PARENT"
        case_id = work.connection.execute(TRANSFERRED_DEBTS.select().where(debt)).mappings().all()[0]["case_id"]
        changed = update(VERDICTS).where(VERDICTS.c.case_id == case_id)
        work.connection.execute(changed.values(accepted_rp=VERDICTS.c.accepted_rp + 1))
        work.commit()


def test_every_new_book_is_compared_once_and_clean_days_in_a_row_are_counted(in_parallel: Hub, tmp_path: Path) -> None:
    hub = in_parallel
    assert hub.judge_waiting()
    assert (days(hub), clean_days(hub)) == ([(0, True, "alice")], 1)  # no book has come since

    night(hub, 1, tmp_path)
    night(hub, 2, tmp_path)
    assert days(hub) == [(0, True, "alice"), (1, True, "integrationhub"), (2, True, "integrationhub")]
    assert clean_days(hub) == 3


def test_a_day_on_which_a_balance_differs_is_not_clean_and_counting_begins_anew(
    in_parallel: Hub, tmp_path: Path
) -> None:
    hub = in_parallel
    alter_a_moved_balance(hub)
    night(hub, 1, tmp_path)
    assert (days(hub)[-1], clean_days(hub)) == ((1, False, "integrationhub"), 0)
    hub.clock = lambda: NOW + timedelta(days=1, hours=1)
    assert len(hub.watch().look()) == states(hub)["HELD"] == 1
    assert hub.daily_comparison().compare_due() == []

    night(hub, 2, tmp_path)
    assert (days(hub)[-1], clean_days(hub)) == ((2, True, "integrationhub"), 1)


def test_days_of_an_earlier_move_do_not_count_for_the_next_one(in_parallel: Hub, tmp_path: Path) -> None:
    hub = in_parallel
    night(hub, 1, tmp_path)
    assert clean_days(hub) == 2
    handling = hub.handling(PLAN)
    back_out(handling, ALICE, foresee(handling, wave=WAVE), "wrong night")
    hub.clock = lambda: NOW + timedelta(days=1, hours=1)
    approved(hub)
    moved(hub)
    assert clean_days(hub) == 0
    compare(hub.handling(PLAN), ALICE, WAVE)
    assert clean_days(hub) == 1
