"""What moved, against the second reading: every penny that left a source is in its files, and arrived at the target."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

ACCOUNTS = "moved"

_CHECKED = """
CREATE VIEW moved_checked AS
SELECT m.*, coalesce(b.pence, c.pence, 0) AS said_pence, coalesce(b.suspended_pence, 0) AS said_suspended_pence,
       opening_pence + adjustment_pence AS accepted_pence,
       opening_suspended_pence + adjustment_suspended_pence AS accepted_suspended_pence
FROM moved m
LEFT JOIN said_balances b ON m.account_kind = 'DEBT' AND b.source_ref = m.source_ref || ' ' || m.owner
LEFT JOIN (SELECT source_ref, source_custodian_pence AS pence FROM said_cases) c
  ON m.account_kind = 'CUSTODIAN' AND c.source_ref = m.source_ref
"""

_TOTALS = """
SELECT scheme, wave, segment, account_kind, owner, count(*), sum(said_pence), sum(opening_pence), sum(adjustment_pence),
       sum(-moved_out_pence), sum(moved_in_pence),
       sum(greatest(opening_pence - accepted_pence, 0)), sum(greatest(accepted_pence - opening_pence, 0))
FROM moved_checked GROUP BY ALL ORDER BY ALL
"""

MOST_SHOWN = 1_000
"""Breaks that are itemised; all of them are counted and added up."""

_BREAKS = """
CREATE TEMP TABLE move_breaks AS
SELECT verdict, case_id, owner, abs(difference) AS pence FROM (
  SELECT case_id, coalesce(owner, account_kind) AS owner, unnest([
    {'verdict': 'OPENING', 'difference': opening_pence - said_pence},
    {'verdict': 'OPENING_SUSPENDED', 'difference': opening_suspended_pence - said_suspended_pence},
    {'verdict': 'NOT_ACCEPTED', 'difference': moved_in_pence - accepted_pence},
    {'verdict': 'NOT_ACCEPTED_SUSPENDED', 'difference': moved_in_suspended_pence - accepted_suspended_pence},
    {'verdict': 'OUT_NOT_IN', 'difference': moved_out_pence + moved_in_pence},
    {'verdict': 'OUT_NOT_IN_SUSPENDED', 'difference': moved_out_suspended_pence + moved_in_suspended_pence}
  ], recursive := true) FROM moved_checked
) WHERE difference <> 0
"""

_SHOWN = "SELECT * FROM move_breaks ORDER BY ALL LIMIT ?"

VERDICTS = {
    "OPENING": "the account was opened with another balance than the source's file states",
    "OPENING_SUSPENDED": "the account was opened with another suspended part than the source's file states",
    "NOT_ACCEPTED": "what arrived is not what was accepted: opening balance and adjustments",
    "NOT_ACCEPTED_SUSPENDED": "the suspended part that arrived is not the one that was accepted",
    "OUT_NOT_IN": "what left the source is not what arrived at the target",
    "OUT_NOT_IN_SUSPENDED": "the suspended part that left is not the one that arrived",
}
"""What each break means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedTotal:
    """Accounts of one kind, owner, scheme, wave and segment. `said_pence` is what the source's files state.

    `over_pence`: by how much sources stated too much, `under_pence`: too little, each added up account by account.
    """

    scheme: str
    wave: str
    segment: str
    account_kind: str
    owner: str | None
    accounts: int
    said_pence: int
    opening_pence: int
    adjustment_pence: int
    out_pence: int
    in_pence: int
    over_pence: int
    under_pence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveBreak:
    """An account that does not add up; `verdict` is one of VERDICTS."""

    verdict: str
    case_id: str
    owner: str
    pence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What moved of one book, and what does not add up: number of breaks, pence without netting, the first breaks."""

    totals: tuple[MovedTotal, ...] = ()
    breaks: tuple[MoveBreak, ...] = ()
    broken: int = 0
    unexplained_pence: int = 0


def compare_moves(engine: Any, system: str, accounts: Iterable[pl.DataFrame]) -> Moves:  # noqa: ANN401 - DuckDB's connection
    """Compare accounts as they moved (columns of store.transfer_proof) with what the second reader has read."""
    made = False
    for frame in accounts:
        engine.register("arriving", frame.filter(pl.col("source_system") == system).to_arrow())
        engine.execute("INSERT INTO moved SELECT * FROM arriving" if made else "CREATE TABLE moved AS FROM arriving")
        engine.unregister("arriving")
        made = True
    if not made:
        return Moves()
    engine.execute(_CHECKED)
    totals = [_total(*row) for row in engine.execute(_TOTALS).fetchall()]
    engine.execute(_BREAKS)
    broken, unexplained = engine.execute("SELECT count(*), coalesce(sum(pence), 0) FROM move_breaks").fetchall()[0]
    breaks = [
        MoveBreak(verdict=verdict, case_id=case_id, owner=owner, pence=int(pence))
        for verdict, case_id, owner, pence in engine.execute(_SHOWN, [MOST_SHOWN]).fetchall()
    ]
    return Moves(totals=tuple(totals), breaks=tuple(breaks), broken=int(broken), unexplained_pence=int(unexplained))


def _total(scheme: str, wave: str, segment: str, kind: str, owner: str | None, *sums: Any) -> MovedTotal:
    names = (
        "accounts", "said_pence", "opening_pence", "adjustment_pence", "out_pence", "in_pence", "over_pence",
        "under_pence",
    )  # fmt: skip
    figures = {name: int(value or 0) for name, value in zip(names, sums, strict=True)}
    return MovedTotal(scheme=scheme, wave=wave, segment=segment, account_kind=kind, owner=owner, **figures)
