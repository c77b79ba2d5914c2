"""Events for changes of debts: the same whether they are made as a frame or one by one."""

import polars as pl

from integrationhub.canonical.identifiers import derive
from integrationhub.intake.changes import debt_event_rows, debt_events
from integrationhub.store.debts import CHANGE_SCHEMA
from integrationhub.store.outbox import EVENT_SCHEMA

CHANGES = [
    {
        "debt_id": derive(number), "case_id": derive("c"), "group_id": derive("g"), "source_system": 'A "Ü"',
        "source_ref": "1", "scheme": "2003", "legal_owner": "UNKNOWN", "kind": "ADVANCE", "cause": "FRAUD",
        "status": "ACTIVE", "old_pence": old, "new_pence": new, "old_suspended_pence": 0, "new_suspended_pence": 0,
        "change": change, "changed": changed,
    }
    for number, (change, old, new, changed) in enumerate(
        [
            ("CREATED", None, 5, []),
            ("CREATED", None, None, []),
            ("CHANGED", 5, -7, ["status", "balance_pence"]),
            ("REMOVED", 7, None, ["status"]),
        ]
    )
]  # fmt: skip


def test_a_frame_of_changes_and_single_ones_make_the_same_events() -> None:
    frame = pl.DataFrame(CHANGES, schema=dict(CHANGE_SCHEMA))
    whole = debt_events(frame, environment="test", connector="csa1993", delivery_id=derive("d"))
    deliveries = {str(row["debt_id"]): derive("d") for row in CHANGES}
    single = debt_event_rows(CHANGES, deliveries, environment="test", connector="csa1993")
    assert list(single) == list(EVENT_SCHEMA)
    assert {name: list(values) for name, values in single.items()} == whole.to_dict(as_series=False)
