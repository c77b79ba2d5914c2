"""Several processes judge to the same as one, and a run whose process dies goes on where it stopped."""

from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import pytest

from integrationhub.arrears import judging
from integrationhub.arrears.casework import Surroundings
from integrationhub.arrears.judges import Judges
from integrationhub.arrears.judging import Judging
from integrationhub.bootstrap import Hub
from integrationhub.errors import TransientError
from tests.contract.arrears.conftest import BOOKS, CONNECTORS
from tests.contract.arrears.test_incremental import take, verdicts


def taken(hub: Hub) -> None:
    for name in BOOKS:
        (data,) = (path for path in (CONNECTORS / name / "samples").iterdir() if path.suffix in {".dat", ".gz", ".csv"})
        take(hub, name, data)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever waits is much, and is judged in small parts."""
    monkeypatch.setattr(judging, "WORTH_PROCESSES", 1)
    monkeypatch.setattr(judging, "CASES_AT_ONCE", 9)


def with_processes(hub: Hub, processes: int) -> Judging:
    return replace(hub.judging(), processes=processes)


@pytest.mark.usefixtures("many")
def test_processes_come_to_the_same_as_one(hub: Hub) -> None:
    taken(hub)
    progress: list[int] = []
    apart = with_processes(hub, 2).run(progress=progress.append)
    found = verdicts(hub)
    assert sum(progress) == apart.cases == len(found[0])
    alone = with_processes(hub, 1).run(everything=True)
    assert verdicts(hub) == found
    assert alone == apart


@pytest.mark.usefixtures("many")
def test_a_process_that_dies_ends_the_run_and_the_next_one_finishes_it(hub: Hub) -> None:
    taken(hub)

    def kill(_cases: int) -> None:
        for child in active_children():
            child.kill()

    with pytest.raises(TransientError, match="has died"):
        with_processes(hub, 2).run(progress=kill)
    rest = with_processes(hub, 1).run()
    found = verdicts(hub)
    assert rest.cases < len(found[0])
    with_processes(hub, 1).run(everything=True)
    assert verdicts(hub) == found


def test_nothing_to_judge_is_nothing_judged(tmp_path: Path) -> None:
    nobody = Surroundings(kept_twice=(), orphan_payers=())

    def none() -> Iterator[set[str]]:
        yield from ()

    with Judges(url=f"sqlite:///{tmp_path / 'none.db'}", processes=1, surroundings=nobody) as judges:
        assert list(judges.judge(none())) == []
