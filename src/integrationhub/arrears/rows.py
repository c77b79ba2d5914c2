"""Exports of what was judged: `export arrears` and `export debts`, for a day.

Verdicts do not hang on the day; segments, labels and write-off classes do, and are worked out here from the facts that
are kept with each verdict.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any

import polars as pl

from integrationhub.arrears.book import Figures
from integrationhub.arrears.policy import Policy
from integrationhub.arrears.standing import Facts, Standing, group_segment, standing
from integrationhub.arrears.verdict import EXCEPTION
from integrationhub.canonical.identifiers import SEPARATOR, derive
from integrationhub.store import casework
from integrationhub.store.case_events import CaseEvents, EventState
from integrationhub.store.exports import ARREARS_SCHEMA, DEBT_SCHEMA, ROWS_AT_ONCE, export
from integrationhub.store.unit_of_work import Reading

ARREARS_ROWS: Mapping[str, pl.DataType] = {
    **ARREARS_SCHEMA, "duplicate_of": pl.String(), "event_state": pl.String(), "applied_to_seq": pl.Int64(),
}  # fmt: skip
"""Columns of `export arrears` (INTERFACE.md)."""

_OWNERS = {"RECEIVING_PARENT": "rp", "SECRETARY_OF_STATE": "sos", "UNKNOWN": "unk"}


class Rows:
    """Rows of judged cases as at a day; the day is the newest file's as-at date unless one is given."""

    def __init__(self, connection: Reading, policy: Policy, *, as_at: date | None = None) -> None:
        self._connection = connection
        self._day = as_at or casework.latest_as_at(connection) or date.max
        self._thresholds = policy.on(self._day)
        self._effects = {effect.case_id: effect for effect in CaseEvents(connection).effects()}

    def arrears(self) -> Iterator[pl.DataFrame]:
        """One row a case in the shape of the samples' expected `cases`; what was not judged has its source alone."""
        for frame in export(self._connection, "arrears"):
            verdicts = casework.verdicts_by_key(self._connection, frame["case"].to_list())
            rows = [self._case(row, verdicts.get(row["case"])) for row in frame.to_dicts()]
            yield pl.DataFrame(rows, schema=dict(ARREARS_ROWS))

    def _case(self, row: dict[str, Any], verdict: Any) -> dict[str, Any]:  # noqa: ANN401 – a database row
        if verdict is None:
            return row
        stands = self._standing(verdict)
        effect = self._effects.get(verdict.case_id)
        return {
            "case": row["case"],
            "group": verdict.case_group_id,
            "source": figures(verdict, "source")._asdict(),
            "outcome": self._outcome(verdict),
            "causes": self._causes(verdict),
            "flags": verdict.flags,
            "accepted": self._figures(verdict, "accepted")._asdict() if stands else None,
            "segment": stands.segment if stands else None,
            "uncollectable": stands.uncollectable if stands else None,
            "debts": list(stands.debts) if stands else [],
            "duplicate_of": verdict.duplicate_of,
            "event_state": effect.state.value if effect else None,
            "applied_to_seq": effect.applied_to_seq if effect else None,
        }

    def _is_contested(self, verdict: Any) -> bool:  # noqa: ANN401 – a database row
        """Whether two change events claim one number of the case (csa2003.md §5)."""
        effect = self._effects.get(verdict.case_id)
        return effect is not None and effect.state is EventState.CONFLICT

    def _outcome(self, verdict: Any) -> str:  # noqa: ANN401 – a database row
        return EXCEPTION if self._is_contested(verdict) else str(verdict.outcome)

    def _causes(self, verdict: Any) -> list[str]:  # noqa: ANN401 – a database row
        """The codes of the outcome; those of corrections are no longer told of a case that events made an exception."""
        if not self._is_contested(verdict):
            return list(verdict.causes)
        return sorted({"EV", *(verdict.causes if verdict.outcome == EXCEPTION else ())})

    def _figures(self, verdict: Any, kind: str) -> Figures:  # noqa: ANN401 – a database row
        """The verdict's figures of one kind with what change events added behind the extract."""
        effect = self._effects.get(verdict.case_id)
        plain = figures(verdict, kind)
        return plain.plus(Figures(**effect.figures)) if effect else plain

    def _standing(self, verdict: Any) -> Standing | None:  # noqa: ANN401 – a database row
        """Where an accepted case stands; None for an exception."""
        if self._outcome(verdict) == EXCEPTION:
            return None
        return standing(self._facts(verdict), self._figures(verdict, "accepted"), self._day, self._thresholds)

    def _facts(self, verdict: Any) -> Facts:  # noqa: ANN401 – a database row
        """The facts of the extract, with the owners to whom events have added something."""
        facts = Facts.of_document(verdict.facts)
        effect = self._effects.get(verdict.case_id)
        if effect is None:
            return facts
        touched = {owner for owner, name in _OWNERS.items() if owner != "UNKNOWN" and effect.figures[name]}
        return replace(facts, owners=tuple(sorted({*facts.owners, *touched})))

    def groups(self) -> list[dict[str, Any]]:
        """Case groups by identifier: how many cases each has, and its segment on the day."""
        segments: dict[str, list[str | None]] = {}
        for frame in self.arrears():
            judged = frame.filter(pl.col("outcome").is_not_null())
            for group, segment in zip(judged["group"], judged["segment"], strict=True):
                segments.setdefault(group, []).append(segment)
        return [
            {"group": group, "cases": len(found), "segment": group_segment(found, self._thresholds.precedence)}
            for group, found in sorted(segments.items())
        ]

    def debts(self) -> Iterator[pl.DataFrame]:
        """One row a debt with its three balances, and one for each debt that only the corrected ledger has."""
        arisen = pl.DataFrame(list(self._arisen()), schema=dict(DEBT_SCHEMA))
        for frame in export(self._connection, "debts"):
            verdicts = casework.verdicts_by_debt(self._connection, frame["debt_id"].to_list())
            rows = [self._debt(row, verdicts.get(row["debt_id"])) for row in frame.to_dicts()]
            mine = pl.DataFrame(rows, schema=dict(DEBT_SCHEMA))
            last = frame.is_empty() or frame.height < ROWS_AT_ONCE
            before = pl.lit(last) if last else _sort_key() <= mine.select(_sort_key()).to_series()[-1]
            yield pl.concat([mine, arisen.filter(before)]).sort("scheme", "source_ref", "legal_owner", "debt_id")
            arisen = arisen.filter(~before)

    def _arisen(self) -> Iterator[dict[str, Any]]:
        """Debts that only the corrected ledger has: to an owner whom no line and no header of the source names."""
        for _, found in groupby(casework.recomputed_without_debt(self._connection), key=lambda row: row.case_id):
            rows = list(found)
            verdict = rows[0]
            for owner in sorted(set(Facts.of_document(verdict.facts).owners) - {row.legal_owner for row in rows}):
                carer = owner == "RECEIVING_PARENT"
                yield self._debt({
                    "debt_id": derive("debt", verdict.source_system, verdict.source_ref, owner),
                    **{name: getattr(verdict, name) for name in ("scheme", "host_system", "source_system")},
                    "source_ref": verdict.source_ref, "application_ref": verdict.source_ref,
                    "payee_role": "PWC" if carer else owner, "legal_owner": owner,
                    "kind": "CHILD_MAINTENANCE_ARREARS", "cause": "NOT_APPLICABLE", "status": "ACTIVE",
                    "group_id": verdict.group_id, "source_pence": None, "exceptions": [], "as_at": verdict.as_at,
                    "target_ref": None,
                }, verdict)  # fmt: skip

    def _debt(self, row: dict[str, Any], verdict: Any) -> dict[str, Any]:  # noqa: ANN401 – a database row
        if verdict is None or row["status"] == "REMOVED":
            return row
        figure = _OWNERS[row["legal_owner"]]
        stands = self._standing(verdict)
        held = stands is None
        return {
            **row,
            "recomputed_pence": getattr(self._figures(verdict, "recomputed"), figure),
            "accepted_pence": None if held else getattr(self._figures(verdict, "accepted"), figure),
            "accepted_basis": None if held else verdict.outcome,
            "causes": [] if held else verdict.causes,
            "exceptions": sorted({*row["exceptions"], *(self._causes(verdict) if held else ())}),
            "collectability": "UNCOLLECTABLE" if stands and stands.uncollectable else None,
            "segment": stands.segment if stands else None,
        }


def _sort_key() -> pl.Expr:
    return pl.concat_str("scheme", "source_ref", "legal_owner", separator=SEPARATOR)


def figures(verdict: Any, kind: str) -> Figures:  # noqa: ANN401 – a database row
    """The verdict's figures of one kind: source, recomputed or accepted."""
    return Figures(*(getattr(verdict, f"{kind}_{name}") for name in Figures._fields))
