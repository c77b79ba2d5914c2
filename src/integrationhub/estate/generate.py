"""A whole estate: case groups one after the other into an extract and its truth, in bounded memory."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from integrationhub.decode.encode import RecordEncoder
from integrationhub.estate.book import CaseGroup
from integrationhub.estate.case_groups import Family
from integrationhub.estate.csa1993_file import Delivery, ExtractWriter
from integrationhub.estate.errors import spoil
from integrationhub.estate.outcomes import judge
from integrationhub.estate.truth import TruthWriter

FIRST_SEQUENCE = 101
AS_AT = date(2015, 6, 30)


def case_group(seed: int, index: int, as_at: date) -> CaseGroup:
    """Case group `index` of the estate `seed`, errors included."""
    family = Family(seed, index, as_at)
    group = family.build()
    spoil(group, family)
    return group


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    data: Path
    truth: Path
    control: dict[str, object]


def generate(
    out: Path, *, groups: int, seed: int, encoder: RecordEncoder, progress: Callable[[int], None] = lambda _: None
) -> Generated:
    delivery = Delivery(sequence=FIRST_SEQUENCE, as_at=AS_AT)
    head = {"seed": seed, "asat": AS_AT.isoformat(), "files": [f"{delivery.stem}.dat"]}
    with TruthWriter(out / "expected.json", head=head) as truth, ExtractWriter(out, delivery, encoder) as extract:
        for index in range(groups):
            group = case_group(seed, index, AS_AT)
            for source in group.source_groups:
                extract.write(source)
            truth.add(group, judge(group, AS_AT))
            progress(1)
        truth.close_with(control={extract.path.name: extract.controls.as_dict()})
    return Generated(data=extract.path, truth=out / "expected.json", control=extract.controls.as_dict())
