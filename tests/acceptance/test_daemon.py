"""The daemon as its operator sees it: watched folder, notices, health, signals."""

import shutil
import signal
import time
from pathlib import Path

import pika  # type: ignore[import-untyped]

from integrationhub.catalogue import shipped_connectors
from integrationhub.store.quarantine import QuarantineFilter, QuarantineItem
from tests.acceptance.conftest import Samples
from tests.acceptance.files import Night
from tests.acceptance.installation import Daemon, Installation
from tests.acceptance.test_feed import figures, spoilt

SMALL_SLICES = 8192


def accepted(daemon: Daemon, sequence: int) -> bool:
    """Whether the daemon's metrics say that the feed has come to this number."""
    return f'integrationhub_last_sequence{{connector="csa1993"}} {sequence}.0' in daemon.ask("/metrics")[1]


def stopped(daemon: Daemon) -> bool:
    return 'integrationhub_feed_stopped{connector="csa1993"} 1.0' in daemon.ask("/metrics")[1]


def published(daemon: Daemon) -> bool:
    return "integrationhub_outbox_waiting 0.0" in daemon.ask("/metrics")[1]


def test_the_samples_dropped_into_the_folder_give_what_an_ingest_gives(
    hub: Installation, samples: Samples, tmp_path: Path
) -> None:
    by_hand = Installation(tmp_path / "by-hand")
    by_hand.call("ingest", "csa1993", samples.data)

    with hub.daemon() as daemon:
        daemon.until_ready()
        shutil.copy(samples.data, hub.inbox)
        time.sleep(2.5)  # two looks into the folder
        assert not accepted(daemon, 101)
        shutil.copy(samples.data.with_suffix(".ctl"), hub.inbox)
        daemon.until(lambda: accepted(daemon, 101), "the samples")
        daemon.until(lambda: published(daemon), "the events")
        assert daemon.stop() == 0

    assert hub.exports() == by_hand.exports()
    assert figures(hub) == samples.sources
    assert sorted(path.name for path in hub.inbox.iterdir()) == ["taken"]
    hub.call("store", "check")


def test_the_http_port_answers_for_the_daemon(hub: Installation) -> None:
    with hub.daemon() as daemon:
        daemon.until_ready()
        assert daemon.ask("/healthz/live")[0] == 200
        assert "integrationhub_outbox_waiting" in daemon.ask("/metrics")[1]
        assert daemon.ask("/")[0] == 404
        second = hub.run("run", code=2, http_port=daemon.port)
        assert "HTTP_PORT" in second.err
        assert daemon.stop(signal.SIGINT) == 0
        assert [line["event"] for line in daemon.lines][-1] == "daemon_stopped"


def test_a_terminated_daemon_finishes_the_file_in_hand_and_publishes_it(hub: Installation, nights: list[Night]) -> None:
    first, second, *_ = nights
    for night in (first, second):
        night.hand_over(hub.inbox)

    with hub.daemon(slice_bytes=SMALL_SLICES) as daemon:
        daemon.until((hub.data / "work").exists, "the first slice")
        assert daemon.stop() == 0

    status = hub.call("status", "--json").rows[0]
    assert status["connectors"][0]["last_verdict"] == "ACCEPTED"
    assert status["connectors"][0]["last_sequence"] == first.sequence
    assert status["outbox"]["waiting"] == 0
    assert second.data.name in {path.name for path in hub.inbox.iterdir()}


def test_a_second_signal_ends_at_once_and_the_next_start_finishes_the_file(
    hub: Installation, nights: list[Night], tmp_path: Path
) -> None:
    first = nights[0]
    undisturbed = Installation(tmp_path / "undisturbed")
    undisturbed.call("ingest", "csa1993", first.data, slice_bytes=SMALL_SLICES)
    first.hand_over(hub.inbox)

    with hub.daemon(slice_bytes=SMALL_SLICES) as daemon:
        daemon.until((hub.data / "work").exists, "the first slice")
        daemon.running.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        assert daemon.stop() == 128 + signal.SIGTERM
    assert not figures(hub)

    with hub.daemon(slice_bytes=SMALL_SLICES) as daemon:
        daemon.until(lambda: accepted(daemon, first.sequence), "the file")
        assert daemon.stop() == 0
    assert hub.exports() == undisturbed.exports()


def test_a_file_notice_brings_the_file_in(hub: Installation, nights: list[Night]) -> None:
    first, second, *_ = nights
    hub.run("send", "csa1993", first.data, second.data)
    assert "queue integrationhub.files: 2" in hub.call("status").out

    with hub.daemon() as daemon:
        daemon.until(lambda: accepted(daemon, second.sequence), "both files")
        assert daemon.stop() == 0

    assert figures(hub) == second.sources
    assert "integrationhub.files:" not in hub.call("status").out
    assert first.data.exists()


def quarantined(hub: Installation) -> list[QuarantineItem]:
    store = hub.store()
    try:
        with store.begin() as work:
            return list(work.quarantine.items(QuarantineFilter()))
    finally:
        store.close()


def test_a_notice_of_a_file_that_is_gone_or_another_one_goes_into_the_quarantine(
    hub: Installation, nights: list[Night], tmp_path: Path
) -> None:
    first, second, *_ = nights
    gone, changed = first.hand_over(tmp_path / "gone"), second.hand_over(tmp_path / "changed")
    hub.run("send", "csa1993", gone, changed)
    gone.unlink()
    changed.write_bytes(changed.read_bytes()[::-1])

    with hub.daemon() as daemon:
        daemon.until(lambda: len(quarantined(hub)) == 2, "the quarantine")
        assert hub.call("status", "--json").rows[0]["queues"]["integrationhub.files.dead"] == 0
        assert daemon.stop() == 0
        reasons = {line.get("reason") for line in daemon.lines if line["event"] == "notice"}

    assert reasons == {"NOTICE_NOT_FOUND", "NOTICE_MISMATCH"}
    assert {(item.connector, item.queue, item.code) for item in quarantined(hub)} == {
        ("csa1993", "integrationhub.files", "NOTICE_NOT_FOUND"),
        ("csa1993", "integrationhub.files", "NOTICE_MISMATCH"),
    }
    assert not hub.rows("groups")


def waiting(hub: Installation, queue: str) -> int:
    depth: int = hub.call("status", "--json").rows[0]["queues"][queue]
    return depth


def test_a_notice_whose_trigger_is_missing_holds_up_no_other_notice(hub: Installation, nights: list[Night]) -> None:
    before, first, second, _ = nights
    hub.call("ingest", "csa1993", before.data)
    hub.run("send", "csa1993", first.data, second.data)
    elsewhere = first.trigger.rename(first.trigger.with_name("elsewhere"))
    try:
        with hub.daemon() as daemon:
            daemon.until(lambda: waiting(hub, "integrationhub.files.retry.10") == 1, "the notice to be postponed")
            daemon.until(lambda: f"waits: {second.data.name} (R04)" in hub.call("status").out, "the other file")
            elsewhere.rename(first.trigger)
            daemon.until(lambda: accepted(daemon, second.sequence), "both files")
            assert daemon.stop() == 0
    finally:
        if elsewhere.exists():
            elsewhere.rename(first.trigger)


def test_a_daemon_for_one_connector_leaves_the_notices_of_others(hub: Installation, nights: list[Night]) -> None:
    hub.run("send", "csa1993", nights[0].data)
    with hub.daemon("--connector", "csa2003") as daemon:
        daemon.until(lambda: waiting(hub, "integrationhub.files.retry.10") == 1, "the notice to be left")
        assert daemon.stop() == 0
    with hub.daemon("--connector", "csa1993") as daemon:
        daemon.until(lambda: accepted(daemon, nights[0].sequence), "the file")
        assert daemon.stop() == 0
    assert quarantined(hub) == []


def test_a_refused_file_is_put_aside_and_its_correction_takes_up_what_waited(
    hub: Installation, nights: list[Night]
) -> None:
    first, second, *_ = nights
    with hub.daemon() as daemon:
        daemon.until_ready()
        spoilt(first, hub.inbox)
        daemon.until(lambda: stopped(daemon), "the refusal")
        second.hand_over(hub.inbox)
        daemon.until((hub.inbox / "taken" / second.trigger.name).exists, "the second file")
        assert (hub.inbox / "refused" / first.data.name).exists()
        assert not figures(hub)

        first.hand_over(hub.inbox)
        daemon.until(lambda: accepted(daemon, second.sequence), "both files")
        assert figures(hub) == second.sources
        assert daemon.stop() == 0


def test_a_file_that_comes_early_waits_for_the_missing_one(hub: Installation, nights: list[Night]) -> None:
    first, second, third, _ = nights
    hub.call("ingest", "csa1993", first.data)
    with hub.daemon() as daemon:
        third.hand_over(hub.inbox)
        daemon.until((hub.inbox / "taken" / third.trigger.name).exists, "the early file")
        assert accepted(daemon, first.sequence)
        assert f"waits: {third.data.name} (R04)" in hub.call("status").out

        second.hand_over(hub.inbox)
        daemon.until(lambda: accepted(daemon, third.sequence), "both files")
        assert daemon.stop() == 0


def test_a_paused_connector_takes_nothing_by_folder_or_notice_until_it_goes_on(
    hub: Installation, nights: list[Night]
) -> None:
    first, second, third, _ = nights
    hub.call("ingest", "csa1993", first.data)
    hub.call("connector", "pause", "csa1993", "--reason", "month end")
    with hub.daemon() as daemon:
        daemon.until_ready()
        second.hand_over(hub.inbox)
        hub.run("send", "csa1993", third.data)
        daemon.until(lambda: "notice" in [line["event"] for line in daemon.lines], "the notice")
        time.sleep(2)  # two looks into the folder
        assert figures(hub) == first.sources
        assert "paused" in hub.call("status").out

        hub.run("connector", "resume", "csa1993")
        daemon.until(lambda: accepted(daemon, third.sequence), "both files")
        assert daemon.stop() == 0

    assert {case: figures(hub)[case] for case in third.sources} == third.sources


def add_connector(folder: Path, name: str) -> Path:
    """A connector of one's own in a catalogue folder: the shipped one under another name; its descriptor."""
    target = folder / "connectors" / name
    shutil.copytree(shipped_connectors() / "connectors" / "csa1993", target)
    text = (target / "connector.toml").read_text("utf-8")
    (target / "connector.toml").write_text(text.replace('name = "csa1993"', f'name = "{name}"', 1), "utf-8")
    return target / "connector.toml"


def test_a_daemon_that_is_told_to_reads_connectors_anew(hub: Installation, nights: list[Night], tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.mkdir()
    with hub.daemon(catalogue_folders=local) as daemon:
        daemon.until_ready()
        descriptor = add_connector(local, "second-book")
        daemon.running.send_signal(signal.SIGHUP)
        daemon.until((hub.data / "inbox" / "second-book").exists, "the new connector's folder")
        nights[0].hand_over(hub.data / "inbox" / "second-book")
        daemon.until(lambda: 'last_sequence{connector="second-book"} 101.0' in daemon.ask("/metrics")[1], "its file")

        descriptor.write_text("[connector", "utf-8")
        daemon.running.send_signal(signal.SIGHUP)
        daemon.until(lambda: "FAILED" in [line.get("outcome") for line in daemon.lines], "the fault being told")
        nights[1].hand_over(hub.data / "inbox" / "second-book")
        daemon.until(lambda: 'last_sequence{connector="second-book"} 102.0' in daemon.ask("/metrics")[1], "its file")
        assert daemon.stop() == 0


def test_several_workers_take_notices_without_disturbing_each_other(hub: Installation, nights: list[Night]) -> None:
    hub.run("send", "csa1993", nights[0].data.parent)
    hub.run("send", "csa1993", nights[0].data.parent)

    with hub.daemon("--workers", "3") as daemon:
        daemon.until(lambda: accepted(daemon, nights[-1].sequence), "all nights")
        daemon.until_ready()
        assert daemon.stop() == 0

    figures_now = figures(hub)
    assert {case: figures_now[case] for case in nights[-1].sources} == nights[-1].sources
    hub.call("store", "check")


def test_a_daemon_whose_broker_is_away_takes_files_and_is_not_ready(hub: Installation, nights: list[Night]) -> None:
    with hub.daemon(broker_url="amqp://guest:guest@127.0.0.1:9/") as daemon:
        daemon.until(lambda: daemon.ask("/healthz/live")[0] == 200, "the daemon")
        nights[0].hand_over(hub.inbox)
        daemon.until(lambda: accepted(daemon, nights[0].sequence), "the file")
        assert daemon.ask("/healthz/ready")[0] == 503
        assert daemon.stop() == 0

    assert hub.call("status", "--json").rows[0]["outbox"]["waiting"] > 0


def events_of_cs2(hub: Installation) -> list[object]:
    """The book and what the events made of it, without the ways by which they came."""
    return [hub.rows(name) for name in ("debts", "ledger", "exceptions")]


def test_events_from_the_queue_have_the_effect_of_recorded_ones(hub: Installation, tmp_path: Path) -> None:
    folder = shipped_connectors() / "connectors" / "csa2003"
    capture = folder / "captures" / "events.jsonl"
    recorded = Installation(tmp_path / "recorded")
    for each in (recorded, hub):
        each.call("ingest", "csa2003", folder / "samples")
    recorded.call("ingest", "csa2003", capture, code=None)

    sent = hub.call("send", "csa2003", capture, "--json").rows[0]
    with hub.daemon("--workers", "2") as daemon:
        daemon.until(
            lambda: hub.call("status", "--json").rows[0]["queues"]["integrationhub.csa2003"] == 0, "the events"
        )
        assert daemon.stop() == 0

    assert sent["messages"] > 1
    assert events_of_cs2(hub) == events_of_cs2(recorded)


def test_a_daemon_that_is_reread_while_messages_come_loses_none(hub: Installation) -> None:
    folder = shipped_connectors() / "connectors" / "csa2003"
    hub.call("ingest", "csa2003", folder / "samples")
    with hub.daemon() as daemon:
        daemon.until_ready()
        for _ in range(3):
            sent = hub.call("send", "csa2003", folder / "captures" / "events.jsonl", "--json").rows[0]["messages"]
            daemon.running.send_signal(signal.SIGHUP)
        daemon.until(lambda: taken(daemon) == 3 * sent, "the events")
        daemon.until(lambda: any(line["event"] == "reread" for line in daemon.lines), "the rereading")
        assert daemon.stop() == 0
        outcomes = [line["outcome"] for line in daemon.lines if line["event"] == "reread"]
    assert outcomes
    assert set(outcomes) == {"DONE"}
    assert waiting(hub, "integrationhub.csa2003") == 0


def taken(daemon: Daemon) -> int:
    """Messages in the batches that were committed."""
    return sum(line["messages"] for line in daemon.lines if line["event"] == "messages" and line["outcome"] == "DONE")


def test_a_daemon_whose_queue_was_made_otherwise_does_not_start_and_says_what_differs(
    hub: Installation, amqp_url: str
) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    connection.channel().queue_declare("integrationhub.files", durable=True)
    connection.close()
    refused = hub.run("run", code=2, broker_url=amqp_url)
    assert 'queue integrationhub.files has x-dead-letter-exchange none, wanted is ""' in refused.err
    assert "move its messages" in refused.err
