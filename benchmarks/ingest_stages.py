"""The stages of the bulk path, and the functions of the hub that make them up."""

from collections.abc import Mapping, Sequence

from benchmarks.stages import Stages

STAGES: Mapping[str, Sequence[str]] = {
    "receive: original kept, hashed": ["pipeline:keep", "pipeline:measure"],
    "stage: frame and decode": ["decode.slices:SliceReader._cut", "decode.slices:SliceReader._decode"],
    "stage: controls": ["decode.controls:FileControls.feed", "intake.staging:RecordStager._totals"],
    "stage: map": ["mapping.compile:CompiledMapping.apply"],
    "stage: spool": ["intake.staging:RecordStager._stage_slice"],
    "stage: other": ["intake.staging:RecordStager.stage"],
    "load: read the spool": ["intake.staging:StagedSlice.rows"],
    "load: conform and seal rows": ["store.merge:conform", "store.seal:seal"],
    "load: render rows": ["store.staging:render"],
    "load: into staging tables": ["store.staging:prepare", "store.staging:clear", "store.staging:fill"],
    "load: merge": [
        "store.merge:Canonical.merge_groups", "store.slices:Slices.claim", "store.worklist:Worklist.resolve_groups",
    ],
    "load: events": ["intake.loading:debt_events", "store.outbox:Outbox.add"],
    "load: close the file": ["store.merge:Canonical.close_file"],
    "load: commit": ["store.unit_of_work:Work.commit"],
    "load: statistics": ["store.statistics:refresh"],
    "load: other": ["intake.loading:Loader.load"],
}  # fmt: skip
"""Stage → `module:function`s whose time it is, but for the time of other stages inside.

The next slice is decoded while one is mapped, and read, sealed and rendered while one is merged: those stages' seconds
overlap others'.
"""


def watched() -> Stages:
    """Stages that count from now on, in this process."""
    stages = Stages()
    for stage, places in STAGES.items():
        for place in places:
            stages.watch(place, stage)
    return stages
