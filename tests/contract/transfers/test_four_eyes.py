"""What may not be, the database refuses to anybody: these tests write past the code, as anybody with a prompt could."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Executable, Table, delete, insert, select, update

from integrationhub.bootstrap import Hub
from integrationhub.errors import HubError, NotAllowed
from integrationhub.migration import gates
from integrationhub.migration.approval import approve
from integrationhub.migration.back_out import back_out, foresee
from integrationhub.migration.settling import sign_off, waiting_groups
from integrationhub.store.transfer_decisions import (
    GATE_OVERRIDES,
    GATE_VERDICTS,
    TRANSFER_APPROVALS,
    TRANSFER_REHEARSALS,
    TRANSFER_SIGN_OFFS,
)
from integrationhub.store.transfer_moves import (
    DEBT_MASTERY,
    TARGET_REFERENCES,
    TRANSFER_ENTRIES,
    TRANSFER_GROUPS,
    TRANSFER_STEPS,
)
from tests.contract.transfers.steps import ALICE, BOB, CAROL, PLAN, WAVE, approved, moved, rehearsed

Changes = Mapping[str, Any]


def first(hub: Hub, table: Table) -> dict[str, Any]:
    """A row of a table."""
    with hub.store.read() as connection:
        return dict(connection.execute(select(table)).mappings().first() or {})


def refused(hub: Hub, statement: Executable) -> bool:
    """Whether the database refuses a statement, then or at commit."""
    with hub.store.begin() as work:
        try:
            work.connection.execute(statement)
            work.commit()
        except HubError:
            return True
    return False


def approval(hub: Hub, **changes: Any) -> dict[str, Any]:
    """An approval of the first rehearsal by bob, with changes."""
    rehearsal = first(hub, TRANSFER_REHEARSALS)
    copied = ("rehearsal_id", "run_id", "wave", "plan_hash", "changed_by", "rehearsed_by")
    made = {
        "approval_id": "a" * 32, "rehearsal_verdict": rehearsal["verdict"], "approved_by": "bob",
        "authenticated": False, "reason": "agreed", "approved_at": rehearsal["finished_at"], "first_serial": 1,
        "last_serial": 9,
    }  # fmt: skip
    return {**{name: rehearsal[name] for name in copied}, **made, **changes}


def test_only_a_second_person_can_be_written_as_approver_of_a_rehearsal_that_passed(hub: Hub) -> None:
    rehearsed(hub)
    rehearsed(hub, actor=CAROL)

    def is_refused(**changes: Any) -> bool:
        return refused(hub, insert(TRANSFER_APPROVALS).values(**approval(hub, **changes)))

    assert is_refused(approved_by="alice")
    assert is_refused(approved_by=" Alice ")
    assert is_refused(approved_by="carol")  # has rehearsed the same plan, though not this time
    assert is_refused(approved_by="integration-hub")  # last changed the plan
    assert is_refused(rehearsed_by="dave", approved_by="alice")
    assert is_refused(changed_by="dave", approved_by="integration-hub")
    assert is_refused(rehearsal_verdict="FAILED")
    assert is_refused(plan_hash="0" * 64)
    assert is_refused(wave="rest")
    assert is_refused(reason="  ")
    assert not is_refused()


def test_groups_can_not_be_put_into_a_run_without_the_approval_of_their_wave_and_plan(hub: Hub) -> None:
    approved(hub)
    group = first(hub, TRANSFER_GROUPS) | {"case_group_id": "f" * 32}

    def is_refused(**changes: Any) -> bool:
        return refused(hub, insert(TRANSFER_GROUPS).values(**group | changes))

    assert is_refused(approval_id="b" * 32)
    assert is_refused(wave="pilot")
    assert is_refused(plan_hash="0" * 64)
    assert is_refused(state="MOVED")
    assert not is_refused()


def test_what_happened_can_neither_be_changed_nor_deleted(hub: Hub) -> None:
    approved(hub)
    moved(hub)

    assert refused(hub, update(TRANSFER_APPROVALS).values(approved_by="mallory"))
    assert refused(hub, update(TRANSFER_REHEARSALS).values(verdict="PASSED"))
    assert refused(hub, update(TRANSFER_ENTRIES).values(pence=0))
    assert refused(hub, update(TRANSFER_STEPS).values(taken_by="mallory"))
    for table in (TRANSFER_APPROVALS, TRANSFER_ENTRIES, TRANSFER_STEPS, TARGET_REFERENCES):
        assert refused(hub, delete(table)), table.name


def test_a_debt_has_one_master_a_case_one_live_reference_and_a_reference_one_case(hub: Hub) -> None:
    approved(hub)
    moved(hub)
    mastery, reference = first(hub, DEBT_MASTERY), first(hub, TARGET_REFERENCES)
    other = reference | {"reference": "121999999999"}

    assert refused(hub, insert(DEBT_MASTERY).values(**mastery | {"attempt": 9, "master": "XYZ"}))
    assert refused(hub, insert(TARGET_REFERENCES).values(**other))
    assert refused(hub, insert(TARGET_REFERENCES).values(**reference | {"case_id": "c" * 32}))
    assert refused(hub, insert(TARGET_REFERENCES).values(**other | {"case_id": "c" * 32, "reference": "120000000001"}))
    assert refused(hub, update(TARGET_REFERENCES).values(reference="121888888888"))
    retired = update(TARGET_REFERENCES).values(retired_at=reference["allocated_at"])
    assert not refused(hub, retired)
    assert refused(hub, retired)
    assert refused(hub, update(TARGET_REFERENCES).values(retired_at=None))


def test_an_override_needs_a_second_person_and_a_reason_and_a_gate_that_failed(hub: Hub) -> None:
    rehearsed(hub)
    with hub.store.begin() as work:
        gates.measure(hub.handling(PLAN), work, WAVE, ALICE)
        work.commit()
    with hub.store.read() as connection:
        verdicts = {row.holds: row for row in connection.execute(select(GATE_VERDICTS))}

    def is_refused(holds: bool, **changes: Any) -> bool:
        failed = verdicts[holds]
        row = {
            "verdict_id": failed.verdict_id, "measured_by": failed.measured_by, "holds": failed.holds,
            "overridden_by": "bob", "authenticated": False, "reason": "known", "overridden_at": failed.measured_at,
        }  # fmt: skip
        return refused(hub, insert(GATE_OVERRIDES).values(**row | changes))

    assert is_refused(holds=True)
    assert is_refused(holds=False, overridden_by="ALICE")
    assert is_refused(holds=False, measured_by="dave", overridden_by="alice")
    assert is_refused(holds=False, reason=" ")
    assert not is_refused(holds=False)


def test_a_wave_can_not_be_signed_off_by_who_rehearsed_it(hub: Hub) -> None:
    approved(hub)
    given = first(hub, TRANSFER_APPROVALS)
    row = {
        "run_id": given["run_id"], "wave": WAVE, "approval_id": given["approval_id"], "rehearsed_by": "alice",
        "signed_by": "bob", "authenticated": False, "reason": "done", "signed_at": given["approved_at"], "totals": {},
    }  # fmt: skip

    assert refused(hub, insert(TRANSFER_SIGN_OFFS).values(**row | {"signed_by": "alice"}))
    assert refused(hub, insert(TRANSFER_SIGN_OFFS).values(**row | {"signed_by": "alice", "rehearsed_by": "dave"}))
    assert refused(hub, insert(TRANSFER_SIGN_OFFS).values(**row | {"reason": ""}))
    assert not refused(hub, insert(TRANSFER_SIGN_OFFS).values(**row))


def test_who_rehearsed_only_some_groups_of_a_wave_can_not_sign_it_off_either(hub: Hub) -> None:
    approved(hub)
    moved(hub)
    handling = hub.handling(PLAN)
    back_out(handling, ALICE, foresee(handling, group=min(waiting_groups(handling))), "this one alone")
    rehearsed(hub, actor=CAROL)
    approve(handling, BOB, WAVE, "again")
    moved(hub)
    with hub.store.read() as connection:
        chosen = select(TRANSFER_APPROVALS).where(TRANSFER_APPROVALS.c.rehearsed_by == "carol")
        given = connection.execute(chosen).one()
    row = {
        "run_id": given.run_id, "wave": WAVE, "approval_id": given.approval_id, "rehearsed_by": "carol",
        "authenticated": False, "reason": "done", "signed_at": given.approved_at, "totals": {},
    }  # fmt: skip

    for actor in (ALICE, CAROL):
        with pytest.raises(NotAllowed, match="rehearsed"):
            sign_off(handling, actor, WAVE, "mine")
        assert refused(hub, insert(TRANSFER_SIGN_OFFS).values(**row, signed_by=actor.name))
    assert not refused(hub, insert(TRANSFER_SIGN_OFFS).values(**row, signed_by="bob"))
