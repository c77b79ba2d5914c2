"""One call of the command line: its global options, and what they lead to, made when first asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from integrationhub.bootstrap import Hub
    from integrationhub.catalogue import Catalogue
    from integrationhub.config import Effective, Settings
    from integrationhub.identity import Actor

as_option = click.option("--as", "who", metavar="WHO", help="Under which of your names you act ([identity]).")
"""The option of every command that acts; the command gets `who`, for `Invocation.actor`."""


@dataclass
class Invocation:
    """What a command gets by `@click.pass_obj`. `options` are settings by name, as text."""

    config_file: Path | None = None
    options: dict[str, str] = field(default_factory=dict)

    @cached_property
    def effective(self) -> "Effective":
        """The settings with their origins; from here on logs follow the log level. ConfigurationError, NotFound."""
        from integrationhub import config, telemetry

        effective = config.load(options=self.options, file=self.config_file)
        telemetry.configure(effective.settings.log_level)
        return effective

    @property
    def settings(self) -> "Settings":
        """The settings in effect."""
        return self.effective.settings

    @cached_property
    def catalogue(self) -> "Catalogue":
        """What there is for these settings."""
        from integrationhub.catalogue import Catalogue

        return Catalogue.standard(folders=self.settings.catalogue_folders)

    def actor(self, who: str | None) -> "Actor":
        """Who acts, by `--as WHO`. NotAllowed: the operating-system user may not act under that name."""
        from integrationhub.identity import acting

        return acting(who, self.settings.identity)

    def hub(self, *, trial: bool = False, synthetic_identities: bool = False, keys_file: Path | None = None) -> "Hub":
        """A hub with these settings, to be used in a `with` block; a `trial` leaves nothing behind.

        `synthetic_identities` lets test identities count whatever the setting says; `keys_file` replaces the setting.
        """
        from integrationhub.bootstrap import Hub

        settings = self.settings
        if synthetic_identities:
            settings = settings.model_copy(update={"synthetic_identities": True})
        if keys_file is not None:
            settings = settings.model_copy(update={"keys_file": keys_file})
        return Hub(settings, self.catalogue, trial=trial)


def global_options(*, hidden: bool = False) -> list[click.Parameter]:
    """The options that every command takes. They end in the Invocation, not in the command's arguments."""
    return [
        _option("--config", _take_file, "FILE", "Settings file, in place of ./integrationhub.toml.", hidden=hidden),
        _option("--data-dir", _take_setting, "DIR", "Data directory, in place of ./hub-data.", hidden=hidden),
        _option("--log-level", _take_setting, "LEVEL", "DEBUG, INFO, WARNING or ERROR.", hidden=hidden),
        _option("--set", _take_pairs, "NAME=VALUE", "Any other setting.", hidden=hidden, multiple=True),
    ]


def _option(
    name: str, callback: Callable[..., None], metavar: str, text: str, *, hidden: bool, multiple: bool = False
) -> click.Option:
    return click.Option(
        [name], callback=callback, metavar=metavar, help=text, hidden=hidden, multiple=multiple, expose_value=False
    )


def _take_file(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.find_root().ensure_object(Invocation).config_file = Path(value)


def _take_setting(context: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None and param.name:
        text = value.upper() if param.name == "log_level" else value
        context.find_root().ensure_object(Invocation).options[param.name] = text


def _take_pairs(context: click.Context, _: click.Parameter, pairs: tuple[str, ...]) -> None:
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter("write it as NAME=VALUE", ctx=context, param_hint="--set")
        context.find_root().ensure_object(Invocation).options[name.replace("-", "_").lower()] = value
