"""A command group that knows what its commands do without importing them."""

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from integrationhub.cli.invocation import global_options


class LazyGroup(click.Group):
    """Imports a command when it is run or its own help is asked for. `entries`: name → (module:attribute, summary)."""

    def __init__(self, *args: Any, entries: Mapping[str, tuple[str, str]], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, in the order of the table."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command, imported now, with the global options added; None if there is no such name."""
        if cmd_name not in self.entries:
            return None
        module, _, attribute = self.entries[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        _accept_global_options(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but an unknown name is answered with the closest ones."""
        name = args[0]
        if name not in self.entries and not name.startswith("-") and not ctx.resilient_parsing:
            close = difflib.get_close_matches(name, self.entries, n=3)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise click.UsageError(f"there is no command {name}{hint}", ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The table's summaries; nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.entries.items()])


def _accept_global_options(command: click.Command) -> None:
    """Let `--config FILE` and the like follow a command as well as precede it."""
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _accept_global_options(inner)
    taken = {name for param in command.params for name in param.opts}
    command.params += [option for option in global_options(hidden=True) if not taken.intersection(option.opts)]
