"""`store check` proves transfers, and finds what somebody has altered past the code."""

from sqlalchemy import insert, select, text

from integrationhub.bootstrap import Hub
from integrationhub.store.invariants import check
from integrationhub.store.transfer_decisions import CLOSURE_NOTICES
from integrationhub.store.transfer_moves import TRANSFER_ENTRIES
from tests.contract.transfers.steps import approved, moved

OURS = (
    "what-goes-out-comes-in", "moved-accounts-are-empty-at-their-source", "groups-move-whole",
    "references-are-in-use-while-their-group-is", "segments-stand-from-their-notice",
)  # fmt: skip


def broken(hub: Hub) -> set[str]:
    with hub.store.read() as connection:
        return {finding.invariant for finding in check(connection) if not finding.holds}


def alter(hub: Hub, statement: str) -> None:
    with hub.store.begin() as work:
        work.connection.execute(text(statement))
        work.commit()


def test_all_invariants_hold_over_moved_cases_and_each_can_fail(hub: Hub) -> None:
    approved(hub)
    moved(hub)
    assert broken(hub) == set()

    with hub.store.begin() as work:
        entry = dict(
            work.connection.execute(select(TRANSFER_ENTRIES).where(TRANSFER_ENTRIES.c.kind == "TRANSFER_OUT"))
            .mappings().first() or {}
        )  # fmt: skip
        work.connection.execute(insert(TRANSFER_ENTRIES).values(**entry | {"entry_id": "e" * 32, "pence": -1}))
        notice = {
            "segment": "1", "printed_on": entry["effective"], "plan": "csa-all", "recorded_by": "x",
            "authenticated": False, "recorded_at": entry["recorded_at"], "case_group_id": entry["case_group_id"],
        }  # fmt: skip
        for case_id, segment in (("1" * 32, "1"), ("2" * 32, "2")):
            row = notice | {"case_id": case_id, "group_segment": segment}
            work.connection.execute(insert(CLOSURE_NOTICES).values(**row))
        work.commit()
    alter(hub, "UPDATE debt_mastery SET until = since WHERE debt_id = (SELECT debt_id FROM debt_mastery LIMIT 1)")
    alter(hub, "UPDATE target_references SET retired_at = allocated_at")

    assert broken(hub) == set(OURS)
