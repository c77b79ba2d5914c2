"""Control totals of judging: what the sources say is what is accepted, less itemised corrections, plus what is held."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, case, func, select

from integrationhub.store.judged import CORRECTIONS, FIGURES, VERDICTS

_HELD = VERDICTS.c.outcome == "EXCEPTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlTotal:
    """One figure in pence over all judged cases. `corrections` are those of accepted cases by rule: (gross over, gross
    under, net), where over is what corrections took off and under what they put on.
    """

    figure: str
    cases: int
    held_cases: int
    source: int
    accepted: int
    held: int
    gross_over: int
    gross_under: int
    corrections: dict[str, tuple[int, int, int]]

    @property
    def net(self) -> int:
        """Corrections added up."""
        return self.gross_under - self.gross_over

    @property
    def holds(self) -> bool:
        """Whether every penny of the source is accepted, corrected by a named rule, or held."""
        return self.source == self.accepted - self.net + self.held


def _sum(value: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(value), 0)


def control_totals(connection: Connection) -> list[ControlTotal]:
    """The totals of every figure, in the order of the samples' expected.json."""
    return [_total(connection, figure) for figure in FIGURES]


def _total(connection: Connection, figure: str) -> ControlTotal:
    source, accepted = VERDICTS.c[f"source_{figure}"], VERDICTS.c[f"accepted_{figure}"]
    held = case((_HELD, source), else_=0)
    counted = select(func.count(), _sum(case((_HELD, 1), else_=0)), _sum(source), _sum(accepted), _sum(held))
    cases, held_cases, source_sum, accepted_sum, held_sum = map(int, connection.execute(counted).one())
    by_rule = _by_rule(connection, CORRECTIONS.c[f"delta_{figure}"])
    return ControlTotal(
        figure=figure, cases=cases, held_cases=held_cases, source=source_sum, accepted=accepted_sum, held=held_sum,
        gross_over=sum(over for over, _, _ in by_rule.values()),
        gross_under=sum(under for _, under, _ in by_rule.values()), corrections=by_rule,
    )  # fmt: skip


def _by_rule(connection: Connection, delta: ColumnElement[int]) -> dict[str, tuple[int, int, int]]:
    over, under = _sum(case((delta < 0, -delta), else_=0)), _sum(case((delta > 0, delta), else_=0))
    statement = (
        select(CORRECTIONS.c.rule, over, under)
        .join(VERDICTS, VERDICTS.c.case_id == CORRECTIONS.c.case_id)
        .where(~_HELD, delta != 0)
        .group_by(CORRECTIONS.c.rule)
        .order_by(CORRECTIONS.c.rule)
    )
    return {rule: (int(off), int(on), int(on) - int(off)) for rule, off, on in connection.execute(statement)}
