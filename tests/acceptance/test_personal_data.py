"""Nobody's name, number, address or note is in a log at any level, in a metric, an event, an error or a file name."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from integrationhub.estate.faults import GoodDelivery
from tests.acceptance.consumer import Consumer
from tests.acceptance.files import Night, hand_over
from tests.acceptance.installation import Installation
from tests.acceptance.personal import leaks, personal_texts
from tests.acceptance.test_daemon import accepted, published
from tests.faults.plants import Plantation, Spoil

REPORTS = (
    ("status",), ("status", "--json"), ("store", "check", "--json"), ("config", "show"), ("connector", "list"),
    ("state",),
)  # fmt: skip
EXPORTS = ("parties", "addresses", "cases", "ledger", "receipts", "roles", "debts", "arrears", "exceptions", "events")


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder without the word `test` in its path: it is a surname in the estate."""
    return tmp_path_factory.mktemp("here")


@pytest.fixture
def hub(folder: Path) -> Installation:
    return Installation(folder, log_level="DEBUG")


@pytest.fixture(scope="module")
def personal(nights: list[Night]) -> frozenset[str]:
    """All that is personal in the four nights."""
    return frozenset().union(*(personal_texts(night.good()) for night in nights))


def spoilt_delivery(night: Night) -> tuple[GoodDelivery, Plantation]:
    """The night with groups set aside for fields next to personal ones."""
    plantation = Plantation(night.good())
    for field in ("P-BIRTH", "A-KIND", "L-POSTED", "C-STATUS"):
        kind = {"P": "25", "A": "27", "L": "40", "C": "20"}[field[0]]
        plantation.plant(Spoil(kind=kind, field=field, raw=b"\x6f"))
    return night.good(), plantation


def bad_files(night: Night, folder: Path) -> list[Path]:
    """The night broken in ways that put personal data in the way of whoever writes the message."""
    good = night.good()
    role, address = good.first("25"), good.first("27")
    broken = {
        "framing": good.broken_bytes("R07", "", good.data[: len(good.data) // 2], RECORDS=len(good.records)),
        "type": good.broken("R08", "", good.with_record(role, good.field(role, "P-SURNAME") + good.records[role])),
        "length": good.broken("R09", "", good.with_record(address, good.records[address] + b"\x40")),
        "order": good.broken("R10", "", good.with_record(good.first("10"))),
        "total": good.broken("R12", "", good.with_field(good.first("20"), "C-BAL-RP", good.field(role, "P-NINO"))),
    }
    return [hand_over(item, folder / name) for name, item in broken.items()]


def names_below(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*")]


def work_through(hub: Installation, nights: list[Night], folder: Path) -> list[str]:
    """What is written while files are refused, set aside, loaded, repeated and looked at, at level DEBUG."""
    texts: list[str] = []

    def run(*arguments: object) -> None:
        done = hub.call(*arguments, code=None)
        texts.extend((done.out, done.err))

    for path in bad_files(nights[0], folder):
        run("check", "csa1993", path)
        run("ingest", "csa1993", path, "--json")
        run("ingest", "csa1993", path)
    good, plantation = spoilt_delivery(nights[0])
    set_aside = good.broken_bytes("R13", "", plantation.data)
    run("ingest", "csa1993", hand_over(set_aside, folder / "set-aside"), "--json")
    assert [planted.group for planted in plantation.planted]
    with hub.daemon() as daemon:
        for night in nights[1:]:
            night.hand_over(hub.inbox)
        daemon.until(lambda: accepted(daemon, nights[-1].sequence), "all nights")
        daemon.until(lambda: published(daemon), "the events")
        texts.append(daemon.ask("/metrics")[1])
        assert daemon.stop() == 0
    texts.append(daemon.text)
    for report in REPORTS:
        run(*report)
    for name in EXPORTS:
        run("export", name)
    run("trace", hub.rows("parties")[0]["party_id"])
    run("trace", hub.rows("debts")[0]["debt_id"])
    return [*texts, *names_below(hub.data)]


def test_nothing_personal_is_written_by_the_embedded_hub(
    hub: Installation, nights: list[Night], personal: frozenset[str], folder: Path
) -> None:
    texts = work_through(hub, nights, folder / "files")

    assert any("R12" in text for text in texts)
    assert leaks(texts, personal) == set()


def test_nothing_personal_is_written_or_published_on_servers(
    folder: Path, nights: list[Night], personal: frozenset[str], postgres_url: str, amqp_url: str
) -> None:
    hub = Installation(folder, log_level="DEBUG", database_url=postgres_url, broker_url=amqp_url)
    with Consumer(amqp_url) as consumer:
        texts = work_through(hub, nights, folder / "files")
        messages = consumer.take_until_quiet()

    assert messages
    assert leaks([*texts, *(message.everything for message in messages)], personal) == set()


def test_a_failing_database_quotes_nothing(hub: Installation, nights: list[Night], personal: frozenset[str]) -> None:
    hub.call("ingest", "csa1993", nights[0].data)
    with sqlite3.connect(hub.data / "hub.sqlite3") as connection:
        connection.execute("DROP TABLE parties")
    connection.close()

    done = hub.run("ingest", "csa1993", nights[1].data, code=None)

    assert done.code not in (0, 2)
    assert leaks([done.out, done.err], personal) == set()


def test_the_unmasked_export_is_the_only_way_to_personal_values(
    hub: Installation, nights: list[Night], personal: frozenset[str]
) -> None:
    hub.call("ingest", "csa1993", nights[0].data)

    hub.call("export", "parties", "--unmasked", code=2)
    shown = hub.call("export", "parties", "--unmasked", "--reason", "a subject access request")

    assert leaks([shown.out], personal)
    assert leaks([shown.err], personal) == set()
    assert "UNMASKED" in shown.err


@pytest.mark.parametrize(
    "disguise",
    [
        str,
        str.upper,
        str.lower,
        lambda text: f'{{"name": "{text}"}}',
        lambda text: f"<{text}>",
        lambda text: f"x={text};",
    ],
)
def test_the_search_finds_what_is_there(disguise: Callable[[str], str], personal: frozenset[str]) -> None:
    for text in personal:
        assert leaks([disguise(text)], personal)
    assert len(personal) > 100


def test_the_search_does_not_find_what_is_not_there(personal: frozenset[str]) -> None:
    assert leaks(["", "daemon_started", "0123456789abcdef"], personal) == set()


def test_nothing_that_is_kept_can_be_read_by_everybody_on_the_machine(hub: Installation, nights: list[Night]) -> None:
    before = os.umask(0)
    try:
        hub.run("ingest", "csa1993", nights[0].data)
    finally:
        os.umask(before)
    kept = [hub.data, *hub.data.rglob("*")]
    assert len(kept) > 5
    assert [path.name for path in kept if path.stat().st_mode & 0o007] == []
