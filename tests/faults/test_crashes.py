"""kill -9 at named points and at any moment; the same command again ends where an undisturbed run would have ended."""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.files import Night, make_nights
from tests.acceptance.installation import Installation
from tests.acceptance.test_daemon import accepted
from tests.acceptance.test_feed import figures

SLICE_BYTES = 8192
KILLED = -signal.SIGKILL
POINTS = (
    "kept",
    "judged",
    "judged:2",
    "staged",
    "before slice:2",
    "before commit:4",
    "after commit:5",
    "staged:2",
    "before commit:8",
    "published",
)
MOMENTS = 8
CHANCE = random.Random()  # noqa: S311 - not a secret; each run tries other moments


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> list[Night]:
    """A whole book that is cut into seven slices or more, and a correction."""
    nights = make_nights(tmp_path_factory.mktemp("book"), groups=12, seed=3, kinds="C")
    assert nights[0].data.stat().st_size > 6 * SLICE_BYTES
    return nights


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, book: list[Night]) -> dict[str, str]:
    """The exports of a run that nothing happened to."""
    hub = Installation(tmp_path_factory.mktemp("undisturbed"), slice_bytes=SLICE_BYTES)
    hub.call("ingest", "csa1993", book[0].data.parent)
    return hub.exports()


@pytest.fixture
def sliced(tmp_path: Path) -> Installation:
    return Installation(tmp_path, slice_bytes=SLICE_BYTES)


def outcomes_match(verdicts: list[str]) -> bool:
    """Files that the killed run had accepted are repeats, the others are accepted now."""
    return verdicts == sorted(verdicts, reverse=True) and set(verdicts) <= {"DUPLICATE", "ACCEPTED"}


@pytest.mark.parametrize("point", POINTS)
def test_an_ingest_killed_at_a_point_ends_the_same(
    point: str, sliced: Installation, book: list[Night], undisturbed: dict[str, str]
) -> None:
    folder = book[0].data.parent
    sliced.run("ingest", "csa1993", folder, code=KILLED, test_crash_at=point)
    sliced.call("store", "check")

    done = sliced.run("ingest", "csa1993", folder, "--json")

    assert outcomes_match(done.verdicts)
    assert sliced.exports() == undisturbed
    sliced.call("store", "check")


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_an_ingest_killed_at_any_moment_ends_the_same(
    moment: int, sliced: Installation, book: list[Night], undisturbed: dict[str, str]
) -> None:
    folder = book[0].data.parent
    process = sliced.popen("ingest", "csa1993", folder)
    deadline = time.monotonic() + 30
    while not (sliced.data / "originals").exists() and time.monotonic() < deadline:
        time.sleep(0.01)  # the time before that is Python's own start
    time.sleep(CHANCE.uniform(0, 0.3) * (1 + moment))
    process.kill()
    process.communicate()

    done = sliced.run("ingest", "csa1993", folder, "--json")

    assert set(done.verdicts) <= {"DUPLICATE", "ACCEPTED"}
    assert sliced.exports() == undisturbed
    sliced.call("store", "check")


def test_an_ingest_killed_again_and_again_ends_the_same(
    sliced: Installation, book: list[Night], undisturbed: dict[str, str]
) -> None:
    folder = book[0].data.parent
    for point in ("after commit:2", "staged", "before commit:2", "after commit", "judged"):
        sliced.run("ingest", "csa1993", folder, code=KILLED, test_crash_at=point)

    sliced.run("ingest", "csa1993", folder)

    assert sliced.exports() == undisturbed


def test_a_killed_ingest_is_finished_with_slices_of_another_size(sliced: Installation, book: list[Night]) -> None:
    sliced.run("ingest", "csa1993", book[0].data, code=KILLED, test_crash_at="after commit:3")

    [report] = sliced.run("ingest", "csa1993", book[0].data, "--json", slice_bytes=3 * SLICE_BYTES).rows

    assert report["outcomes"]["LOADED"] == report["records"]
    assert figures(sliced) == book[0].sources
    sliced.call("store", "check")


def test_a_killed_ingest_is_finished_by_that_of_the_next_file(sliced: Installation, book: list[Night]) -> None:
    sliced.run("ingest", "csa1993", book[0].data, code=KILLED, test_crash_at="after commit:3")

    [report] = sliced.run("ingest", "csa1993", book[1].data, "--json").rows

    assert report["verdict"] == "ACCEPTED"
    assert figures(sliced) == book[1].sources


def test_a_killed_ingest_is_finished_without_the_file(sliced: Installation, book: list[Night], tmp_path: Path) -> None:
    path = book[0].hand_over(tmp_path / "drop")
    sliced.run("ingest", "csa1993", path, code=KILLED, test_crash_at="judged")
    path.unlink()

    out = sliced.run("connector", "resume", "csa1993").out

    assert f"{path.name}: ACCEPTED" in out
    assert figures(sliced) == book[0].sources


@pytest.mark.parametrize("point", ["judged", "before commit:3", "after commit:6", "taken", "taken:2", "published"])
def test_a_daemon_killed_at_a_point_ends_the_same(
    point: str, sliced: Installation, book: list[Night], undisturbed: dict[str, str]
) -> None:
    for night in book:
        night.hand_over(sliced.inbox)
    with sliced.daemon(test_crash_at=point) as daemon:
        assert daemon.running.wait(60) == KILLED

    finish(sliced, book)

    assert sliced.exports() == undisturbed
    assert [path.name for path in sliced.inbox.iterdir()] == ["taken"]


def test_a_daemon_killed_before_it_acknowledges_a_notice_ends_the_same(
    sliced: Installation, book: list[Night], undisturbed: dict[str, str]
) -> None:
    sliced.run("send", "csa1993", book[0].data.parent)
    with sliced.daemon(test_crash_at="notice taken:2") as daemon:
        assert daemon.running.wait(60) == KILLED

    with sliced.daemon() as daemon:
        daemon.until(
            lambda: sliced.call("status", "--json").rows[0]["queues"]["integrationhub.files"] == 0, "an empty queue"
        )
        daemon.until(lambda: accepted(daemon, book[-1].sequence), "all files")
        assert daemon.stop() == 0

    assert sliced.exports() == undisturbed


def test_a_daemon_killed_at_random_moments_ends_the_same(
    sliced: Installation, book: list[Night], undisturbed: dict[str, str]
) -> None:
    for night in book:
        night.hand_over(sliced.inbox)
    for moment in range(3):
        with sliced.daemon() as daemon:
            daemon.until((sliced.data / "originals").exists, "the first original")
            time.sleep(CHANCE.uniform(0.2, 1.2) * (1 + moment))
            daemon.running.kill()

    finish(sliced, book)

    assert sliced.exports() == undisturbed
    sliced.call("store", "check")


def finish(hub: Installation, book: list[Night]) -> None:
    """Start the daemon again and let it come to its end."""
    with hub.daemon() as daemon:
        daemon.until(lambda: accepted(daemon, book[-1].sequence), "all files")
        daemon.until(lambda: not list(hub.inbox.glob("*.dat")), "all files being put away")
        assert daemon.stop() == 0
