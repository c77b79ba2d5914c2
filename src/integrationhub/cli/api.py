"""`integrationhub api`: the read-only API for other services."""

import json
import sys

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.errors import ConfigurationError


@click.group()
def api() -> None:
    """Share debts, balances, ledgers and where they came from with other services, read-only."""


@api.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8088, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.pass_obj
def serve(invocation: Invocation, host: str, port: int) -> None:
    """Serve the API until SIGTERM. Put it behind a proxy that speaks TLS; it speaks HTTP itself.

    Who may read stands under `api_tokens` in the keys file; `integrationhub api token` makes such an entry.
    """
    import uvicorn

    from integrationhub.sharing.app import Api
    from integrationhub.sharing.tokens import TokenBook

    tokens = TokenBook.of_file(invocation.settings.keys_file)
    if not tokens:
        raise ConfigurationError(
            "nobody may read: the keys file has no api_tokens",
            code="TOKENS_MISSING",
            remedy="make one with `integrationhub api token NAME`, and name the keys file in the setting keys_file",
        )
    with invocation.hub() as hub:
        app = Api(store=hub.store, tokens=tokens).app()
        uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning", server_header=False)


@api.command()
@click.argument("name")
@click.option("--audience", default="internal", show_default=True, help="internal or finance.")
def token(name: str, audience: str) -> None:
    """Make a token for the service NAME: the token on stdout, once; its entry for the keys file on stderr."""
    from integrationhub.sharing.tokens import AUDIENCES, digest_of, new_token

    if audience not in AUDIENCES:
        raise click.UsageError(f"there is no audience {audience}; choose one of: {', '.join(AUDIENCES)}")
    made = new_token()
    click.echo(made)
    entry = {name: {"sha256": digest_of(made), "audience": audience}}
    click.echo(f"add to api_tokens in the keys file: {json.dumps(entry)[1:-1]}", file=sys.stderr)


@api.command()
def openapi() -> None:
    """Print the OpenAPI description."""
    from integrationhub.sharing.openapi import document

    click.echo(json.dumps(document(), indent=2, ensure_ascii=False))
