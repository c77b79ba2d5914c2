"""The commands that need no pipeline: init, config, connector, doctor, version."""

import json
from pathlib import Path
from typing import Any

import pytest

from integrationhub.cli import program
from integrationhub.cli.boundary import run


class Hub:
    """Runs commands in an empty directory and gives what they print."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> str:
        assert run(program, arguments) == code
        return self._capsys.readouterr().out

    def json(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - whatever the command prints
        return json.loads(self(*arguments, "--json", code=code))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Hub:
    monkeypatch.chdir(tmp_path)
    return Hub(capsys)


def test_version_prints_the_version(hub: Hub) -> None:
    number = hub.json("version")["version"]

    assert hub("version") == f"integrationhub {number}\n"


def test_init_writes_a_faultless_configuration_and_an_inbox_for_each_connector(hub: Hub) -> None:
    hub("init", "here")

    assert Path("here/hub-data/inbox/csa1993").is_dir()
    assert Path("here/hub-data/outgoing").is_dir()
    assert hub.json("config", "check", "--config", "here/integrationhub.toml") == {"faults": []}


def test_init_keeps_what_is_there(hub: Hub) -> None:
    Path("integrationhub.toml").write_text("data_dir = 'elsewhere'\n", encoding="utf-8")

    output = hub("init")

    assert Path("integrationhub.toml").read_text(encoding="utf-8") == "data_dir = 'elsewhere'\n"
    assert Path("elsewhere/inbox/csa1993").is_dir()
    assert "kept" in output
    assert "written" not in hub("init")


def test_config_check_prints_every_fault_and_exits_2(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("integrationhub.toml").write_text("http_port = 0\nslice_bytes = 1\n", encoding="utf-8")
    monkeypatch.setenv("INTEGRATIONHUB_LOG_LEVEL", "LOUD")

    assert len(hub.json("config", "check", code=2)["faults"]) == 3
    assert "3 faults" in hub("config", "check", code=2)


def test_config_check_finds_what_only_the_machine_and_the_catalogue_can_tell(hub: Hub) -> None:
    text = "data_dir = 'integrationhub.toml'\nkeys_file = 'none'\ncatalogue_folders = ['none']\n[connectors.csa1939]\n"
    Path("integrationhub.toml").write_text(text, encoding="utf-8")

    faults = hub.json("config", "check", code=2)["faults"]

    assert [fault.partition(":")[0] for fault in faults] == [
        "connectors.csa1939",
        "keys_file",
        "data_dir",
        "catalogue_folders",
    ]


def test_config_show_prints_value_and_origin_with_passwords_masked(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATIONHUB_BROKER_URL", "amqp://hub:geheim@mq")

    shown = hub.json("config", "show")

    assert shown["broker_url"] == {"value": "amqp://hub:***@mq", "origin": "INTEGRATIONHUB_BROKER_URL"}
    assert "geheim" not in hub("config", "show")


def test_connector_list_names_version_and_origin(hub: Hub) -> None:
    (row,) = [row for row in hub.json("connector", "list") if row["name"] == "csa1993"]

    assert (row["origin"], row["state"]) == ("shipped", "enabled")
    assert row["version"] in hub("connector", "list")


def test_connector_list_goes_on_past_a_faulty_connector(hub: Hub) -> None:
    Path("connectors/broken").mkdir(parents=True)
    Path("connectors/broken/connector.toml").write_text("[connector]\n", encoding="utf-8")

    states = {row["name"]: row["state"] for row in hub.json("connector", "list")}

    assert states["broken"] == "faulty"
    assert states["csa1993"] == "enabled"
    hub("connector", "show", "broken", code=2)


def test_connector_show_says_how_input_arrives_and_what_is_checked(hub: Hub) -> None:
    facts = hub.json("connector", "show", "csa1993")

    assert facts["controls"] == ["rp", "sos", "unk", "suspended", "custodian", "ledger_hash"]
    assert "total R12" in facts["codes"]
    assert facts["inbox"] == "hub-data/inbox/csa1993"


def test_an_unknown_connector_exits_3(hub: Hub) -> None:
    hub("connector", "show", "csa", code=3)


def test_the_layout_shows_positions_lengths_and_types_as_a_listing_does(hub: Hub) -> None:
    rows = {row["name"]: row for row in hub.json("connector", "show", "csa1993", "--layout")}

    assert {key: rows["C-BAL-SOS"][key] for key in ("start", "end", "length", "picture", "usage")} == {
        "start": 48,
        "end": 59,
        "length": 12,
        "picture": "S9(9)V99",
        "usage": "DISPLAY LEADING SEPARATE",
    }
    assert rows["C-NOTE-CHAR"]["occurs"] == "0-80 by C-NOTE-LEN"
    assert rows["T-BAL-SOS"]["usage"] == "COMP-3"
    assert "C-BAL-SOS" in hub("connector", "show", "csa1993", "--layout")


def test_doctor_finds_nothing_wrong_with_the_embedded_default(hub: Hub) -> None:
    findings = {finding["check"]: finding for finding in hub.json("doctor")}

    assert findings["store (SQLite)"]["state"] == "ok"
    assert findings["polars"]["state"] == "ok"
    assert list(Path().iterdir()) == []


def test_doctor_says_which_service_is_away_and_exits_75(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATIONHUB_BROKER_URL", "amqp://hub:geheim@127.0.0.1:1")
    monkeypatch.setenv("INTEGRATIONHUB_DATABASE_URL", "postgresql://hub@127.0.0.1:1/hub")

    findings = {finding["check"]: finding for finding in hub.json("doctor", code=75)}

    assert findings["broker (RabbitMQ)"]["state"] == "away"
    assert findings["store (PostgreSQL)"]["state"] == "away"
    assert "geheim" not in str(findings)


def test_doctor_finds_the_services_that_answer(
    hub: Hub, amqp_url: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATIONHUB_BROKER_URL", amqp_url)
    monkeypatch.setenv("INTEGRATIONHUB_DATABASE_URL", postgres_url)

    states = {finding["check"]: finding["state"] for finding in hub.json("doctor")}

    assert (states["broker (RabbitMQ)"], states["store (PostgreSQL)"]) == ("ok", "ok")


def test_doctor_tells_the_faults_of_the_configuration(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATIONHUB_HTTP_PORT", "none")

    findings = {finding["check"]: finding for finding in hub.json("doctor", code=1)}

    assert findings["configuration"]["state"] == "fault"
    assert "http_port" in findings["configuration"]["detail"]
