"""What goes into the evidence of a run: read from the store and the reconciliation, nothing else."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from integrationhub.migration.desk import status
from integrationhub.migration.evidence.pack import Cell, Chart, Section
from integrationhub.migration.handling import Handling
from integrationhub.migration.reconcile.engine import Reconciliation
from integrationhub.migration.reconcile.moves import VERDICTS
from integrationhub.store import transfer_proof

Rows = Sequence[Mapping[str, Any]]


def sections(handling: Handling, reconciled: Sequence[Reconciliation]) -> list[Section]:
    """The sections of a run's evidence, in the order in which it went. NotFound: no run has begun."""
    plan = handling.bound.plan.plan
    with handling.store.read() as connection:
        run = handling.run(connection)
        decided = transfer_proof.decisions(connection, run.run_id)
        states = transfer_proof.groups_by_state(connection, run.run_id)
        found = [
            _section("inputs", "Inputs", "Every file that was accepted, as it came, with its SHA-256.",
                     transfer_proof.inputs(connection, tuple(plan.connectors))),
            _section("messages", "Messages", "Change events that came beside the files, by what became of them.",
                     transfer_proof.messages(connection, tuple(plan.connectors))),
            _section("plans", "Plans and versions", "What each plan hash binds: plan, policy, mappings, rules, code.",
                     _parts(decided["plans"])),
            _section("rehearsals", "Rehearsals", "Who rehearsed which wave under which plan hash, and how it ended.",
                     [_without(row, "report") for row in decided["rehearsals"]]),
            _section("forecasts", "Forecasts", "What the rehearsal of a wave foresaw, and what its live run came to.",
                     [{"wave": wave["wave"], **wave["score"]} for wave in status(handling)["waves"] if wave["score"]]),
            _section("approvals", "Approvals", "Who approved, for which reason; never who rehearsed.",
                     decided["approvals"]),
            _section("gates", "Gates", "Every gate as it was measured.", decided["gates"]),
            _section("overrides", "Overrides", "Gates that a second person let pass, and why.", decided["overrides"]),
            _section("printed", "Closure notices", "Notices recorded as printed: segments stand from that day on.",
                     transfer_proof.closure_notices(connection, handling.bound.name)),
            _section("representations", "Representations",
                     "Write-off notices that were received, by answer; where there is none, nobody has consented.",
                     transfer_proof.representations(connection, run.run_id)),
            _groups(states),
            _section("steps", "Steps", "Steps of groups by who took them.",
                     transfer_proof.steps(connection, run.run_id)),
            _section("exceptions", "Exceptions", "Groups that are held for a person, by reason.",
                     [row for row in states if row["state"] == "HELD"]),
            _section("notices", "Notices and answers", "What the sources were told, and what they answered.",
                     transfer_proof.notices_by_answer(connection, run.run_id)),
            _section("files", "Files handed out", "Return files and crosswalks, as they lie under files/.",
                     transfer_proof.handed_files(connection)),
            _section("parallel", "Parallel run", "Old and new balances, compared day by day.",
                     [row | {"differences": _told(row["differences"])} for row in decided["parallel_days"]]),
            _section("signoffs", "Sign-offs", "Who signed a wave off, and its totals.",
                     [row | {"totals": _told(row["totals"])} for row in decided["sign_offs"]]),
        ]  # fmt: skip
    return [*found, *_reconciliation(reconciled)]


def _reconciliation(reconciled: Sequence[Reconciliation]) -> Iterable[Section]:
    compared = [
        {"system": book.system, "rows": item.entity, "in_files": item.said, "in_hub": item.held,
         "values_compared": item.values, "breaks": item.breaks}
        for book in reconciled for item in book.compared
    ]  # fmt: skip
    totals = [
        {"system": book.system, "total": item.name, "unit": item.unit, "in_files": item.said, "in_hub": item.held,
         "holds": item.holds}
        for book in reconciled for item in book.totals
    ]  # fmt: skip
    moved = [
        {name: getattr(item, name) for name in item.__dataclass_fields__}
        for book in reconciled for item in book.moves.totals
    ]  # fmt: skip
    breaks = [
        {"system": book.system, "verdict": item.verdict, "meaning": VERDICTS[item.verdict], "case_id": item.case_id,
         "owner": item.owner, "difference_pence": item.pence}
        for book in reconciled for item in book.moves.breaks
    ]  # fmt: skip
    yield _section(
        "reconciliation", "Reconciliation: rows", "Originals read a second time, every value compared.", compared
    )
    yield _section("totals", "Reconciliation: totals", "Control totals on both sides.", totals)
    yield _section(
        "moved", "Reconciliation: what moved", "What sources state, what was corrected, what left and what arrived.",
        moved, charts=_errors(moved),
    )  # fmt: skip
    yield _section("breaks", "Reconciliation: breaks", "Accounts that do not add up.", breaks)


def _errors(moved: Rows) -> tuple[Chart, ...]:
    bars: Counter[str] = Counter()
    for row in moved:
        bars[f"{row['scheme']}: stated too much"] += row["over_pence"]
        bars[f"{row['scheme']}: stated too little"] += row["under_pence"]
        bars[f"{row['scheme']}: net"] += row["correction_pence"]
    arrived: Counter[str] = Counter()
    for row in moved:
        arrived[f"{row['wave']}, {(row['owner'] or row['account_kind']).lower().replace('_', ' ')}"] += row["in_pence"]
    return (
        Chart(
            title="How wrong the sources' balances were, gross and net", unit="pence", bars=dict(sorted(bars.items()))
        ),
        Chart(title="What arrived at the target", unit="pence", bars=dict(sorted(arrived.items()))),
    )


def _groups(states: Rows) -> Section:
    bars: Counter[str] = Counter()
    for row in states:
        bars[f"{row['wave']}: {row['state'].lower().replace('_', ' ')}"] += row["groups"]
    chart = Chart(title="Case groups by wave and state", unit="count", bars=dict(sorted(bars.items())))
    return _section(
        "groups", "Case groups", "Where the groups of each wave and segment stand.", states, charts=(chart,)
    )


def _parts(plans: Rows) -> Rows:
    return [
        {
            "plan": row["plan"],
            "plan_hash": row["plan_hash"],
            "changed_by": row["changed_by"],
            "part": name,
            "sha256": part,
        }
        for row in plans
        for name, part in sorted(row["parts"].items())
    ]


def _section(key: str, title: str, sentence: str, rows: Rows, *, charts: tuple[Chart, ...] = ()) -> Section:
    columns = tuple(rows[0]) if rows else ()
    told = sentence if rows else f"{sentence} There is none."
    cells = [[_cell(row[name]) for name in columns] for row in rows]
    return Section(key=key, title=title, sentence=told, columns=columns, rows=cells, charts=charts if rows else ())


def _cell(value: Any) -> Cell:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:g}"
    return value if value is None or isinstance(value, str | int | bool) else _told(value)


def _told(value: Any) -> str:  # noqa: ANN401 - a document
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {part}" for name, part in sorted(value.items()))
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _without(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return {key: value for key, value in row.items() if key != name}
