"""Rehearse, approve, move, take back: what is there afterwards, on both databases."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import func, insert, select, update

from integrationhub.bootstrap import Hub
from integrationhub.errors import Conflict, InvariantBroken, NotAllowed
from integrationhub.migration.approval import approve
from integrationhub.migration.back_out import back_out, foresee
from integrationhub.migration.clocks import record_received, record_response
from integrationhub.migration.live_run import pause, release_pause
from integrationhub.migration.plan import WriteOff
from integrationhub.migration.rehearsal import rehearse
from integrationhub.migration.settling import close, compare, note_agreed, sign_off, waiting_groups
from integrationhub.migration.taking_back import take_back
from integrationhub.migration.watching import Answer
from integrationhub.store.fingerprint import fingerprint
from integrationhub.store.judged import VERDICTS
from integrationhub.store.schema import CANONICAL, CASE_EVENTS, OUTBOX
from integrationhub.store.transfer_decisions import TRANSFER_RUNS
from integrationhub.store.transfer_moves import (
    DEBT_MASTERY,
    HANDOVER_NOTICES,
    TARGET_REFERENCES,
    TRANSFER_ENTRIES,
    TRANSFERRED_CASES,
    TRANSFERRED_DEBTS,
)
from integrationhub.store.transfer_reading import steps_of_group
from tests.contract.transfers.conftest import NOW
from tests.contract.transfers.steps import (
    ALICE,
    BOB,
    PLAN,
    WAVE,
    approved,
    moved,
    reconciled,
    rehearsed,
    states,
    transfer_rows,
)

CASES, SCHEDULES = CANONICAL["cases"], CANONICAL["schedules"]


def signed(hub: Hub, wave: str = WAVE) -> None:
    approved(hub, wave)
    moved(hub, wave)
    compare(hub.handling(PLAN), ALICE, wave)
    reconciled(hub, wave)
    sign_off(hub.handling(PLAN), BOB, wave, "all agrees")


def test_a_rehearsal_changes_nothing_and_says_what_the_live_run_will_do(hub: Hub) -> None:
    with hub.store.read() as connection:
        before = fingerprint(connection)
    found = rehearsed(hub)
    with hub.store.read() as connection:
        after = fingerprint(connection)
    approve(hub.handling(PLAN), BOB, WAVE, "agreed")
    live = moved(hub)

    assert found.verdict == "PASSED"
    assert before == after
    assert (live.groups, dict(live.held)) == (found.report["movable"], found.report["held"])


def test_what_goes_out_comes_in_debt_by_debt_and_the_accounts_at_the_sources_are_empty(hub: Hub) -> None:
    approved(hub)
    moved(hub)
    entry = TRANSFER_ENTRIES
    with hub.store.read() as connection:
        by_kind = {
            kind: {row.account: (row.pence, row.suspended_pence)
                   for row in connection.execute(select(entry).where(entry.c.kind == kind))}
            for kind in ("TRANSFER_OUT", "TRANSFER_IN")
        }  # fmt: skip
        left = connection.execute(
            select(func.sum(entry.c.pence)).where(entry.c.host_system != "CMS").group_by(entry.c.account)
        ).scalars()
        debts = {row.debt_id: row for row in connection.execute(select(TRANSFERRED_DEBTS))}
        mastered = set(connection.execute(select(DEBT_MASTERY.c.debt_id)).scalars())
        accepted = connection.execute(select(func.sum(TRANSFERRED_CASES.c.rp + TRANSFERRED_CASES.c.sos))).scalar_one()

    assert by_kind["TRANSFER_OUT"] == {
        account: (-pence, -suspended) for account, (pence, suspended) in by_kind["TRANSFER_IN"].items()
    }
    assert set(left) == {0}
    assert set(debts) == mastered
    assert {row.host_system for row in debts.values()} == {"CMS"}
    assert {row.scheme for row in debts.values()} == {"1993", "2003"}
    assert any(row.pence < 0 for row in debts.values())
    assert sum(row.pence for row in debts.values()) == accepted


def test_a_load_is_silent(hub: Hub) -> None:
    approved(hub)
    with hub.store.read() as connection:
        before = connection.execute(select(func.count()).select_from(OUTBOX)).scalar_one()
    moved(hub)
    with hub.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(OUTBOX)).scalar_one() == before


def test_nothing_moves_without_rehearsal_approval_and_second_person(hub: Hub) -> None:
    handling = hub.handling(PLAN)
    with pytest.raises(Conflict, match="rehearsed"):
        moved(hub)
    rehearsed(hub)
    with pytest.raises(Conflict, match="not approved"):
        moved(hub)
    with pytest.raises(NotAllowed):
        approve(handling, ALICE, WAVE, "me too")
    with pytest.raises(Conflict, match="never rehearsed"):
        approve(handling, BOB, "rest", "agreed")
    approve(handling, BOB, WAVE, "agreed")
    moved(hub)
    assert moved(hub).groups == 0
    with pytest.raises(Conflict, match="no group that can move"):
        rehearsed(hub)


def test_a_back_out_leaves_nothing_and_a_group_that_moves_again_gets_new_references(hub: Hub) -> None:
    approved(hub)
    moved(hub)
    handling = hub.handling(PLAN)
    prospect = foresee(handling, wave=WAVE)
    assert back_out(handling, ALICE, prospect, "wrong night") == len(prospect.groups)
    with hub.store.read() as connection:
        accounts = connection.execute(
            select(func.sum(TRANSFER_ENTRIES.c.pence)).group_by(
                TRANSFER_ENTRIES.c.account, TRANSFER_ENTRIES.c.host_system
            )
        ).scalars()
        assert set(accounts) == {0}
        first = set(connection.execute(select(TARGET_REFERENCES.c.reference)).scalars())
        told = [row.action for row in connection.execute(select(HANDOVER_NOTICES))]
    assert any("retired for good" in sentence for sentence in prospect.lasting)
    assert told.count("FREEZE") == told.count("RELEASE") > 0
    assert states(hub) == {"BACKED_OUT": len(prospect.groups)}

    approved_again = rehearsed(hub)
    approve(handling, BOB, WAVE, "again")
    moved(hub)
    with hub.store.read() as connection:
        live = set(
            connection.execute(
                select(TARGET_REFERENCES.c.reference).where(TARGET_REFERENCES.c.retired_at.is_(None))
            ).scalars()
        )
    assert len(live) == len(first)
    assert not live & first
    assert approved_again.report["groups"] == len(prospect.groups)


def test_a_group_moves_again_though_cash_of_it_that_moved_before_was_paid_out_since(hub: Hub) -> None:
    approved(hub)
    first = moved(hub)
    handling = hub.handling(PLAN)
    with hub.store.begin() as work:
        held = TRANSFER_ENTRIES.c.account_kind == "CUSTODIAN"
        case_id = work.connection.execute(select(TRANSFER_ENTRIES.c.account).where(held).limit(1)).scalar_one()
        work.connection.execute(update(VERDICTS).where(VERDICTS.c.case_id == case_id).values(accepted_custodian=0))
        work.commit()
    assert list(hub.watch().look().values()) == ["BALANCE_MOVED"]
    back_out(handling, ALICE, foresee(handling, wave=WAVE), "wrong night")
    approved(hub)
    assert moved(hub).groups == first.groups
    with hub.store.read() as connection:
        sums = select(func.sum(TRANSFER_ENTRIES.c.pence)).where(TRANSFER_ENTRIES.c.account == case_id)
        assert connection.execute(sums.where(TRANSFER_ENTRIES.c.host_system == "CMS")).scalar_one() == 0


def test_a_changed_balance_takes_the_whole_group_back_to_held(hub: Hub) -> None:
    approved(hub)
    moved(hub)
    with hub.store.begin() as work:
        case = work.connection.execute(
            select(TRANSFERRED_DEBTS.c.case_id, TRANSFERRED_DEBTS.c.case_group_id).where(
                TRANSFERRED_DEBTS.c.legal_owner == "RECEIVING_PARENT"
            )
        ).first()
        assert case is not None
        work.connection.execute(
            update(VERDICTS).where(VERDICTS.c.case_id == case.case_id).values(accepted_rp=VERDICTS.c.accepted_rp + 1)
        )
        work.commit()
    day = compare(hub.handling(PLAN), ALICE, WAVE)
    held = hub.watch().look()

    assert dict(day.differences) == {"SOURCE_MOVED": 1}
    assert held == {case.case_group_id: "BALANCE_MOVED"}
    assert states(hub)["HELD"] == 1
    assert hub.watch().look() == {}
    note_agreed(
        hub.handling(PLAN), ALICE, "RECONCILE", waiting_groups(hub.handling(PLAN))
    )  # verdicts, not rows, changed
    with pytest.raises(InvariantBroken, match="parallel-run"):
        sign_off(hub.handling(PLAN), BOB, WAVE, "all agrees")
    compare(hub.handling(PLAN), ALICE, WAVE)
    sign_off(hub.handling(PLAN), BOB, WAVE, "the one is held")


def test_a_frozen_group_that_changes_is_released_unmoved_and_the_rest_moves(hub: Hub) -> None:
    approved(hub)
    frozen = moved(hub, freeze_only=True)
    assert states(hub) == {"FROZEN": frozen.groups}
    with hub.store.begin() as work:
        case = work.connection.execute(select(TRANSFERRED_CASES.c.case_id)).scalars().first()
        work.connection.execute(
            update(VERDICTS)
            .where(VERDICTS.c.case_id == case)
            .values(outcome="EXCEPTION", causes=["E10"], accepted_rp=None)
        )
        work.commit()
    live = moved(hub)

    assert dict(live.held) == {"HELD": 1}
    assert states(hub) == {"LOADED": frozen.groups - 1, "HELD": 1}
    with hub.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(TRANSFER_ENTRIES).where(
            TRANSFER_ENTRIES.c.case_id == case)).scalar_one() == 0  # fmt: skip


def test_a_group_is_closed_when_every_notice_is_accepted_and_a_rejection_takes_it_back_whole(hub: Hub) -> None:
    signed(hub)
    begun = close(hub.handling(PLAN), ALICE, WAVE)
    assert close(hub.handling(PLAN), ALICE, WAVE).told == 0
    with hub.store.read() as connection:
        notices = list(connection.execute(select(HANDOVER_NOTICES).order_by(HANDOVER_NOTICES.c.notice_id)))
    victim = notices[-1].case_group_id
    watch = hub.watch()
    for notice in notices:
        rejected = notice.notice_id == notices[-1].notice_id
        status, reason = ("J", "B") if rejected else ("A", None)
        watch.answer(Answer(notice_id=notice.notice_id, status=status, reason=reason))
    after = close(hub.handling(PLAN), ALICE, WAVE)

    assert begun.answers == len(notices)
    assert watch.answer(Answer(notice_id=notices[0].notice_id, status="A")) == "REPEATED"
    assert watch.answer(Answer(notice_id=notices[0].notice_id, status="J", reason="B")) == "CONTRADICTED"
    assert watch.answer(Answer(notice_id=1, status="A")) == "UNKNOWN"
    assert (after.waiting, after.answers) == (0, 0)
    assert states(hub)["HELD"] == 1
    with hub.store.read() as connection:
        left = connection.execute(
            select(func.sum(TRANSFER_ENTRIES.c.pence)).where(TRANSFER_ENTRIES.c.case_group_id == victim)
            .group_by(TRANSFER_ENTRIES.c.account, TRANSFER_ENTRIES.c.host_system)
        ).scalars()  # fmt: skip
        assert set(left) <= {0}


def test_what_was_signed_off_can_not_be_backed_out_and_the_preparer_can_not_sign(hub: Hub) -> None:
    approved(hub)
    moved(hub)
    compare(hub.handling(PLAN), ALICE, WAVE)
    with pytest.raises(NotAllowed):
        sign_off(hub.handling(PLAN), ALICE, WAVE, "mine")
    reconciled(hub)
    sign_off(hub.handling(PLAN), BOB, WAVE, "all agrees")
    handling = hub.handling(PLAN)
    before = transfer_rows(hub)
    with pytest.raises(Conflict):
        back_out(handling, ALICE, foresee(handling, wave=WAVE), "too late")
    assert transfer_rows(hub) == before


def test_a_wave_is_signed_off_only_when_every_moved_group_was_reconciled_since(hub: Hub) -> None:
    approved(hub)
    live = moved(hub)
    handling = hub.handling(PLAN)
    compare(handling, ALICE, WAVE)
    with pytest.raises(InvariantBroken, match=f"reconciled is {live.groups}, must be == 0"):
        sign_off(handling, BOB, WAVE, "unseen")
    assert reconciled(hub) == reconciled(hub) == live.groups
    with hub.store.read() as connection:
        steps = Counter(row.step for group in waiting_groups(handling) for row in steps_of_group(connection, group))
    assert (steps["RECONCILE"], steps["PARALLEL_RUN"]) == (live.groups, live.groups)

    earlier = waiting_groups(handling)
    back_out(handling, ALICE, foresee(handling, wave=WAVE), "wrong night")
    assert note_agreed(handling, ALICE, "RECONCILE", earlier) == 0
    approved(hub)
    moved(hub)
    compare(handling, ALICE, WAVE)
    assert note_agreed(handling, ALICE, "RECONCILE", earlier) == 0  # what was compared is not what is there now
    with pytest.raises(InvariantBroken, match="reconciled"):
        sign_off(handling, BOB, WAVE, "as before")


def test_a_group_that_is_held_while_its_wave_is_signed_off_is_not_signed_with_it(hub: Hub) -> None:
    approved(hub)
    moved(hub)
    compare(hub.handling(PLAN), ALICE, WAVE)
    reconciled(hub)
    waiting = waiting_groups(hub.handling(PLAN))
    victim = min(waiting)
    with hub.store.begin() as work:  # the group is in somebody's hands
        rows = work.transfers.lock(hub.handling(PLAN).run(work.connection).run_id, [victim])
        signing = Thread(target=lambda: sign_off(hub.handling(PLAN), BOB, WAVE, "all agrees"))
        signing.start()
        signing.join(1.0)
        take_back(work, rows, state="BACKED_OUT", reason="meanwhile", actor=ALICE, at=NOW)
        work.commit()
    signing.join(60)

    assert states(hub) == {"BACKED_OUT": 1, "SIGNED_OFF": len(waiting) - 1}


def test_a_group_waits_until_everybody_was_heard_where_the_policy_says_so(hub: Hub) -> None:
    handling = hub.handling(PLAN)
    waits = handling.bound.policy.model_copy(update={"write_off": WriteOff(waits_for_representations=True)})
    patient = replace(handling, bound=replace(handling.bound, policy=waits))

    def held() -> dict[str, int]:
        return dict(rehearse(patient, ALICE, [WAVE])[0].report["held"])

    with hub.store.read() as connection:
        today = handling.day(connection)
        members = handling.cohort(connection, today).waves[WAVE]
    silent, *late = (member.asked for member in members if member.asked)
    assert late
    assert held() == {"NOT_HEARD": 1 + len(late)}
    for debt in silent:
        assert record_received(handling, ALICE, debt, today - timedelta(days=61)) < today
    for debt in (debt for asked in late for debt in asked):
        assert record_received(handling, ALICE, debt, today - timedelta(days=60)) == today
    assert held() == {"HEARING_RUNS": len(late)}  # who let the days pass was heard, and has not consented
    for debt in (debt for asked in late for debt in asked):
        with pytest.raises(Conflict):
            record_response(handling, BOB, debt, "OBJECTS", today - timedelta(days=61))
        record_response(handling, BOB, debt, "OBJECTS", today)
    assert held() == {}  # an objection decides nothing here


def test_a_pause_stops_the_run_between_groups_and_a_paused_wave_is_not_started(hub: Hub) -> None:
    approved(hub)
    pause(hub.handling(PLAN), BOB, [WAVE])
    with pytest.raises(Conflict, match="paused by bob"):
        moved(hub)
    assert release_pause(hub.handling(PLAN), [WAVE, "rest"]) == [WAVE]
    assert moved(hub).left == 0


def test_several_workers_come_to_the_same_references_and_figures_as_one(hub: Hub) -> None:
    approved(hub)
    alone = foresee(hub.handling(PLAN), wave=WAVE)
    outcome = moved(hub, workers=2)

    assert alone.groups == ()
    assert (outcome.left, dict(outcome.held)) == (0, {})
    with hub.store.read() as connection:
        rows = connection.execute(select(TARGET_REFERENCES.c.reference, TRANSFERRED_CASES.c.serial).join(
            TRANSFERRED_CASES, TRANSFERRED_CASES.c.case_id == TARGET_REFERENCES.c.case_id))  # fmt: skip
        assert all(row.reference == f"121{row.serial:09d}" for row in rows)


def test_a_change_event_that_moves_a_balance_takes_the_group_back(hub: Hub) -> None:
    approved(hub)
    moved(hub)
    with hub.store.begin() as work:
        schedule = work.connection.execute(
            select(SCHEDULES.c.case_id, SCHEDULES.c.source_id, SCHEDULES.c.delivery_id, CASES.c.last_event_seq,
                   TRANSFERRED_CASES.c.case_group_id)
            .join(CASES, CASES.c.case_id == SCHEDULES.c.case_id)
            .join(TRANSFERRED_CASES, TRANSFERRED_CASES.c.case_id == SCHEDULES.c.case_id)
            .where(SCHEDULES.c.owner == "RECEIVING_PARENT", TRANSFERRED_CASES.c.relation == "MOVED")
        ).first()  # fmt: skip
        assert schedule is not None
        event = {
            "case_id": schedule.case_id, "case_seq": (schedule.last_event_seq or 0) + 1,
            "delivery_id": schedule.delivery_id, "digest": "d", "kind": "Charge", "occurred_on": NOW.date(),
            "source_id": "1-NEW", "schedule_ref": schedule.source_id, "pence": 500, "is_held": False, "conflicts": 0,
        }  # fmt: skip
        work.connection.execute(insert(CASE_EVENTS).values(**event))
        work.commit()

    assert hub.watch().look(new_verdicts=False) == {schedule.case_group_id: "BALANCE_MOVED"}
    assert states(hub)["HELD"] == 1


def test_the_next_run_begins_when_nothing_of_the_current_one_is_under_way(hub: Hub) -> None:
    approved(hub)
    moved(hub)
    with pytest.raises(Conflict, match="under way"):
        rehearse(hub.handling(PLAN), ALICE, [WAVE], new_run=True)
    handling = hub.handling(PLAN)
    phase = foresee(handling)
    back_out(handling, ALICE, phase, "the whole phase")
    (again,) = rehearse(hub.handling(PLAN), ALICE, [WAVE], new_run=True)

    assert again.verdict == "PASSED"
    with hub.store.read() as connection:
        assert sorted(connection.execute(select(TRANSFER_RUNS.c.number)).scalars()) == [1, 2]
