"""Exports of what was judged: `export arrears`, `export debts` and `export balances`, for a day.

Verdicts do not hang on the day; segments, labels and write-off classes do, and are worked out here from the facts that
are kept with each verdict.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from heapq import merge
from itertools import groupby, islice
from typing import Any

import polars as pl

from integrationhub.arrears.after_events import AfterEvents, figures
from integrationhub.arrears.event_page import said
from integrationhub.arrears.policy import Policy
from integrationhub.arrears.standing import Standing, group_segment, standing
from integrationhub.arrears.verdict import EXCEPTION
from integrationhub.canonical.frames import schema
from integrationhub.canonical.identifiers import derive
from integrationhub.canonical.model import ENTITIES
from integrationhub.store import casework
from integrationhub.store.exports import ARREARS_SCHEMA, DEBT_SCHEMA, ROWS_AT_ONCE, export
from integrationhub.store.unit_of_work import Reading

ARREARS_ROWS: Mapping[str, pl.DataType] = {
    **ARREARS_SCHEMA, "duplicate_of": pl.String(), "event_state": pl.String(), "applied_to_seq": pl.Int64(),
}  # fmt: skip
"""Columns of `export arrears` (INTERFACE.md)."""

EVENT_ROWS: Mapping[str, pl.DataType] = {
    "case_id": pl.String(), "case_seq": pl.Int64(), "kind": pl.String(), "state": pl.String(), "occurred_on": pl.Date(),
    "source_id": pl.String(), "schedule_ref": pl.String(), "reverses_ref": pl.String(), "pence": pl.Int64(),
    "reason": pl.String(), "charged_to": pl.Date(), "changes": ARREARS_SCHEMA["source"], "says": pl.String(),
    "delivery_id": pl.String(),
}  # fmt: skip
"""Columns of `export case_events`; nothing personal."""

JUDGED_BY = "arrears rules"
"""What made a recomputed or accepted balance, in the place of a mapping."""

_OWNERS = {"RECEIVING_PARENT": "rp", "SECRETARY_OF_STATE": "sos", "UNKNOWN": "unk"}


class Rows:
    """Rows of judged cases as at a day; the day is the newest file's as-at date unless one is given."""

    def __init__(self, connection: Reading, policy: Policy, *, as_at: date | None = None) -> None:
        self._connection = connection
        self._day = as_at or casework.latest_as_at(connection) or date.max
        self._thresholds = policy.on(self._day)
        self._events = AfterEvents(connection)

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
        effect = self._events.effect(verdict.case_id)
        return {
            "case": row["case"],
            "group": verdict.case_group_id,
            "source": figures(verdict, "source")._asdict(),
            "outcome": self._events.outcome(verdict),
            "causes": self._events.causes(verdict),
            "flags": verdict.flags,
            "accepted": self._events.figures(verdict, "accepted")._asdict() if stands else None,
            "segment": stands.segment if stands else None,
            "uncollectable": stands.uncollectable if stands else None,
            "debts": list(stands.debts) if stands else [],
            "duplicate_of": verdict.duplicate_of,
            "event_state": effect.state.value if effect else None,
            "applied_to_seq": effect.applied_to_seq if effect else None,
        }

    def _standing(self, verdict: Any) -> Standing | None:  # noqa: ANN401 – a database row
        """Where an accepted case stands; None for an exception."""
        if self._events.outcome(verdict) == EXCEPTION:
            return None
        return standing(
            self._events.facts(verdict), self._events.figures(verdict, "accepted"), self._day, self._thresholds
        )

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
        for pairs in _at_once(self._owed()):
            yield pl.DataFrame([self._debt(row, verdict) for row, verdict in pairs], schema=dict(DEBT_SCHEMA))

    def balances(self) -> Iterator[pl.DataFrame]:
        """The three balances of every debt as rows of `balances`: what its source says, what the evidence comes to, and
        what was accepted, which an exception has not.
        """
        shape = schema(ENTITIES["balances"])
        for pairs in _at_once(self._owed()):
            stated = casework.source_balances(self._connection, [row["debt_id"] for row, _ in pairs])
            places = casework.places(self._connection, {verdict.case_id for _, verdict in pairs if verdict})
            rows = []
            for debt, verdict in pairs:
                source = stated.get(debt["debt_id"])
                rows += [source] if source else []
                if verdict is not None and debt["status"] != "REMOVED":
                    rows += list(self._judged_balances(debt, verdict, places[verdict.case_id]))
            yield pl.DataFrame(rows, schema=shape)

    def case_events(self) -> Iterator[pl.DataFrame]:
        """Every change event that was kept, with what it says and whether it applies, waits, is contested, or stands in
        the book by now.
        """
        kept = iter(self._event_rows())
        while True:
            part = list(islice(kept, ROWS_AT_ONCE))
            yield pl.DataFrame(part, schema=dict(EVENT_ROWS))
            if len(part) < ROWS_AT_ONCE:
                return

    def _event_rows(self) -> Iterator[dict[str, Any]]:
        for event in casework.kept_events(self._connection):
            step = self._events.step(event)
            state = "IN_BOOK" if step is None else "APPLIED" if step.applies else "WAITING"
            yield {
                **{name: getattr(event, name) for name in EVENT_ROWS if hasattr(event, name)},
                "state": "CONFLICT" if step and event.conflicts else state,
                "changes": step.figures if step and step.applies else None, "says": said(event),
            }  # fmt: skip

    def _judged_balances(
        self,
        debt: Mapping[str, Any],
        verdict: Any,  # noqa: ANN401 – a database row
        place: Mapping[str, Any],
    ) -> Iterator[dict[str, Any]]:
        outcome = self._events.outcome(verdict)
        for kind in ("RECOMPUTED", "ACCEPTED"):
            if kind == "ACCEPTED" and outcome == EXCEPTION:
                continue
            figure, found = _OWNERS[debt["legal_owner"]], self._events.figures(verdict, kind.lower())
            yield {
                "balance_id": derive("balance", debt["debt_id"], kind), "group_id": debt["group_id"],
                "debt_id": debt["debt_id"], "kind": kind, "pence": getattr(found, figure),
                "suspended_pence": getattr(found, f"susp_{figure}", 0), "as_at": debt["as_at"],
                "evidence": self._events.evidence(verdict, kind), **place, "mapping_id": JUDGED_BY,
            }  # fmt: skip

    def _owed(self) -> Iterator[tuple[dict[str, Any], Any]]:
        """Every debt with the verdict of its case, in the order of exports."""
        return merge(self._stored(), sorted(self._arisen(), key=_order), key=_order)

    def _stored(self) -> Iterator[tuple[dict[str, Any], Any]]:
        for frame in export(self._connection, "debts"):
            verdicts = casework.verdicts_by_debt(self._connection, frame["debt_id"].to_list())
            yield from ((row, verdicts.get(row["debt_id"])) for row in frame.to_dicts())

    def _arisen(self) -> Iterator[tuple[dict[str, Any], Any]]:
        """Debts to an owner whom no line and no header of the source names: of the corrected ledger, or of an event."""
        waiting = casework.accepted_with_debts(self._connection, self._events.cases())
        for _, found in groupby(waiting, key=lambda row: row.case_id):
            rows = list(found)
            verdict = rows[0]
            for owner in sorted(set(self._events.facts(verdict).owners) - {row.legal_owner for row in rows}):
                carer = owner == "RECEIVING_PARENT"
                yield {
                    "debt_id": derive("debt", verdict.source_system, verdict.source_ref, owner),
                    **{name: getattr(verdict, name) for name in ("scheme", "host_system", "source_system")},
                    "source_ref": verdict.source_ref, "application_ref": verdict.source_ref,
                    "payee_role": "PWC" if carer else owner, "legal_owner": owner,
                    "kind": "CHILD_MAINTENANCE_ARREARS", "cause": "NOT_APPLICABLE", "status": "ACTIVE",
                    "group_id": verdict.group_id, "source_pence": None, "exceptions": [], "as_at": verdict.as_at,
                    "target_ref": None,
                }, verdict  # fmt: skip

    def _debt(self, row: dict[str, Any], verdict: Any) -> dict[str, Any]:  # noqa: ANN401 – a database row
        if verdict is None or row["status"] == "REMOVED":
            return row
        figure = _OWNERS[row["legal_owner"]]
        stands = self._standing(verdict)
        held = stands is None
        return {
            **row,
            "recomputed_pence": getattr(self._events.figures(verdict, "recomputed"), figure),
            "accepted_pence": None if held else getattr(self._events.figures(verdict, "accepted"), figure),
            "accepted_basis": None if held else verdict.outcome,
            "causes": [] if held else verdict.causes,
            "exceptions": sorted({*row["exceptions"], *(self._events.causes(verdict) if held else ())}),
            "collectability": "UNCOLLECTABLE" if stands and stands.uncollectable else None,
            "segment": stands.segment if stands else None,
        }


def _order(owed: tuple[Mapping[str, Any], Any]) -> tuple[str, ...]:
    row = owed[0]
    return row["scheme"], row["source_ref"], row["legal_owner"], row["debt_id"]


def _at_once(owed: Iterator[tuple[dict[str, Any], Any]]) -> Iterator[list[tuple[dict[str, Any], Any]]]:
    """Debts in lists of at most ROWS_AT_ONCE; without debts one empty list, so that a file can still be headed."""
    part = list(islice(owed, ROWS_AT_ONCE))
    yield part
    while part := list(islice(owed, ROWS_AT_ONCE)):
        yield part
