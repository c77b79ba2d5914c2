"""`integrationhub connector pause|resume`: hold a connector, let it go on, pass over a refused number."""

import click

from integrationhub.cli.invocation import Invocation, as_option


@click.command()
@click.argument("name")
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept with your name.")
@as_option
@click.pass_obj
def pause(invocation: Invocation, name: str, reason: str, who: str | None) -> None:
    """Hold a connector: the daemon takes nothing of it until it is resumed. What arrives waits."""
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        connector = hub.pipeline(name).descriptor.name
        hub.desk(connector).pause(by=actor.name, reason=reason)
    click.echo(f"{connector} is paused. Go on with: integrationhub connector resume {connector}")


@click.command()
@click.argument("name")
@click.option("--skip", type=int, metavar="N", help="Pass over the refused sequence number N; needs --reason.")
@click.option("--reason", metavar="TEXT", help="Why the number is passed over; kept with your name.")
@as_option
@click.pass_obj
def resume(invocation: Invocation, name: str, skip: int | None, reason: str | None, who: str | None) -> None:
    """Let a connector go on: end its pause, and the stop that a refused file caused.

    The refused number is still expected, unless --skip passes over it. Files that waited are taken up at once.
    """
    if skip is not None and not (reason or "").strip():
        raise click.UsageError("--skip needs --reason TEXT: whoever passes over a file says why")
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        pipeline = hub.pipeline(name)
        connector = pipeline.descriptor.name
        with pipeline.exclusive():
            hub.desk(connector).resume(skip=skip, by=actor.name, reason=reason)
            reports = pipeline.resume()
        hub.judge_waiting()
        hub.publish_waiting()
    click.echo(f"{connector} goes on." + (f" Sequence {skip} is passed over." if skip is not None else ""))
    for report in reports:
        click.echo(f"  {report.path.rpartition('/')[2]}: {report.verdict.value}")
