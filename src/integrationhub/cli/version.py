"""`integrationhub version`."""

import click

from integrationhub.cli.output import json_option, print_json


@click.command()
@json_option
def version(as_json: bool) -> None:
    """Print the version."""
    from importlib.metadata import version as installed_version

    number = installed_version("integrationhub")
    if as_json:
        print_json({"name": "integrationhub", "version": number})
    else:
        click.echo(f"integrationhub {number}")
