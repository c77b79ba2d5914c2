"""Change events as recorded: stale, repeated, contradicting, early, undeliverable; and what they do to the figures."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.intake.report import FileReport, exit_code
from integrationhub.receive.folder import find_files
from integrationhub.replay import Takers, read_order, replay
from integrationhub.store.event_effects import Effect
from integrationhub.store.event_effects import effects as effects_of
from tests.unit.csa2003.conftest import Ask, Take
from tests.unit.csa2003.extracts import CHECKOUT, SAMPLE, XML, pack, renumbered

CAPTURE = CHECKOUT / "connectors" / "csa2003" / "captures" / "events.jsonl"
EXPECTED = json.loads((CHECKOUT / "connectors" / "csa1993" / "samples" / "expected.json").read_text(encoding="utf-8"))
RECORDED = [json.loads(line) for line in CAPTURE.read_text(encoding="utf-8").splitlines()]
CASE = "QQ170754B/01"


def outcome(report: FileReport) -> str:
    return next((name for name, number in report.outcomes.items() if number), report.verdict.value)


def outcomes(reports: list[FileReport]) -> list[tuple[str, str | None]]:
    return [(outcome(item), item.reasons[0].code if item.reasons else None) for item in reports]


def taken(hub: Hub, folder: Path, deliveries: list[dict[str, Any]]) -> list[FileReport]:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in deliveries), encoding="utf-8")
    return hub.captures("csa2003").take(path)


def effects(hub: Hub) -> dict[str, Effect]:
    with hub.store.read() as connection:
        return {item.case_id: item for item in effects_of(connection)}


def event(number: int, child: str, kind: str, *, case: str = CASE, message: str = "m") -> dict[str, Any]:
    body = (
        f'<CaseEvent xmlns="urn:synthetic:cs2:event:1" messageId="{message}" caseRef="{case}" caseSeq="{number}" '
        f'type="{kind}" occurredAt="2015-07-01T10:00:00Z">{child}</CaseEvent>'
    )
    headers = {"x-case-ref": case, "x-case-seq": number, "x-schema": "urn:synthetic:cs2:event:1", "x-baseline": 101}
    return {"routing_key": f"cs2.case.{kind}", "message_id": message, "headers": headers, "body": body}


def status(number: int, value: str = "LIVE", message: str = "m") -> dict[str, Any]:
    return event(number, f'<Status status="{value}"/>', "status.changed", message=message)


def test_the_recorded_traffic_ends_as_expected(hub: Hub, take: Take) -> None:
    take(SAMPLE)
    reports = hub.captures("csa2003").take(CAPTURE)
    counts = {name: [outcome(item) for item in reports].count(name) for name in {outcome(item) for item in reports}}
    wanted = EXPECTED["events"]
    assert counts == {
        "LOADED": wanted["applied"], "SUPERSEDED": wanted["stale"], "DUPLICATE": wanted["duplicate"],
        "REJECTED": wanted["dead_letter"], "HELD": wanted["waiting"],
    }  # fmt: skip
    assert [report.n for report in reports] == list(range(1, len(RECORDED) + 1))


def test_the_recorded_traffic_changes_each_case_by_what_is_expected(hub: Hub, take: Take, ask: Ask) -> None:
    take(SAMPLE)
    hub.captures("csa2003").take(CAPTURE)
    found = effects(hub)
    names = {f"03:{ref}": case_id for case_id, ref in ask("SELECT case_id, source_ref FROM cases")}
    for key, wanted in EXPECTED["events"]["cases"].items():
        effect = found[names[key].replace("-", "")]
        before = EXPECTED["cases"][key]["accepted"]
        assert (effect.state.value, effect.applied_to_seq) == (wanted["state"], wanted["applied_to_seq"])
        if before is not None:
            assert {name: before[name] + effect.figures[name] for name in before} == wanted["accepted"]
    assert len(found) == len(EXPECTED["events"]["cases"])


def test_the_same_capture_again_changes_nothing(hub: Hub, take: Take, ask: Ask) -> None:
    take(SAMPLE)
    hub.captures("csa2003").take(CAPTURE)
    before = ask("SELECT * FROM case_events ORDER BY 1, 2")
    again = hub.captures("csa2003").take(CAPTURE)
    assert "LOADED" not in {outcome(item) for item in again}
    assert ask("SELECT * FROM case_events ORDER BY 1, 2") == before


def test_a_check_of_a_capture_tells_the_same_and_changes_nothing(hub: Hub, take: Take, ask: Ask) -> None:
    take(SAMPLE)
    before = ask("SELECT count(*) FROM deliveries")
    told = hub.captures("csa2003").check(CAPTURE)
    assert ask("SELECT count(*) FROM deliveries") == before
    assert ask("SELECT count(*) FROM case_events UNION ALL SELECT count(*) FROM quarantine") == [(0,), (0,)]
    assert told == hub.captures("csa2003").take(CAPTURE)


def test_replayed_delivery_by_delivery_each_event_is_told_as_it_stands_then(hub: Hub) -> None:
    files = {"feed": "csa2003", "paths": [SAMPLE.name], "received_at": "2015-07-02T00:00:00Z"}
    events = [{"feed": "csa2003", "capture": "events.jsonl", "n": n} for n in range(1, len(RECORDED) + 1)]
    order = read_order(json.dumps(line) for line in [files, *events])
    folder = hub.settings.data_dir / "recorded"
    folder.mkdir(parents=True)
    for path in (SAMPLE, SAMPLE.with_name(SAMPLE.name.replace(".xml.gz", ".ctl")), CAPTURE):
        (folder / path.name).write_bytes(path.read_bytes())
    takers = Takers(pipeline=hub.pipeline, captures=hub.captures)
    first, *told = replay(order, folder, takers=takers, start=hub.clock())
    assert first["outcome"] == "LOADED"
    assert [(row["level"], row["n"]) for row in told] == [("message", n) for n in range(1, len(RECORDED) + 1)]
    found = [row["outcome"] for row in told]
    assert found.count("REJECTED") == EXPECTED["events"]["dead_letter"]
    assert found.count("SUPERSEDED") == EXPECTED["events"]["stale"]
    assert found.count("DUPLICATE") == EXPECTED["events"]["duplicate"]
    assert found.count("LOADED") + found.count("HELD") == EXPECTED["events"]["applied"] + EXPECTED["events"]["waiting"]
    assert {row["reason"] for row in told if row["outcome"] == "HELD"} <= {"SEQUENCE_GAP"}


def test_every_dead_letter_waits_in_the_quarantine_byte_for_byte(hub: Hub, take: Take) -> None:
    take(SAMPLE)
    hub.captures("csa2003").take(CAPTURE)
    hub.captures("csa2003").take(CAPTURE)
    with hub.store.begin() as work:
        items = work.quarantine.items()
        bodies = [work.quarantine.body(item.quarantine_id, item.version).body for item in items]
    assert len(items) == EXPECTED["events"]["dead_letter"]
    assert set(bodies) <= {str(line["body"]).encode() for line in RECORDED}


def test_a_refused_event_is_taken_once_the_book_has_its_case(hub: Hub, take: Take, tmp_path: Path) -> None:
    assert outcomes(taken(hub, tmp_path, [status(1)])) == [("REJECTED", "CASE_UNKNOWN")]
    take(SAMPLE)
    assert outcomes(taken(hub, tmp_path, [status(1), status(1)])) == [("LOADED", None), ("DUPLICATE", "DUPLICATE")]


def test_an_early_event_applies_when_the_missing_one_comes(hub: Hub, take: Take, tmp_path: Path) -> None:
    take(SAMPLE)
    assert outcomes(taken(hub, tmp_path, [status(2)])) == [("HELD", "SEQUENCE_GAP")]
    assert outcomes(taken(hub, tmp_path, [status(1)])) == [("LOADED", None)]
    assert [item.applied_to_seq for item in effects(hub).values()] == [2]


def test_an_early_event_is_reported_as_it_stands_at_the_end_of_the_call(hub: Hub, take: Take, tmp_path: Path) -> None:
    take(SAMPLE)
    assert outcomes(taken(hub, tmp_path, [status(2), status(1)])) == [("LOADED", None), ("LOADED", None)]


def test_a_new_message_that_says_the_same_is_a_duplicate(hub: Hub, take: Take, tmp_path: Path) -> None:
    take(SAMPLE)
    reports = taken(hub, tmp_path, [status(1), status(1, message="other")])
    assert outcomes(reports) == [("LOADED", None), ("DUPLICATE", "DUPLICATE")]


def test_two_events_with_one_number_are_a_conflict_and_the_first_stays(
    hub: Hub, take: Take, ask: Ask, tmp_path: Path
) -> None:
    take(SAMPLE)
    reports = taken(hub, tmp_path, [status(1), status(1, "CLOSED"), status(1, "CLOSED")])
    assert outcomes(reports)[1:] == [("EXCEPTION", "EV"), ("EXCEPTION", "EV")]
    assert [item.state.value for item in effects(hub).values()] == ["CONFLICT"]
    assert ask("SELECT code, entity, source_ref FROM worklist") == [("EV", "cases", *effects(hub))]


@pytest.mark.parametrize(
    ("delivery", "code"),
    [
        (event(1, "<Status status='LIVE'/>", "status.changed", case="QQ999999A/01"), "CASE_UNKNOWN"),
        (event(1, "<Status status='LIVE'/>", "status.lost"), "TYPE_UNKNOWN"),
        (event(1, "<Status/>", "status.changed"), "SCHEMA_INVALID"),
        (event(1, "<Status status='LIVE'/>", "charge.raised"), "HEADER_MISMATCH"),
        ({**status(1), "headers": {**status(1)["headers"], "x-case-seq": 2}}, "HEADER_MISMATCH"),
        ({**status(1), "headers": {**status(1)["headers"], "x-case-ref": "QQ170754B/02"}}, "HEADER_MISMATCH"),
        ({**status(1), "routing_key": "cs2.case.charge.raised"}, "HEADER_MISMATCH"),
        ({**status(1), "headers": {**status(1)["headers"], "x-schema": "urn:other"}}, "SCHEMA_UNKNOWN"),
        ({**status(1), "body": "<CaseEvent"}, "XML_INVALID"),
        ({**status(1), "body": "<!DOCTYPE a>" + status(1)["body"]}, "DOCTYPE_FORBIDDEN"),
        ({**status(1), "body": status(1)["body"].replace("LIVE", "&a;")}, "XML_INVALID"),
        ({"headers": {}}, "CAPTURE_INVALID"),
    ],
)
def test_what_can_not_be_delivered_is_a_dead_letter(
    hub: Hub, take: Take, tmp_path: Path, *, delivery: dict[str, Any], code: str
) -> None:
    take(SAMPLE)
    assert outcomes(taken(hub, tmp_path, [delivery])) == [("REJECTED", code)]
    assert effects(hub) == {}


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe{}",
        b"[" * 100_000,
        b"5",
        json.dumps({**status(1), "n": float("inf")}).encode(),
        json.dumps({**status(1), "headers": [1]}).encode(),
        json.dumps({**status(1), "message_id": 5}).encode(),
        json.dumps({**status(1), "message_id": "a\ud800"}).encode(),
        json.dumps({**status(1), "routing_key": [1]}).encode(),
        json.dumps({**status(1), "content_type": {"a": 1}}).encode(),
        json.dumps({**status(1), "timestamp": "0001-01-01T00:00:00+14:00"}).encode(),
    ],
    ids=["no UTF-8", "deep", "no object", "n", "headers", "id", "half a character", "key", "type", "time"],
)
def test_a_line_that_is_no_delivery_is_refused_and_those_behind_it_are_taken(
    hub: Hub, take: Take, tmp_path: Path, line: bytes
) -> None:
    take(SAMPLE)
    path = tmp_path / "events.jsonl"
    path.write_bytes(line + b"\n" + json.dumps(status(1)).encode())
    expected = [("REJECTED", "CAPTURE_INVALID"), ("LOADED", None)]
    assert outcomes(hub.captures("csa2003").check(path)) == expected
    assert outcomes(hub.captures("csa2003").take(path)) == expected


def test_a_later_book_that_contains_the_events_makes_them_stale(hub: Hub, take: Take, tmp_path: Path) -> None:
    take(SAMPLE)
    taken(hub, tmp_path, [status(1), status(2)])
    start = XML.index(f'Case ref="{CASE}"')
    place = XML.index('lastEventSeq="', start)
    xml = XML[:place] + XML[place:].replace('lastEventSeq="0"', 'lastEventSeq="1"', 1)
    assert xml != XML
    take(pack(tmp_path, renumbered(xml, 102), sequence=102))
    assert [(item.applied_to_seq, item.state.value) for item in effects(hub).values()] == [(2, "APPLIED")]
    (stale,) = taken(hub, tmp_path, [status(1)])
    assert outcomes([stale]) == [("SUPERSEDED", "STALE_VERSION")]
    assert (stale.verdict.value, exit_code([stale])) == ("SUPERSEDED", 0)


def exported(hub: Hub) -> dict[str, dict[str, Any]]:
    hub.judge_waiting()
    with hub.store.read() as connection:
        frames = hub.judged_rows(connection, date(2015, 6, 30))["arrears"]()
        return {row["case"]: row for frame in frames for row in frame.to_dicts()}


def test_the_export_shows_the_figures_after_the_events(hub: Hub) -> None:
    for connector in ("csa1993", "csa2003", "clerical"):
        pipeline = hub.pipeline(connector)
        for item in find_files([CHECKOUT / "connectors" / connector / "samples"], pipeline.descriptor.delivery):
            pipeline.take(item)
    hub.captures("csa2003").take(CAPTURE)
    rows = exported(hub)
    for key, wanted in EXPECTED["events"]["cases"].items():
        row = rows[key]
        assert {"state": row["event_state"], "applied_to_seq": row["applied_to_seq"]}.items() <= wanted.items()
        assert row["accepted"] == wanted["accepted"]
    assert {row["event_state"] for key, row in rows.items() if key not in EXPECTED["events"]["cases"]} == {None}


def test_a_conflict_makes_an_exception_of_the_case(hub: Hub, take: Take, tmp_path: Path) -> None:
    take(SAMPLE)
    taken(hub, tmp_path, [status(1), status(1, "CLOSED")])
    row = exported(hub)[f"03:{CASE}"]
    assert (row["outcome"], row["causes"], row["accepted"]) == ("EXCEPTION", ["EV"], None)
