"""`integrationhub migrate`: a phased transfer as two people type it, refusals and exit codes included."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from integrationhub.catalogue import shipped_connectors
from tests.acceptance.installation import Installation

PLAN, WAVE = "csa-all", "pilot"
TARGET_REFERENCE = re.compile(r"121\d{9}")


def migrate(hub: Installation, *arguments: object, code: int | None = 0) -> Any:  # noqa: ANN401 – whatever it prints
    """What a command prints as JSON."""
    done = hub.call("migrate", *arguments, "--json", code=code)
    return json.loads(done.out) if done.out.strip() else None


def plain(hub: Installation, *arguments: object, code: int = 0) -> tuple[str, str]:
    done = hub.call("migrate", *arguments, code=code)
    return done.out, done.err


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with the samples of all three books."""
    hub = Installation(tmp_path_factory.mktemp("migrate"))
    for book in ("csa1993", "csa2003", "clerical"):
        hub.call("ingest", book, shipped_connectors() / "connectors" / book / "samples")
    return hub


def test_a_plan_is_checked_and_has_one_hash(begun: Installation) -> None:
    found = migrate(begun, "plan", "check", PLAN)

    assert found["faults"] == []
    assert re.fullmatch(r"[0-9a-f]{64}", found["hash"])
    assert migrate(begun, "plan", "check", PLAN)["hash"] == found["hash"]
    assert migrate(begun, "plan", "check", "csa-1993")["hash"] != found["hash"]
    assert "no faults" in plain(begun, "plan", "check", PLAN)[0]


def test_a_plan_that_does_not_exist_and_a_faulty_one_have_their_exit_codes(begun: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "migration" / "mine"
    folder.mkdir(parents=True)
    folder.joinpath("plan.toml").write_text("[plan]\ntitle = 'x'\n", "utf-8")
    shelf = ("--set", f"catalogue_folders={tmp_path}")

    assert "did you mean" in plain(begun, "plan", "check", "csa-al", code=3)[1]
    found = migrate(begun, "plan", "check", "mine", *shelf, code=2)
    assert found["hash"] is None
    assert len(found["faults"]) > 3
    assert "policy.toml: is not there" in plain(begun, "plan", "check", "mine", *shelf, code=2)[1]


def test_segments_waves_and_exclusions_add_up_to_the_population(begun: Installation) -> None:
    found = migrate(begun, "segment", PLAN)
    in_waves = sum(wave["groups"] for wave in found["waves"])

    assert in_waves + found["left"] + sum(item["groups"] for item in found["exclusions"]) == found["groups"]
    assert sum(item["cases"] for item in found["segments"].values()) == found["cases"]
    assert all(item["reason"] for item in found["exclusions"])
    assert "pilot" in found["pilot"]["verdict"]
    only = migrate(begun, "segment", "csa-1993")
    assert "MIXED_SCHEME" in {item["code"] for item in only["exclusions"]}
    assert "stays out" in plain(begun, "segment", PLAN)[0]


def test_a_group_is_shown_masked_with_its_three_balances(begun: Installation) -> None:
    group = json.loads(begun.call("arrears", "groups", "--json").out)[0]["group"]
    found = migrate(begun, "group", group)
    text, _ = plain(begun, "group", group)

    assert found["group"] == group
    assert {party["name"] for party in found["parties"]} == {"***"}
    debts = [debt for case in found["cases"] for debt in case["debts"]]
    assert all({"source_pence", "recomputed_pence", "accepted_pence"} <= set(debt) for debt in debts)
    assert "QQ" not in text
    assert migrate(begun, "group", found["cases"][0]["case"])["group"] == group
    plain(begun, "group", "QQ123456A/01", code=2)
    plain(begun, "group", "0" * 32, code=3)


def test_sources_are_profiled_connector_by_connector_whatever_their_format(begun: Installation) -> None:
    found = migrate(begun, "profile", PLAN)

    assert found["profiles"].keys() == {"csa1993", "csa2003", "clerical"}
    assert found["left_out"] == {}


def test_nothing_to_compare_is_no_agreement(tmp_path: Path) -> None:
    assert "NO_BOOK" in plain(Installation(tmp_path), "reconcile", PLAN, code=5)[1]


def test_a_wave_goes_its_way_from_rehearsal_to_closing(begun: Installation) -> None:
    before = {row["debt_id"]: row for row in begun.call("export", "debts").rows}
    for step in (("transfer", "--as", "alice"), ("approve", "--as", "bob", "--reason", "early")):
        plain(begun, step[0], PLAN, "--wave", WAVE, *step[1:], code=5)

    rehearsal = migrate(begun, "rehearse", PLAN, "--wave", WAVE, "--as", "alice")
    assert [one["verdict"] for one in rehearsal["rehearsals"]] == ["PASSED"]
    assert rehearsal["rehearsals"][0]["groups_per_second"] > 0
    assert rehearsal["plan_hash"] == migrate(begun, "plan", "check", PLAN)["hash"]
    plain(begun, "transfer", PLAN, "--wave", WAVE, "--as", "alice", code=5)
    plain(begun, "approve", PLAN, "--wave", WAVE, "--as", "alice", "--reason", "me", code=4)
    plain(begun, "approve", PLAN, "--wave", WAVE, "--as", "bob", "--reason", " ", code=2)
    assert migrate(begun, "approve", PLAN, "--wave", WAVE, "--as", "bob", "--reason", "agreed")["is_new"]

    plain(begun, "gate", PLAN, "--wave", WAVE, "--as", "alice", code=6)
    entry = migrate(begun, "gate", PLAN, "--wave", WAVE, "--stage", "entry", "--as", "alice")
    assert {(gate["stage"], gate["holds"]) for gate in entry} == {("ENTRY", True)}
    moved = migrate(begun, "transfer", PLAN, "--wave", WAVE, "--as", "alice")
    assert (moved["left"], moved["held"]) == (0, {})
    assert moved["groups"] == rehearsal["rehearsals"][0]["groups"]
    assert migrate(begun, "transfer", PLAN, "--wave", WAVE, "--as", "alice")["groups"] == 0

    (wave,) = [one for one in migrate(begun, "status", PLAN)["waves"] if one["wave"] == WAVE]
    assert wave["groups"] == {"LOADED": moved["groups"]}
    assert (wave["rehearsed"]["by"], wave["approved_by"], wave["approval_holds"]) == ("alice", "bob", True)
    assert wave["score"]["groups_moved"] == wave["score"]["groups_forecast"]
    assert f"{WAVE}: forecast {moved['groups']:,} groups, 0 held" in plain(begun, "status", PLAN)[0]

    after = {row["debt_id"]: row for row in begun.call("export", "debts").rows}
    gone = {name: row for name, row in after.items() if row["host_system"] == "CMS"}
    assert gone
    for name, row in after.items():
        lives = {"host_system", "target_ref"} if name in gone else set()
        assert {key for key in row if row[key] != before[name][key]} == lives
    assert all(TARGET_REFERENCE.fullmatch(row["target_ref"]) for row in gone.values())

    sign = ("signoff", PLAN, "--wave", WAVE, "--as", "bob", "--reason", "agrees")
    assert "migrate reconcile" in plain(begun, *sign, code=6)[1]
    compared = migrate(begun, "reconcile", PLAN, "--wave", WAVE, "--as", "alice")
    assert (compared["holds"], compared["reconciled_groups"]) == (True, moved["groups"])
    assert all(gate["passes"] for gate in migrate(begun, "gate", PLAN, "--wave", WAVE, "--as", "alice"))
    plain(begun, "signoff", PLAN, "--wave", WAVE, "--as", "alice", "--reason", "mine", code=4)
    assert migrate(begun, *sign)["groups"] == moved["groups"]
    plain(begun, "backout", PLAN, "--wave", WAVE, "--as", "alice", code=5)
    closing = migrate(begun, "close", PLAN, "--wave", WAVE, "--as", "alice")
    assert closing["closed"] + closing["waiting"] == moved["groups"]
    assert begun.call("store", "check").code == 0


def test_a_backed_out_wave_says_first_what_stays_and_moves_again(begun: Installation) -> None:
    wave = "main"
    migrate(begun, "rehearse", PLAN, "--wave", wave, "--as", "alice")
    migrate(begun, "approve", PLAN, "--wave", wave, "--as", "bob", "--reason", "agreed")
    first = migrate(begun, "transfer", PLAN, "--wave", wave, "--as", "alice")
    before = begun.call("export", "debts").out

    _, said = plain(begun, "backout", PLAN, "--wave", wave, "--dry-run")
    assert "retired for good" in said
    assert begun.call("export", "debts").out == before
    back = migrate(begun, "backout", PLAN, "--wave", wave, "--as", "alice", "--reason", "wrong night")
    assert back["backed_out"] == first["groups"]
    refs = {row["target_ref"] for row in begun.call("export", "debts").rows if row["host_system"] == "CMS"}
    plain(begun, "transfer", PLAN, "--wave", wave, "--as", "alice", code=5)
    migrate(begun, "rehearse", PLAN, "--wave", wave, "--as", "alice")
    migrate(begun, "approve", PLAN, "--wave", wave, "--as", "bob", "--reason", "again")
    assert migrate(begun, "transfer", PLAN, "--wave", wave, "--as", "alice")["groups"] == first["groups"]
    again = {row["target_ref"] for row in begun.call("export", "debts").rows if row["host_system"] == "CMS"} - refs
    assert not again & {row["target_ref"] for row in map(json.loads, before.splitlines()) if row["target_ref"]}


def test_a_changed_plan_needs_another_rehearsal(begun: Installation, tmp_path: Path) -> None:
    shipped = shipped_connectors() / "migration" / "csa-1993"
    folder = tmp_path / "migration" / "tampered"
    folder.mkdir(parents=True)
    for name in ("plan.toml", "policy.toml"):
        folder.joinpath(name).write_text(shipped.joinpath(name).read_text("utf-8"), "utf-8")
    shelf = ("--set", f"catalogue_folders={tmp_path}")
    migrate(begun, "rehearse", "tampered", "--wave", "pilot", "--as", "alice", *shelf)
    migrate(begun, "approve", "tampered", "--wave", "pilot", "--as", "bob", "--reason", "agreed", *shelf)
    with folder.joinpath("policy.toml").open("a", encoding="utf-8") as policy:
        policy.write("# one more line\n")

    _, said = plain(begun, "transfer", "tampered", "--wave", "pilot", "--as", "alice", *shelf, code=5)

    assert "PLAN_CHANGED" in said
    assert "migrate rehearse tampered" in said


def test_printed_notices_freeze_segments_and_start_clocks(begun: Installation) -> None:
    due = migrate(begun, "notices", PLAN, "--wave", "rest")
    assert {item["clock"] for item in due} == {"NOTICE", "REPRESENTATION"}
    due = [item for item in due if item["clock"] == "NOTICE"]
    printed = migrate(begun, "notices", PLAN, "--wave", "rest", "--printed", "2015-08-31", "--as", "alice")
    assert printed["groups"] == len(due)
    running = migrate(begun, "notices", PLAN, "--wave", "rest", "--on", "2016-01-30")

    dates = {item["clock"]: (item["on"], item["is_due"]) for item in running if item["clock"] != "REPRESENTATION"}
    assert dates == {"REMINDER": ("2016-01-29", True), "LIABILITY_END": ("2016-02-29", False)}
    shown = migrate(begun, "group", due[0]["group_id"], "--as-at", "2016-01-30")
    assert shown["segment_frozen"]
    assert migrate(begun, "notices", PLAN, "--wave", "rest", "--printed", "2015-09-30", "--as", "alice")["cases"] == 0
    plain(begun, "notices", PLAN, "--printed", "2015-08-31", code=2)


def test_silence_on_a_write_off_notice_is_counted_and_is_no_consent(begun: Installation) -> None:
    def asked(on: str) -> dict[str, Any]:
        found = migrate(begun, "notices", PLAN, "--on", on)
        return {item["debt_id"]: item for item in found if item["clock"] == "REPRESENTATION"}

    before = asked("2016-01-01")
    first, second, *_ = sorted(before)
    assert before[first]["is_due"]
    for debt in (first, second):
        received = migrate(begun, "notices", PLAN, "--received", "2016-01-02", "--debt", debt, "--as", "alice")
        assert received["deadline"] == "2016-03-02"
    migrate(begun, "notices", PLAN, "--response", "OBJECTS", "--debt", second, "--on", "2016-02-01", "--as", "alice")

    assert asked("2016-03-02")[first]["response"] is None
    after = asked("2016-03-03")
    assert (after[first]["response"], after[second]["response"]) == ("NO_RESPONSE", "OBJECTS")
    plain(begun, "notices", PLAN, "--received", "2016-01-02", "--debt", "0" * 32, code=5)
    plain(begun, "notices", PLAN, "--received", "2016-01-02", code=2)


def test_what_waits_for_a_person_can_be_assigned_and_resolved(begun: Installation) -> None:
    found = migrate(begun, "exceptions", PLAN, "list")
    assert found
    one = found[0]["exception_id"]
    assert migrate(begun, "exceptions", PLAN, "assign", one, "--to", "carol", "--as", "alice")[0]["owner"] == "carol"
    plain(begun, "exceptions", PLAN, "resolve", one, "--as", "alice", code=2)
    resolved = migrate(begun, "exceptions", PLAN, "resolve", one, "--reason", "settled by letter", "--as", "alice")
    assert resolved[0]["state"] == "RESOLVED"
    assert one not in {item["exception_id"] for item in migrate(begun, "exceptions", PLAN, "list")}


def test_a_gate_that_fails_can_be_overridden_by_a_second_person_who_may(begun: Installation) -> None:
    wave = "rest"
    migrate(begun, "rehearse", PLAN, "--wave", wave, "--as", "alice")
    migrate(begun, "gate", PLAN, "--wave", wave, "--as", "alice", code=6)
    override = ("gate", PLAN, "--wave", wave, "--override")
    plain(begun, *override, "parallel-run", "--as", "alice", "--reason", "I know", code=4)
    plain(begun, *override, "pence", "--as", "bob", "--reason", "rounding", code=5)  # it holds
    found = migrate(begun, *override, "parallel-run", "--as", "bob", "--reason", "weekend")
    (gate,) = [item for item in found if item["gate"] == "parallel-run"]
    assert (gate["verdict"], gate["overridden_by"]) == ("OVERRIDDEN", "bob")


def test_pause_and_resume_reach_a_wave_from_another_terminal(begun: Installation) -> None:
    wave = "rest"
    migrate(begun, "rehearse", PLAN, "--wave", wave, "--as", "alice")
    migrate(begun, "approve", PLAN, "--wave", wave, "--as", "bob", "--reason", "agreed")
    plain(begun, "pause", PLAN, "--wave", wave, "--as", "bob")
    _, said = plain(begun, "transfer", PLAN, "--wave", wave, "--as", "alice", code=5)
    assert "PAUSED" in said
    assert migrate(begun, "resume", PLAN, "--as", "alice")["left"] == 0
    assert "no paused wave" in plain(begun, "resume", PLAN, "--as", "alice")[0]
    assert migrate(begun, "parallel", PLAN, "--wave", wave, "--as", "alice")["days"][0]["clean"]
