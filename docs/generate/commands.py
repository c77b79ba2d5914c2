"""The page of commands, from the commands' own help."""

from collections.abc import Iterator
from inspect import cleandoc

import click

from docs.generate.tables import document, table
from integrationhub.cli import program

INTRODUCTION = """\
Data goes to stdout, logs and messages to stderr. `--json` prints JSON.

Exit codes: 0 done · 1 failure · 2 usage, faulty configuration, copybook, mapping or plan · 3 not found · 4 not
allowed · 5 conflict · 6 a control does not hold · 7 input rejected as a whole · 75 a needed service is away, or input
is held: try again · 130 interrupted."""


def page() -> str:
    """Every command with its arguments and options."""
    parts: list[str | list[str]] = ["# Commands", INTRODUCTION, "## Options of every command"]
    parts.append(_options(program))
    for path, command in walk():
        parts += _section(path, command)
    return document(*parts)


def walk(
    command: click.Command = program, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands below `command` that do something themselves, by their words."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None:
            yield from walk(inner, (*path, name))


def _section(path: tuple[str, ...], command: click.Command) -> Iterator[str | list[str]]:
    arguments = [
        param.make_metavar(click.Context(command)) for param in command.params if isinstance(param, click.Argument)
    ]
    yield f"## `{' '.join(['integrationhub', *path, *arguments])}`"
    yield cleandoc(command.help or "")
    if any(_shown(param) for param in command.params):
        yield _options(command)


def _options(command: click.Command) -> list[str]:
    rows = [
        (f"`{' '.join([param.opts[-1], *_value(param)])}`", param.help or "")
        for param in command.params
        if isinstance(param, click.Option) and _shown(param)
    ]
    return table(("option", "does"), rows)


def _shown(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and not param.hidden


def _value(option: click.Option) -> Iterator[str]:
    if not option.is_flag:
        yield option.make_metavar(click.Context(program))
