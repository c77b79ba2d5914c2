"""Which source of a setting counts, and what each may hold."""

from pathlib import Path

import pytest

from integrationhub import config
from integrationhub.errors import ConfigurationError, NotFound


def _file(folder: Path, text: str) -> Path:
    path = folder / config.FILE_NAME
    path.write_text(text, encoding="utf-8")
    return path


def _faults(**sources: object) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        config.load(**{"environ": {}, **sources})  # type: ignore[arg-type]
    return caught.value.faults


def test_with_no_configuration_everything_is_embedded(tmp_path: Path) -> None:
    effective = config.load(environ={}, directory=tmp_path)

    assert effective.settings.store_url == "sqlite:///hub-data/hub.sqlite3"
    assert effective.settings.broker_url == "embedded"
    assert effective.settings.originals == "hub-data/originals"
    assert effective.settings.inbox("csa1993") == Path("hub-data/inbox/csa1993")
    assert effective.file is None
    assert {origin for _, _, origin in effective.shown()} == {"default"}


def test_a_stronger_source_wins_over_every_weaker_one_and_is_remembered(tmp_path: Path) -> None:
    _file(tmp_path, "http_port = 1\nenvironment = 'file'\nslice_bytes = 8192\n")
    environ = {"INTEGRATIONHUB_HTTP_PORT": "2", "INTEGRATIONHUB_ENVIRONMENT": "variable"}

    effective = config.load(options={"http_port": "3"}, environ=environ, directory=tmp_path)

    assert (effective.settings.http_port, effective.origins["http_port"]) == (3, "option")
    assert (effective.settings.environment, effective.origins["environment"]) == (
        "variable",
        "INTEGRATIONHUB_ENVIRONMENT",
    )
    assert (effective.settings.slice_bytes, effective.origins["slice_bytes"]) == (8192, "integrationhub.toml")


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert config.load(environ={"INTEGRATIONHUB_BROKER_URL": ""}, directory=tmp_path).settings.broker_url == "embedded"


def test_a_named_file_that_is_missing_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        config.load(file=tmp_path / "none.toml", environ={})


def test_relative_paths_in_the_file_count_from_its_folder(tmp_path: Path) -> None:
    text = "data_dir = 'd'\noriginals_uri = 'o'\ncatalogue_folders = ['c']\n[connectors.csa1993]\ninbox = 'i'\n"

    settings = config.load(file=_file(tmp_path, text), environ={}).settings

    assert settings.data_dir == tmp_path / "d"
    assert settings.originals == str(tmp_path / "o")
    assert settings.catalogue_folders == (tmp_path / "c",)
    assert settings.inbox("csa1993") == tmp_path / "i"


def test_a_secret_is_read_from_the_file_that_the_variable_names(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("amqp://hub:word@host\n", encoding="utf-8")

    effective = config.load(environ={"INTEGRATIONHUB_BROKER_URL_FILE": str(secret)}, directory=tmp_path)

    assert effective.settings.broker_url == "amqp://hub:word@host"
    assert effective.origins["broker_url"] == "INTEGRATIONHUB_BROKER_URL_FILE"


def test_systemd_credentials_are_read_and_a_variable_wins_over_them(tmp_path: Path) -> None:
    (tmp_path / "database_url").write_text("postgresql://a@b/c", encoding="utf-8")
    (tmp_path / "keys_file").write_text("{}", encoding="utf-8")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    effective = config.load(environ=environ, directory=tmp_path)
    assert effective.settings.store_url == "postgresql://a@b/c"
    assert effective.settings.keys_file == tmp_path / "keys_file"
    assert effective.origins["database_url"] == "credential database_url"

    stronger = {**environ, "INTEGRATIONHUB_DATABASE_URL": "sqlite:///x"}
    assert config.load(environ=stronger, directory=tmp_path).settings.store_url == "sqlite:///x"


def test_a_variable_and_its_secret_file_together_are_a_fault(tmp_path: Path) -> None:
    environ = {"INTEGRATIONHUB_BROKER_URL": "embedded", "INTEGRATIONHUB_BROKER_URL_FILE": "x"}

    assert any("keep one" in fault for fault in _faults(environ=environ, directory=tmp_path))


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_secret_file_that_is_missing_or_empty_is_a_fault(tmp_path: Path, content: str | None) -> None:
    secret = tmp_path / "url"
    if content is not None:
        secret.write_text(content, encoding="utf-8")

    (fault,) = _faults(environ={"INTEGRATIONHUB_DATABASE_URL_FILE": str(secret)}, directory=tmp_path)

    assert fault.startswith("database_url (INTEGRATIONHUB_DATABASE_URL_FILE)")


def test_a_password_in_the_file_or_in_an_option_is_a_fault_that_does_not_repeat_it(tmp_path: Path) -> None:
    file = _file(tmp_path, "database_url = 'postgresql://hub:geheim@db/hub'\n")

    faults = _faults(file=file, options={"broker_url": "amqp://hub:geheim@mq"})

    assert len(faults) == 2
    assert not any("geheim" in fault for fault in faults)


def test_an_url_without_password_may_stand_in_the_file(tmp_path: Path) -> None:
    file = _file(tmp_path, "database_url = 'postgresql://hub@db/hub'\n")

    assert config.load(file=file, environ={}).settings.database_url == "postgresql://hub@db/hub"


def test_tables_stand_in_the_file_only(tmp_path: Path) -> None:
    file = _file(tmp_path, "[identity]\njo = ['J. Doe']\n[connectors.csa1993]\nenabled = false\n")

    settings = config.load(file=file, environ={}).settings

    assert settings.identity == {"jo": ("J. Doe",)}
    assert settings.connectors["csa1993"].enabled is False
    assert len(_faults(environ={"INTEGRATIONHUB_IDENTITY": "x"}, directory=tmp_path)) == 1


def test_folders_in_a_variable_are_separated_like_a_path(tmp_path: Path) -> None:
    environ = {"INTEGRATIONHUB_CATALOGUE_FOLDERS": "/a:/b"}

    assert config.load(environ=environ, directory=tmp_path).settings.catalogue_folders == (Path("/a"), Path("/b"))
