"""The analyst's tools over connectors whose files are no mainframe records: an XML document, a workbook export."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from integrationhub.catalogue import shipped_connectors
from tests.acceptance.installation import Installation

SHIPPED = shipped_connectors()


def folder_of(connector: str) -> Path:
    return SHIPPED / "connectors" / connector / "samples"


def data_of(connector: str) -> Path:
    return next(path for path in sorted(folder_of(connector).iterdir()) if path.suffix in {".gz", ".csv", ".dat"})


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A copy of the shipped specs, to be changed."""
    shutil.copytree(SHIPPED / "mappings", tmp_path / "shelf")
    return tmp_path / "shelf"


def answer(hub: Installation, *words: object) -> Any:  # noqa: ANN401 - whatever the command answers
    return json.loads(hub.call("mapping", *words, "--json").out)


def test_an_element_is_explained_from_its_attributes(hub: Installation) -> None:
    words = ("explain", "csa2003", data_of("csa2003"), "--record", 1)

    (masked,) = answer(hub, *words)
    (shown,) = answer(hub, *words, "--unmasked", "--reason", "a test")

    (party,) = [row for row in shown["rows"] if row["entity"] == "parties"]
    (surname,) = [field for field in party["fields"] if field["name"] == "surname"]
    (source,) = surname["sources"]
    assert source["path"] == "/CS2Extract/Parties/Party/@surname"
    assert bytes.fromhex(source["hex"]).decode() == source["decoded"] == surname["value"]
    assert shown["record_type"] == "Party"
    assert shown["within"] == "uncompressed file"
    assert surname["value"] not in json.dumps(masked)


@pytest.mark.parametrize(("connector", "record"), [("csa2003", 1), ("clerical", 2), ("csa1993", 4)])
def test_personal_bytes_are_masked_wherever_else_they_count(hub: Installation, connector: str, record: int) -> None:
    words = ("explain", connector, data_of(connector), "--record", record)
    masked = json.dumps(answer(hub, *words))
    (shown,) = answer(hub, *words, "--unmasked", "--reason", "a test")

    fields = [field for row in shown["rows"] for field in row["fields"]]
    personal = {field["name"]: field["sources"] for field in fields if field["name"] in ("nino", "surname")}
    assert personal.keys() == {"nino", "surname"}
    for source in (one for sources in personal.values() for one in sources):
        assert source["hex"] not in masked
        assert str(source["decoded"]) not in masked
    assert "nino_status" in masked


def test_a_record_is_explained_of_one_file_and_only_where_it_is_mapped(hub: Installation, tmp_path: Path) -> None:
    for path in folder_of("clerical").iterdir():
        for name in (path.name, path.name.replace("_101", "_102")):
            shutil.copy(path, tmp_path / name)

    assert "2 files" in hub.call("mapping", "explain", "clerical", tmp_path, "--record", 1, code=2).err
    second = hub.call("mapping", "explain", "clerical", data_of("clerical"), "--record", 1, code=3)
    assert "keyings that don't stand for their case" in second.err


def test_a_row_is_explained_from_its_cells(hub: Installation) -> None:
    (found,) = answer(hub, "explain", "clerical", data_of("clerical"), "--record", 2)

    (balance, *_) = [row for row in found["rows"] if row["entity"] == "balances"]
    (pence,) = [field for field in balance["fields"] if field["name"] == "pence"]
    (source,) = pence["sources"]
    assert source["path"].startswith("row 2, column ")
    assert source["decoded"] == pence["value"]
    assert round(float(bytes.fromhex(source["hex"]).decode()) * 100) == pence["value"]
    assert found["line"] == 3


@pytest.mark.parametrize(("connector", "records"), [("csa2003", 1341), ("clerical", 20)])
def test_coverage_looks_at_the_sources_own_fields_only(hub: Installation, connector: str, records: int) -> None:
    found = answer(hub, "coverage", connector, "--over", data_of(connector))

    assert found["records"] == records
    unused = {row["field"] for row in found["unused_source_fields"]}
    assert not unused & {"group", "ordinal", "lines", "Keyings Agree"}
    assert ("Keyed By" in unused) == (connector == "clerical")


def test_a_code_taken_from_its_list_sets_groups_of_a_document_aside(hub: Installation, shelf: Path) -> None:
    hub.call("ingest", "csa2003", folder_of("csa2003"))
    path = shelf / "codes" / "csa2003-role.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("QC")), encoding="utf-8")

    found = answer(hub, "diff", "csa2003", "kept", shelf / "csa2003")

    assert found["records"] == 1341
    assert found["quarantine"]["entered"] > 0
    removed = {one["entity"]: one["removed"] for one in found["entities"]}
    assert removed["groups"] == found["quarantine"]["entered"]


def test_a_changed_value_of_a_book_is_told(hub: Installation, shelf: Path) -> None:
    hub.call("ingest", "clerical", folder_of("clerical"))
    path = shelf / "clerical" / "debts.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('status = { value = "ACTIVE" }', 'status = { value = "SUSPENDED" }'), encoding="utf-8")

    found = answer(hub, "diff", "clerical", "kept", shelf / "clerical")

    (debts,) = [one for one in found["entities"] if one["changed"]]
    assert debts["entity"] == "debts"
    assert debts["changed"] == debts["before"] == debts["after"]
    assert {field["field"] for field in debts["fields"]} == {"status"}


@pytest.mark.parametrize("connector", ["csa2003", "clerical"])
def test_a_profile_measures_documents_and_books(hub: Installation, connector: str, tmp_path: Path) -> None:
    page = tmp_path / "quality.html"

    found = answer(hub, "profile", connector, data_of(connector), "--html", page)

    scores = {one["name"]: one for one in found["dimensions"]}
    assert list(scores) == ["completeness", "uniqueness", "consistency", "timeliness", "validity", "accuracy"]
    assert scores["uniqueness"]["faulty"] == 0
    assert scores["uniqueness"]["total"] > 0
    assert all(control["holds"] for control in found["controls"])
    assert bool(found["controls"]) == bool(found["parents"]) == (connector == "csa2003")
    assert page.read_text(encoding="utf-8").count("<svg") > 5


def test_a_reference_to_nobody_is_measured(hub: Installation, tmp_path: Path) -> None:
    document = gzip.decompress(data_of("csa2003").read_bytes()).decode()
    first = document.index(' partyRef="') + len(' partyRef="')
    broken = document[:first] + "1-00ZZ" + document[document.index('"', first) :]
    path = tmp_path / data_of("csa2003").name
    path.write_bytes(gzip.compress(broken.encode()))

    found = answer(hub, "profile", "csa2003", path)

    assert sum(row["missing"] for row in found["parents"].values()) == 1


def test_a_book_without_its_trigger_file_is_refused_with_what_to_do(hub: Installation, tmp_path: Path) -> None:
    path = tmp_path / data_of("clerical").name
    shutil.copyfile(data_of("clerical"), path)

    done = hub.call("mapping", "profile", "clerical", path, code=7)

    assert "trigger file" in done.err
