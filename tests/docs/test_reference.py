"""docs/reference is what the code says of itself, and says something about everything."""

from pathlib import Path

import pytest

from docs.generate import commands, pages, reasons, settings
from integrationhub.canonical.model import ENTITIES
from integrationhub.config import Settings
from integrationhub.daemon.meter import COUNTED
from integrationhub.daemon.metrics import METRICS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == PAGES[name], "run `make docs`"


def test_no_page_is_left_over() -> None:
    written = {path.relative_to(REFERENCE).as_posix() for path in REFERENCE.rglob("*") if path.is_file()}

    assert written == set(PAGES)


def test_every_command_says_what_it_does() -> None:
    assert [path for path, command in commands.walk() if not command.help] == []
    assert all(f"`integrationhub {' '.join(path)}" in PAGES["commands.md"] for path, _ in commands.walk())


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, info in Settings.model_fields.items() if not info.description] == []
    assert all(f"`{name}`" in settings.page() for name in Settings.model_fields)


def test_every_metric_says_what_it_means() -> None:
    assert all(f"`{name}`" in PAGES["metrics.md"] for name in (*METRICS, *COUNTED))
    assert all(text for text, _ in METRICS.values())


def test_every_reason_code_says_what_it_means() -> None:
    assert [item.code for item in reasons.coded() if not item.text] == []
    assert set(reasons.MEANINGS) <= {item.code for item in reasons.coded()}


def test_every_entity_has_a_page_and_a_schema() -> None:
    assert all(f"## {name}\n" in PAGES["canonical-model.md"] and f"schemas/{name}.json" in PAGES for name in ENTITIES)
