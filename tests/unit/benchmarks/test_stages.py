"""What benchmarks say of stages holds only if their functions exist and seconds are counted once."""

import time
from functools import partial, reduce
from importlib import import_module

import pytest

from benchmarks.ingest_stages import STAGES
from benchmarks.stages import Stages

PLACES = [place for places in STAGES.values() for place in places]


@pytest.mark.parametrize("place", PLACES)
def test_each_stage_of_the_bulk_path_is_a_function_of_the_hub(place: str) -> None:
    module, _, path = place.partition(":")

    assert callable(reduce(getattr, path.split("."), import_module(f"integrationhub.{module}")))


def test_a_second_belongs_to_the_innermost_stage() -> None:
    stages = Stages()
    inner = stages._watched(partial(time.sleep, 0.05), "inner")

    def work() -> None:
        time.sleep(0.02)
        inner()

    stages._watched(work, "outer")()

    assert stages.seconds["inner"] >= 0.05
    assert 0.02 <= stages.seconds["outer"] < stages.seconds["inner"]
