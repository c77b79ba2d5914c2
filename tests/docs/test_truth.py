"""Whatever the documentation names exists: commands, options, settings, reason codes, make targets, files."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from docs.generate import reasons
from integrationhub.cli import program
from integrationhub.config import PREFIX, SECRETS, TEST_PREFIX, Settings
from integrationhub.daemon.meter import COUNTED
from integrationhub.daemon.metrics import METRICS

CHECKOUT = Path(__file__).parents[2]
PLACES = ("*.md", "docs/**/*.md", "connectors/*/README.md", "mappings/**/*.md", "migration/**/*.md")
WRITTEN = sorted(
    path
    for place in PLACES
    for path in CHECKOUT.glob(place)
    if not path.is_relative_to(CHECKOUT / "docs" / "reference")
)
GLOBAL_OPTIONS = {"--help", *(option for param in program.params for option in param.opts)}


def _code(text: str) -> Iterator[str]:
    """Lines of fenced blocks, and what stands between backticks."""
    for number, block in enumerate(re.split(r"^```\w*$", text, flags=re.MULTILINE)):
        yield from block.splitlines() if number % 2 else re.findall(r"`([^`\n]+)`", block)


def _calls(text: str) -> Iterator[list[str]]:
    """The words behind `integrationhub` wherever it is called in code."""
    for line in _code(text):
        for call in re.findall(r"(?:^|[ /])integrationhub((?: +[^\s|&;)#]+)+)", line):
            yield call.split()


def _shown(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def _fault(words: list[str]) -> str | None:
    command: click.Command = program
    rest = words
    while isinstance(command, click.Group):
        options = [word for word in rest if word.startswith("-")]
        names = [word for word in rest if not word.startswith("-")]
        if not names:
            break
        inner = command.get_command(click.Context(command), names[0])
        if inner is None:
            return f"no command {names[0]}"
        command, rest = inner, [*options, *names[1:]]
    known = GLOBAL_OPTIONS | {option for param in command.params for option in param.opts}
    unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
    return f"no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("page", WRITTEN, ids=_shown)
def test_every_metric_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"\bintegrationhub_[a-z_]+", "\n".join(_code(page.read_text(encoding="utf-8")))))
    plain = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}

    assert plain - {*METRICS, *COUNTED} == set()


@pytest.mark.parametrize("page", WRITTEN, ids=_shown)
def test_every_command_and_option_that_is_named_exists(page: Path) -> None:
    calls = list(_calls(page.read_text(encoding="utf-8")))

    assert [(" ".join(words), _fault(words)) for words in calls if _fault(words)] == []


def test_a_command_that_does_not_exist_would_be_found() -> None:
    assert list(_calls("```\n$ integrationhub nonsense --x | head\n```\nand `integrationhub config nonsense`")) == [
        ["nonsense", "--x"],
        ["config", "nonsense"],
    ]
    assert _fault(["nonsense"]) == "no command nonsense"
    assert _fault(["config", "nonsense"]) == "no command nonsense"
    assert _fault(["config", "show", "--nonsense"]) == "no option --nonsense"
    assert _fault(["--data-dir=x", "config", "show", "--json"]) is None


@pytest.mark.parametrize("page", WRITTEN, ids=_shown)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {
        f"{PREFIX}{name.upper()}_FILE" for name in SECRETS
    }
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", page.read_text(encoding="utf-8")))

    assert {name for name in named if not name.startswith(TEST_PREFIX)} - known == set()


@pytest.mark.parametrize("page", WRITTEN, ids=_shown)
def test_every_reason_code_that_is_named_exists(page: Path) -> None:
    """A code in backticks is a reason code, or a word that the code or the descriptors use."""
    ours = {item.code for item in reasons.coded()}
    ours |= {code for codes in reasons.connector_codes().values() for _, code in codes}
    sources = [*(CHECKOUT / "src").rglob("*.py"), *(CHECKOUT / "connectors").rglob("*.toml"), CHECKOUT / "Makefile"]
    written = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    named = {word for word in _code(page.read_text(encoding="utf-8")) if re.fullmatch(r"[A-Z][A-Z0-9_]{2,}", word)}

    assert {word for word in named - ours if not re.search(rf"\b{word}\b", written)} == set()


@pytest.mark.parametrize("page", WRITTEN, ids=_shown)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        match
        for line in _code(page.read_text(encoding="utf-8"))
        for match in re.findall(r"^(?:\$ )?make ([a-z0-9-]+)", line)
    }

    assert named - targets == set()


@pytest.mark.parametrize("page", WRITTEN, ids=_shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))

    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", WRITTEN, ids=_shown)
def test_every_file_of_the_house_that_is_named_exists(page: Path) -> None:
    roots = ("src/", "docs/", "tests/", "connectors/", "mappings/", "migration/", "benchmarks/", ".ci/")
    named = {
        word
        for word in _code(page.read_text(encoding="utf-8"))
        if word.startswith(roots) and not re.search(r"[<*… {]", word)
    }

    assert {word for word in named if not (CHECKOUT / word).exists()} == set()
