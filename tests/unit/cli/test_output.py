"""Tables are drawn on terminals only, and plainly where that is asked for."""

import io
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from integrationhub.cli.output import print_table, progress

ESCAPE = "\x1b["


def _on_a_terminal(**environment: str) -> str:
    """What `connector list` shows on a terminal."""
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "integrationhub", "connector", "list"]
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with (
        io.FileIO(outer) as screen,
        subprocess.Popen(command, stdout=inner, env={**plain, "TERM": "xterm", **environment}) as running,
    ):
        os.close(inner)
        shown = b"".join(_until_closed(screen)).decode()
        assert running.wait() == 0
    return shown


def _until_closed(screen: io.FileIO) -> Iterator[bytes]:
    """Linux answers EIO at the end of a terminal that nobody has open any more."""
    with suppress(OSError):
        while block := screen.read(65536):
            yield block


def test_a_terminal_gets_a_drawn_table() -> None:
    shown = _on_a_terminal()

    assert "csa1993" in shown
    assert ESCAPE in shown


def test_no_color_means_no_escape_sequence_at_all() -> None:
    shown = _on_a_terminal(NO_COLOR="1")

    assert "csa1993" in shown
    assert ESCAPE not in shown


def test_elsewhere_a_table_is_aligned_text_with_nothing_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "value"), [("a", "x" * 300), ("longer", None), ("flag", True), ("list", ("b", 1))])

    assert capsys.readouterr().out.splitlines() == [
        "name    value",
        "a       " + "x" * 300,
        "longer",
        "flag    yes",
        "list    b, 1",
    ]


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("loading", 10) as advance:
        advance(10)

    assert capsys.readouterr() == ("", "")
