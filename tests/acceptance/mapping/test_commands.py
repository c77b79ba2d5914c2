"""`integrationhub mapping` as an analyst uses it: answers, JSON, exit codes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from integrationhub.catalogue import shipped_connectors
from tests.acceptance.conftest import Samples
from tests.acceptance.installation import Installation

SHIPPED = shipped_connectors() / "mappings"


@pytest.fixture
def loaded(hub: Installation, samples: Samples) -> Installation:
    hub.call("ingest", "csa1993", samples.folder)
    return hub


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped specs, to be changed."""
    shelf = tmp_path / "copy"
    shutil.copytree(SHIPPED / "csa1993", shelf / "csa1993")
    shutil.copytree(SHIPPED / "codes", shelf / "codes")
    return shelf / "csa1993"


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def answer(hub: Installation, *words: object, code: int = 0) -> Any:  # noqa: ANN401 - whatever the command answers
    return json.loads(hub.call(*words, "--json", code=code).out)


def test_every_shipped_mapping_is_in_order_and_its_cases_hold(hub: Installation) -> None:
    shipped = sorted(path.parent.name for path in shipped_connectors().glob("connectors/*/connector.toml"))
    assert shipped
    assert answer(hub, "mapping", "check") == [{"connector": name, "faults": [], "dead": []} for name in shipped]
    tested = answer(hub, "mapping", "test")
    assert tested["broken"] == 0
    assert tested["cases"] >= 36
    assert {row["entity"] for row in answer(hub, "mapping", "list")} >= {"debts", "ledger", "parties"}


def test_a_name_that_is_not_there_is_not_found(hub: Installation) -> None:
    hub.call("mapping", "check", "csa1994", code=3)
    hub.call("mapping", "lineage", "csa1993", "ledgers", code=3)
    hub.call("mapping", "diff", "csa1993", "installed", "0123456789ab", code=3)
    hub.call("mapping", "coverage", "csa1993", "--over", "stored", code=3)


def test_coverage_names_what_is_left_out(loaded: Installation) -> None:
    found = answer(loaded, "mapping", "coverage", "csa1993", "--over", "stored")

    assert {"table": "M-CHILD", "field": "M-CH-PARTY"} in found["unused_source_fields"]
    assert {"table": "CSX-LEDGER", "field": "L-AMOUNT"} not in found["unused_source_fields"]
    assert {"entity": "ledger", "field": "cancels_entry_id"} in found["canonical_fields_never_filled"]
    unseen = {(row["field"], row["code"]) for row in found["codes_never_seen"]}
    assert ("C-STATUS", "X") in unseen
    assert ("L-KIND", "C") not in unseen


def test_lineage_is_a_graph_in_three_forms(hub: Installation) -> None:
    text = hub.call("mapping", "lineage", "csa1993", "debts.opened").out
    graph = answer(hub, "mapping", "lineage", "csa1993", "debts.opened")
    svg = hub.call("mapping", "lineage", "csa1993", "debts", "--to", "svg").out

    assert "opened ← effective" in text
    assert "effective = date(C-EFF-DATE, rule display: ccyymmdd)" in text
    edges = {(edge["from"].rpartition("/")[2], edge["to"].rpartition("/")[2]) for edge in graph["edges"]}
    assert {("CSX-CASE.C-EFF-DATE", "effective"), ("effective", "debts.opened")} <= edges
    assert svg.startswith("<svg")
    assert "http://" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_a_version_is_the_same_as_itself(loaded: Installation) -> None:
    found = answer(loaded, "mapping", "diff", "csa1993", "kept", "installed")

    assert found["same"]
    assert found["before"] == found["after"]
    assert found["records"] == 2041


def test_a_changed_amount_is_told_in_pence_by_owner(loaded: Installation, copy: Path) -> None:
    changed(copy / "ledger.toml", "WHEN 'R' THEN -[L-AMOUNT]\n  WHEN 'A'", "WHEN 'R' THEN 0\n  WHEN 'A'")

    found = answer(loaded, "mapping", "diff", "csa1993", "installed", copy)

    (ledger,) = [one for one in found["entities"] if one["entity"] == "ledger"]
    assert ledger["added"] == ledger["removed"] == 0
    assert {field["field"] for field in ledger["fields"]} == {"pence"}
    receipts = [row for row in _rows(loaded, "ledger") if row["kind"] == "RECEIPT"]
    for field in ledger["fields"]:
        own = [row for row in receipts if row["owner"] == field["owner"]]
        assert (field["count"], field["net_pence"]) == (len(own), -sum(row["pence"] for row in own))
        assert field["net_pence"] == field["up_pence"] - field["down_pence"]
    example = found["examples"][0]
    assert example["before"] < 0
    assert example["after"] == 0


def test_a_code_taken_from_its_list_sets_groups_aside(loaded: Installation, copy: Path) -> None:
    path = copy.parent / "codes" / "csa1993-enforcement.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("DDO")), encoding="utf-8")

    found = answer(loaded, "mapping", "diff", "csa1993", "installed", copy)

    assert found["quarantine"]["entered"] == len(found["quarantine"]["groups"]["entered"]) > 0
    removed = {one["entity"]: one["removed"] for one in found["entities"]}
    assert removed["groups"] == found["quarantine"]["entered"]


def test_personal_values_are_masked_in_examples(loaded: Installation, copy: Path) -> None:
    changed(copy / "parties.toml", 'surname = { from = "P-SURNAME"', 'surname = { from = "P-FORENAMES"')

    found = answer(loaded, "mapping", "diff", "csa1993", "installed", copy)

    names = [one for one in found["examples"] if one["field"] == "surname"]
    assert names
    assert {(one["before"], one["after"]) for one in names} == {("***", "***")}


def test_the_version_that_made_a_row_explains_it_after_the_mapping_has_changed(
    hub: Installation, samples: Samples, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(copy / "ledger.toml", 'version = "1"', 'version = "1.5"')
    shelf = tmp_path / "shelf" / "mappings"
    shutil.copytree(copy, shelf / "csa1993")
    shutil.copytree(copy.parent / "codes", shelf / "codes")
    with monkeypatch.context() as elsewhere:
        elsewhere.chdir(tmp_path / "shelf")
        hub.call("ingest", "csa1993", samples.folder)
    row = _rows(hub, "ledger")[0]

    (found,) = answer(hub, "mapping", "explain", row["source_ref"])

    assert {one["mapping_id"] for one in found["rows"]} == {row["mapping_id"]}
    assert "@1.5+" in row["mapping_id"]


def test_explain_masks_personal_values_unless_somebody_says_why(hub: Installation, samples: Samples) -> None:
    words = ("mapping", "explain", "csa1993", samples.data, "--record", 4)

    masked = json.dumps(answer(hub, *words))
    shown = answer(hub, *words, "--unmasked", "--reason", "a test")

    (party,) = [row for row in shown[0]["rows"] if row["entity"] == "parties"]
    (surname,) = [field for field in party["fields"] if field["name"] == "surname"]
    assert surname["value"] == surname["sources"][0]["decoded"]
    assert surname["value"] not in masked
    assert surname["sources"][0]["hex"] not in masked
    hub.call(*words, "--unmasked", code=2)
    hub.call("mapping", "explain", "csa1993", samples.data, "--record", 99999, code=3)


def test_a_profile_measures_six_dimensions_and_shows_nobody(
    hub: Installation, samples: Samples, tmp_path: Path
) -> None:
    page = tmp_path / "quality.html"

    found = answer(hub, "mapping", "profile", "csa1993", samples.data, "--html", page)

    scores = {one["name"]: one for one in found["dimensions"]}
    assert list(scores) == ["completeness", "uniqueness", "consistency", "timeliness", "validity", "accuracy"]
    assert scores["consistency"]["faulty"] == len(samples.expected["orphan_receipts"])
    assert all(control["holds"] for control in found["controls"])
    wrong = [
        owner
        for case in samples.expected["cases"].values()
        if case["source"] is not None
        for owner in ("rp", "sos", "unk")
        if case.get("source_right") is False
    ]
    assert bool(wrong) == bool(scores["accuracy"]["faulty"])
    html = page.read_text(encoding="utf-8")
    assert html.count("<svg") > 10
    assert "<script" not in html
    assert "src=" not in html
    everything = html + json.dumps(found)
    people = {row["surname"] for row in _rows(hub, "parties", "--unmasked", "--reason", "a test", samples=samples)}
    assert people
    assert not [name for name in people if name and name in everything]


def _rows(hub: Installation, entity: str, *options: str, samples: Samples | None = None) -> list[dict[str, Any]]:
    if samples is not None:
        hub.call("ingest", "csa1993", samples.folder)
    return hub.call("export", entity, *options).rows


def test_a_faulty_spec_is_told_and_ends_with_2(
    hub: Installation, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(copy.parent, tmp_path / "shelf" / "mappings")
    specs = tmp_path / "shelf" / "mappings" / "csa1993"
    changed(specs / "groups.toml", "CASE source_status", "read_csv('x')")
    changed(specs / "cases.toml", 'from = "C-STATUS"', 'from = "C-STATE"')
    monkeypatch.chdir(tmp_path / "shelf")

    (found,) = answer(hub, "mapping", "check", "csa1993", code=2)
    told = hub.call("mapping", "check", "csa1993", code=2).out

    assert any("C-STATE (did you mean C-STATUS?)" in fault for fault in found["faults"])
    assert all(f"fault  {fault}" in told for fault in found["faults"])
    hub.call("mapping", "test", "csa1993", code=2)


def test_a_dead_part_is_told_and_ends_with_2(
    hub: Installation, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(copy.parent, tmp_path / "shelf" / "mappings")
    changed(tmp_path / "shelf" / "mappings" / "csa1993" / "history.toml", "[E-CLASS] = 'E'", "[E-CLASS] = 'ENF'")
    monkeypatch.chdir(tmp_path / "shelf")

    (found,) = answer(hub, "mapping", "check", "csa1993", code=2)

    assert found["faults"] == []
    assert found["dead"] == ["history: when of enforcement: E-CLASS is never 'ENF'"]


def test_a_file_of_a_layout_that_no_version_is_for_is_refused_as_a_whole(
    hub: Installation, samples: Samples, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(copy.parent, tmp_path / "shelf" / "mappings")
    path = tmp_path / "shelf" / "mappings" / "csa1993" / "roles.toml"
    changed(path, 'version = "1"', 'version = "1"\nlayouts = ["3"]')
    monkeypatch.chdir(tmp_path / "shelf")

    done = hub.call("ingest", "csa1993", samples.folder, "--json", code=7)

    assert done.verdicts == ["REJECTED"]
    assert done.codes == ["LAYOUT_VERSION"]
    assert hub.rows("debts") == []
