"""Arguments and options that several commands of `migrate` share."""

from datetime import date, datetime

import click

plan_argument = click.argument("plan_name", metavar="PLAN")
run_option = click.option("--run", "run_id", metavar="ID", help="A run other than the current one.")
wave_option = click.option("--wave", metavar="WAVE", required=True, help="A wave of the plan.")
any_wave_option = click.option("--wave", metavar="WAVE", help="One wave of the plan (default: all).")
reason_option = click.option("--reason", required=True, metavar="TEXT", help="Why; it stays on record.")
DATE = click.DateTime(["%Y-%m-%d"])


def day_of(value: datetime | None) -> date | None:
    """The day of an option of the type DATE."""
    return value.date() if value else None


def said(reason: str) -> str:
    """The reason without blanks around it; a usage error when nothing is left."""
    if not reason.strip():
        raise click.UsageError("--reason needs words that somebody can understand later")
    return reason.strip()


def pounds(pence: int) -> str:
    """An amount as people read it."""
    return f"{'-' if pence < 0 else ''}£{abs(pence) / 100:,.2f}"
