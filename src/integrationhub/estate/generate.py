"""Writes an estate: for every night an extract, its trigger file and the truth, in bounded memory."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from integrationhub.decode.encode import RecordEncoder
from integrationhub.estate.csa1993_file import Controls, ExtractWriter
from integrationhub.estate.nights import Estate
from integrationhub.estate.outcomes import judge
from integrationhub.estate.truth import TruthWriter

TRUTH = "expected.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """One night's files; `accuracy` tells how many cases the source has right and how they end."""

    data: Path
    trigger: Path
    truth: Path
    controls: Controls
    accuracy: dict[str, object]


def generate(
    out: Path, estate: Estate, encoder: RecordEncoder, *, progress: Callable[[int], None] | None = None
) -> list[Generated]:
    """Write all nights of an estate into the folder `out`, which is made if it is missing.

    The same estate gives the same bytes. The truth after the last night is expected.json; those after the nights
    before have the sequence number in their names. `progress` is called with 1 for every case group and night.
    """
    out.mkdir(parents=True, exist_ok=True)
    return [
        _write_night(out, estate, encoder, night, progress or (lambda _: None))
        for night in range(estate.last_night + 1)
    ]


def _write_night(
    out: Path, estate: Estate, encoder: RecordEncoder, night: int, progress: Callable[[int], None]
) -> Generated:
    delivery = estate.delivery(night)
    name = TRUTH if night == estate.last_night else f"expected.S{delivery.sequence:06d}.json"
    files = [f"{estate.delivery(earlier).stem}.dat" for earlier in range(night + 1)]
    head = {"seed": estate.seed, "asat": delivery.as_at.isoformat(), "files": files}
    with TruthWriter(out / name, head=head) as truth, ExtractWriter(out, delivery, encoder) as extract:
        changed = []
        for index in range(estate.groups):
            state = estate.case_group(index, night)
            if state:
                truth.add(state.group, judge(state.group, delivery.as_at))
                changed += sorted(state.touched)
                for source in state.group.source_groups:
                    if not delivery.correction or source.number in state.touched:
                        extract.write(source)
            elif delivery.correction and estate.nights[night - 1].withdrawn == index:
                for source in estate.withdrawn_groups(estate.nights[night - 1]):
                    extract.write(source)
            progress(1)
        truth.close_with(control={extract.path.name: extract.controls.as_dict()}, **_news(estate, night, changed))
    return Generated(
        data=extract.path, trigger=extract.path.with_suffix(".ctl"), truth=out / name, controls=extract.controls,
        accuracy=truth.accuracy(),
    )  # fmt: skip


def _news(estate: Estate, night: int, changed: list[int]) -> dict[str, object]:
    """What a later night has changed, by source group; nothing for the first book."""
    if night == 0:
        return {}
    plan = estate.nights[night - 1]
    gone = estate.replay(plan.gone, estate.nights[: night - 1]) if plan.gone is not None else None
    return {
        "kind": "CORRECTION" if plan.correction else "FULL",
        "changed": changed,
        "gone": [source.number for source in gone.group.source_groups] if gone else [],
        "withdrawn": [source.number for source in estate.withdrawn_groups(plan)] if plan.correction else [],
        "moved": plan.move.ref if plan.move else None,
    }
