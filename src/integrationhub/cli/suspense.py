"""`integrationhub suspense`: money whose debt was not found."""

from typing import TYPE_CHECKING, Any

import click

from integrationhub.cli.invocation import Invocation, as_option
from integrationhub.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from integrationhub.accounts.entries import Receipt
    from integrationhub.suspense.desk import Shown

_reason = click.option("--reason", required=True, metavar="TEXT", help="Why; kept with your name.")


@click.group()
def suspense() -> None:
    """Work money that arrived and whose debt was not found: list it, give it to a debt or case, take that back."""


@suspense.command("list")
@click.option("--code", metavar="CODE", help="With this reason code only, e.g. UNMATCHED.")
@click.option("--source", metavar="SOURCE", help="From this source only, e.g. BANK.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000), help="Most receipts shown.")
@click.option("--after", default=0, metavar="N", type=click.IntRange(0), help="Go on behind receipt number N.")
@click.option("--sums", is_flag=True, help="Only how much waits, by source and reason.")
@json_option
@click.pass_obj
def list_waiting(
    invocation: Invocation, code: str | None, source: str | None, limit: int, after: int, sums: bool, as_json: bool
) -> None:
    """List what waits, oldest first. The last column names the debt or case that it would match by now."""
    from integrationhub.store.suspense import Chosen

    with invocation.hub(trial=True) as hub:
        totals = hub.suspense.sums()
        found = [] if sums else hub.suspense.waiting(Chosen(reason=code, source=source, after=after, limit=limit))
    if as_json:
        print_json([dict(row) for row in totals] if sums else [_row(item) for item in found])
        return
    if sums:
        rows = [(row["source"], row["reason"], row["receipts"], row["pence"], row["oldest"]) for row in totals]
        print_table(("source", "reason", "receipts", "pence", "oldest"), rows)
        return
    headings = ("number", "receipt", "since", "source", "value date", "pence", "reason", "matches now")
    print_table(headings, [tuple(_row(item).values()) for item in found])
    if len(found) == limit:
        click.echo(f"there may be more: --after {found[-1].waiting.receipt.number}")


@suspense.command()
@click.argument("receipt")
@click.argument("target", metavar="DEBT|CASE")
@_reason
@as_option
@json_option
@click.pass_obj
def allocate(invocation: Invocation, receipt: str, target: str, reason: str, who: str | None, as_json: bool) -> None:
    """Give a waiting RECEIPT (its identifier) to a debt or child maintenance case (its reference)."""
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        _tell(hub.suspense.allocate(receipt, target, actor, reason), as_json=as_json)
        hub.publish_waiting()


@suspense.command()
@click.argument("receipt")
@_reason
@as_option
@json_option
@click.pass_obj
def release(invocation: Invocation, receipt: str, reason: str, who: str | None, as_json: bool) -> None:
    """Take a decision back: a RECEIPT that was given away here waits again."""
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        _tell(hub.suspense.release(receipt, actor, reason), as_json=as_json)
        hub.publish_waiting()


@suspense.command()
@click.option("--yes", is_flag=True, help="Act; without it only what would be given where is shown.")
@_reason
@as_option
@json_option
@click.pass_obj
def rematch(invocation: Invocation, yes: bool, reason: str, who: str | None, as_json: bool) -> None:
    """Match what waits anew, against the debts that have appeared since; --yes gives it where it belongs."""
    actor = invocation.actor(who)
    with invocation.hub(trial=not yes) as hub:
        if yes:
            given = hub.suspense.rematch(actor, reason)
            hub.publish_waiting()
            rows = [_given(item) for item in given]
        else:
            rows = [_row(item) for item in hub.suspense.proposals()]
    if as_json:
        print_json(rows)
        return
    if rows:
        print_table(tuple(rows[0]), [tuple(row.values()) for row in rows])
    click.echo(
        f"{len(rows):,} receipts {'were given where they belong' if yes else 'match now; --yes gives them there'}"
    )


def _row(item: "Shown") -> dict[str, Any]:
    receipt = item.waiting.receipt
    return {
        "number": receipt.number,
        "receipt_id": receipt.receipt_id,
        "since": item.waiting.since.isoformat(),
        "source": receipt.source,
        "value_date": receipt.value_date.isoformat(),
        "pence": receipt.amount_pence - receipt.reversed_pence,
        "reason": receipt.reason,
        "matches": item.matches,
    }


def _given(receipt: "Receipt") -> dict[str, Any]:
    return {
        "receipt_id": receipt.receipt_id,
        "pence": receipt.amount_pence - receipt.reversed_pence,
        "debt_ref": receipt.debt_ref,
        "case_ref": receipt.case_ref,
    }


def _tell(receipt: "Receipt", *, as_json: bool) -> None:
    if as_json:
        print_json(_given(receipt))
    elif receipt.in_suspense:
        click.echo("the receipt waits again: `integrationhub suspense list`")
    else:
        click.echo(f"given to {receipt.debt_ref or receipt.case_ref}; `integrationhub suspense release` takes it back")
