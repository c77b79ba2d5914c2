"""Every fault of a configuration is told at once, with its source, and without its value."""

import re
import tomllib
from pathlib import Path

import pytest

from integrationhub import config
from integrationhub.errors import ConfigurationError


def _faults(text: str = "", environ: dict[str, str] | None = None) -> dict[str, str]:
    """Setting and source → what is wrong."""
    path = Path(config.FILE_NAME)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        config.load(environ=environ or {})
    return {fault.partition(": ")[0]: fault.partition(": ")[2] for fault in caught.value.faults}


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_all_faults_of_all_sources_are_told_together() -> None:
    text = "http_port = 70000\nslice_bytes = 1\nenviroment = 'x'\n[connectors.csa1993]\ninboks = 'x'\n"
    environ = {"INTEGRATIONHUB_LOG_LEVEL": "LOUD", "INTEGRATIONHUB_BROKER_URL": "http://x", "INTEGRATIONHUB_BROKR": "x"}

    assert set(_faults(text, environ)) == {
        "http_port (integrationhub.toml)",
        "slice_bytes (integrationhub.toml)",
        "enviroment (integrationhub.toml)",
        "connectors.csa1993.inboks (integrationhub.toml)",
        "log_level (INTEGRATIONHUB_LOG_LEVEL)",
        "broker_url (INTEGRATIONHUB_BROKER_URL)",
        "brokr (INTEGRATIONHUB_BROKR)",
    }


def test_an_unknown_name_is_answered_with_the_closest_one() -> None:
    assert _faults("data_dirr = 'x'\n")["data_dirr (integrationhub.toml)"].endswith("did you mean data_dir?")


@pytest.mark.parametrize(
    "environ",
    [
        {"INTEGRATIONHUB_BROKER_URL": "geheim"},
        {"INTEGRATIONHUB_DATABASE_URL": "mysql://u:geheim@h/d"},
        {"INTEGRATIONHUB_HTTP_PORT": "geheim"},
        {"INTEGRATIONHUB_ENVIRONMENT": "Geheim geheim"},
        {"INTEGRATIONHUB_SYNTHETIC_IDENTITIES": "geheim"},
    ],
)
def test_a_fault_never_repeats_the_value(environ: dict[str, str]) -> None:
    ((place, text),) = _faults(environ=environ).items()

    assert "geheim" not in (place + text).lower()


def test_a_file_that_is_no_toml_is_told_with_its_place_and_not_its_text() -> None:
    assert _faults("http_port = 1\ngeheim = = 2\n") == {"integrationhub.toml": "no valid TOML at line 2, column 10"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://hub:word@host/x", "amqp://hub:***@host/x"),
        ("amqp://:word@host", "amqp://:***@host"),
        ("amqp://hub:w@r/d@host", "amqp://hub:***@host"),
        ("postgresql://host/db?password=word&sslmode=require", "postgresql://host/db?password=***&sslmode=require"),
        ("postgresql://host/db?sslpassword=word", "postgresql://host/db?sslpassword=***"),
        ("sqlite:///hub-data/hub.sqlite3", "sqlite:///hub-data/hub.sqlite3"),
        ("amqp://hub@host:5672/%2f", "amqp://hub@host:5672/%2f"),
    ],
)
def test_a_password_is_masked_wherever_an_url_may_hold_it(url: str, shown: str) -> None:
    assert config.mask(url) == shown


def test_effective_settings_are_shown_with_their_passwords_masked() -> None:
    environ = {"INTEGRATIONHUB_DATABASE_URL": "postgresql://hub:geheim@db/hub"}

    effective = config.load(environ=environ)

    assert "geheim" not in str(list(effective.shown()))
    assert "geheim" not in repr(effective)
    assert effective.settings.store_url == "postgresql://hub:geheim@db/hub"


def test_the_template_sets_nothing() -> None:
    assert tomllib.loads(config.template()) == {}


def test_the_template_with_every_example_switched_on_is_a_faultless_configuration() -> None:
    lines = [line.removeprefix("# ") for line in config.template().splitlines()]
    content = "\n".join(line for line in lines if re.match(r"[a-z_]+ = |\[[a-z]", line))
    Path(config.FILE_NAME).write_text(content, encoding="utf-8")

    settings = config.load(environ={}).settings

    assert set(tomllib.loads(content)) == set(config.Settings.model_fields)
    assert settings.connectors["csa1993"].enabled
