"""The process boundary of the command line: every failure becomes a message for people and an exit code.

0 done · 1 failure · 2 usage or configuration · 130 interrupted; all others come from the errors themselves (errors.py).
"""

import os
import sys
from collections.abc import Sequence

import click

from integrationhub.errors import ConfigurationError, HubError

INTERRUPTED = 130
BROKEN_PIPE = 141


def run(program: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run one command line, that of the process unless `arguments` are given; the exit code."""
    try:
        result = program.main(args=arguments, prog_name="integrationhub", standalone_mode=False)
    except click.Abort:
        click.echo("integrationhub: interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as exc:
        exc.show()
        return exc.exit_code
    except BrokenPipeError:
        return _reader_gone()
    except HubError as exc:
        _tell(exc)
        return exc.exit_code
    except Exception as exc:  # noqa: BLE001 - the process ends here; a traceback would print values
        _tell_unforeseen(exc)
        return 1
    return result if type(result) is int else 0


def _reader_gone() -> int:
    """Whoever read our output has enough (`| head`): end quietly, as other programs do."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the flush at exit would fail again
    return BROKEN_PIPE


def _tell(error: HubError) -> None:
    """The error with its code, all faults of a configuration, and what to do next."""
    named = "" if error.code == type(error).__name__ else f"[{error.code}] "
    lines = [f"integrationhub: {named}{error.text}"]
    if isinstance(error, ConfigurationError) and error.faults != (error.text,):
        lines += [f"  - {fault}" for fault in error.faults]
    if error.remedy:
        lines.append(f"  what to do: {error.remedy}")
    click.echo("\n".join(lines), err=True)


def _tell_unforeseen(error: Exception) -> None:
    """The class and the place only: the text of a foreign error may quote what was being worked on."""
    from integrationhub import telemetry

    place = telemetry.place_of(error.__traceback__)
    telemetry.logger().error("internal_fault", error=type(error).__name__, at=place, outcome="FAILED")
    # The operating system's own words (no space left, permission denied) say what to do and quote nothing.
    words = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
    click.echo(f"integrationhub: unforeseen {type(error).__name__}{words}, at {place}", err=True)
    click.echo("  what to do: this is a defect unless the machine is at fault; report it with the line above", err=True)
