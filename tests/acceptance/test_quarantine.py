"""The worklist as people work it: refused files, refused messages, records set aside, one list for all."""

import json
from pathlib import Path
from typing import Any

import pytest

from integrationhub.catalogue import shipped_connectors
from tests.acceptance.files import Night
from tests.acceptance.installation import Installation
from tests.acceptance.test_feed import spoilt

CONNECTOR = shipped_connectors() / "connectors" / "csa2003"
CASE = "QQ170754B/01"
UNKNOWN = "00" * 16


def _event(number: int, *, schema: str = "urn:synthetic:cs2:event:1", odd: str = "") -> dict[str, Any]:
    """A change event; with `odd` it has an attribute that its schema doesn't know."""
    attributes = f'status="LIVE" odd="{odd}"' if odd else 'status="LIVE"'
    body = (
        f'<CaseEvent xmlns="urn:synthetic:cs2:event:1" messageId="m" caseRef="{CASE}" caseSeq="{number}" '
        f'type="status.changed" occurredAt="2015-07-01T10:00:00Z"><Status {attributes}/></CaseEvent>'
    )
    headers = {"x-case-ref": CASE, "x-case-seq": number, "x-schema": schema, "x-baseline": 101}
    return {"routing_key": "cs2.case.status.changed", "message_id": f"m-{number}", "headers": headers, "body": body}


def _take(hub: Installation, folder: Path, *events: dict[str, Any], code: int = 0) -> None:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in events), encoding="utf-8")
    hub.call("ingest", "csa2003", path, code=code)


@pytest.fixture
def book(hub: Installation, tmp_path: Path) -> Installation:
    """An installation that has the extract of the samples, and a message that could not be taken."""
    hub.call("ingest", "csa2003", *(CONNECTOR / "samples").glob("*.xml.gz"))
    _take(hub, tmp_path, _event(1, odd="NO SUCH THING"), code=7)
    return hub


def _listed(hub: Installation, *arguments: object) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(hub.call("quarantine", "list", "--json", *arguments).out)["items"]
    return items


def _one(hub: Installation, *arguments: object) -> dict[str, Any]:
    (item,) = _listed(hub, "--kind", "MESSAGE", *arguments)
    return item


def test_an_empty_hub_says_that_nothing_waits(hub: Installation) -> None:
    assert hub.call("quarantine", "list").out == "Nothing waits.\n"
    assert hub.call("quarantine", "requests").out == "Nothing waits.\n"
    assert "QUARANTINE_UNKNOWN" in hub.call("quarantine", "show", UNKNOWN, code=3).err


def test_a_refused_file_waits_until_the_corrected_one_is_accepted(
    hub: Installation, nights: list[Night], tmp_path: Path
) -> None:
    first, second, *_ = nights
    hub.call("ingest", "csa1993", first.data)
    bad = spoilt(second, tmp_path)
    hub.call("ingest", "csa1993", bad, code=7)
    hub.call("ingest", "csa1993", bad, code=7)

    (item,) = _listed(hub, "--kind", "FILE")
    assert (item["code"], item["state"], item["connector"]) == ("R12", "OPEN", "csa1993")
    assert "R12" in hub.call("quarantine", "list").out
    assert hub.call("quarantine", "resubmit", item["id"], code=1).out.count("REJECTED") == 1
    assert (
        "CORRECT_AT_SOURCE"
        in hub.call("quarantine", "correct", item["id"], "--body", bad, "--reason", "drill", code=4).err
    )

    hub.call("ingest", "csa1993", second.data)
    assert _listed(hub, "--kind", "FILE") == []
    (settled,) = _listed(hub, "--kind", "FILE", "--state", "RESOLVED")
    sheet = json.loads(hub.call("quarantine", "show", settled["id"], "--json").out)
    assert [action["what"] for action in sheet["history"]] == ["TRIED", "FAILED_AGAIN", "RESOLVED"]
    assert sheet["attempts"] == 2


def test_a_file_that_was_refused_for_a_reason_now_gone_is_taken_up_from_its_original(
    hub: Installation, nights: list[Night], tmp_path: Path
) -> None:
    folder = nights[0].hand_over(tmp_path / "drop").parent
    hub.call("ingest", "csa1993", folder, code=None, synthetic_identities="false")
    before = hub.call("status", "--json").rows[0]["connectors"][0]["last_verdict"]
    hub.call("ingest", "csa1993", spoilt(nights[1], tmp_path / "bad"), code=7)
    (item,) = _listed(hub, "--kind", "FILE")
    hub.call("connector", "resume", "csa1993", "--skip", 102, "--reason", "it will never come")

    assert before == "ACCEPTED"
    assert _listed(hub, "--kind", "FILE") == []
    assert "RESOLVED" in hub.call("quarantine", "show", item["id"]).out


def test_a_message_is_corrected_resubmitted_and_counts_as_if_it_had_come_so(book: Installation, tmp_path: Path) -> None:
    item = _one(book)
    assert item["code"] == "SCHEMA_INVALID"
    better = tmp_path / "better.xml"
    better.write_text(_event(1)["body"], encoding="utf-8")

    told = book.call("quarantine", "correct", item["id"], "--body", better, "--reason", "the sender says so")
    assert told.out == "CaseEvent.Status.@odd: AA AAAA AAAAA → nothing\n"
    assert "LOADED" in book.call("quarantine", "resubmit", item["id"]).out
    assert _listed(book, "--kind", "MESSAGE") == []
    assert _one(book, "--state", "RESUBMITTED")["id"] == item["id"]
    assert "is RESUBMITTED" in book.call("quarantine", "resubmit", item["id"], code=5).err
    book.call("store", "check")


def test_a_message_that_comes_again_when_its_time_has_come_settles_its_item(hub: Installation, tmp_path: Path) -> None:
    _take(hub, tmp_path, _event(1), code=7)
    assert _one(hub)["code"] == "CASE_UNKNOWN"
    hub.call("ingest", "csa2003", *(CONNECTOR / "samples").glob("*.xml.gz"))
    _take(hub, tmp_path, _event(1))
    assert _listed(hub, "--kind", "MESSAGE") == []
    assert "came again, and was taken" in hub.call("quarantine", "show", _one(hub, "--state", "RESOLVED")["id"]).out


def test_values_are_shown_to_those_only_who_say_why(book: Installation) -> None:
    item = _one(book)
    masked = book.call("quarantine", "show", item["id"]).out
    assert CASE not in masked
    assert "NO SUCH THING" not in masked
    assert "CaseEvent.@caseRef: AA999999A/99" in masked
    assert "--reason" in book.call("quarantine", "show", item["id"], "--unmasked", code=2).err
    shown = book.call("quarantine", "show", item["id"], "--unmasked", "--reason", "the supplier asks").out
    assert f"CaseEvent.@caseRef: {CASE}" in shown
    assert "UNMASKED" in shown
    assert "(unauthenticated): the supplier asks" in shown


def test_in_bulk_a_dry_run_says_how_many_and_a_count_must_be_right(book: Installation, tmp_path: Path) -> None:
    _take(book, tmp_path, _event(4712, odd="NOT THIS"), _event(4713, schema="other"), code=7)
    where = ("--where", "connector=csa2003 code=SCHEMA_INVALID", "--reason", "drill")

    assert "2 items are meant; nothing was done" in book.call("quarantine", "discard", *where).out
    assert json.loads(book.call("quarantine", "discard", *where, "--json").out)["count"] == 2
    assert "COUNT_DIFFERS" in book.call("quarantine", "discard", *where, "--count", 3, code=5).err
    assert book.call("quarantine", "discard", *where, "--count", 2).out == "2 discarded\n"
    assert [item["code"] for item in _listed(book, "--kind", "MESSAGE")] == ["SCHEMA_UNKNOWN"]
    assert book.call("quarantine", "discard", *where, "--undo", "--yes").out == "2 open again\n"
    assert len(_listed(book, "--kind", "MESSAGE")) == 3


def test_a_predicate_that_names_nothing_means_nothing(book: Installation) -> None:
    for command in ("discard", "resubmit"):
        refused = book.call("quarantine", command, "--where", "", "--yes", "--reason", "drill", code=2)
        assert "PREDICATE" in refused.err
    assert len(_listed(book, "--kind", "MESSAGE")) == 1
    assert "discarded" in book.call("quarantine", "list", "--state", "OPNE", code=2).err.lower()


def test_a_list_that_shows_not_all_says_so(book: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _take(book, tmp_path, _event(4712, odd="NOT THIS"), code=7)
    assert "the oldest" not in book.call("quarantine", "list", "--items").out
    monkeypatch.setattr("integrationhub.cli.quarantine.SHOWN", 1)
    assert "the oldest 1 of 2" in book.call("quarantine", "list", "--items").out


def test_two_people_are_needed_where_the_setting_says_so(book: Installation, tmp_path: Path) -> None:
    settings = tmp_path / "two.toml"
    settings.write_text("[quarantine]\nsecond_person = true\n", encoding="utf-8")
    item = _one(book)

    def act(*arguments: object, code: int = 0) -> str:
        return book.call("quarantine", *arguments, "--config", settings, code=code).out

    assert "approve 1" in act("discard", item["id"], "--reason", "drill", "--as", "A. Clerk")
    assert "DISCARD" in act("requests")
    act("approve", 1, "--as", "a. clerk", code=4)
    assert _one(book)["state"] == "OPEN"
    assert "DISCARD: 1 items" in act("approve", 1, "--as", "B. Clerk")
    assert _listed(book, "--kind", "MESSAGE") == []
    act("approve", 1, "--as", "C. Clerk", code=5)
    act("refuse", 99, "--as", "C. Clerk", "--reason", "x", code=3)


def test_nobody_acts_under_the_name_of_another(book: Installation, tmp_path: Path) -> None:
    settings = tmp_path / "identity.toml"
    settings.write_text('[identity]\nsomebody-else = ["A. Clerk"]\n', encoding="utf-8")
    refused = book.call(
        "quarantine", "discard", _one(book)["id"], "--reason", "x", "--as", "A. Clerk", "--config", settings, code=4
    )
    assert "IDENTITY" in refused.err


def test_rules_can_be_tried_before_they_are_in_force(book: Installation) -> None:
    where = ("--where", "connector=csa2003 field:CaseEvent.Status.@odd=text")
    assert json.loads(book.call("quarantine", "rules", "test", *where, "--json").out)["count"] == 1
    book.call("quarantine", "rules", "add", "odd", *where, "--label", "supplier", "--reason", "they know")
    assert "odd" in book.call("quarantine", "rules", "list").out
    book.call("quarantine", "rules", "add", "odd", *where, "--discard", "--reason", "x", code=5)
    book.call("quarantine", "rules", "add", "both", *where, "--discard", "--resubmit", "--reason", "x", code=2)
    book.call("quarantine", "rules", "remove", "odd", "--reason", "no longer")
    book.call("quarantine", "rules", "remove", "odd", "--reason", "again", code=3)


def test_cases_set_aside_stand_in_the_same_list_and_can_be_assigned(book: Installation, tmp_path: Path) -> None:
    contradicting = {**_event(1), "message_id": "other", "body": _event(1)["body"].replace("LIVE", "CLOSED")}
    _take(book, tmp_path, _event(1), contradicting)
    (first,) = _listed(book, "--kind", "RECORD")
    assert first["code"] == "EV"
    assert "a later file" in first["remedy"]
    assert str(first["code"]) in book.call("quarantine", "show", first["id"]).out
    book.call("quarantine", "assign", first["id"], "--to", "A. Clerk")
    (mine,) = _listed(book, "--owner", "A. Clerk")
    assert (mine["id"], mine["state"]) == (first["id"], "ASSIGNED")


def test_on_postgresql_a_corrected_message_is_taken_as_well(tmp_path: Path, postgres_url: str) -> None:
    hub = Installation(tmp_path, database_url=postgres_url)
    hub.call("ingest", "csa2003", *(CONNECTOR / "samples").glob("*.xml.gz"))
    _take(hub, tmp_path, _event(1, odd="NO SUCH THING"), code=7)
    item = _one(hub)
    better = tmp_path / "better.xml"
    better.write_text(_event(1)["body"], encoding="utf-8")

    assert "REJECTED" in hub.call("quarantine", "resubmit", item["id"], code=1).out
    hub.call("quarantine", "correct", item["id"], "--body", better, "--reason", "the sender says so")
    assert "LOADED" in hub.call("quarantine", "resubmit", item["id"]).out
    history = json.loads(hub.call("quarantine", "show", item["id"], "--json").out)["history"]
    assert [action["what"] for action in history] == ["TRIED", "FAILED_AGAIN", "CORRECTED", "TRIED", "RESUBMITTED"]
    hub.call("store", "check")
