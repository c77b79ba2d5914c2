"""What moved, against the second reading: every penny that left a source is in its files, and arrived at the target."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

ACCOUNTS = "moved"

_CHECKED = """
CREATE VIEW moved_checked AS
SELECT m.*, coalesce(b.pence, c.pence, 0) AS said_pence, coalesce(b.suspended_pence, 0) AS said_suspended_pence,
       coalesce(e.pence, 0) AS changes_pence, coalesce(e.suspended_pence, 0) AS changes_suspended_pence,
       opening_pence + adjustment_pence AS accepted_pence,
       opening_suspended_pence + adjustment_suspended_pence AS accepted_suspended_pence,
       EXISTS (SELECT 1 FROM contained_changes o WHERE o.account_kind = m.account_kind AND o.source_ref = m.source_ref
               AND o.owner IS NOT DISTINCT FROM m.owner
               AND coalesce(o.pence = coalesce(b.pence, 0) - m.opening_pence, true)
               AND coalesce(o.suspended_pence = coalesce(b.suspended_pence, 0) - m.opening_suspended_pence, true))
         AS opened_before
FROM moved m
LEFT JOIN said_balances b ON m.account_kind = 'DEBT' AND b.source_ref = m.source_ref || ' ' || m.owner
LEFT JOIN (SELECT source_ref, source_custodian_pence AS pence FROM said_cases) c
  ON m.account_kind = 'CUSTODIAN' AND c.source_ref = m.source_ref
LEFT JOIN changed_accounts e
  ON e.account_kind = m.account_kind AND e.source_ref = m.source_ref AND e.owner IS NOT DISTINCT FROM m.owner
WHERE m.account_kind IS NOT NULL;

-- Accounts of moved cases that hold something, by the files and the messages.
CREATE VIEW said_accounts AS
SELECT 'DEBT' AS account_kind, d.own_case AS source_ref, d.legal_owner AS owner, b.pence, b.suspended_pence
FROM said_balances b JOIN said_debts d USING (source_ref)
UNION ALL SELECT 'CUSTODIAN', source_ref, NULL, source_custodian_pence, 0 FROM said_cases
UNION ALL SELECT * FROM changed_accounts
"""

_TOTALS = """
SELECT scheme, wave, segment, account_kind, owner, count(*), sum(said_pence), sum(opening_pence), sum(adjustment_pence),
       sum(correction_pence), sum(changes_pence), sum(-moved_out_pence), sum(moved_in_pence),
       sum(greatest(-correction_pence, 0)), sum(greatest(correction_pence, 0))
FROM moved_checked GROUP BY ALL ORDER BY ALL
"""

MOST_SHOWN = 1_000
"""Breaks that are itemised; all of them are counted and added up."""

_BREAKS = """
CREATE TEMP TABLE move_breaks AS
SELECT verdict, case_id, owner, abs(difference) AS pence FROM (
  SELECT case_id, coalesce(owner, account_kind) AS owner, unnest([
    {'verdict': 'OPENING', 'difference': CASE WHEN opened_before THEN 0 ELSE opening_pence - said_pence END},
    {'verdict': 'OPENING_SUSPENDED',
     'difference': CASE WHEN opened_before THEN 0 ELSE opening_suspended_pence - said_suspended_pence END},
    {'verdict': 'NOT_EXPLAINED', 'difference': moved_in_pence - said_pence - correction_pence - changes_pence},
    {'verdict': 'NOT_EXPLAINED_SUSPENDED',
     'difference': moved_in_suspended_pence - said_suspended_pence - correction_suspended_pence
       - changes_suspended_pence},
    {'verdict': 'NOT_ACCEPTED', 'difference': moved_in_pence - accepted_pence},
    {'verdict': 'NOT_ACCEPTED_SUSPENDED', 'difference': moved_in_suspended_pence - accepted_suspended_pence},
    {'verdict': 'OUT_NOT_IN', 'difference': moved_out_pence + moved_in_pence},
    {'verdict': 'OUT_NOT_IN_SUSPENDED', 'difference': moved_out_suspended_pence + moved_in_suspended_pence}
  ], recursive := true) FROM moved_checked
  UNION ALL
  SELECT any_value(c.case_id), coalesce(s.owner, s.account_kind), 'LEFT_BEHIND', abs(s.pence) + abs(s.suspended_pence)
  FROM said_accounts s JOIN (SELECT DISTINCT source_ref, case_id FROM moved) c USING (source_ref)
  WHERE NOT EXISTS (SELECT 1 FROM moved m WHERE m.source_ref = s.source_ref AND m.account_kind = s.account_kind
                    AND m.owner IS NOT DISTINCT FROM s.owner)
  GROUP BY ALL
) WHERE difference <> 0
"""

_SHOWN = "SELECT * FROM move_breaks ORDER BY ALL LIMIT ?"

VERDICTS = {
    "OPENING": "the account was opened with another balance than the source's file states, or stated before events",
    "OPENING_SUSPENDED": "the account was opened with another suspended part than the source's file states",
    "NOT_EXPLAINED": "what arrived is not what the file states, the written rules correct and change events have added",
    "NOT_EXPLAINED_SUSPENDED": "the suspended part that arrived is not explained by file, rules and change events",
    "LEFT_BEHIND": "the source's file or a change event has an account of the case with money in it that did not move",
    "NOT_ACCEPTED": "what arrived is not what was accepted: opening balance and adjustments",
    "NOT_ACCEPTED_SUSPENDED": "the suspended part that arrived is not the one that was accepted",
    "OUT_NOT_IN": "what left the source is not what arrived at the target",
    "OUT_NOT_IN_SUSPENDED": "the suspended part that left is not the one that arrived",
}
"""What each break means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedTotal:
    """Accounts of one kind, owner, scheme, wave and segment. `said_pence` is what the source's files state.

    `correction_pence`: what the written rules have added to that, `changes_pence`: what change events behind the files
    have. `over_pence`: by how much sources stated too much, `under_pence`: too little, added up account by account.
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
    correction_pence: int
    changes_pence: int
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
        "accounts", "said_pence", "opening_pence", "adjustment_pence", "correction_pence", "changes_pence", "out_pence",
        "in_pence", "over_pence", "under_pence",
    )  # fmt: skip
    figures = {name: int(value or 0) for name, value in zip(names, sums, strict=True)}
    return MovedTotal(scheme=scheme, wave=wave, segment=segment, account_kind=kind, owner=owner, **figures)
