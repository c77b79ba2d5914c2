"""Where connectors, mappings, plans and decoders are found, and which of two with one name counts."""

import shutil
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from integrationhub import catalogue
from integrationhub.catalogue import Catalogue, Shelf
from integrationhub.errors import ConfigurationError, NotFound

SHIPPED = catalogue.shipped_connectors()


def _put(shelf: Path, name: str, *, aliases: tuple[str, ...] = ()) -> Path:
    """A connector called `name` on a shelf: the shipped one, renamed."""
    folder = shelf / "connectors" / name
    shutil.copytree(SHIPPED / "connectors" / "csa1993", folder, ignore=shutil.ignore_patterns("samples"))
    file = folder / "connector.toml"
    text = file.read_text(encoding="utf-8").replace(
        'name = "csa1993"', f'name = "{name}"\naliases = {list(aliases)}', 1
    )
    file.write_text(text, encoding="utf-8")
    return folder


def _catalogue(*folders: Path) -> Catalogue:
    return Catalogue(Shelf(origin=folder.name, folder=folder) for folder in folders)


def test_the_shipped_connector_is_found_through_its_entry_point(tmp_path: Path) -> None:
    found = Catalogue.standard(directory=tmp_path)

    assert "csa1993" in found.names()
    assert found.origin("csa1993") == "shipped"
    assert found.connector("csa1993").copybook_text


def test_a_checkout_as_working_directory_is_searched_once_and_called_shipped() -> None:
    found = Catalogue.standard(directory=SHIPPED)

    assert [shelf.origin for shelf in found.shelves] == ["shipped"]


def test_local_wins_over_configured_and_configured_over_shipped(tmp_path: Path) -> None:
    local, configured = tmp_path / "local", tmp_path / "configured"
    for shelf in (local, configured):
        _put(shelf, "csa1993")
    _put(configured, "other")

    found = Catalogue.standard(directory=local, folders=[configured])

    assert found.connector("csa1993").folder == local / "connectors" / "csa1993"
    assert (found.origin("csa1993"), found.origin("other")) == ("local", "configured")
    assert Catalogue.standard(directory=tmp_path, folders=[configured]).origin("csa1993") == "configured"


def test_a_connector_of_an_installed_package_is_found_and_named_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(tmp_path / "shelf", "acme")
    module = tmp_path / "acme_hub.py"
    module.write_text(f"from pathlib import Path\ndef shelf():\n    return Path({str(tmp_path / 'shelf')!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    points = [EntryPoint(name="acme", value="acme_hub:shelf", group=catalogue.CONNECTORS)]
    monkeypatch.setattr(catalogue, "entry_points", lambda **_: points)

    assert Catalogue.standard(directory=tmp_path).origin("acme") == "acme"


def test_an_entry_point_that_fails_is_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint(name="acme", value="no_such_module:shelf", group=catalogue.CONNECTORS)]
    monkeypatch.setattr(catalogue, "entry_points", lambda **_: points)

    with pytest.raises(ConfigurationError, match="acme"):
        Catalogue.standard(directory=tmp_path)


def test_an_alias_leads_to_its_connector(tmp_path: Path) -> None:
    _put(tmp_path, "bank-statements", aliases=("bank",))

    assert _catalogue(tmp_path).connector("bank").name == "bank-statements"


def test_an_alias_that_two_connectors_claim_is_a_fault(tmp_path: Path) -> None:
    _put(tmp_path, "one", aliases=("same",))
    _put(tmp_path, "two", aliases=("same",))

    with pytest.raises(ConfigurationError, match="one and two both answer to same"):
        _catalogue(tmp_path).connector("same")


def test_an_unknown_connector_is_answered_with_the_closest_names(tmp_path: Path) -> None:
    _put(tmp_path, "csa1993")

    with pytest.raises(NotFound) as caught:
        _catalogue(tmp_path).connector("csa1939")

    assert caught.value.remedy == "did you mean csa1993?"


def test_a_faulty_connector_harms_no_other_one(tmp_path: Path) -> None:
    _put(tmp_path, "good", aliases=("fine",))
    (_put(tmp_path, "bad") / "connector.toml").write_text("[connector]\n", encoding="utf-8")
    found = _catalogue(tmp_path)

    assert found.names() == ("bad", "good")
    assert found.connector("fine").name == "good"
    with pytest.raises(ConfigurationError):
        found.connector("bad")


def test_a_connector_in_a_folder_of_another_name_is_a_fault(tmp_path: Path) -> None:
    _put(tmp_path, "one").rename(tmp_path / "connectors" / "two")

    with pytest.raises(ConfigurationError, match="must be equal"):
        _catalogue(tmp_path).connector("two")


def test_mappings_and_plans_are_found_by_their_folders(tmp_path: Path) -> None:
    for path in ("mappings/csa1993/cases.toml", "migration/csa-1993/plan.toml", "migration/not-a-plan/README.md"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).touch()
    found = _catalogue(tmp_path)

    assert found.mapping("csa1993") == tmp_path / "mappings" / "csa1993"
    assert found.plan("csa-1993") == tmp_path / "migration" / "csa-1993"
    assert found.plans() == ("csa-1993",)
    with pytest.raises(NotFound):
        found.mapping("none")


def test_a_decoder_is_what_its_entry_point_names(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint(name="lines", value="builtins:bytes.splitlines", group=catalogue.DECODERS)]
    monkeypatch.setattr(catalogue, "entry_points", lambda **_: points)

    assert _catalogue().decoder("lines") is bytes.splitlines
    with pytest.raises(NotFound):
        _catalogue().decoder("copybok")
