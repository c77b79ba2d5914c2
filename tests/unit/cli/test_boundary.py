"""Every failure of a command ends as a message and the exit code of the contract."""

import click
import pytest

from integrationhub.cli.boundary import run
from integrationhub.errors import (
    ConfigurationError,
    Conflict,
    FileRejected,
    HubError,
    InvariantBroken,
    NotAllowed,
    NotFound,
    RecordRejected,
    TransientError,
)


def _raising(error: BaseException) -> click.Command:
    def body() -> None:
        raise error

    return click.Command("do", callback=body)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (HubError, 1),
        (RecordRejected, 1),
        (ConfigurationError, 2),
        (NotFound, 3),
        (NotAllowed, 4),
        (Conflict, 5),
        (InvariantBroken, 6),
        (FileRejected, 7),
        (TransientError, 75),
    ],
)
def test_each_error_has_the_exit_code_of_its_consequence(kind: type[HubError], code: int) -> None:
    assert run(_raising(kind("it failed")), []) == code


def test_an_error_is_told_with_its_code_and_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    run(_raising(FileRejected("file x: totals differ", code="R12", remedy="ask for a corrected file")), [])

    out, err = capsys.readouterr()
    assert err == "integrationhub: [R12] file x: totals differ\n  what to do: ask for a corrected file\n"
    assert out == ""


def test_all_faults_of_a_configuration_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    run(_raising(ConfigurationError("2 faults", faults=["one", "two"])), [])

    assert capsys.readouterr().err == "integrationhub: 2 faults\n  - one\n  - two\n"


def test_wrong_usage_exits_2() -> None:
    assert run(_raising(HubError("never reached")), ["--no-such-option"]) == 2


def test_an_interrupt_exits_130() -> None:
    assert run(_raising(KeyboardInterrupt()), []) == 130


def test_what_nobody_foresaw_is_told_by_class_and_place_never_by_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(_raising(KeyError("Canary")), []) == 1

    out, err = capsys.readouterr()
    assert "KeyError" in err
    assert "integrationhub/cli/boundary.py:" in err
    assert "Canary" not in out + err
    assert "Traceback" not in err


def test_an_error_of_the_machine_is_told_in_the_system_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    run(_raising(OSError(28, "No space left on device", "Canary.dat")), [])

    err = capsys.readouterr().err
    assert "No space left on device" in err
    assert "Canary" not in err


def test_a_command_may_return_its_exit_code() -> None:
    assert run(click.Command("do", callback=lambda: 7), []) == 7
    assert run(click.Command("do", callback=lambda: None), []) == 0
    assert run(click.Command("do", callback=lambda: True), []) == 0
