"""FULL and CORRECTION, repeats and crashes: what the store holds after each."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.store.invariants import check
from tests.unit.csa2003.conftest import Ask, Take
from tests.unit.csa2003.extracts import SAMPLE, SAMPLES, XML, document, pack, renumbered

PARTIES = (
    '<Party id="1-P1" nino="QQ000001A" surname="Testcase" sex="M"/>'
    '<Party id="1-P2" nino="QQ000002A" surname="Proofley" sex="F"/>'
)
A, B = "QQ000001A/01", "QQ000001A/02"


def case(ref: str, custodian: str = "0.00") -> str:
    return (
        f'<Case ref="{ref}" status="LIVE" applicationDate="2005-01-01" chargedTo="2015-06-20" ledgerComplete="true" '
        f'benefitKnown="true" queryMark="false" custodianCash="{custodian}" lastEventSeq="0"/>'
    )


def roles(ref: str, number: int) -> str:
    return (
        f'<Relationship id="1-R{number}N" caseRef="{ref}" partyRef="1-P1" role="NRP" payee="false"/>'
        f'<Relationship id="1-R{number}P" caseRef="{ref}" partyRef="1-P2" role="PWC" payee="true"/>'
    )


def schedule(number: int, ref: str, balance: str, owner: str = "RECEIVING_PARENT") -> str:
    return f'<Schedule id="1-S{number}" caseRef="{ref}" owner="{owner}" balance="{balance}" suspended="0.00"/>'


def receipt(number: int, schedule_number: int, amount: str) -> str:
    return (
        f'<Transaction id="1-T{number}" scheduleRef="1-S{schedule_number}" no="{number}" type="RECEIPT" '
        f'posted="2014-01-01" amount="{amount}" valueDate="2014-01-01" payerRef="1-P1" method="SO" '
        'bankStatus="CLEARED" disbursement="PAID"/>'
    )


def contact(number: int) -> str:
    what = f'class="CONTACT" code="TEL" from="2014-0{number}-01" outcome="SUCCESS"'
    return f'<Activity id="1-A{number}" {what} partyRef="1-P1"/>'


def address(number: int, line: str) -> str:
    return f'<Address id="1-D{number}" partyRef="1-P2" kind="CURRENT" confidential="true"><Line>{line}</Line></Address>'


def two_cases(folder: Path) -> Path:
    lists = {
        "Parties": PARTIES,
        "Addresses": address(1, "1 Old Row"),
        "Cases": case(A) + case(B),
        "Relationships": roles(A, 1) + roles(B, 2),
        "Schedules": schedule(1, A, "-10.00") + schedule(2, B, "-20.00") + schedule(3, B, "5.00", "MIXED"),
        "Transactions": receipt(1, 1, "-10.00") + receipt(2, 2, "-20.00") + receipt(3, 9, "-7.00"),
        "Activities": contact(1) + contact(2),
    }
    control = {
        "parties": 2, "addresses": 1, "cases": 2, "relationships": 4, "schedules": 3, "transactions": 3,
        "activities": 2, "balanceRP": "-30.00", "balanceUNK": "5.00",
    }  # fmt: skip
    return pack(folder, document(lists, control), records=17)


def correction(folder: Path, balance: str = "-11.00") -> Path:
    lists = {
        "Parties": PARTIES,
        "Addresses": address(2, "2 New Row"),
        "Cases": case(A),
        "Relationships": roles(A, 1),
        "Schedules": schedule(1, A, balance),
        "Transactions": receipt(1, 1, balance),
        "Activities": contact(2),
    }
    control = {
        "parties": 2, "addresses": 1, "cases": 1, "relationships": 2, "schedules": 1, "transactions": 1,
        "activities": 1, "balanceRP": balance,
    }  # fmt: skip
    xml = document(lists, control, sequence=102, kind="CORRECTION")
    return pack(folder, xml, sequence=102, records=9)


def balances(ask: Ask) -> dict[tuple[str, str], int]:
    rows = ask("SELECT d.source_ref, d.legal_owner, b.pence FROM debts d JOIN balances b USING (debt_id)")
    return {(ref, owner): pence for ref, owner, pence in rows}


def test_what_has_no_non_resident_parent_is_kept_by_its_own_key_and_holds_every_invariant(
    hub: Hub, tmp_path: Path, take: Take, ask: Ask
) -> None:
    lists = {
        "Parties": PARTIES,
        "Cases": case(A) + case(B),
        "Relationships": roles(A, 1) + roles(B, 2).split("/>")[1] + "/>",
        "Activities": '<Activity id="1-A9" class="CONTACT" code="TEL" from="2014-01-01" outcome="SUCCESS" '
        'caseRef="QQ999999D/01"/>',
    }
    control = {"parties": 2, "cases": 2, "relationships": 3, "activities": 1}
    assert take(pack(tmp_path, document(lists, control), records=8)).verdict.value == "ACCEPTED"

    groups = ask("SELECT source_ref, case_count FROM groups ORDER BY source_ref")
    assert groups == [("1-P1", 1), ("alone/Activity/1-A9", 0), ("no non-resident parent", 1)]
    hub.judge_waiting()
    with hub.store.read() as connection:
        assert [item.invariant for item in check(connection) if not item.holds] == []
    assert [book.holds for book in hub.reconciliation().run()] == [True]


def test_the_schedules_of_an_owner_add_up_to_his_debt(tmp_path: Path, take: Take, ask: Ask) -> None:
    assert take(two_cases(tmp_path)).verdict.value == "ACCEPTED"
    assert balances(ask) == {(A, "RECEIVING_PARENT"): -1000, (B, "RECEIVING_PARENT"): -2000, (B, "UNKNOWN"): 500}


def test_a_receipt_on_no_schedule_is_in_suspense_in_the_group_of_its_payer(
    tmp_path: Path, take: Take, ask: Ask
) -> None:
    take(two_cases(tmp_path))
    orphans = ask("SELECT r.source_case_ref, r.pence, g.source_ref FROM receipts r JOIN groups g USING (group_id) "
                  "WHERE r.case_id IS NULL")  # fmt: skip
    assert orphans == [("1-S9", 700, "1-P1")]
    assert ask("SELECT count(*) FROM allocations") == [(2,)]


def test_a_correction_replaces_its_case_and_leaves_the_others_of_the_group(
    tmp_path: Path, take: Take, ask: Ask
) -> None:
    take(two_cases(tmp_path))
    assert take(correction(tmp_path)).verdict.value == "ACCEPTED"
    assert balances(ask) == {(A, "RECEIVING_PARENT"): -1100, (B, "RECEIVING_PARENT"): -2000, (B, "UNKNOWN"): 500}
    assert ask("SELECT source_ref, state FROM cases ORDER BY 1") == [(A, "IN_BOOK"), (B, "IN_BOOK")]
    assert ask("SELECT count(*) FROM roles") == [(4,)]
    assert ask("SELECT case_count FROM groups") == [(2,)]


def test_a_correction_cancels_the_changed_line_and_enters_it_anew(tmp_path: Path, take: Take, ask: Ask) -> None:
    take(two_cases(tmp_path))
    take(correction(tmp_path))
    lines = ask("SELECT pence, cancels_entry_id IS NOT NULL FROM ledger WHERE source_id = '1-T1' ORDER BY version, 2")
    assert sorted(lines) == [(-1100, 0), (-1000, 0), (1000, 1)]
    assert ask("SELECT sum(pence) FROM ledger") == [(-1100 - 2000 - 700,)]


def test_a_correction_replaces_addresses_of_its_parties_and_activities_of_its_parent(
    tmp_path: Path, take: Take, ask: Ask
) -> None:
    take(two_cases(tmp_path))
    take(correction(tmp_path))
    assert ask("SELECT source_ref, line_1, confidential FROM addresses") == [("1-D2", "2 New Row", 1)]
    assert ask("SELECT source_ref FROM history") == [("1-A2",)]


def test_a_whole_book_without_a_case_of_the_group_withdraws_it(tmp_path: Path, take: Take, ask: Ask) -> None:
    take(two_cases(tmp_path))
    lists = {"Parties": PARTIES, "Cases": case(A), "Relationships": roles(A, 1)}
    control = {"parties": 2, "cases": 1, "relationships": 2}
    report = take(pack(tmp_path, document(lists, control, sequence=102), sequence=102, records=5))
    assert report.verdict.value == "ACCEPTED"
    assert ask("SELECT source_ref, state FROM cases ORDER BY 1") == [(A, "IN_BOOK"), (B, "WITHDRAWN")]
    assert ask("SELECT sum(pence) FROM ledger") == [(0,)]


def test_the_same_file_twice_is_a_duplicate_and_changes_nothing(take: Take, ask: Ask) -> None:
    take(SAMPLE)
    before = ask("SELECT entry_id FROM ledger ORDER BY 1")
    report = take(SAMPLE)
    assert (report.verdict.value, report.outcomes) == ("DUPLICATE", {"DUPLICATE": 1341})
    assert ask("SELECT entry_id FROM ledger ORDER BY 1") == before


def test_the_next_night_with_the_same_content_adds_no_ledger_entry(tmp_path: Path, take: Take, ask: Ask) -> None:
    take(SAMPLE)
    report = take(pack(tmp_path, renumbered(XML, 102), sequence=102))
    assert (report.verdict.value, report.debts.count) == ("ACCEPTED", 0)
    assert ask("SELECT count(*) FROM ledger") == [(519,)]
    assert report.missing == ()


def test_small_portions_give_the_same_rows_as_one(hub: Hub, take: Take, ask: Ask) -> None:
    hub.pipeline("csa2003").stager._portion = 100  # type: ignore[attr-defined]
    report = take(SAMPLE)
    assert (report.verdict.value, report.records) == ("ACCEPTED", 1341)
    assert ask("SELECT count(*) > 3 FROM slices") == [(1,)]
    golden = SAMPLES.parent / "golden"
    for entity in ("cases", "ledger", "roles", "addresses", "parties"):
        lines = (golden / f"{entity}.jsonl").read_text(encoding="utf-8").splitlines()
        assert ask(f"SELECT count(*) FROM {entity}") == [(len(lines),)]  # noqa: S608 - our own names


def test_a_code_that_no_list_knows_sets_its_group_aside(tmp_path: Path, take: Take, ask: Ask) -> None:
    report = take(pack(tmp_path, XML.replace('type="IS"', 'type="UC"', 1)))
    assert (report.verdict.value, [reason.code for reason in report.reasons]) == ("ACCEPTED", ["CODE_UNKNOWN"])
    assert report.outcomes["EXCEPTION"] > 0
    assert sum(report.outcomes.values()) == 1341
    assert all(control.loaded is None or control.holds for control in report.controls)
    assert ask("SELECT code, state FROM worklist") == [("CODE_UNKNOWN", "OPEN")]
    assert "QQ" not in str(ask("SELECT source_ref, text FROM worklist"))


def test_references_with_a_national_insurance_number_are_in_no_log_line(
    tmp_path: Path, take: Take, capsys: pytest.CaptureFixture[str]
) -> None:
    take(two_cases(tmp_path))
    take(correction(tmp_path))
    assert "QQ0000" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("point", ["judged", "staged", "before slice", "before commit", "after commit"])
def test_a_hub_killed_anywhere_ends_in_the_same_state(tmp_path: Path, point: str) -> None:
    command = [
        sys.executable,
        "-m",
        "integrationhub",
        f"--data-dir={tmp_path / 'hub'}",
        "ingest",
        "csa2003",
        str(SAMPLE),
    ]
    environment = {"PYTHONPATH": str(Path(__file__).parents[3] / "src"), "INTEGRATIONHUB_SYNTHETIC_IDENTITIES": "true"}
    killed = subprocess.run(
        command, env={**environment, "INTEGRATIONHUB_TEST_CRASH_AT": point}, capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    again = subprocess.run([*command, "--json"], env=environment, capture_output=True, check=False, text=True)
    assert again.returncode == 0
    assert '"verdict": "ACCEPTED"' in again.stdout or '"verdict": "DUPLICATE"' in again.stdout
    exported = subprocess.run([*command[:4], "export", "ledger"], env=environment, capture_output=True, check=True)
    golden = (SAMPLES.parent / "golden" / "ledger.jsonl").read_text(encoding="utf-8")
    assert len(exported.stdout.splitlines()) == len(golden.splitlines())
