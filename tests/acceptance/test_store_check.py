"""`store check` finds whatever somebody changes by hand in a ledger."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.acceptance.files import Night
from tests.acceptance.installation import Installation

ROW = "(SELECT entry_id FROM ledger WHERE debt_id IS NOT NULL ORDER BY line_no DESC, entry_id LIMIT 1)"
CHANGES = (
    "pence = pence + 1",
    "pence = -pence",
    "suspended_pence = suspended_pence + 1",
    "stored_pence = stored_pence + 1",
    "kind = 'FEE'",
    "owner = 'UNKNOWN'",
    "reason = 'ZZ'",
    "posted = '1999-12-31'",
    "effective = '1999-12-31'",
    "line_no = line_no + 1000",
    "source_case_ref = '1000000000'",
    "text = 'other'",
    "authority = 'other'",
    "debt_id = (SELECT debt_id FROM debts ORDER BY debt_id LIMIT 1)",
    "debt_id = NULL",
    "case_id = NULL",
    "record_no = record_no + 1",
    "digest = lower(hex(randomblob(16)))",
)
ALTERATIONS = (
    *(f"UPDATE ledger SET {change} WHERE entry_id = {ROW}" for change in CHANGES),  # noqa: S608 - all of it stands here
    f"DELETE FROM ledger WHERE entry_id = {ROW}",  # noqa: S608 - as above
    "DELETE FROM ledger",
    "UPDATE ledger SET pence = (SELECT min(pence) + max(pence) FROM ledger) - pence WHERE abs(pence) > 0",
)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory, nights: list[Night]) -> Path:
    """A data directory with two nights in it."""
    hub = Installation(tmp_path_factory.mktemp("taken"))
    hub.call("ingest", "csa1993", *(night.data for night in nights[:2]))
    return hub.data


@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_a_ledger_that_was_altered_by_hand_is_found(alteration: str, taken: Path, hub: Installation) -> None:
    shutil.copytree(taken, hub.data)
    hub.call("store", "check")

    connection = sqlite3.connect(hub.data / "hub.sqlite3")
    changed = connection.execute(alteration).rowcount
    connection.commit()
    connection.close()

    assert changed > 0
    out = hub.call("store", "check", code=6).out
    assert "ledger" in "".join(line for line in out.splitlines() if "  no  " in line)


def test_the_command_names_what_does_not_hold(taken: Path, hub: Installation) -> None:
    shutil.copytree(taken, hub.data)
    connection = sqlite3.connect(hub.data / "hub.sqlite3")
    connection.execute(ALTERATIONS[0])
    connection.commit()
    connection.close()

    done = hub.run("store", "check", "--json", code=6)

    broken = [finding for finding in json.loads(done.out) if not finding["holds"]]
    assert {finding["invariant"] for finding in broken} >= {"ledger-is-unaltered", "ledger-is-complete"}
    assert all(finding["count"] and finding["examples"] for finding in broken)
