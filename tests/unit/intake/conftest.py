"""A hub that knows the toy feed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.canonical import units
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.intake.units import registry
from integrationhub.sdk.units import Options
from tests.unit.intake.toy import NOW, ToyDecoder, ToyJudge, ToyReader, forms, installed

SECRET = "a secret of tests"  # noqa: S105


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    made = {"toy": ToyDecoder(), "toy-messages": ToyReader()}

    def build(package: str, name: str, _options: Options) -> object:
        return ToyJudge() if package.endswith("feeds") else made[name]

    monkeypatch.setattr(units, "_declared", forms)
    monkeypatch.setattr(registry, "_build", build)
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"toy": SECRET}))
    settings = Settings(
        data_dir=tmp_path / "data", catalogue_folders=(installed(tmp_path / "catalogue"),), keys_file=keys
    )
    for cached in (units.forms, units.targets):
        cached.cache_clear()
    with Hub(settings, Catalogue.standard(folders=settings.catalogue_folders), clock=lambda: NOW) as opened:
        yield opened
    monkeypatch.undo()
    for cached in (units.forms, units.targets):
        cached.cache_clear()
