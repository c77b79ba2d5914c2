"""What a benchmark found: rates, memory, and ratios to limits and peers of the same run."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import machine_line

FOLDER = Path(__file__).parent / "results"
MIB = 2**20
_ROUND_FROM = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Something measured in the same run: a limit that can't be passed, or a peer that a user would pick instead."""

    name: str
    rate: float  # in the unit of the result it stands beside
    limit: bool = False
    goal: float | None = None  # the ratio that acceptance expects
    stretch: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of the work: seconds in which it ran, on its own account."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One measurement. `rate` is work per second in `unit`; ratios to rivals are of that rate to theirs."""

    name: str
    workload: str
    unit: str
    rate: float
    seconds: float
    rows: int = 0
    bytes: int = 0
    peak_bytes: int = 0
    peak_limit_bytes: int = 0
    rivals: Sequence[Rival] = ()
    stages: Sequence[Stage] = field(default=())

    def ratios(self) -> list[tuple[Rival, float]]:
        """How this compares with each rival."""
        return [(rival, self.rate / rival.rate) for rival in self.rivals if rival.rate]


def shown(result: Result) -> str:
    """The result for people."""
    figures = [f"{result.rate:,.{0 if result.rate >= _ROUND_FROM else 2}f} {result.unit}/s"]
    if result.bytes and result.unit != "MB":
        figures.append(f"{result.bytes / 1e6 / result.seconds:,.1f} MB/s")
    if result.peak_bytes:
        bound = f" (limit {result.peak_limit_bytes / MIB:,.0f})" if result.peak_limit_bytes else ""
        figures.append(f"peak {result.peak_bytes / MIB:,.0f} MiB{bound}")
    lines = [f"  {result.name}: {result.workload}", f"    {result.seconds:,.2f} s: {', '.join(figures)}"]
    lines += [_ratio(rival, ratio, result.unit) for rival, ratio in result.ratios()]
    lines += [_stage(stage, result.seconds) for stage in result.stages]
    return "\n".join(lines) + "\n"


def _ratio(rival: Rival, ratio: float, unit: str) -> str:
    wanted = [f"goal {rival.goal:g}"] if rival.goal is not None else []
    wanted += [f"stretch {rival.stretch:g}"] if rival.stretch is not None else []
    aims = f" ({', '.join(wanted)})" if wanted else ""
    kind = "of the limit" if rival.limit else "times the peer"
    return f"    {ratio:.2f} {kind}{aims}: {rival.name}, {rival.rate:,.0f} {unit}/s"


def _stage(stage: Stage, total: float) -> str:
    return f"      {stage.name:<44}{stage.seconds:8.2f} s {100 * stage.seconds / total:5.1f} %"


def save(name: str, results: Sequence[Result]) -> Path:
    """Write the results of a benchmark to results/<name>.json."""
    FOLDER.mkdir(exist_ok=True)
    rows = []
    for result in results:
        ratios = [{**asdict(rival), "ratio": ratio} for rival, ratio in result.ratios()]
        rows.append({**asdict(result), "rivals": ratios})
    content = {"machine": machine_line().strip(), "at": datetime.now(UTC).isoformat(), "results": rows}
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path
