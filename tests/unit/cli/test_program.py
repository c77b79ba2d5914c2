"""The frame of the command line: lazy commands, options anywhere, quick answers."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from integrationhub.cli import COMMANDS, program
from integrationhub.cli.boundary import run

SLOW = (
    "polars",
    "pyarrow",
    "numpy",
    "sqlalchemy",
    "alembic",
    "pika",
    "psycopg",
    "pydantic",
    "structlog",
    "lxml",
    "rich",
)
NOT_FOR_READING = ("numpy", "pyarrow", "sqlglot", "pika", "lxml", "alembic", "integrationhub.decode.decoder")
FEW_MODULES = 250  # measured with Python 3.11: 123 for --help, 181 for version
ONE_LINE = 75


def _hub(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "integrationhub", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("arguments", [["--help"], ["version"]])
def test_help_and_version_import_nothing_slow(arguments: list[str]) -> None:
    script = (
        f"import sys; sys.argv[1:] = {arguments}\n"
        "from integrationhub.cli import main\n"
        "try: main()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = done.stderr.split()

    assert [name for name in SLOW if name in loaded] == []
    assert len(loaded) < FEW_MODULES


def test_a_command_that_reads_the_store_imports_no_decoder_mapping_or_broker(tmp_path: Path) -> None:
    assert _hub("store", "upgrade", "--data-dir", str(tmp_path)).returncode == 0
    script = (
        f"import sys; sys.argv[1:] = ['status', '--data-dir', {str(tmp_path)!r}]\n"
        "from integrationhub.cli import main\n"
        "try: main()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = done.stderr.split()

    assert "sqlalchemy" in loaded
    assert [name for name in NOT_FOR_READING if name in loaded] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_in_the_table_exists_and_is_summed_up_in_a_sentence(name: str) -> None:
    target, summary = COMMANDS[name]
    module, _, attribute = target.partition(":")

    assert isinstance(getattr(import_module(module), attribute), click.Command)
    assert summary.endswith(".")
    assert len(summary) < ONE_LINE


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(program, [name, "--help"]) == 0
    assert "Usage: integrationhub " + name in capsys.readouterr().out


def test_an_unknown_command_is_answered_with_the_closest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(program, ["docter"]) == 2
    assert "did you mean doctor?" in capsys.readouterr().err


def test_global_options_may_stand_before_and_behind_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--data-dir", "d", "config", "show"], ["config", "show", "--data-dir", "d"]):
        assert run(program, arguments) == 0
        assert "sqlite:///d/hub.sqlite3" in capsys.readouterr().out


def test_the_option_next_to_the_command_wins(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(program, ["--data-dir", "far", "config", "show", "--data-dir", "near"]) == 0
    assert "sqlite:///near/hub.sqlite3" in capsys.readouterr().out


def test_a_setting_without_an_equals_sign_is_wrong_usage() -> None:
    assert run(program, ["--set", "http_port", "config", "show"]) == 2


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    command = [sys.executable, "-m", "integrationhub", "connector", "show", "csa1993", "--layout"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        assert writer.stderr
        writer.stdout.close()

        assert writer.stderr.read() == ""
        assert writer.wait() == 1
