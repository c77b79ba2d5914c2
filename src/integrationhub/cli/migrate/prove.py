"""`migrate reconcile`, `migrate evidence`: proof that everything arrived, and proof for somebody else."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from integrationhub.cli.invocation import Invocation, as_option
from integrationhub.cli.migrate.options import any_wave_option, plan_argument, pounds, run_option
from integrationhub.cli.output import json_option, print_json, print_table, progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integrationhub.bootstrap import Hub
    from integrationhub.migration.handling import Handling
    from integrationhub.migration.reconcile.engine import Reconciliation
    from integrationhub.migration.reconcile.moves import MovedTotal

BROKEN = 6
VERIFY = "verify"
SHOWN = 20
"""Breaks that are printed for people; `--json` has all that are itemised."""


@click.command()
@plan_argument
@any_wave_option
@as_option
@run_option
@json_option
@click.pass_obj
def reconcile(
    invocation: Invocation, plan_name: str, wave: str | None, who: str | None, run_id: str | None, as_json: bool
) -> int:
    """Read the kept originals a second time, by a program of its own, and compare every value with what is held.

    What has moved is compared too: gross over, gross under and net, to the penny. When everything agrees, it is noted
    as a step of every group that waits for sign-off. Exit code 6 when anything differs.
    """
    from integrationhub.migration.settling import note_agreed, waiting_groups

    actor = invocation.actor(who)
    with invocation.hub() as hub:
        handling = hub.handling(plan_name, run_id)
        waiting = waiting_groups(handling, wave)
        found = _reconciled(hub, handling, wave)
        holds = all(item.holds for item in found)
        noted = note_agreed(handling, actor, "RECONCILE", waiting) if holds else 0
    if as_json:
        print_json({**_as_dict(plan_name, wave, found), "reconciled_groups": noted})
    else:
        _tell(found)
        if noted:
            click.echo(f"{noted:,} groups that wait for sign-off are reconciled")
    return 0 if all(item.holds for item in found) else BROKEN


def _reconciled(hub: "Hub", handling: "Handling", wave: str | None) -> "list[Reconciliation]":
    from integrationhub.errors import Conflict, NotFound

    run_id = None
    if wave is not None:
        handling.wave(wave)
    with hub.store.read() as connection:
        try:
            run_id = handling.run(connection).run_id
        except (NotFound, Conflict):  # nothing has moved yet
            if wave is not None or handling.run_id is not None:
                raise
    with progress("books read a second time", total=None) as advance:
        desk = hub.reconciliation(handling.bound.plan.plan.connectors)
        return desk.run(lambda _system, _done, _all: advance(1), run_id=run_id, wave=wave)


def _as_dict(plan: str, wave: str | None, found: "Sequence[Reconciliation]") -> dict[str, Any]:
    from dataclasses import asdict

    moved = [total for item in found for total in item.moves.totals]
    return {
        "plan": plan,
        "wave": wave,
        "holds": all(item.holds for item in found),
        "books": [
            {
                "system": item.system, "files": item.files, "holds": item.holds, "breaks": item.breaks,
                "set_aside": list(item.set_aside),
                "compared": [
                    {"entity": part.entity, "said": part.said, "held": part.held, "values": part.values,
                     "breaks": part.breaks, "items": [asdict(one) for one in part.items]}
                    for part in item.compared
                ],
                "totals": [{**asdict(total), "holds": total.holds} for total in item.totals],
            }
            for item in found
        ],
        "moved": [asdict(total) for total in moved],
        "moved_breaks": [asdict(one) for item in found for one in item.moves.breaks],
        "gross_over_pence": sum(total.over_pence for total in moved),
        "gross_under_pence": sum(total.under_pence for total in moved),
        "net_pence": sum(total.correction_pence for total in moved),
        "unexplained_pence": sum(item.moves.unexplained_pence for item in found),
    }  # fmt: skip


def _tell(found: "Sequence[Reconciliation]") -> None:
    rows = [
        (item.system, part.entity, f"{part.said:,}", f"{part.held:,}", f"{part.values:,}", f"{part.breaks:,}")
        for item in found
        for part in item.compared
    ]
    print_table(("book", "rows", "in files", "in hub", "values compared", "breaks"), rows)
    for item in found:
        for total in item.totals:
            if not total.holds:
                click.echo(f"{item.system}: {total.name} differs: files {total.said:,}, hub {total.held:,}")
        for one in [one for part in item.compared for one in part.items][:SHOWN]:
            click.echo(f"{item.system}: {one.entity} {one.verdict} {one.field or ''}".rstrip())
        for broken in item.moves.breaks[:SHOWN]:
            click.echo(f"{item.system}: case {broken.case_id}, {broken.owner}: {broken.verdict} {pounds(broken.pence)}")
    moved = [total for item in found for total in item.moves.totals]
    if moved:
        _tell_moved(moved)
    lost = sum(item.moves.unexplained_pence for item in found)
    agrees = all(item.holds for item in found)
    click.echo("everything agrees" if agrees else f"it does not agree: {pounds(lost)} moved unexplained")


def _tell_moved(moved: "Sequence[MovedTotal]") -> None:
    over, under = sum(total.over_pence for total in moved), sum(total.under_pence for total in moved)
    net, arrived = sum(total.correction_pence for total in moved), sum(total.in_pence for total in moved)
    click.echo(
        f"moved: {sum(total.accounts for total in moved):,} accounts, {pounds(arrived)} arrived; sources stated "
        f"{pounds(over)} too much and {pounds(under)} too little, net {pounds(net)}"
    )


@click.command()
@click.argument("plan_name", metavar="PLAN|verify")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write the pack: a new folder.")
@click.option(
    "--key", type=click.Path(path_type=Path), metavar="FILE",
    help="PEM file: the private key that signs (default: one in the data directory), or the public one that verifies.",
)  # fmt: skip
@run_option
@click.pass_obj
def evidence(
    invocation: Invocation, plan_name: str, folder: Path | None, out: Path | None, key: Path | None, run_id: str | None
) -> int:
    """Write the signed evidence of PLAN's run, or check one: `evidence verify DIR --key FILE`.

    A pack holds a page for people, the same for programs, every file handed out, hashes and an Ed25519 signature. Made
    again from the same store it is the same to the byte. Verifying needs no hub: exit code 6 when a byte was altered.
    """
    if plan_name == VERIFY:
        return _verify(folder, key)
    if out is None or folder is not None:
        raise click.UsageError("say where to write the pack: evidence PLAN --out DIR")
    with invocation.hub() as hub:
        handling = hub.handling(plan_name, run_id)
        digest, signer = hub.write_evidence(handling, _reconciled(hub, handling, None), out, key)
    click.echo(f"evidence of {plan_name} in {out}, manifest {digest}")
    click.echo(f"verify it with: integrationhub migrate evidence verify {out} --key {signer}")
    return 0


def _verify(folder: Path | None, key: Path | None) -> int:
    from integrationhub.migration.evidence.pack import verify_pack

    if folder is None or key is None:
        raise click.UsageError("say what to verify, with which public key: evidence verify DIR --key FILE")
    wrong = verify_pack(folder, key)
    for sentence in wrong:
        click.echo(sentence)
    click.echo("not as it was signed" if wrong else "every byte is as it was signed")
    return BROKEN if wrong else 0
